"""“Refresh templates” of the campaign form: the account's templates read anew, while what was written stays as it is."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync.admin.forms.campaign_ways import template_choices
from contactsync.models import ProviderAccount
from contactsync.sync.accounts import refresh_templates
from contactsync.sync.connect import ProviderError, error_text
from contactsync.sync.templates import TemplateChanges
from contactsync.templatetags.contactsync import listed, number


def refreshed(account: ProviderAccount) -> dict[str, Any]:
    """`text` for the person, `ok`, and the `choices` of the field by now: [group, [[value, label], …]] or [value, label]."""
    try:
        changes = refresh_templates(account)
    except ProviderError as error:
        text = _("The templates could not be read: %(reason)s The list is as it was.")
        return {"ok": False, "text": text % {"reason": error_text(error)}}
    return {"ok": True, "text": in_words(changes), "choices": template_choices(None)}


def in_words(changes: TemplateChanges) -> str:
    """“3 templates were read. New: a. Changed: b and c.”"""
    sentences = [
        ngettext("%(count)s template was read.", "%(count)s templates were read.", changes.count)
        % {"count": number(changes.count)}
    ]
    if changes.added:
        sentences.append(_("New: %(titles)s.") % {"titles": listed(changes.added)})
    if changes.changed:
        sentences.append(_("Changed: %(titles)s.") % {"titles": listed(changes.changed)})
    if changes.gone:
        sentences.append(_("No longer there: %(titles)s.") % {"titles": listed(changes.gone)})
    if len(sentences) == 1:
        sentences.append(_("Nothing has changed."))
    elif changes.changed:
        sentences.append(_("Save the draft to see the inputs for the variables as they are now."))
    return " ".join(sentences)

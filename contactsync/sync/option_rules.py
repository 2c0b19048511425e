"""What a custom option may be: the same rules for the form and the command line."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from contactsync.models import CustomOption, ProviderAccount
from contactsync.sync.connect import Misconfigured, capabilities

Kind = CustomOption.Kind
WITH_CHOICES = frozenset({Kind.CHOICE, Kind.MULTIPLE})


def takes(account: ProviderAccount, kind: str) -> bool:
    """Whether the account's provider has options of this kind; also when it is not known."""
    try:
        return kind in set(capabilities(account).option_kinds)
    except Misconfigured:
        return True


def kind_problem(account: ProviderAccount, kind: str) -> str:
    """Why no option of this kind can be made in the account, in the active language; empty when it can."""
    if takes(account, kind):
        return ""
    return _("This provider has no options of the kind “%(kind)s”.") % {"kind": Kind(kind).label}


def choices_problem(kind: str, choices: Sequence[str]) -> str:
    """What is wrong with the allowed values, in the active language; empty when nothing is."""
    if kind in WITH_CHOICES and not choices:
        return _("Write at least one allowed value.")
    if kind == Kind.MULTIPLE and any(sign in choice for choice in choices for sign in ";|"):
        return _("Several choices are told apart by “;” and “|”, so no choice may have them in it.")
    return ""

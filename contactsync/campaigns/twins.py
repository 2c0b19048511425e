"""The same campaign once more: the same texts to the same people through the same sender, prepared or sent before."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from contactsync.models import Campaign
from contactsync.models.reasons import reason

State = Campaign.State
_UNSENT = (State.PREPARED, State.WAITING)


def find_twin(campaign: Campaign, audience_hash: str) -> Campaign | None:
    """The latest other campaign with this frozen audience that was sent, or can still be; None when there is none."""
    others = Campaign.objects.filter(account=campaign.account_id, audience_hash=audience_hash).exclude(pk=campaign.pk)
    without = [State.DRAFT, State.PREPARING, State.CANCELLED, State.FAILED]
    return others.exclude(state__in=without).order_by("-pk").first()


def twin_in_summary(campaign: Campaign, audience_hash: str, figures: dict[str, Any]) -> dict[str, Any]:
    """`figures` with the twin and a warning about it, where there is one. `twin` has `campaign` (its id), `title` and `state`."""
    twin = find_twin(campaign, audience_hash)
    if twin is None:
        return figures
    sentence = _TWIN_UNSENT if twin.state in _UNSENT else _TWIN_SENT
    warning = reason(sentence, title=twin.title)
    shown = {"campaign": twin.pk, "title": twin.title, "state": twin.state}
    return {**figures, "twin": shown, "warnings": [warning, *figures.get("warnings", [])]}


_TWIN_SENT = gettext_noop(
    "Exactly these texts to exactly these people were sent before, by the campaign “%(title)s”. "
    "Whoever got them would get them twice."
)
_TWIN_UNSENT = gettext_noop(
    "Exactly these texts to exactly these people are prepared in the campaign “%(title)s” as well. Send only one of them."
)

"""Messages that the provider fills in itself, from the values it has: only where that gives the texts that were shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from contactsync.campaigns.sources import CHUNK, is_slice
from contactsync.models import Campaign, CampaignTarget, Contact, Phonebook, Recipient
from contactsync.models.reasons import reason
from contactsync.placeholders import BUILT_IN, PLACEHOLDER, Placeholder, placeholders
from contactsync.sync import sends
from contactsync.sync.connect import Operation, capabilities
from contactsync.sync.mapping import TO_BE_CREATED, Place, places_of
from contactsync.text import fold


def problems(campaign: Campaign, targets: Sequence[CampaignTarget]) -> list[dict[str, Any]]:
    """Why the provider cannot fill in this message for these targets, as reasons for `describe()`; empty when it can."""
    if not campaign.is_keyworded:
        return []
    limits = capabilities(campaign.account)
    if not limits.can(Operation.SEND_KEYWORDS):
        return [reason(limits.why_not(Operation.SEND_KEYWORDS))]
    if campaign.template:
        return [
            reason(
                gettext_noop("A template is filled in here. Choose either the template or the provider's filling in.")
            )
        ]
    found = []
    if not placeholders(campaign.message):
        found.append(
            reason(gettext_noop("The message has no placeholder, so there is nothing for the provider to fill in."))
        )
    for target in targets:
        if target.type != CampaignTarget.Type.ALL or is_slice(target) or not target.phonebook.remote_id:
            found.append(reason(_WHOLE_ONLY, title=target.phonebook.title))
    return found + _placeholder_problems(campaign, [target.phonebook for target in targets])


_WHOLE_ONLY = gettext_noop(
    "The provider fills in messages only for whole phonebooks that it has; “%(title)s” is not one, or is not chosen as "
    "a whole. Choose everybody in it and push it, or have the texts made here."
)
_NO_FALLBACK = gettext_noop(
    "The provider cannot put anything in place of a missing value, as {%(name)s|…} asks for. "
    "Write {%(name)s}, or have the texts made here."
)
_NO_PLACE = gettext_noop(
    "The provider has no value for {%(name)s} in the phonebook “%(title)s”: it fills in custom options that were pushed. "
    "Push the phonebook, or have the texts made here."
)
_OWN_DATES = gettext_noop(
    "How the provider writes the date {%(name)s} in a message is not documented. Have the texts made here."
)


def _placeholder_problems(campaign: Campaign, phonebooks: Sequence[Phonebook]) -> list[dict[str, Any]]:
    used = {fold(found.name): found for found in placeholders(campaign.message)}
    found = [reason(_NO_FALLBACK, name=one.name) for one in placeholders(campaign.message) if one.fallback is not None]
    for phonebook in phonebooks:
        by_name = _places(phonebook)
        for name, placeholder in used.items():
            place = by_name.get(name)
            if place is None:
                found.append(reason(_NO_PLACE, name=placeholder.name, title=phonebook.title))
            elif place.kind == "date":
                found.append(reason(_OWN_DATES, name=placeholder.name))
    return found


def _places(phonebook: Phonebook) -> dict[str, Place]:
    """Folded name of a placeholder -> where the provider has its value."""
    places = places_of(phonebook).options
    return {
        fold(place.title): place
        for place in places
        if place.option_id and not place.key.startswith(TO_BE_CREATED) and fold(place.title) not in BUILT_IN
    }


def provider_text(campaign: Campaign, phonebook: Phonebook) -> str:
    """The message with the provider's own placeholders. Raises `KeyError` for one that it has no value for."""
    by_name = _places(phonebook)

    def keyword(found: re.Match[str]) -> str:
        place = by_name[fold(Placeholder(found[1].strip(), found[2]).name)]
        return sends.keyword(campaign.account, place.key)

    return PLACEHOLDER.sub(keyword, campaign.message)


def differing(people: QuerySet[Recipient], campaign: Campaign, phonebook: Phonebook) -> int:
    """How many of `people` the provider would send another text than the one that was shown, as far as it was last told."""
    by_keyword = {sends.keyword(campaign.account, place.key): place.key for place in _places(phonebook).values()}
    keywords = re.compile("|".join(map(re.escape, by_keyword)) or r"(?!)")
    text = provider_text(campaign, phonebook)
    rows = people.order_by("pk").values_list("text", "contact__sync_state", "contact__pushed_payload")
    wrong = 0
    for shown, state, pushed in rows.iterator(chunk_size=CHUNK):
        told = (pushed or {}).get("options", {})
        made = keywords.sub(lambda found, told=told: str(told.get(by_keyword[found[0]], "")), text)  # type: ignore[misc]
        wrong += state != Contact.SyncState.SYNCED or made != shown
    return wrong


def not_whole(campaign: Campaign, target: CampaignTarget, *, is_exactly: bool) -> dict[str, Any]:
    """Why the provider would not reach exactly these people with these texts; empty when it would."""
    people = Recipient.objects.filter(campaign=campaign, target=target, state=Recipient.State.PLANNED)
    title = target.phonebook.title
    if not is_exactly:
        return reason(
            gettext_noop(
                "The phonebook “%(title)s” holds other people at the provider than this campaign is for: some are left "
                "out, not pushed, or only there. Have the texts made here, or push the phonebook first."
            ),
            title=title,
        )
    if wrong := differing(people, campaign, target.phonebook):
        return reason(DIFFER, title=title, people=wrong)
    return {}


DIFFER = gettext_noop(
    "The provider does not have the present values of %(people)s people in “%(title)s”, so it would write something else "
    "to them than is shown here. Push the phonebook first, or have the texts made here."
)

"""Verdict on each candidate of an audience: sent to, or left out and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.campaigns import templates, windows
from contactsync.campaigns.problems import sender_of
from contactsync.campaigns.render import Rendered, Template
from contactsync.campaigns.rows import NewRecipient
from contactsync.campaigns.sources import Candidate
from contactsync.models import Campaign, CampaignTarget, CustomOption, Recipient, Suppression
from contactsync.models.reasons import reason
from contactsync.segments import Parts, count_parts
from contactsync.sync.connect import capabilities, provider_class, reason_of
from contactsync.sync.line import Line

_EXCLUSION_BY_SOURCE = {Suppression.Source.PROVIDER: Recipient.Exclusion.OPTED_OUT}


class Decider:
    """Turns candidates into recipients, target after target. The first reason to leave somebody out is the one kept."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.limits = capabilities(campaign.account)
        self._problem_with_number = provider_class(campaign.account.provider).problem_with_number
        self.sender = sender_of(campaign)
        self._always_template = templates.always(campaign)

    def open(self, target: CampaignTarget) -> None:
        """Go on with the people of this target."""
        self.target = target
        options = list(CustomOption.objects.filter(places__phonebook=target.phonebook_id))
        self.template = Template(self.campaign.message, options)
        self._filler = templates.TemplateFiller(self.campaign, options) if self.campaign.template else None
        self._sized: dict[str, Parts] = {}

    def look_up(self, chunk: Sequence[Candidate], *, pulse: Callable[[], None]) -> None:
        """Ask the provider what the verdicts need. Outside any transaction; raises `ProviderError`, and what `pulse` raises."""
        if self.limits.reply_window is None or self._always_template:
            return
        phones = [candidate.phone for candidate in chunk]
        suppressed = set(Suppression.objects.filter(phone__in=phones).values_list("phone", flat=True))
        with Line(self.campaign.account, pulse=pulse) as line:
            windows.look_up([one for one in chunk if one.phone not in suppressed], self.campaign, line)

    def decide(self, chunk: Sequence[Candidate]) -> Iterator[NewRecipient]:
        """One new recipient per candidate."""
        phones = [candidate.phone for candidate in chunk]
        suppressed = dict(Suppression.objects.filter(phone__in=phones).values_list("phone", "source"))
        for candidate in chunk:
            yield self._decide(candidate, suppressed.get(candidate.phone, ""))

    def _decide(self, candidate: Candidate, suppressed: str) -> NewRecipient:
        if suppressed:
            exclusion = _EXCLUSION_BY_SOURCE.get(Suppression.Source(suppressed), Recipient.Exclusion.SUPPRESSED)
            return _excluded(candidate, exclusion)
        if problem := self._problem_with_number(candidate.phone):
            return _excluded(candidate, Recipient.Exclusion.UNREACHABLE, error=reason_of(problem))
        is_open = windows.is_open(self.limits, candidate.last_received_at)
        has_consent = candidate.consented_at is not None
        unreachable, why = windows.exclusion(self.campaign, has_consent=has_consent, is_open=is_open)
        if unreachable:
            return _excluded(candidate, unreachable, error=why)
        if self._filler is not None and (self._always_template or not is_open):
            return self._with_template(candidate, self._filler)
        rendered = self.template.render(candidate)
        if rendered.missing or not rendered.text.strip():
            return _excluded(candidate, Recipient.Exclusion.INCOMPLETE, error=_incomplete(rendered))
        parts = self._parts(rendered.text)
        if error := self._too_long(rendered.text, parts):
            return _excluded(candidate, Recipient.Exclusion.TOO_LONG, error=error, text=rendered.text)
        return NewRecipient(candidate, text=rendered.text, parts=parts.count, encoding=parts.encoding)

    def _with_template(self, candidate: Candidate, filler: templates.TemplateFiller) -> NewRecipient:
        filled = filler.fill(candidate)
        if filled.has_gap:
            why = _incomplete(Rendered(filled.text, filled.missing))
            return _excluded(candidate, Recipient.Exclusion.INCOMPLETE, error=why)
        parts = self._parts(filled.text)
        return NewRecipient(
            candidate, filled.text, template_values=filled.values, parts=parts.count, encoding=parts.encoding
        )

    def _parts(self, text: str) -> Parts:
        if self.campaign.template or not self.template.is_constant:
            return count_parts(text)
        if text not in self._sized:
            self._sized[text] = count_parts(text)
        return self._sized[text]

    def _too_long(self, text: str, parts: Parts) -> dict[str, Any]:
        characters, most = self.limits.max_message_chars, self.limits.max_message_parts
        if characters is not None and len(text) > characters:
            return reason(
                gettext_noop("The text has %(characters)s characters; the provider takes at most %(limit)s."),
                characters=len(text),
                limit=characters,
            )
        if most is not None and parts.count > most:
            return reason(
                gettext_noop("The text has %(parts)s SMS parts; the provider takes at most %(limit)s."),
                parts=parts.count,
                limit=most,
            )
        return {}


def _excluded(
    candidate: Candidate, exclusion: str, *, error: dict[str, Any] | None = None, text: str = ""
) -> NewRecipient:
    return NewRecipient(candidate, state=Recipient.State.EXCLUDED, exclusion=exclusion, error=error or {}, text=text)


def _incomplete(rendered: Rendered) -> dict[str, Any]:
    if not rendered.missing:
        return reason(gettext_noop("With this contact's values the text is empty."))
    return reason(gettext_noop("No value for: %(names)s."), names=_joined(rendered.missing))


def _joined(names: Sequence[str]) -> str | dict[str, Any]:
    """The names as a list in the language of whoever reads it later."""
    first, *others = names
    return reason(gettext_noop("%(first)s, %(rest)s"), first=first, rest=_joined(others)) if others else first

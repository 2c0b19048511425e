"""Whom a campaign goes to: frozen before it is shown, so that what is shown is what is sent.

Every number a target names becomes exactly one `Recipient` row (the first target that names it
wins), to be sent to or left out for a reason. A row is never decided twice: a freeze that was
killed starts again from nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns import calls, keyworded, rows, summary, twins
from contactsync.campaigns.decide import Decider
from contactsync.campaigns.lease import CampaignLease, LeaseLost
from contactsync.campaigns.opted_out import take_over_list
from contactsync.campaigns.packets import WholeTarget
from contactsync.campaigns.problems import CampaignProblem, frozen_sender, problems
from contactsync.campaigns.sources import CHUNK, Candidate, RemoteBook, candidates, is_slice, needs_remote_book
from contactsync.campaigns.tally import Tally
from contactsync.models import Campaign, CampaignTarget, Contact, Recipient
from contactsync.models.listed import among, have_counted, within
from contactsync.models.reasons import reason
from contactsync.models.transitions import transition
from contactsync.sync import sends, shutdown
from contactsync.sync.connect import ProviderError, capabilities, reason_of
from contactsync.sync.database import one_of_many
from contactsync.sync.line import Line
from contactsync.sync.opt_outs import OptOuts
from contactsync.sync.policy import rest_after

logger = logging.getLogger(__name__)

HASHED_PER_PULSE = 20_000


def freeze(campaign_id: int) -> None:
    """Decide the audience of a campaign that is being prepared, and plan its calls.

    Ends in `prepared`, or in `failed` with the reason; or waits for the provider, and `abandoned` finds it later.
    Does nothing when another worker is at it or the campaign is in another state.
    """
    lease = CampaignLease(campaign_id, Campaign.State.PREPARING)
    if not lease.claim():
        return
    campaign = Campaign.objects.select_related("account").get(pk=campaign_id)
    try:
        _freeze(campaign, lease)
    except LeaseLost:
        logger.info("Campaign %s was taken back while it was being prepared.", campaign_id)
    except shutdown.Ending:
        lease.rest(timezone.now(), {})
    except CampaignProblem as problem:
        _fail(campaign, lease, problem.reasons[0])
    except ProviderError as error:
        if (rest := rest_after(error)) is not None:
            lease.rest(timezone.now() + rest, reason_of(error))
        else:
            _fail(campaign, lease, reason_of(error))
    except Exception:
        _fail(
            campaign,
            lease,
            reason(gettext_noop("An internal error came up while preparing. It is in the log; please report it.")),
        )
        raise


def abandoned() -> list[int]:
    """Campaigns whose preparation nobody works on any more (killed worker): to be frozen again."""
    waiting = Campaign.objects.filter(state=Campaign.State.PREPARING, lease_until__lt=timezone.now())
    return list(waiting.values_list("pk", flat=True))


def _freeze(campaign: Campaign, lease: CampaignLease) -> None:
    if found := problems(campaign):
        raise CampaignProblem(found)
    with transaction.atomic():
        lease.renew()
        forget(campaign)
    by_country = capabilities(campaign.account).price_differs_by_country
    tally = Tally(warnings=take_over_list(campaign, pulse=lease.renew), by_country=by_country)
    whole: dict[int, WholeTarget] = {}
    decider = Decider(campaign)
    have_counted(Contact)
    targets = list(campaign.targets.select_related("phonebook__account").order_by("pk"))
    for target in targets:
        lease.renew()
        book = _remote_book(campaign, target, lease)
        planned = _freeze_target(target, book, decider=decider, tally=tally, lease=lease)
        is_exactly = book is not None and _is_exactly(book, target, planned)
        if campaign.is_keyworded and (why := keyworded.not_whole(campaign, target, is_exactly=is_exactly)):
            raise CampaignProblem([why])
        if book is not None and is_exactly:
            text = keyworded.provider_text(campaign, target.phonebook) if campaign.is_keyworded else ""
            digest = book.digest(target.start, target.size)
            whole[target.pk] = WholeTarget(count=len(book.rows), digest=digest, keyworded=text)
    _finish(campaign, lease, tally=tally, whole=whole)


def _freeze_target(
    target: CampaignTarget, book: RemoteBook | None, *, decider: Decider, tally: Tally, lease: CampaignLease
) -> set[str]:
    """Write the rows of one target. Returns the numbers to be sent to when the provider's phonebook is known."""
    planned: set[str] = set()
    decider.open(target)
    tally.targets += 1
    for chunk in candidates(target, book):
        decider.look_up(chunk, pulse=lease.renew)
        with one_of_many():
            lease.renew(summary={**target.campaign.summary, "looked_at": tally.considered})
            fresh = _without_duplicates(target, chunk, is_first=tally.targets == 1)
            tally.considered += len(chunk)
            tally.duplicate += len(chunk) - len(fresh)
            new = list(decider.decide(fresh))
            for row in new:
                tally.count(row)
            rows.insert(new, target)
        have_counted(Recipient)
        if book is not None:
            planned.update(row.candidate.phone for row in new if not row.exclusion)
    return planned


def _without_duplicates(target: CampaignTarget, chunk: Sequence[Candidate], *, is_first: bool) -> list[Candidate]:
    """Those whose number is not in the campaign yet. The first target has only itself to repeat, and only in a slice can it."""
    taken: set[str] = set()
    if not is_first or is_slice(target):
        phones = [candidate.phone for candidate in chunk]
        rows = within(Recipient.objects.filter(phone__in=among(phones)), "campaign_id", target.campaign_id)
        taken = set(rows.values_list("phone", flat=True))
    fresh = []
    for candidate in chunk:
        if candidate.phone not in taken:
            taken.add(candidate.phone)
            fresh.append(candidate)
    return fresh


def _remote_book(campaign: Campaign, target: CampaignTarget, lease: CampaignLease) -> RemoteBook | None:
    """The provider's phonebook where it matters, the lease kept while it is read. Only a slice cannot do without it."""
    if not needs_remote_book(target) or not (is_slice(target) or calls.sends_to_phonebooks(campaign)):
        return None
    try:
        with Line(campaign.account, pulse=lease.renew) as line:
            opt_outs = OptOuts()
            rows_there = sends.remote_ids_in_order(campaign.account, target.phonebook, line=line, note=opt_outs.note)
            opt_outs.take_over()
            return RemoteBook.of(rows_there)
    except ProviderError:
        if is_slice(target) or campaign.is_keyworded or campaign.account.is_stopped:
            raise
        logger.warning("Phonebook %s could not be read; its people are sent to one by one.", target.phonebook_id)
        return None


def _is_exactly(book: RemoteBook, target: CampaignTarget, planned: set[str]) -> bool:
    """The provider's rows of this target are these numbers, all of them and no others, each once."""
    rows = book.part(target.start, target.size)
    return bool(planned) and len(rows) == len(planned) and {phone for _, phone in rows} == planned


def _finish(campaign: Campaign, lease: CampaignLease, *, tally: Tally, whole: dict[int, WholeTarget]) -> None:
    """Hash, price, plan and show: the calls and the change of state in one transaction."""
    have_counted(Recipient, new=tally.considered)
    digest = audience_hash(campaign, pulse=lease.renew)
    figures = twins.twin_in_summary(campaign, digest, summary.figures(campaign, tally, pulse=lease.renew))
    with transaction.atomic():
        lease.renew()
        run = calls.create_run(campaign, audience_hash=digest)
        lines = calls.plan_calls(run, whole=whole, pulse=lease.renew)
        transition(
            campaign,
            Campaign.State.PREPARED,
            table=Campaign.TRANSITIONS,
            audience_hash=digest,
            summary={**figures, **lines},
            prepared_at=timezone.now(),
            lease_owner="",
            lease_until=None,
        )


def forget(campaign: Campaign) -> None:
    """Delete the frozen audience and drop the planned run. Only for a campaign of which nothing was sent."""
    calls.discard_plan(campaign)
    Recipient.objects.filter(campaign=campaign).delete()


def audience_hash(campaign: Campaign, *, pulse: Callable[[], None] = lambda: None) -> str:
    """SHA-256 over the sender, the time, the template, and every number and text to be sent, in order, as the rows have them.

    `pulse` is called from time to time, and may raise to end it.
    """
    digest = hashlib.sha256()
    time = campaign.scheduled_for.isoformat() if campaign.scheduled_for else ""
    said = [campaign.account_id, frozen_sender(campaign), time, campaign.template, campaign.is_keyworded]
    digest.update(json.dumps(said).encode())
    planned = Recipient.objects.filter(campaign=campaign, state=Recipient.State.PLANNED).order_by("pk")
    shown = planned.values_list("phone", "text", "template_values")
    for position, row in enumerate(shown.iterator(chunk_size=CHUNK)):
        if position % HASHED_PER_PULSE == 0:
            pulse()
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def _fail(campaign: Campaign, lease: CampaignLease, why: dict[str, Any]) -> None:
    if not lease.end(Campaign.State.FAILED, error=why):
        logger.info("Campaign %s was taken back, or over, while it was being prepared.", campaign.pk)

"""What a person decides on the differences that a pull has found, and the run that carries it out.

A finished pull lists items: only here, only there, different, unsubscribed there. Each may get a decision; those that
have one become a run that is planned, shown and approved like a push.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contactsync.models import Contact, Phonebook, PhonebookOption, Run, RunItem
from contactsync.models.reasons import reason
from contactsync.sync.chunks import CHUNK
from contactsync.sync.connect import Capabilities, Operation, capabilities
from contactsync.sync.leases import waiting
from contactsync.sync.lifecycle import RunRefused
from contactsync.sync.mapping import fields_of

Decision = RunItem.Decision
State = Run.State

REPLACED = gettext_noop("A newer plan was made for this phonebook.")
FIELDS = ("prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "note")


def choices(operation: str, limits: Capabilities) -> list[RunItem.Decision]:
    """What may be decided on an item of this operation at a provider of these abilities."""
    can = limits.can
    match operation:
        case RunItem.Operation.ONLY_HERE:
            add = [Decision.ADD_THERE] if can(Operation.CREATE_CONTACTS) else []
            return [*add, Decision.DELETE_HERE, Decision.SUPPRESS, Decision.LEAVE]
        case RunItem.Operation.ONLY_THERE:
            delete = [Decision.DELETE_THERE] if can(Operation.DELETE_CONTACTS) else []
            return [Decision.ADD_HERE, *delete, Decision.SUPPRESS, Decision.LEAVE]
        case RunItem.Operation.DIFFERENT:
            keep = [Decision.KEEP_OURS] if can(Operation.UPDATE_CONTACT) else []
            return [*keep, Decision.TAKE_THEIRS, Decision.LEAVE]
    return []  # whoever is unsubscribed there was suppressed here by the pull itself


def decide(
    run: Run,
    decision: str,
    *,
    items: QuerySet[RunItem] | None = None,
    operation: str | None = None,
    user: User | None = None,
) -> int:
    """Decide the same for all these items of a finished pull, as far as it is possible for each. Returns for how many.

    An empty decision takes an earlier one back; who decided last stays in the run's plan. Raises `RunRefused` when the run is no finished pull.
    """
    if run.kind != Run.Kind.PULL or run.state not in {State.FINISHED, State.ATTENTION}:
        raise RunRefused(
            _("Decisions are made on what a finished pull has found. Pull the state of the phonebook first.")
        )
    limits = capabilities(run.account)
    chosen = RunItem.objects.filter(run=run, state=RunItem.State.PLANNED)
    if items is not None:
        chosen = chosen.filter(pk__in=items.order_by().values("pk"))
    if operation is not None:
        chosen = chosen.filter(operation=operation)
    if decision:
        fitting = [each for each in RunItem.Operation.values if decision in choices(each, limits)]
        chosen = chosen.filter(operation__in=fitting)
    if decision == Decision.ADD_HERE:
        chosen = chosen.filter(error={})  # no valid number, or a second one of the same number
    number = chosen.update(decision=decision)
    if number and user is not None:
        Run.objects.filter(pk=run.pk).update(plan={**run.plan, "decided_by": user.get_username()})
    return number


def unreadable_fields(phonebook: Phonebook) -> list[str]:
    """Titles of the fields and options that the provider does not tell, so that nothing can be said of them."""
    limits = capabilities(phonebook.account)
    rows = list(phonebook.option_places.select_related("option").order_by("id"))
    placed = {row.field for row in rows if row.field and not row.stays_here}
    if PhonebookOption.Field.FULL_NAME in placed:
        placed |= {"first_name", "last_name"}
    own = fields_of(limits)
    titles = [str(Contact._meta.get_field(name).verbose_name) for name in FIELDS if name not in own | placed]  # type: ignore[union-attr]
    reads_options = limits.reads_option_values or "options" in limits.details_tell
    return titles + [str(row) for row in rows if row.stays_here or not reads_options]


def create_reconcile_run(pull_run: Run, user: User | None = None) -> Run:
    """A run that is to be planned: carry out the decisions made on a pull. Replaces a plan of that kind nobody approved.

    Raises `RunRefused` when nothing was decided.
    """
    decided = pull_run.items.filter(state=RunItem.State.PLANNED).exclude(decision__in=["", Decision.LEAVE])
    phonebook = pull_run.phonebook
    if phonebook is None or not decided.exists():
        raise RunRefused(_("Nothing was decided yet. Choose what to do with at least one line."))
    with transaction.atomic():
        Run.objects.filter(
            kind=Run.Kind.RECONCILE, phonebook=phonebook, state__in=[State.PLANNING, State.PLANNED]
        ).update(state=State.DISCARDED, finished_at=timezone.now(), error=reason(REPLACED))
        run = Run.objects.create(
            kind=Run.Kind.RECONCILE,
            account=pull_run.account,
            phonebook=phonebook,
            plan={"pull": pull_run.pk},
            created_by=user,
            **waiting(),
        )
        RunItem.objects.bulk_create(
            (_copied(item, run) for item in decided.order_by("pk").iterator()), batch_size=CHUNK
        )
    return run


def _copied(item: RunItem, run: Run) -> RunItem:
    kept: dict[str, Any] = {
        name: getattr(item, name)
        for name in ("contact_id", "phone", "remote_id", "operation", "decision", "theirs", "changes", "payload_hash")
    }
    return RunItem(run=run, **kept)

"""What the commands that do the daily work have in common: look-ups, JSON output, exit codes."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contactsync.campaigns.problems import CampaignProblem
from contactsync.crypto import Undecryptable
from contactsync.imports.errors import ImportRefused
from contactsync.models import Campaign, CustomOption, Phonebook, ProviderAccount, Run
from contactsync.models.transitions import TransitionRefused
from contactsync.sync.connect import Operation, ProviderError, capabilities, error_text

M = TypeVar("M", Phonebook, CustomOption)

LOOK_EVERY = 5.0  # seconds between two looks at a run that waits
LONGEST_WAIT = 3600.0  # seconds in all; then the run is left to the worker
MOST_NAMES = 20  # in an error that lists what there is
UNDER_WAY = {Run.State.QUEUED, Run.State.RUNNING, Run.State.STOPPING}


class ServiceCommand(BaseCommand):
    """A command over the same services as the screens. It waits for the work, prints the counts, and exits 1 unless all is well."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def execute(self, *args: Any, **options: Any) -> Any:
        """As Django's, but what the services refuse is told in their words, not in a traceback."""
        try:
            return super().execute(*args, **options)
        except (CampaignProblem, ImportRefused) as error:
            raise CommandError(error.describe()) from error
        except ProviderError as error:
            raise CommandError(error_text(error)) from error
        except (TransitionRefused, Undecryptable) as error:
            raise CommandError(str(error)) from error

    def work_on(self, run: Run, execute: Callable[[int], None]) -> None:
        """Work on the run until it ends or rests, also when it has to wait in between. Ctrl+C leaves it to the worker."""
        waited, told = 0.0, None
        try:
            while True:
                execute(run.pk)
                run.refresh_from_db()
                if run.state not in UNDER_WAY or waited >= LONGEST_WAIT:
                    return
                until = run.lease_until
                if until != told:
                    told = until
                    self.stderr.write(_waits_for(run))
                left = LOOK_EVERY if until is None else (until - timezone.now()).total_seconds()
                pause = min(LOOK_EVERY, max(0.1, left))
                waited += pause
                wait(pause)
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. Run {run.pk} is left to the worker.", returncode=130) from None

    def conclude(self, result: dict[str, Any], *, ok: bool, as_json: bool, why: str = "") -> None:
        """Print the result; exit 1 with the reason when something failed, is unknown or does not balance."""
        if as_json:
            self.stdout.write(json.dumps({"ok": ok, **result}, ensure_ascii=False, default=str))
        else:
            for name, value in result.items():
                self.stdout.write(f"{name}: {plain(value)}")
        if not ok:
            raise CommandError(why or "Not everything went well; see the counts above.", returncode=1)


def wait(seconds: float) -> None:
    """Hold the command, which has nothing else to do, until it looks at its run again."""
    time.sleep(seconds)


def _waits_for(run: Run) -> str:
    who = "another worker" if run.lease_owner else "its next attempt"
    until = timezone.localtime(run.lease_until).strftime(" until %H:%M:%S") if run.lease_until else ""
    return f"Run {run.pk} waits for {who}{until}. {run.error_text} Press Ctrl+C to leave it to the worker."


def plain(value: Any) -> str:
    """A result as a line for people."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(plain(item) for item in value) or "none"
    return str(value)


def insist(account: ProviderAccount, *operations: Operation) -> None:
    """Refuse, before any call, what the account's provider cannot do, with its one line of why."""
    limits = capabilities(account)
    for operation in operations:
        if not limits.can(operation):
            raise CommandError(_(limits.why_not(operation)))


def listed(names: Iterable[str]) -> str:
    """The first names there are, for an error that says what could have been meant."""
    known = list(names)
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return (", ".join(known[:MOST_NAMES]) or "none yet") + more


def find_account(name: str) -> ProviderAccount:
    """The account with this name; the error lists the names there are."""
    try:
        return ProviderAccount.objects.get(name=name)
    except ProviderAccount.DoesNotExist:
        names = listed(ProviderAccount.objects.values_list("name", flat=True))
        raise CommandError(f"There is no account “{name}”. Accounts: {names}.") from None


def find_phonebook(title: str, account: str = "") -> Phonebook:
    """The phonebook with this title; `account` decides when several accounts have one."""
    return _one_of(Phonebook.objects.all(), "phonebook", title, account)


def find_option(title: str, account: str = "") -> CustomOption:
    """The custom option with this title; `account` decides when several accounts have one."""
    return _one_of(CustomOption.objects.all(), "custom option", title, account)


def _one_of(rows: QuerySet[M], what: str, title: str, account: str) -> M:
    rows = rows.select_related("account").order_by("title")
    if account:
        rows = rows.filter(account=find_account(account))
    found = list(rows.filter(title=title)[:2])
    if not found:
        titles = listed(dict.fromkeys(rows.values_list("title", flat=True)))
        raise CommandError(f"There is no {what} “{title}”. There are: {titles}.")
    if len(found) > 1:
        raise CommandError(f"Several accounts have a {what} “{title}”. Say which one with --account.")
    return found[0]


def find_campaign(number: int) -> Campaign:
    """The campaign of this number; the error lists the newest ones."""
    campaign = Campaign.objects.filter(pk=number).select_related("account").first()
    if campaign is None:
        newest = Campaign.objects.order_by("-pk")[:MOST_NAMES]
        names = "; ".join(f"{each.pk} “{each.title}”" for each in newest) or "none yet"
        raise CommandError(f"There is no campaign {number}. The newest: {names}.")
    return campaign

"""The main job against the sandbox, without a browser, in the database that the environment names (`demo --check`)."""

from __future__ import annotations

import io
import json
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from contactsync.management import sample_data
from contactsync.management.demo_accounts import ACCOUNTS, DemoAccount
from contactsync.management.processes import Processes, free_port
from contactsync.management.sandbox_view import Sandbox, contacts_here, contacts_there, messages_there
from contactsync.models import Campaign, Contact, Phonebook, Recipient

SAMPLES = settings.BASE_DIR / "contactsync" / "samples"


class Command(BaseCommand):
    help = "For each provider: import its sample, push it, send a campaign, read the report, and compare with what the sandbox holds."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("setup", "--no-static", stdout=io.StringIO())
        port = free_port(0)
        self.sandbox = Sandbox(f"http://127.0.0.1:{port}")
        key = sample_data.sandbox_key()
        with Processes() as processes:
            processes.start("sandbox", "-m", "providers.sandbox", "--port", str(port), environment={"SANDBOX_KEY": key})
            processes.wait_for("sandbox", self.sandbox.address)
            for account in ACCOUNTS:
                self._main_job(account, key)
        self.stdout.write("\nEverything agrees.")

    def _main_job(self, demo: DemoAccount, key: str) -> None:
        self.stdout.write(f"\n{demo.name}")
        self.sandbox.set_up(demo)
        account = demo.make_account(self.sandbox.address, key)
        self._expect(
            account.state == account.State.READY, f"the account is {account.state}: {account.state_reason_text}"
        )
        book = demo.make_phonebook(account)
        self._import(demo, book)
        self._run("push", book.title)
        second = self._run("push", book.title)
        self._expect(not second["plan"].get("calls"), "a second push of an unchanged phonebook wants to make calls")
        self._compare_contacts(book)
        campaign = demo.make_campaign(book)
        self._run("send_campaign", campaign.pk)
        self.sandbox.advance(3600)
        self._run("campaign_report", campaign.pk)
        self._compare_messages(campaign)

    def _import(self, demo: DemoAccount, book: Phonebook) -> None:
        sample = str(SAMPLES / demo.sample)
        rows, contacts = demo.rows
        imported = self._run("import_contacts", sample, phonebook=book.title)
        self._expect(imported["rows"] == rows, f"the sample has {imported['rows']} rows, not {rows}")
        self._expect(imported["created"] == contacts, f"the sample gave {imported['created']} contacts, not {contacts}")
        again = self._run("import_contacts", sample, phonebook=book.title)
        self._expect(
            not again["created"] and not again["updated"], "a second import of the same file changed something"
        )

    def _run(self, command: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        out = io.StringIO()
        call_command(command, *arguments, json=True, stdout=out, **options)
        result: dict[str, Any] = json.loads(out.getvalue())
        self.stdout.write(
            f"  {command}: "
            + ", ".join(f"{name} {value}" for name, value in result.items() if not isinstance(value, dict))
        )
        self._expect(result.get("balances", True), f"the numbers of {command} do not add up")
        return result

    def _compare_contacts(self, book: Phonebook) -> None:
        book.refresh_from_db()
        here = contacts_here(book)
        there = contacts_there(self.sandbox.state(book.account.provider), book)
        different = {phone for phone in here.keys() | there.keys() if here.get(phone) != there.get(phone)}
        self.stdout.write(
            f"  the sandbox holds {len(there)} contacts in “{book.title}”; {len(different)} differ from here"
        )
        example = min(different, default="")
        self._expect(
            here and not different,
            f"here and there differ, for example {example}: here {here.get(example)}, there {there.get(example)}",
        )
        out_of_step = Contact.objects.filter(phonebook=book).exclude(sync_state=Contact.SyncState.SYNCED).count()
        self._expect(not out_of_step, f"{out_of_step} contacts are shown as not in step")

    def _compare_messages(self, campaign: Campaign) -> None:
        state = self.sandbox.state(campaign.account.provider)
        there = messages_there(state, campaign.account.provider)
        accepted = campaign.recipients.filter(state=Recipient.State.ACCEPTED)
        here = sorted(accepted.values_list("phone", flat=True))
        self.stdout.write(
            f"  the sandbox sent {len(there)} messages to {len(set(there))} numbers; here {len(here)} are accepted"
        )
        self._expect(here and there == here, "the messages sent are not those shown here")
        open_ones = accepted.exclude(delivery__in=Recipient.FINAL_DELIVERIES).count()
        self._expect(not open_ones, f"{open_ones} recipients have no final delivery state")
        self._expect(
            not state["violations"], f"the sandbox saw requests the document does not allow: {state['violations'][:3]}"
        )

    @staticmethod
    def _expect(holds: object, otherwise: str) -> None:
        if not holds:
            raise CommandError(f"It does not agree: {otherwise}.", returncode=1)

"""The main job against the sandbox, without a browser, in the database that the environment names (`demo --check`)."""

from __future__ import annotations

import io
import json
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from contactsync.management import sample_data
from contactsync.management.processes import Processes, free_port
from contactsync.models import Contact, Phonebook, Recipient

SAMPLE = settings.BASE_DIR / "contactsync" / "samples" / "sample-contacts-fa.csv"
SAMPLE_ROWS = 500


class Command(BaseCommand):
    help = "Import the sample, push it, send a campaign, read the report, and compare with what the sandbox holds."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("setup", "--no-static", stdout=io.StringIO())
        port = free_port(0)
        self.sandbox = f"http://127.0.0.1:{port}"
        with Processes() as processes:
            processes.start(
                "sandbox", "-m", "providers.sandbox", "--port", str(port), "--key", sample_data.sandbox_key()
            )
            processes.wait_for("sandbox", self.sandbox)
            self._main_job()
        self.stdout.write("\nEverything agrees.")

    def _main_job(self) -> None:
        account = sample_data.make_account(f"{self.sandbox}/ippanel/v1")
        self._expect(
            account.state == account.State.READY, f"the account is {account.state}: {account.state_reason_text}"
        )
        book = sample_data.make_phonebook(account)
        imported = self._run("import_contacts", str(SAMPLE), phonebook=book.title)
        self._expect(imported["rows"] == SAMPLE_ROWS, f"the sample has {imported['rows']} rows, not {SAMPLE_ROWS}")
        again = self._run("import_contacts", str(SAMPLE), phonebook=book.title)
        self._expect(
            not again["created"] and not again["updated"], "a second import of the same file changed something"
        )
        self._run("push", book.title)
        second = self._run("push", book.title)
        self._expect(not second["plan"].get("calls"), "a second push of an unchanged phonebook wants to make calls")
        self._compare_contacts(book)
        campaign = sample_data.make_campaign(book)
        self._run("send_campaign", campaign.pk)
        self._post("/_sandbox/clock", {"advance": 3600})
        self._run("campaign_report", campaign.pk)
        self._compare_messages(campaign)

    def _run(self, command: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        out = io.StringIO()
        call_command(command, *arguments, json=True, stdout=out, **options)
        result: dict[str, Any] = json.loads(out.getvalue())
        self.stdout.write(
            f"{command}: "
            + ", ".join(f"{name} {value}" for name, value in result.items() if not isinstance(value, dict))
        )
        self._expect(result.get("balances", True), f"the numbers of {command} do not add up")
        return result

    def _compare_contacts(self, book: Phonebook) -> None:
        book.refresh_from_db()
        keys = {str(option.pk): option.remote_key for option in book.options.all()}
        here = {
            contact.phone: (
                contact.prefix,
                contact.full_name,
                contact.email,
                {keys[option]: value for option, value in contact.options.items()},
            )
            for contact in Contact.objects.present().filter(phonebook=book)
        }
        there = {
            row["number"]: (
                row["pre"],
                row["name"],
                row["email"],
                {key: value.replace("/", "-") for key, value in row["options"].items()},
            )
            for row in self._state()["contacts"]
            if str(row["phonebook_id"]) == book.remote_id
        }
        different = {phone for phone in here.keys() | there.keys() if here.get(phone) != there.get(phone)}
        self.stdout.write(
            f"the sandbox holds {len(there)} contacts in “{book.title}”; {len(different)} differ from here"
        )
        self._expect(
            here and not different, f"here and there differ, for example: {self._example(here, there, different)}"
        )
        out_of_step = Contact.objects.filter(phonebook=book).exclude(sync_state=Contact.SyncState.SYNCED).count()
        self._expect(not out_of_step, f"{out_of_step} contacts are shown as not in step")

    def _compare_messages(self, campaign: Any) -> None:
        state = self._state()
        there = [message[0] for send in state["sends"] for message in send["messages"]]
        here = list(campaign.recipients.filter(state=Recipient.State.ACCEPTED).values_list("phone", flat=True))
        self.stdout.write(
            f"the sandbox sent {len(there)} messages to {len(set(there))} numbers; here {len(here)} are accepted"
        )
        self._expect(here and sorted(there) == sorted(here), "the messages sent are not those shown here")
        open_ones = (
            campaign.recipients.filter(state=Recipient.State.ACCEPTED)
            .exclude(delivery__in=Recipient.FINAL_DELIVERIES)
            .count()
        )
        self._expect(not open_ones, f"{open_ones} recipients have no final delivery state")
        self._expect(
            not state["violations"], f"the sandbox saw requests the document does not allow: {state['violations'][:3]}"
        )

    @staticmethod
    def _example(here: dict[str, Any], there: dict[str, Any], different: set[str]) -> str:
        phone = min(different, default="")
        return f"{phone}: here {here.get(phone)}, there {there.get(phone)}"

    @staticmethod
    def _expect(holds: object, otherwise: str) -> None:
        if not holds:
            raise CommandError(f"It does not agree: {otherwise}.", returncode=1)

    def _state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.sandbox}/_sandbox/state/ippanel", timeout=30) as answer:  # noqa: S310
            state: dict[str, Any] = json.load(answer)
            return state

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310
            self.sandbox + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310
            pass

"""Read what people have written back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from contactsync.inbound.inbox import read_inbox
from contactsync.management.base import ServiceCommand, find_account, insist
from contactsync.models import InboundMessage
from contactsync.sync.connect import Operation


class Command(ServiceCommand):
    help = "Read the replies of an account from the provider now, and print those that are new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        insist(account, Operation.LIST_INBOX)
        newest = account.replies.order_by("-pk").values_list("pk", flat=True).first() or 0
        new = read_inbox(account.pk)
        arrived = list(account.replies.filter(pk__gt=newest).order_by("received_at", "pk"))
        result = {
            "account": account.name,
            "new": new,
            "asking_for_no_more": sum(reply.is_opt_out for reply in arrived),
        }
        if options["json"]:
            self.conclude({**result, "replies": [_row(reply) for reply in arrived]}, ok=True, as_json=True)
            return
        for reply in arrived:
            mark = " (asks for no more messages)" if reply.is_opt_out else ""
            self.stdout.write(f"{reply.received_at:%Y-%m-%d %H:%M} {reply.phone}{mark}: {reply.text}")
        self.conclude(result, ok=True, as_json=False)


def _row(reply: InboundMessage) -> dict[str, Any]:
    return {
        "phone": reply.phone,
        "text": reply.text,
        "to": reply.to,
        "received_at": reply.received_at.isoformat(),
        "is_opt_out": reply.is_opt_out,
    }

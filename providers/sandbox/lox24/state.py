"""What a LOX24 account holds, and a test's way in.

Ids of groups and phones come from separate ranges, so that one is never valid as the other. Tests may change the
public attributes at will; the helpers below keep the indexes right.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from typing import Any

from providers.sandbox.clock import Clock
from providers.sandbox.dialect import MAX_VIOLATIONS, Violation
from providers.sandbox.lox24.delivery import Bulk, Sms
from providers.sandbox.lox24.keeping import dump_state, load_state
from providers.sandbox.lox24.records import COLUMNS, Blocked, Group, Phone

CLIENT_ID = "41007"
FIRST_IDS = {"group": 7001, "phone": 900_001, "blocked": 301, "inbound": 501}
SERVICES = ("direct", "text2speech", "text2speech_ssml")
MOST_BAD, BAD_SECONDS, BLOCK_SECONDS = 3, 60, 600


class LOX24State:
    """Thread-safe when used under `lock`, as every request does.

    `quirks` switches what the document leaves open or says twice: "unprefixed" (collections without `hydra:`),
    "no_view", "no_totals", "no_count" (members left out), "phones_paged", "phones_cut" (a list of phones that ends
    early without a link), "created_on_put" (201), "refuse_duplicates", "no_source" (answers without the marker).
    `batch_shape` and `batch_status` say how a batch is answered, `outcomes` how a number ends (`status_code` and
    `dlr_code`), `callback_urls` and `inbound_url` are what a person entered in the web account.
    """

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.violations: list[Violation] = []
        self.client_id = CLIENT_ID
        self.currency = "EUR"
        self.balance = 500.0
        self.services: list[str] = list(SERVICES)
        self.is_active = True
        self.is_text_deleted = False
        self.quirks: set[str] = set()
        self.batch_shape = "list"
        self.batch_status = 201
        self.page_size = 30
        self.outcomes: dict[str, tuple[int, int]] = {}
        self.callback_urls: list[str] = []
        self.inbound_url = ""
        self.inbound_number = "+4915199900001"
        self.groups: dict[int, Group] = {}
        self.phones: dict[int, Phone] = {}
        self.sms: dict[str, Sms] = {}
        self.bulks: dict[str, Bulk] = {}
        self.open: list[Sms] = []  # something may still become of these
        self.blocked: list[Blocked] = []
        self.next_ids = dict(FIRST_IDS)
        self.bad_logins: deque[float] = deque()
        self.blocked_until = 0.0

    # Looking

    def group(self, name: str) -> Group:
        """The first group with this name. Raises `KeyError`."""
        for group in self.groups.values():
            if group.name == name:
                return group
        raise KeyError(name)

    def phones_of(self, group: Group | int) -> list[Phone]:
        """Everybody in a group, in order."""
        group = self.groups[group] if isinstance(group, int) else group
        return [self.phones[phone_id] for phone_id in group.phone_ids]

    def phone_in(self, group: Group | int, number: str) -> Phone:
        """The first phone with this number. Raises `KeyError`."""
        for phone in self.phones_of(group):
            if phone.phone == number:
                return phone
        raise KeyError(number)

    def messages_to(self, number: str) -> list[str]:
        """Every text accepted for this number, once per time it would go out."""
        return [sms.text for sms in self.sms.values() if sms.phone == number]

    # Changing

    def next_id(self, kind: str) -> int:
        number = self.next_ids[kind]
        self.next_ids[kind] += 1
        return number

    def add_group(
        self, name: str, *, description: str | None = None, labels: dict[str, str | None] | None = None
    ) -> Group:
        group = Group(self.next_id("group"), name, description, dict(labels or {}))
        self.groups[group.id] = group
        return group

    def add_phone(
        self,
        group: Group,
        number: str,
        *,
        columns: dict[str, str | None] | None = None,
        callback_data: str | None = None,
    ) -> Phone:
        """Store a new row, whether or not the number is there already."""
        filled = {**dict.fromkeys(COLUMNS), **(columns or {})}
        phone = Phone(self.next_id("phone"), group.id, number, filled, callback_data)
        self.phones[phone.id] = phone
        group.phone_ids.append(phone.id)
        return phone

    def delete_phone(self, phone: Phone) -> None:
        del self.phones[phone.id]
        self.groups[phone.group_id].phone_ids.remove(phone.id)

    def delete_group(self, group: Group) -> None:
        """Remove a group with all its phones."""
        del self.groups[group.id]
        for phone_id in group.phone_ids:
            del self.phones[phone_id]

    def unsubscribe(self, number: str, *, reason: int = 3) -> int:
        """The person follows an unsubscribe link: every row with the number is marked, and the number is blocked. Returns how many."""
        rows = [phone for phone in self.phones.values() if phone.phone == number]
        for phone in rows:
            phone.unsubscribed_at, phone.unsubscribe_reason = int(self.clock.now()), reason
        if not self.is_blocked(number):
            self.block(number, type=2)
        return len(rows)

    def block(self, number: str, *, type: int = 1) -> Blocked:
        """Put a number on the list of those nothing is sent to."""
        row = Blocked(self.next_id("blocked"), number, type, int(self.clock.now()))
        self.blocked.append(row)
        return row

    def is_made(self, sms: Sms) -> bool:
        """Whether a message is there to be seen: those of a bulk are made when it is processed."""
        return sms.bulk_id is None or self.bulks[sms.bulk_id].is_begun(self.clock.now())

    def is_blocked(self, number: str) -> bool:
        return any(row.number == number for row in self.blocked)

    @staticmethod
    def new_uuid() -> str:
        return str(uuid.uuid4())

    def accept(self, sms: Sms) -> None:
        """Keep a message and take its price."""
        self.sms[sms.uuid] = sms
        self.open.append(sms)
        self.balance -= sms.price

    def cancel(self, sms: Sms) -> bool:
        """Stop a message that is not on its way yet and give its price back."""
        if sms.cancelled or self.clock.now() >= sms.due:
            return False
        sms.cancelled = True
        self.balance += sms.price
        return True

    # The block of an address

    def is_shut_out(self) -> bool:
        return self.clock.now() < self.blocked_until

    def bad_login(self) -> None:
        """More than three within a minute block the address for ten minutes."""
        now = self.clock.now()
        self.bad_logins.append(now)
        while self.bad_logins[0] <= now - BAD_SECONDS:
            self.bad_logins.popleft()
        if len(self.bad_logins) > MOST_BAD:
            self.blocked_until = now + BLOCK_SECONDS
            self.bad_logins.clear()

    def dump(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return dump_state(self)

    def load(self, data: dict[str, Any]) -> None:
        """Become what `dump` returned."""
        load_state(self, data)

    def violate(self, violation: Violation) -> None:
        """Remember a request that the document does not allow."""
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(violation)

"""Numbers that a provider says may not be written to."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop

from contactsync.models import Suppression
from contactsync.sync.chunks import CHUNK
from contactsync.sync.connect import Operation
from contactsync.sync.line import Line
from providers.types import RemoteContact

OPTED_OUT = gettext_noop("Opted out at the provider")
BLOCKED = gettext_noop("Blocked at the provider")


class OptOuts:
    """Gathers them in a pull; what is suppressed here is never lifted by it."""

    def __init__(self) -> None:
        self._why: dict[str, str] = {}

    def note(self, contact: RemoteContact | None) -> None:
        """A contact of the phonebook, as the provider shows it."""
        if contact is not None and contact.is_opted_out:
            self._why[contact.phone] = OPTED_OUT

    def read_list(self, line: Line) -> None:
        """The provider's own list of numbers that it sends nothing to, where it has one."""
        if not line.capabilities.can(Operation.LIST_SUPPRESSED):
            return
        for number in line.read(lambda provider: list(provider.list_suppressed())):
            self._why.setdefault(number.phone, OPTED_OUT if number.is_opt_out else BLOCKED)

    def take_over(self) -> int:
        """Suppress them all here; those that are no valid numbers cannot be written to anyway. Returns how many were told."""
        rows = [
            Suppression(phone=phone, reason=gettext(why), source=Suppression.Source.PROVIDER)
            for phone, why in sorted(self._why.items())
            if phone.startswith("+")
        ]
        Suppression.objects.bulk_create(rows, ignore_conflicts=True, batch_size=CHUNK)
        return len(self._why)

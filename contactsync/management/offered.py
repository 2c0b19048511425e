"""Which of the provider's phonebooks a person means on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.management.base import CommandError

from contactsync.management.base import listed
from contactsync.models import ProviderAccount
from contactsync.sync.bring_in import OfferedPhonebook
from contactsync.sync.connect import Operation, capabilities


def chosen_there(
    account: ProviderAccount, offered: Sequence[OfferedPhonebook], wanted: str, *, unlisted: bool = False
) -> tuple[str, str]:
    """Id and title of the phonebook with this id or title; the error lists what there is.

    `unlisted`: where phonebooks are only names on contacts, take one that no contact was seen with.
    """
    found = [book for book in offered if book.remote_id == wanted] or [book for book in offered if book.title == wanted]
    if len(found) > 1:
        ids = ", ".join(book.remote_id for book in found)
        raise CommandError(f"Several phonebooks at the provider are called “{wanted}”. Give the id of one: {ids}.")
    if found:
        return found[0].remote_id, found[0].title
    by_name = not capabilities(account).can(Operation.CREATE_PHONEBOOK)
    if by_name and unlisted:
        return wanted, wanted
    there = listed(f"{book.title} ({book.remote_id})" if not by_name else book.title for book in offered)
    hint = " A tag that few contacts have may be missing here: --unlisted takes it all the same." if by_name else ""
    raise CommandError(f"There is no phonebook “{wanted}” at the provider. There are: {there}.{hint}")

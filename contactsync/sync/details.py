"""What a provider tells only contact by contact, read within bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from contactsync.sync.connect import NotFound, Operation
from contactsync.sync.line import Line
from providers.types import RemoteContact


class Details:
    """Completes contacts of a list by what reading each one tells beyond it, up to `most` of them (None: all).

    `unread` counts those that the provider could tell more about, but was not asked.
    """

    def __init__(self, line: Line, *, most: int | None, keep: Callable[[], None]) -> None:
        self.line = line
        self.left = most
        self.keep = keep
        self.unread = 0
        limits = line.capabilities
        self.tells = limits.details_tell if limits.can(Operation.READ_CONTACT) else frozenset()

    def complete(self, contact: RemoteContact) -> RemoteContact:
        """The contact with what its own page tells; as it is when that adds nothing, or when it is gone by now."""
        if not self._is_missing_something(contact):
            return contact
        if self.left == 0:
            self.unread += 1
            return contact
        if self.left is not None:
            self.left -= 1
        self.keep()
        try:
            detail = self.line.read(lambda provider: provider.get_contact(contact.remote_id))
        except NotFound:  # it went between the list and now; the next pull tells
            return contact
        options = detail.options if contact.options is None else contact.options
        opted_out = detail.is_opted_out if contact.is_opted_out is None else contact.is_opted_out
        return dataclasses.replace(contact, options=options, is_opted_out=opted_out)

    def _is_missing_something(self, contact: RemoteContact) -> bool:
        return ("options" in self.tells and contact.options is None) or (
            "opt_out" in self.tells and contact.is_opted_out is None
        )

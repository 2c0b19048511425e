"""The list of contacts, page by page, and one contact as it shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from providers import values
from providers.backends.callbell import forms
from providers.backends.callbell.calls import Calls
from providers.backends.callbell.envelope import rows, single
from providers.types import RemoteContact

Row = Mapping[str, Any]
_END = object()


class ReadingCalls(Calls):
    def contact_rows(self, *, most_pages: int | None = None, **filters: str) -> Iterator[Row]:
        """Every contact that passes the filters, once each; 20 a page, those with the latest conversation first.

        Follows the cursor where the answer has one, which reaches everybody. Else pages are counted until one is
        empty or shows nobody new; Callbell refuses that after 10,000 contacts. Rows move while they are read, so
        that somebody can be missed who writes meanwhile.
        """
        seen: set[str] = set()
        followed: set[str] = set()
        where: dict[str, str | int] = {"page": 1}
        page = 1
        while most_pages is None or page <= most_pages:
            answer = self.get("/contacts", **filters, include_field_types="true", **where)
            found, cursor = self.http.read(answer, _page)
            fresh = {row["uuid"]: row for row in found if row["uuid"] not in seen}
            seen.update(fresh)
            yield from fresh.values()
            page += 1
            if isinstance(cursor, str) and cursor not in followed:
                followed.add(cursor)
                where = {"after": cursor}
            elif cursor is None and fresh:
                where = {"page": page}
            else:
                return


def _page(data: Any) -> tuple[list[Row], str | object | None]:
    """The rows and the next cursor: None where the answer has no place for one, `_END` where that place is empty."""
    found = rows(data, "contacts")
    for row in found:
        remote_contact(row)  # raises for a row of another form
    meta = data.get("meta") or {}
    return found, (str(meta["next"]) if meta["next"] else _END) if "next" in meta else None


def contact_row(data: Any) -> Row | None:
    """The one contact of an answer, None where there is none. Raises what `http.read` takes for another form."""
    row = single(data, "contact")
    if row is not None:
        remote_contact(row)
    return row


def remote_contact(row: Any, *, tag: str = "") -> RemoteContact:
    """A contact as Callbell shows it. `tag` is the phonebook's own, which is not told among the tags."""
    phone = forms.e164(row.get("phoneNumber"))
    tags = forms.names(row.get("tags"))
    return RemoteContact(
        remote_id=forms.remote_id(row["uuid"]),
        phone=phone,
        name=forms.given_name(row.get("name"), phone),
        tags=tuple(name for name in tags if name.casefold() != tag.casefold()),
        assigned_user=values.text(row.get("assignedUser")),
        note=values.text(row["note"]) if "note" in row else None,
        options={
            name: "; ".join(value) if isinstance(value, list) else value
            for name, value in forms.field_values(row).items()
        },
        is_opted_out=bool(row["blockedAt"]) if "blockedAt" in row else None,
        raw=row,
    )


def has_tag(row: Row, tag: str) -> bool:
    """Whether the contact bears this tag, whatever the capitals."""
    return tag.casefold() in (name.casefold() for name in forms.names(row.get("tags")))

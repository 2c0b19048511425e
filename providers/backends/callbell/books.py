"""Tags, which stand for phonebooks, and custom fields. Neither has a list: both are found on the contacts that have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from providers import values
from providers.backends.callbell import facts, forms
from providers.backends.callbell.limits import problem_with_tag
from providers.backends.callbell.reading import ReadingCalls
from providers.types import BookRef, OptionKind, RemoteOption, RemotePhonebook


class BookCalls(ReadingCalls):
    def list_phonebooks(self, *, title: str = "", remote_id: str = "") -> Iterator[RemotePhonebook]:
        """A tag's name is its id. One that is asked for by name is taken to exist: whether it does cannot be found out.

        Without a name, the tags that the first 25 pages of contacts bear.
        """
        if title or remote_id:
            name = title or remote_id
            if problem := problem_with_tag(BookRef(name)):
                raise problem
            if remote_id in ("", name):
                yield RemotePhonebook(name, name, count=None)
            return
        seen: set[str] = set()
        for row in self.contact_rows(most_pages=facts.DISCOVERY_PAGES):
            for name in forms.names(row.get("tags")):
                if name.casefold() not in seen and not problem_with_tag(BookRef(name)):
                    seen.add(name.casefold())
                    yield RemotePhonebook(name, name, count=None)

    def list_options(self, *, titles: Sequence[str] = ()) -> Iterator[RemoteOption]:
        """The custom fields that the first 25 pages of contacts show; with `titles`, no more pages than finding those needs.

        One that no contact shows can still exist. Its name is its id.
        """
        found: dict[str, RemoteOption] = {}
        for row in self.contact_rows(most_pages=facts.DISCOVERY_PAGES):
            for name, told in (row.get("customFieldsMetadata") or {}).items():
                found[name] = _option(name, told, found.get(name))
            if titles and found.keys() >= set(titles):
                break
        yield from found.values()


def _option(name: str, told: Any, known: RemoteOption | None) -> RemoteOption:
    """`told` is what a contact shows of the field: value, type, and the options to choose from."""
    kind = facts.OPTION_KINDS.get(values.text(told.get("type")), OptionKind.TEXT)
    choices = forms.chosen(told.get("options")) or []
    before = known.choices if known else ()
    return RemoteOption(name, name, kind, (*before, *(choice for choice in choices if choice not in before)))

"""Tables inside pages: paged, searchable, filtered, all by links and GET forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from contactsync.admin.common import CappedPaginator

PER_PAGE = 50
#: rows beyond this are not looked for in a search; people type more of the name instead
FOUND = 1_000


class _Found(CappedPaginator):
    """Pages of what was searched for. The keys of all that can be shown are found once, in their order; a page is read by them."""

    @cached_property
    def _keys(self) -> list[Any]:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return list(rows.values_list("pk", flat=True)[: FOUND + 1])

    @cached_property
    def count(self) -> int:
        return min(len(self._keys), FOUND)

    @property
    def is_capped(self) -> bool:
        return len(self._keys) > FOUND

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        keys = self._keys[first : min(first + self.per_page, self.count)]
        return Page(self.object_list.filter(pk__in=keys), number, self)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value to choose."""

    value: str
    label: str
    selected: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A field by which rows are narrowed; `name` stands in the address."""

    name: str
    label: str
    choices: list[Choice]


class Table:
    """Rows of a page as the person asked for them.

    `filters` maps a field to its label and choices; what is not among the choices is
    ignored. `search` narrows the rows by the words in `?q=`. `param` carries the page
    number; `prefix` stands before every name in the address, so that two tables with a search can
    stand on one page.
    """

    def __init__(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        *,
        search: Callable[[QuerySet[Any], str], QuerySet[Any]] | None = None,
        filters: Mapping[str, tuple[str, Sequence[tuple[str, Any]]]] | None = None,
        param: str = "p",
        prefix: str = "",
    ) -> None:
        self.param = param = prefix + param
        self.words_name, self.anchor = prefix + "q", prefix + "rows"
        self.searchable = search is not None
        self.words = request.GET.get(self.words_name, "").strip()[:200]
        self.filters: list[Filter] = []
        for name, (label, choices) in (filters or {}).items():
            wanted = request.GET.get(prefix + name, "")
            known = [Choice(str(value), str(text), str(value) == wanted) for value, text in choices]
            self.filters.append(Filter(prefix + name, label, known))
            if wanted and any(choice.selected for choice in known):
                rows = rows.filter(**{name: wanted})
        if search is not None and self.words:
            rows = search(rows, self.words)
        self.rows = rows
        paginator = _Found if search is not None and self.words else CappedPaginator
        self.page: Page[Any] = paginator(rows, PER_PAGE).get_page(request.GET.get(param))
        query = request.GET.copy()
        query.pop(param, None)
        self.query = query.urlencode()

    @property
    def is_narrowed(self) -> bool:
        return bool(self.words) or any(choice.selected for one in self.filters for choice in one.choices)

    @property
    def pages(self) -> list[int | str]:
        """Page numbers to link to, with “…” between."""
        return list(self.page.paginator.get_elided_page_range(self.page.number, on_each_side=2, on_ends=1))

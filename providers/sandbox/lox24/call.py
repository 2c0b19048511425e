"""One authorised request on its way through a handler."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlencode

from providers.sandbox.dialect import Settings
from providers.sandbox.lox24.envelope import LD_TYPE, Refused, answer, failure
from providers.sandbox.lox24.fields import Fields, Problems, parse_body, query_of, refuse_body
from providers.sandbox.lox24.records import Group, Phone
from providers.sandbox.lox24.state import LOX24State
from providers.sandbox.wire import Request, Response

Row = TypeVar("Row")


@dataclass
class Call:
    """What a handler works with; the state's lock is held."""

    state: LOX24State
    request: Request
    settings: Settings

    @property
    def is_ld(self) -> bool:
        return LD_TYPE in self.request.headers.get("accept", "")

    @property
    def now(self) -> float:
        return self.state.clock.now()

    @cached_property
    def problems(self) -> Problems:
        return Problems(self.request, self.state.violate, is_ld=self.is_ld)

    def body(self, allowed: Collection[str]) -> Fields:
        """The JSON object of the body, read strictly. Raises `Refused`. A query beside it is not allowed."""
        self.query(lambda name: False)
        return Fields(self.problems, parse_body(self.request, self.problems, dict), allowed)

    def array(self) -> list[Any]:
        """The bare JSON array of the body. Raises `Refused`."""
        self.query(lambda name: False)
        rows: list[Any] = parse_body(self.request, self.problems, list)
        return rows

    def query(self, allowed: Callable[[str], bool]) -> list[tuple[str, str]]:
        return query_of(self.request, self.problems, allowed)

    def nothing(self) -> None:
        """Neither query nor body is allowed. Raises `Refused`."""
        self.query(lambda name: False)
        refuse_body(self.request, self.problems)
        self.problems.check()

    def not_found(self) -> Refused:
        return Refused(failure(404, is_ld=self.is_ld))

    def group(self, group_id: str) -> Group:
        """The group with this id. Raises `Refused` with 404."""
        group = self.state.groups.get(int(group_id)) if is_id(group_id) else None
        if group is None:
            raise self.not_found()
        return group

    def phone(self, phone_id: str) -> Phone:
        phone = self.state.phones.get(int(phone_id)) if is_id(phone_id) else None
        if phone is None:
            raise self.not_found()
        return phone

    def show(self, data: dict[str, Any], path: str, kind: str, *, status: int = 200) -> Response:
        """One thing, in the form asked for."""
        if self.is_ld:
            data = {"@context": f"/contexts/{kind}", "@id": path, "@type": kind, **data}
        return answer(status, data, is_ld=self.is_ld)

    def collection(self, rows: Sequence[Any], path: str, kind: str, **more: Any) -> Response:
        """Many things, in the form asked for; `more` are further members of the JSON-LD form."""
        if not self.is_ld:
            return answer(200, list(rows))
        prefix = "" if "unprefixed" in self.state.quirks else "hydra:"
        data = {
            "@context": f"/contexts/{kind}",
            "@id": path,
            "@type": f"{prefix}Collection",
            f"{prefix}member": rows,
            **{f"{prefix}{name}": value for name, value in more.items()},
        }
        return answer(200, data, is_ld=True)

    def pages(
        self, rows: Sequence[Row], show: Callable[[Row], dict[str, Any]], kind: str, pairs: Sequence[tuple[str, str]]
    ) -> Response:
        """One page of a list, with the links to the others unless the quirk "no_view" leaves them out."""
        page, size = self._page(pairs), self.state.page_size
        self.problems.check()
        prefix = "" if "unprefixed" in self.state.quirks else "hydra:"
        rest = [(name, value) for name, value in pairs if name != "page"]
        last = max(1, -(-len(rows) // size))

        def link(number: int) -> str:
            return f"{self.request.path}?{urlencode([*rest, ('page', number)])}"

        view = {"@id": link(page), "@type": "hydra:PartialCollectionView"}
        view |= {f"{prefix}first": link(1), f"{prefix}last": link(last)}
        if page < last:
            view[f"{prefix}next"] = link(page + 1)
        more: dict[str, Any] = {} if "no_totals" in self.state.quirks else {"totalItems": len(rows)}
        if "no_view" not in self.state.quirks:
            more["view"] = view
        shown = [show(row) for row in rows[(page - 1) * size : page * size]]
        return self.collection(shown, self.request.path, kind, **more)

    def _page(self, pairs: Sequence[tuple[str, str]]) -> int:
        given = [value for name, value in pairs if name == "page"]
        if not given:
            return 1
        if len(given) > 1 or not is_id(given[0]) or int(given[0]) < 1:
            self.problems.violation("wrong type", "page", "This value should be an integer of 1 or more.")
            return 1
        return int(given[0])


def is_id(text: str) -> bool:
    """Whether this is a whole number as paths have them."""
    return text.isascii() and text.isdigit() and len(text) < 19

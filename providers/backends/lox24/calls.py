"""What all of LOX24's calls share: the key, the address, following a list from page to page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from providers.answers import Answer
from providers.backends.lox24 import facts, settings
from providers.backends.lox24.envelope import Lox24Transport, has_view, next_path, rows_of, total_of
from providers.base import Provider
from providers.exceptions import Misconfigured
from providers.settings import read_settings
from providers.text import gettext_noop
from providers.types import AccountConfig

T = TypeVar("T")

_NO_KEY = gettext_noop(
    "This account has no API key. Make one in the LOX24 web account under Settings, API settings, and enter it."
)
_NO_CLIENT = gettext_noop(
    "The client id of a LOX24 account is a number; “%(client_id)s” is not. It stands in the web account beside the API key."
)


class Calls(Provider):
    """Holds the transport. Raises `Misconfigured` for a missing key, a bad address or a bad setting, before any call."""

    slug = "lox24"
    label = "LOX24"
    default_base_url = facts.BASE_URL
    credential_fields = settings.CREDENTIAL_FIELDS
    setting_fields = settings.SETTING_FIELDS
    capabilities = facts.CAPABILITIES

    def __init__(self, account: AccountConfig) -> None:
        super().__init__(account)
        self.settings = read_settings(self.setting_fields, account.settings)
        client_id = account.credentials.get("client_id", "").strip()
        key = account.credentials.get("api_key", "").strip()
        if not client_id.isascii() or not client_id.isdigit():
            raise Misconfigured(_NO_CLIENT, params={"client_id": client_id[:20]}, fields={"client_id": []})
        if not key:
            raise Misconfigured(_NO_KEY, fields={"api_key": []})
        self.http = Lox24Transport(
            account.base_url or self.default_base_url,
            headers={"X-LOX24-AUTH-TOKEN": f"{client_id}:{key}"},
            secrets=(key,),
            observer=account.observer,
            connect_timeout=self.settings["connect_timeout"],
            read_timeout=self.settings["read_timeout"],
            pause=1 / self.settings["requests_per_second"],
            pacer=account.pacer,
        )

    def close(self) -> None:
        self.http.close()

    def get(self, path: str, **params: str | int) -> Answer:
        return self.http.request("GET", path, params=params)

    def post(self, path: str, body: Any) -> Answer:
        return self.http.request("POST", path, body=body)

    def put(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        return self.http.request("PUT", path, body=body)

    def delete(self, path: str) -> None:
        self.http.request("DELETE", path)

    def rows(
        self,
        path: str,
        params: Mapping[str, str | int],
        parse: Callable[[Any], T],
        *,
        has_pages: bool,
        is_last: Callable[[Sequence[Any]], bool] = lambda page: False,
    ) -> Iterator[tuple[T, int | None]]:
        """Every element of a list, with the total as its page tells it.

        Follows the next links as they are, for as long as they lead to new pages. Where there is no view at all and the
        list has a documented `page` (`has_pages`), pages are counted on until one brings nothing new or the total is
        reached; the length of a page says nothing. No page is asked for after one that `is_last` says is enough.
        """
        link, number, seen, visited = path, 1, set[str](), {path}
        answer = self.http.request("GET", path, params={**params, **({"page": 1} if has_pages else {})})
        while True:
            page = self.http.read(answer, rows_of)
            new = [row for row in page if not _is_known(row, seen)]
            total = total_of(answer.data)
            yield from ((row, total) for row in self._parsed(answer, new, parse))
            if is_last(page):
                return
            following = self.http.read(answer, next_path)
            if following is not None and following not in visited:
                link = following
                visited.add(link)
                answer = self.http.request("GET", link)
            elif has_view(answer.data) or not has_pages or not new or (total is not None and len(seen) >= total):
                return
            else:
                number += 1
                answer = self.http.request("GET", path, params={**params, "page": number})

    def _parsed(self, answer: Answer, rows: list[Any], parse: Callable[[Any], T]) -> list[T]:
        return self.http.read(answer, lambda _: [parse(row) for row in rows])


def _is_known(row: Any, seen: set[str]) -> bool:
    """Whether this element came before, on another page; it is remembered."""
    named = row.get("uuid") or row.get("id") or row.get("@id") if isinstance(row, dict) else None
    key = repr(named or row)
    known = key in seen
    seen.add(key)
    return known

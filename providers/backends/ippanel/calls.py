"""What all of IPPanel's calls share: the key, the address, reading page after page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from providers.answers import Answer
from providers.backends.ippanel import facts
from providers.backends.ippanel.envelope import IPPanelTransport, last_page, parsed_list
from providers.base import Provider
from providers.exceptions import Misconfigured
from providers.settings import read_settings
from providers.text import gettext_noop
from providers.types import AccountConfig

T = TypeVar("T")

_NO_KEY = gettext_noop("This account has no API key. Make one in IPPanel under Developers, Access Keys, and enter it.")


class Calls(Provider):
    """Holds the transport. Raises `Misconfigured` for a missing key, a bad address or a bad setting, before any call."""

    slug = "ippanel"
    label = "IPPanel"
    default_base_url = facts.BASE_URL
    credential_fields = facts.CREDENTIAL_FIELDS
    setting_fields = facts.SETTING_FIELDS
    capabilities = facts.CAPABILITIES

    def __init__(self, account: AccountConfig) -> None:
        super().__init__(account)
        self.settings = read_settings(self.setting_fields, account.settings)
        key = account.credentials.get("api_key", "").strip()
        if not key:
            raise Misconfigured(_NO_KEY, fields={"api_key": []})
        address = (account.base_url or self.default_base_url).strip().rstrip("/")
        self.http = IPPanelTransport(
            address.removesuffix("/api"),  # every path begins with it
            headers={"Authorization": key},  # the bare key: every example has it so, whatever the prose says
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

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        return self.http.request("POST", path, body=body)

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self.http.request("PUT", path, body=body)

    def pages(self, fetch: Callable[[int], Answer], parse: Callable[[Any], T], *, size: int) -> Iterator[T]:
        """Every element of a paginated list; `fetch` gets the number of the page, `size` is what it asks for.

        Ends at the last page where `meta` tells it, else at a page that is empty, short or the same again.
        `meta.path` is not looked at: it shows a path that does not exist.
        """
        page, before = 1, None
        while True:
            answer = fetch(page)
            rows = self.http.read(answer, parsed_list(lambda row: row))
            if not rows or rows == before:
                return
            yield from self.http.read(answer, parsed_list(parse))
            last = last_page(answer)
            if page >= last if last is not None else len(rows) < size:
                return
            page, before = page + 1, rows

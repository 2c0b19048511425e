"""What all of Callbell's calls share: the token, the address, reading page after page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from providers.answers import Answer
from providers.backends.callbell import facts
from providers.backends.callbell.envelope import CallbellTransport, rows
from providers.base import Provider
from providers.exceptions import Misconfigured, NotFound
from providers.settings import read_settings
from providers.text import gettext_noop
from providers.types import AccountConfig

T = TypeVar("T")

_NO_KEY = gettext_noop(
    "This account has no API token. Make one in Callbell under Settings, API, and enter it; it is shown only once."
)
_NO_CHANNEL = gettext_noop(
    "For contacts of the kind %(source)s enter the channel of the contacts too: without it Callbell looks for numbers on WhatsApp only."
)
_NO_SUCH_ID = gettext_noop("Callbell cannot have anything with the id “%(id)s”: its ids are letters and digits.")


class Calls(Provider):
    """Holds the transport. Raises `Misconfigured` for a missing token, a bad address or a bad setting, before any call."""

    slug = "callbell"
    label = "Callbell"
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
        if self.settings["source"] != facts.SOURCES[0] and not self.settings["channel_uuid"]:
            raise Misconfigured(_NO_CHANNEL, params={"source": self.settings["source"]}, fields={"channel_uuid": []})
        secret = account.credentials.get("callback_secret", "").strip()
        self.http = CallbellTransport(
            (account.base_url or self.default_base_url).strip().rstrip("/"),
            headers={"Authorization": f"Bearer {key}"},
            secrets=(key, secret) if secret else (key,),
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

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self.http.request("POST", path, body=body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self.http.request("PATCH", path, body=body)

    def delete(self, path: str) -> Answer:
        return self.http.request("DELETE", path)

    def pages(self, path: str, member: str, parse: Callable[[Any], T], **params: str | int) -> Iterator[T]:
        """Every row of a list whose `meta.pages` says how many pages there are; without it there is one."""
        page = 1
        while True:
            numbered = {"page": page} if page > 1 else {}
            answer = self.get(path, **params, **numbered)
            found = self.http.read(answer, lambda data: [parse(row) for row in rows(data, member)])
            yield from found
            if not found or page >= self.http.read(answer, _last_page):
                return
            page += 1


def _last_page(data: Any) -> int:
    return int((data.get("meta") or {}).get("pages") or 1)


def checked_id(remote_id: str) -> str:
    """An id fit for a path. Raises `NotFound` for what cannot be one."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", remote_id):
        raise NotFound(_NO_SUCH_ID, params={"id": remote_id})
    return remote_id

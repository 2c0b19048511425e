"""What all of Atom Telecom's calls share: the token, the address, and that nearly everything is a POST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.answers import Answer
from providers.backends.atomtelecom import facts
from providers.backends.atomtelecom.envelope import AtomTransport
from providers.base import Provider
from providers.exceptions import Misconfigured
from providers.settings import read_settings
from providers.text import gettext_noop
from providers.types import AccountConfig

_NO_TOKEN = gettext_noop(
    "This account has no API token. Make one in Atom Telecom's portal under Service Settings, Generate API Key, and enter it."
)
_NO_ADDRESS = gettext_noop(
    "This account has no API address. Every customer of Atom Telecom has an own one: copy “API URL” from Account Settings in its portal."
)


class Calls(Provider):
    """Holds the transport. Raises `Misconfigured` for a missing token or address, a bad address or setting, before any call."""

    slug = "atomtelecom"
    label = "Atom Telecom"
    credential_fields = facts.CREDENTIAL_FIELDS
    setting_fields = facts.SETTING_FIELDS
    capabilities = facts.CAPABILITIES

    def __init__(self, account: AccountConfig) -> None:
        super().__init__(account)
        self.settings = read_settings(self.setting_fields, account.settings)
        token = account.credentials.get("token", "").strip()
        if not token:
            raise Misconfigured(_NO_TOKEN, fields={"token": []})
        address = account.base_url.strip().rstrip("/")
        if not address:
            raise Misconfigured(_NO_ADDRESS, fields={"base_url": []})
        self.http = AtomTransport(
            address.removesuffix("/api"),  # every path begins with it
            headers={"Authorization": f"Bearer {token}"},
            secrets=(token,),
            observer=account.observer,
            connect_timeout=self.settings["connect_timeout"],
            read_timeout=self.settings["read_timeout"],
            pause=1 / self.settings["requests_per_second"],
            pacer=account.pacer,
        )

    def close(self) -> None:
        self.http.close()

    def post(self, path: str, body: Mapping[str, Any] | None) -> Answer:
        return self.http.request("POST", f"/api/{path}", body=body)

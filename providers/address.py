"""Where a provider's API is, and whether a key may be sent there."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from providers.exceptions import Misconfigured
from providers.text import gettext_noop

_BAD_ADDRESS = gettext_noop(
    "The API address “%(address)s” cannot be used. It must be like https://api.example.com/v1, "
    "without a user name, a question mark or a #."
)
_PLAIN_HTTP = gettext_noop(
    "The API address “%(address)s” begins with http://, which would show the key to everybody on the way. Use https://."
)


def is_loopback(host: str) -> bool:
    """Whether a host name or address, with or without the brackets of IPv6, means this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bad_address(address: str) -> Misconfigured:
    """The error for an address that cannot be used, without the password somebody may have written into it."""
    return Misconfigured(_BAD_ADDRESS, params={"address": address.rpartition("@")[2]})


def checked_base_url(address: str) -> str:
    """The address without its trailing slash. Raises `Misconfigured` if it is malformed or would show the key on the way."""
    address = address.strip()
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise bad_address(address) from None
    has_more = "@" in parts.netloc or "?" in address or "#" in address
    if not host or parts.scheme not in {"http", "https"} or has_more:
        raise bad_address(address)
    if any(sign.isspace() or not sign.isprintable() for sign in address):
        raise bad_address(address)
    if parts.scheme == "http" and not is_loopback(host):
        raise Misconfigured(_PLAIN_HTTP, params={"address": address})
    return address.rstrip("/")

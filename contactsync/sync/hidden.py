"""What is taken out of an exchange beside the credentials, before it is kept."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from providers.types import Exchange

# Also one that was cut short, and with the slashes of JSON that escapes them.
_KEY_IN_ADDRESS = re.compile(r"(/callbacks\\?/)[A-Za-z0-9_-]+")


def hiding(observer: Callable[[Exchange], None] | None) -> Callable[[Exchange], None] | None:
    """The observer, told of exchanges in which the key of the address that providers call is hidden."""
    if observer is None:
        return None

    def observe(exchange: Exchange) -> None:
        observer(
            dataclasses.replace(
                exchange,
                url=_hide(exchange.url),
                request_body=_hide(exchange.request_body),
                response_excerpt=_hide(exchange.response_excerpt),
            )
        )

    return observe


def _hide(text: str) -> str:
    return _KEY_IN_ADDRESS.sub(r"\1[hidden]", text)

"""What is taken out of an exchange and of errors beside the credentials, before they are kept."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from providers.types import Exchange

# Also one that was cut short, and with the slashes as JSON, an address or HTML may have them.
_KEY_IN_ADDRESS = re.compile(r"(callbacks(?:\\?/|%2f|\\u002f|&#47;|&#x2f;|&sol;))[A-Za-z0-9_-]+", re.IGNORECASE)


def hiding(observer: Callable[[Exchange], None] | None) -> Callable[[Exchange], None] | None:
    """The observer, told of exchanges in which the key of the address that providers call is hidden."""
    if observer is None:
        return None

    def observe(exchange: Exchange) -> None:
        observer(
            dataclasses.replace(
                exchange,
                url=hide_address(exchange.url),
                request_body=hide_address(exchange.request_body),
                response_excerpt=hide_address(exchange.response_excerpt),
            )
        )

    return observe


def hide_address(text: str) -> str:
    """The text without the key of the address that providers call."""
    return _KEY_IN_ADDRESS.sub(r"\1[hidden]", text)

"""Encryption of provider credentials: Fernet with rotating keys."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class UnusableKey(ValueError):
    """A configured key is not 32 bytes in URL-safe base64."""


class Undecryptable(ValueError):
    """None of the configured keys opens this value. It is never handed on as it is."""


def check_key(key: str) -> None:
    """Raise `UnusableKey` unless `key` is a Fernet key (32 bytes, URL-safe base64)."""
    try:
        size = len(base64.urlsafe_b64decode(key.encode("ascii")))
    except (binascii.Error, UnicodeEncodeError, ValueError):
        size = 0
    if size != 32:
        raise UnusableKey("A credential key must be 32 bytes in URL-safe base64, as `Fernet.generate_key()` makes it.")


def _fernet(keys: Sequence[str]) -> MultiFernet:
    if not keys:
        raise UnusableKey("No credential key is configured.")
    for key in keys:
        check_key(key)
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(values: Mapping[str, str], keys: Sequence[str]) -> str:
    """Encrypt a mapping with the first (newest) key. Empty in, empty out."""
    if not values:
        return ""
    return _fernet(keys).encrypt(json.dumps(dict(values), sort_keys=True).encode()).decode("ascii")


def decrypt(token: str, keys: Sequence[str]) -> dict[str, str]:
    """Open what `encrypt` made with any of `keys`. Raises `Undecryptable` when none fits."""
    if not token:
        return {}
    try:
        values = json.loads(_fernet(keys).decrypt(token.encode("ascii")))
    except (InvalidToken, UnicodeEncodeError) as error:
        raise Undecryptable(
            "The stored credentials do not open with any key in CREDENTIAL_KEYS. Add the key they were saved with, or enter the credentials again."
        ) from error
    return {str(name): str(value) for name, value in values.items()}


def rotate(token: str, keys: Sequence[str]) -> str:
    """Encrypt again with the newest key. Raises `Undecryptable` when no key fits."""
    return encrypt(decrypt(token, keys), keys)

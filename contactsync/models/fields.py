"""Model fields of our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models

from contactsync.crypto import decrypt, encrypt


class Credentials:
    """Encrypted credentials as they lie in the row: opened only on demand, never shown.

    `open()` raises `crypto.Undecryptable` when no configured key fits; `str` and `repr` show nothing.
    """

    def __init__(self, token: str = "") -> None:
        self.token = token

    @classmethod
    def seal(cls, values: Mapping[str, str]) -> Credentials:
        return cls(encrypt(values, settings.CREDENTIAL_KEYS))

    def open(self) -> dict[str, str]:
        return decrypt(self.token, settings.CREDENTIAL_KEYS)

    def __bool__(self) -> bool:
        return bool(self.token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Credentials) and other.token == self.token

    def __hash__(self) -> int:
        return hash(self.token)

    def __repr__(self) -> str:
        return "Credentials(…)" if self.token else "Credentials()"

    __str__ = __repr__


class CredentialsField(models.TextField[Credentials, Credentials]):
    """Keeps a mapping of credentials encrypted. Reads as `Credentials`; takes `Credentials` only, so plain text cannot slip in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("blank", True)
        kwargs["default"] = Credentials
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for key in ("blank", "default", "editable"):
            kwargs.pop(key, None)
        return name, path, args, kwargs

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Credentials:
        return Credentials(value or "")

    def to_python(self, value: Any) -> Credentials:
        if isinstance(value, Credentials):
            return value
        if value in (None, ""):
            return Credentials()
        raise TypeError("Credentials are set with Credentials.seal({...}), never as plain text.")

    def get_prep_value(self, value: Any) -> str:
        return self.to_python(value).token

    def value_to_string(self, obj: models.Model) -> str:
        """Serialisers (dumpdata, exports) get an empty text."""
        return ""

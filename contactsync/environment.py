"""Strict reading of settings: a wrong or missing value stops the start and says what to set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0"})


class Environment:
    """The process environment, with a `.env` file below it. Every method raises `ImproperlyConfigured` naming the variable."""

    def __init__(self, env_file: Path) -> None:
        self._env = environ.Env()
        if env_file.is_file():
            environ.Env.read_env(env_file)

    def text(self, name: str, default: str | None = None, *, hint: str = "") -> str:
        """A text; without a default it must be set."""
        value = str(self._env.str(name, default="")).strip()
        if value:
            return value
        if default is None:
            raise ImproperlyConfigured(f"{name} is not set. {hint}".strip())
        return default

    def secret(self, name: str, default: str | None = None, *, hint: str = "") -> str:
        """A text from NAME, or from the file that NAME_FILE names; not both."""
        path = self.text(f"{name}_FILE", "")
        if not path:
            return self.text(name, default, hint=hint)
        if self.text(name, ""):
            raise ImproperlyConfigured(f"Both {name} and {name}_FILE are set. Keep one of them.")
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error.strerror}.") from error
        if not value:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which is empty.")
        return value

    def boolean(self, name: str, default: bool) -> bool:
        """true or false, in a few usual spellings; anything else is refused."""
        word = self.text(name, "true" if default else "false").lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise ImproperlyConfigured(f"{name} is {word!r}. Set it to true or false.")
        return word in TRUE_WORDS

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        """A whole number between the bounds."""
        word = self.text(name, str(default))
        try:
            value = int(word)
        except ValueError:
            raise ImproperlyConfigured(f"{name} is {word!r}. Set it to a whole number.") from None
        if not minimum <= value <= maximum:
            raise ImproperlyConfigured(f"{name} is {value}. Set it to a number from {minimum} to {maximum}.")
        return value

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One of a few words."""
        word = self.text(name, default)
        if word not in choices:
            raise ImproperlyConfigured(f"{name} is {word!r}. Set it to one of: {', '.join(choices)}.")
        return word

    def words(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """Comma-separated words."""
        return [word.strip() for word in self.text(name, ",".join(default)).split(",") if word.strip()]

    def name(self, name: str, default: str) -> str:
        """A short name: letters, digits, dots, hyphens and underscores."""
        value = self.text(name, default)
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", value):
            raise ImproperlyConfigured(
                f"{name} is {value!r}. Set it to at most 100 letters, digits, dots, hyphens and underscores."
            )
        return value

    def time_zone(self, name: str, default: str) -> str:
        """The name of a time zone."""
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ImproperlyConfigured(
                f"{name} is {value!r}. Set it to a time zone such as Asia/Tehran or UTC."
            ) from None
        return value

    def site_url(self, name: str, default: str) -> str:
        """The address people use: scheme and host, no path."""
        value = self.text(name, default).rstrip("/")
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
            raise ImproperlyConfigured(
                f"{name} is {value!r}. Set it to the address people open, such as https://contacts.example.org."
            )
        return value

    def database(self, name: str, default: str) -> dict[str, Any]:
        """A database address: sqlite:///… or postgres://…"""
        value = self.secret(name, default)
        try:
            config: dict[str, Any] = dict(environ.Env.db_url_config(value))
        except Exception:  # the library raises whatever its parsing meets, with pieces of the password in it
            raise ImproperlyConfigured(
                f"{name} is not a database address such as sqlite:////path/file or postgres://user:password@host/name. "
                "Special characters in the password must be percent-encoded."
            ) from None
        if config.get("ENGINE") not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}:
            raise ImproperlyConfigured(
                f"{name} names a database that is not supported. Use sqlite:///… or postgres://…."
            )
        return config

    def broker(self, name: str) -> str:
        """The address of a RabbitMQ broker, which must be set: amqp://… or, with TLS, amqps://…"""
        form = "amqp://user:password@host:5672/vhost (amqps:// with TLS)"
        value = self.secret(name, hint=f"Set it to the address of RabbitMQ: {form}.")
        try:
            parts = urlsplit(value)
            good = parts.scheme in {"amqp", "amqps"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # it quotes pieces of the password
            good = False
        if not good or parts.query or parts.fragment:
            raise ImproperlyConfigured(
                f"{name} is not the address of a RabbitMQ broker such as {form}. "
                "Special characters in the password must be percent-encoded."
            )
        return value

"""Which backends exist: one line per provider, imported when first asked for."""

from __future__ import annotations

from importlib import import_module

from providers.base import Provider
from providers.exceptions import Misconfigured
from providers.text import gettext_noop
from providers.types import AccountConfig

BACKENDS = {
    "atomtelecom": "providers.backends.atomtelecom.AtomTelecom",
    "callbell": "providers.backends.callbell.Callbell",
    "ippanel": "providers.backends.ippanel.IPPanel",
    "lox24": "providers.backends.lox24.Lox24",
}


def backend(slug: str) -> type[Provider]:
    """The backend class of a provider. Raises `Misconfigured` for an unknown slug, naming the known ones."""
    try:
        module_name, class_name = BACKENDS[slug].rsplit(".", 1)
    except KeyError:
        raise Misconfigured(
            gettext_noop("There is no provider “%(slug)s”. Known providers: %(known)s."),
            params={"slug": slug, "known": ", ".join(sorted(BACKENDS))},
        ) from None
    cls: type[Provider] = getattr(import_module(module_name), class_name)
    return cls


def build(account: AccountConfig) -> Provider:
    """A client for one account. Raises `Misconfigured` when credentials or base URL are missing or malformed."""
    return backend(account.slug)(account)

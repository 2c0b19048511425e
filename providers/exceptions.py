"""What can go wrong with a provider, sorted by what the caller may do next.

The class decides the caller's next step, so a backend must never raise a bare
`requests` or parsing error: the transport turns every failure into one of these.
"""

from __future__ import annotations

from collections.abc import Mapping


class ProviderError(Exception):
    """Base of the tree.

    `message` is a constant sentence with `%(name)s` places, marked with `gettext_noop` where it
    is written, so that the application can translate it; `params` fill the places. Neither ever
    holds a credential. `fields` maps a field name to the provider's own complaints about it.
    """

    def __init__(
        self,
        message: str,
        *,
        params: Mapping[str, str | int] | None = None,
        status: int | None = None,
        code: str = "",
        fields: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.message = message
        self.params = dict(params or {})
        self.status = status
        self.code = code
        self.fields = dict(fields or {})
        super().__init__(self.reason)

    @property
    def reason(self) -> str:
        """The sentence in English with its places filled."""
        return self.message % self.params if self.params else self.message


class Misconfigured(ProviderError):
    """The account's own settings make any call pointless (no base URL, malformed credentials).

    `fields` names the credential or setting at fault, or `base_url`, as far as it is one.
    """


class AuthFailed(ProviderError):
    """The provider refused the credentials. Stop at once: some providers block the address after a few tries."""


class Unsupported(ProviderError):
    """The provider cannot do this. Raised before any call."""


class Rejected(ProviderError):
    """A documented refusal: the request was understood, nothing was done, repeating it unchanged is pointless."""


class NotGenuine(ProviderError):
    """A request to our callback address that does not come from the provider, or not in its form."""


class NotFound(Rejected):
    """The thing addressed does not exist at the provider."""


class InsufficientFunds(ProviderError):
    """The account has no credit left for this operation. Nothing was done."""


class Throttled(ProviderError):
    """Too many requests, nothing was done. Wait `retry_after` seconds (None: not said) and try again."""

    def __init__(
        self,
        message: str,
        *,
        params: Mapping[str, str | int] | None = None,
        status: int | None = 429,
        code: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, params=params, status=status, code=code)
        self.retry_after = retry_after


class NotSent(ProviderError):
    """The request never reached the provider (refused, DNS, connect time-out, TLS). Safe to repeat."""


class OutcomeUnknown(ProviderError):
    """The request may have been carried out: read time-out, reset, 5xx, unreadable answer. Never repeat a send after this."""

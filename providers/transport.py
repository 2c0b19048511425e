"""All HTTP to providers: one `requests.Session` per account and thread, every failure sorted into the error tree.

A backend gives the credential headers and overrides three hooks where its document differs:
`complaint` (where the words of a refusal stand), `refusal` (what a status means) and
`shortfall` (why a readable 2xx is still not a success).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import requests

from providers import answers
from providers.address import bad_address, checked_base_url, is_loopback
from providers.answers import Answer, Complaint
from providers.exceptions import Misconfigured, OutcomeUnknown, ProviderError, Throttled
from providers.exchange import exchange
from providers.redact import Redactor
from providers.text import gettext_noop
from providers.types import Exchange, Pacer
from providers.wire import WatchedSession

logger = logging.getLogger(__name__)

USER_AGENT = "contactsync"
LARGEST_ANSWER = 64 * 1024 * 1024
LONGEST_EXCERPT = 2_000  # characters of a body kept in an Exchange
IDLE_SECONDS = 2.0  # a connection idle for longer is not used again: the server may be closing it just now
FIRST_BLOCK = 1.0  # seconds without a request after a 429 that does not say how long

_UNREADABLE = gettext_noop(
    "%(host)s answered HTTP %(status)s with something that cannot be read; it is not known whether the request was carried out."
)
_BAD_CREDENTIAL = gettext_noop(
    "A credential of this account contains a space, a line break or a character that is not ASCII. Paste it again, the bare value only."
)


class _Credentials(requests.auth.AuthBase):
    """Adds the credential headers. Being the session's auth, it also keeps `~/.netrc` from replacing them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __repr__(self) -> str:
        return "<credentials>"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


class Transport:
    """Speaks HTTP for one account. Not thread-safe. Never retries, never follows a redirect.

    `pacer` keeps the distance between requests. Without one `pause` is the least number of seconds between two;
    a server on this machine is not spared then.
    """

    request_id_headers: tuple[str, ...] = ("X-Request-Id",)
    secret_members: tuple[str, ...] = ()  # of JSON answers: their values are kept and shown nowhere
    accept = "application/json"  # the form of answer asked for

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        secrets: Iterable[str],
        observer: Callable[[Exchange], None] | None = None,
        connect_timeout: float = 10.0,
        read_timeout: float = 30.0,
        pause: float = 0.0,
        pacer: Pacer | None = None,
        largest_answer: int = LARGEST_ANSWER,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self.host = str(urlsplit(self.base_url).hostname)
        secrets = tuple(secrets)
        if any(not 32 < ord(sign) < 127 for secret in secrets for sign in secret):
            raise Misconfigured(_BAD_CREDENTIAL)
        self.redact = Redactor(secrets, self.secret_members)
        self._observer = observer
        self._timeouts = (connect_timeout, read_timeout)
        self._largest_answer = largest_answer
        self._last_used = 0.0
        local = is_loopback(self.host)
        self._pause = 0.0 if local else pause
        self._pacer = pacer
        self._session = WatchedSession()
        self._session.trust_env = not local  # a proxy or CA file named in the environment is for the world outside
        self._session.auth = _Credentials(headers)
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": self.accept})

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def request(
        self, method: str, path: str, *, params: Mapping[str, str | int] | None = None, body: Any = None
    ) -> Answer:
        """Carry out one request and return its readable 2xx answer. Raises from `providers.exceptions`, nothing else."""
        prepared = self._prepare(method, path, params, body)
        self._wait_turn()
        started_at, started = dt.datetime.now(dt.UTC), time.monotonic()
        outcome, excerpt = self._exchange(prepared)
        self._last_used = time.monotonic()
        self._report(prepared, outcome, excerpt=excerpt, started_at=started_at, seconds=self._last_used - started)
        # Raised here, outside any except block, so that no chained exception carries the request and its headers.
        failure = self._judge(outcome) if isinstance(outcome, Answer) else outcome
        if isinstance(failure, OutcomeUnknown):
            self._session.close()  # the next request shall not meet the rest of this trouble
        if isinstance(failure, Throttled) and self._pacer is not None:
            self._pacer.blocked(FIRST_BLOCK if failure.retry_after is None else failure.retry_after)
        if failure is not None:
            raise failure
        return cast(Answer, outcome)

    # Hooks

    def complaint(self, answer: Answer) -> Complaint:
        """What the provider says of a refused request. Override for the place where its document puts the words."""
        data = answer.data if isinstance(answer.data, dict) else {}
        words = next(
            (data[key] for key in ("message", "error", "detail", "title") if isinstance(data.get(key), str)), ""
        )
        code = data.get("code", data.get("error_code", ""))
        return Complaint(words=self.words(words), code=self.words(code) if isinstance(code, str | int) else "")

    def refusal(self, answer: Answer, complaint: Complaint) -> ProviderError:
        """The error an answer that is not 2xx stands for. Override where a status means something else."""
        return answers.meaning(answer, complaint, host=self.host)

    def shortfall(self, answer: Answer) -> ProviderError | None:
        """Why a readable 2xx answer is still not a success. Override where the body has a flag of its own."""
        return None

    # For backends

    def words(self, text: object) -> str:
        """A provider's own words, fit to be stored and shown."""
        return answers.clip(self.redact(str(text)))

    def unreadable(self, answer: Answer) -> OutcomeUnknown:
        """The error for a 2xx answer whose content is not what the document says."""
        return OutcomeUnknown(_UNREADABLE, params={"host": self.host, "status": answer.status}, status=answer.status)

    # Steps of a request

    def _prepare(
        self, method: str, path: str, params: Mapping[str, str | int] | None, body: Any
    ) -> requests.PreparedRequest:
        content, headers = None, {}
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        request = requests.Request(method, self.base_url + path, params=params, data=content, headers=headers)
        try:
            return self._session.prepare_request(request)
        except (requests.exceptions.RequestException, UnicodeError):
            pass  # its text may quote a header
        raise bad_address(self.base_url)

    def _wait_turn(self) -> None:
        if self._pacer is not None:
            self._pacer.wait()
        idle = time.monotonic() - self._last_used
        if self._pacer is None and idle < self._pause:
            time.sleep(self._pause - idle)  # the distance the provider wants; nothing is held meanwhile
        if idle > IDLE_SECONDS:
            self._session.close()

    def _exchange(self, prepared: requests.PreparedRequest) -> tuple[Answer | ProviderError, str]:
        """The complete answer or the error in its place, and an excerpt of what was read."""
        outcome, body = exchange(
            self._session, prepared, host=self.host, timeouts=self._timeouts, largest=self._largest_answer
        )
        excerpt = self.redact.excerpt(body, LONGEST_EXCERPT)
        if isinstance(outcome, Answer) and not outcome.is_success:
            outcome = dataclasses.replace(outcome, text=excerpt)
        return outcome, excerpt

    def _judge(self, answer: Answer) -> ProviderError | None:
        if not answer.is_success:
            return self.refusal(answer, self.complaint(answer))
        if answer.is_json:
            return self.shortfall(answer)
        return None if answer.status == 204 and answer.is_empty else self.unreadable(answer)

    def _report(
        self,
        prepared: requests.PreparedRequest,
        outcome: Answer | ProviderError,
        *,
        excerpt: str,
        started_at: dt.datetime,
        seconds: float,
    ) -> None:
        status = outcome.status
        path = urlsplit(str(prepared.url)).path
        logger.debug("%s %s: HTTP %s in %.3f s", prepared.method, self.redact(path), status, seconds)
        if self._observer is None:
            return
        headers = outcome.headers if isinstance(outcome, Answer) else {}
        request_id = next((headers[name] for name in self.request_id_headers if headers.get(name)), "")
        body = prepared.body or b""
        self._observer(
            Exchange(
                method=str(prepared.method),
                url=self.redact(str(prepared.url)),
                request_body=self.redact.excerpt(body if isinstance(body, bytes) else str(body), LONGEST_EXCERPT),
                status=status,
                response_excerpt=excerpt,
                request_id=self.redact(request_id)[:100],
                started_at=started_at,
                seconds=seconds,
            )
        )

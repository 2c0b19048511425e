"""One request and its answer: sent, read within bounds, and every way in which it can be lost sorted into the error tree."""

from __future__ import annotations

import requests
import urllib3

from providers import answers
from providers.answers import Answer
from providers.exceptions import NotSent, OutcomeUnknown, ProviderError
from providers.text import gettext_noop
from providers.wire import departure, is_timeout, why_not_sent

_NO_ANSWER = gettext_noop(
    "%(host)s did not answer within %(seconds)s seconds; it is not known whether the request was carried out."
)
_BROKEN_OFF = gettext_noop(
    "The connection to %(host)s broke off before the answer was complete; it is not known whether the request was carried out."
)
_TOO_LARGE = gettext_noop(
    "The answer of %(host)s is larger than %(megabytes)s MB and was not read; it is not known whether the request was carried out."
)


class _TooLarge(Exception):
    pass


def exchange(
    session: requests.Session,
    prepared: requests.PreparedRequest,
    *,
    host: str,
    timeouts: tuple[float, float],
    largest: int,
) -> tuple[Answer | ProviderError, bytes]:
    """The complete answer or the error in its place, and what was read of the body. Raises nothing of a network's.

    `timeouts` are those to connect and to read, in seconds; an answer of more than `largest` bytes is not read.
    """
    settings = session.merge_environment_settings(prepared.url, {}, True, None, None)
    body = bytearray()
    try:
        response = session.send(prepared, timeout=timeouts, allow_redirects=False, **settings)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        return _lost(error, host, timeouts[1]), b""
    status = response.status_code
    outcome: Answer | ProviderError
    try:
        _read(response, body, largest=largest)
    except _TooLarge:
        outcome = OutcomeUnknown(_TOO_LARGE, params={"host": host, "megabytes": largest // 2**20}, status=status)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        outcome = _lost(error, host, timeouts[1], status=status)
    else:
        data, is_json = answers.read_json(bytes(body))
        outcome = Answer(status, response.headers, data, is_json=is_json, is_empty=not body)
    finally:
        response.close()
    return outcome, bytes(body)


def _read(response: requests.Response, body: bytearray, *, largest: int) -> None:
    while chunk := response.raw.read1(65_536, decode_content=True):
        body += chunk
        if len(body) > largest:
            raise _TooLarge


def _lost(error: Exception, host: str, read_timeout: float, *, status: int | None = None) -> ProviderError:
    if not departure.begun:
        return NotSent(why_not_sent(error), params={"host": host})
    if is_timeout(error):
        return OutcomeUnknown(_NO_ANSWER, params={"host": host, "seconds": f"{read_timeout:g}"}, status=status)
    return OutcomeUnknown(_BROKEN_OFF, params={"host": host}, status=status)

"""What leaves this machine, what is reported of it, and where the key never shows."""

from __future__ import annotations

import html
import json
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from providers.exceptions import (
    Misconfigured,
    NotSent,
    ProviderError,
    Rejected,
)
from providers.redact import HIDDEN, Redactor
from providers.transport import Transport
from providers.types import Exchange

from . import servers
from .asking import KEY, UNKNOWN, ask, speaking
from .servers import RawServer, Recorder, http, raw

# Redirects, cookies, proxies, netrc


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_is_not_followed_and_means_a_wrong_address(status: int, recorder: Recorder) -> None:
    moved = http(status=status, head=f"Location: {recorder.url}/api/thing")
    with RawServer(raw(moved)) as server, pytest.raises(Misconfigured, match="redirect"):
        ask(server.url())
    assert recorder.asked == []


def test_cookies_are_not_kept(recorder: Recorder) -> None:
    recorder.will_answer({}, Set_Cookie="session=1; Path=/")
    recorder.will_answer({})
    with speaking(recorder.url) as transport:
        transport.request("GET", "/")
        transport.request("GET", "/")
    assert "Cookie" not in recorder.last.headers


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{servers.free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    recorder.will_answer({})
    assert ask(recorder.url).is_success


def test_netrc_does_not_replace_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.example.com login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with speaking("https://api.example.com") as transport:
        assert transport._prepare("GET", "/", None, None).headers["Authorization"] == KEY


def test_a_request_says_who_asks_and_what_it_wants(recorder: Recorder) -> None:
    recorder.will_answer({})
    ask(recorder.url)
    assert recorder.last.headers["User-Agent"] == "contactsync"
    assert recorder.last.headers["Accept"] == "application/json"
    assert recorder.last.headers["Content-Type"] == "application/json"
    assert recorder.last.headers["Authorization"] == KEY
    assert recorder.last.body == '{"text": "سلام"}'.encode()


def test_a_request_without_a_body_has_no_content_type(recorder: Recorder) -> None:
    recorder.will_answer({})
    with speaking(recorder.url) as transport:
        transport.request("POST", "/api/check")
    assert "Content-Type" not in recorder.last.headers
    assert recorder.last.body == b""


# What is reported


def test_every_request_is_reported_with_its_answer(recorder: Recorder) -> None:
    seen: list[Exchange] = []
    recorder.will_answer({"data": 1}, X_Request_Id="abc-1")
    recorder.will_answer({"message": "no"}, status=422)
    with speaking(recorder.url, observer=seen.append) as transport:
        transport.request("POST", "/api/a", body={"text": "سلام"})
        with pytest.raises(Rejected):
            transport.request("GET", "/api/b", params={"number": "+989120000001"})
    first, second = seen
    assert (first.method, first.url, first.status) == ("POST", f"{recorder.url}/api/a", 200)
    assert (first.request_body, first.response_excerpt, first.request_id) == (
        '{"text": "سلام"}',
        '{"data": 1}',
        "abc-1",
    )
    assert first.started_at.tzinfo is not None
    assert 0 <= first.seconds < 5
    assert (second.status, second.url) == (422, f"{recorder.url}/api/b?number=%2B989120000001")


def test_a_request_that_never_left_is_reported_too() -> None:
    seen: list[Exchange] = []
    with pytest.raises(NotSent):
        ask(f"http://127.0.0.1:{servers.free_port()}", observer=seen.append)
    assert [(exchange.status, exchange.response_excerpt) for exchange in seen] == [(None, "")]


def test_only_the_beginning_of_long_bodies_is_reported(recorder: Recorder) -> None:
    seen: list[Exchange] = []
    recorder.will_answer({"data": "ب" * 50_000})
    with speaking(recorder.url, observer=seen.append) as transport:
        transport.request("POST", "/", body={"text": "س" * 50_000})
    assert len(seen[0].request_body) == len(seen[0].response_excerpt) == 2_000
    assert seen[0].response_excerpt.endswith("…")


# The key


def escaped(key: str) -> str:
    return "".join(sign if sign.isalnum() else f"\\u{ord(sign):04X}" for sign in key)


def numbered(key: str) -> str:
    return "".join(sign if sign.isalnum() else f"&#{ord(sign)};" for sign in key)


def named(key: str) -> str:
    return key.replace("/", "&sol;").replace("+", "&plus;").replace("=", "&#X3D;")


ECHOES: dict[str, Callable[[str], bytes]] = {
    "plain": lambda key: http({"message": f"bad key {key}"}, status=401),
    "plain in a success": lambda key: http({"api_key": key}),
    "as PHP writes a slash": lambda key: http(json.dumps({"message": key}).replace("/", "\\/"), status=422),
    "in an address": lambda key: http({"message": f"/?apikey={quote(key, safe='')}&{quote_plus(key)}"}, status=404),
    "in html": lambda key: http(f"<p>{key}</p>", status=500),
    "beside the cut": lambda key: http({"x": "y" * 1_985, "message": key}, status=422),
    "in the request id": lambda key: http({}, status=400, head=f"X-Request-Id: {key}"),
    "as an address may": lambda key: http({"message": quote(key, safe="").lower()}, status=422),
    "as careful JSON": lambda key: http(f'{{"message": "{escaped(key)}"}}', status=500),
    "by names in html": lambda key: http(f"<p>{html.escape(key)} {named(key)}</p>", status=500),
    "by numbers": lambda key: http(numbered(key), status=422),
    "in UTF-16": lambda key: http(f"bad key {key}".encode("utf-16"), status=422),
    "in JSON in UTF-32": lambda key: http(json.dumps({"message": key}).encode("utf-32"), status=422),
    "through the cut of a text": lambda key: http("x" + " " * 20_000 + key, status=422),
    "as a code": lambda key: http({"message": "no", "code": key}, status=422),
    "in a redirect": lambda key: http(status=302, head=f"Location: /?key={key}"),
}
FAILURES: dict[str, servers.Behaviour] = {
    **{f"echo {name}": raw(echo(KEY)) for name, echo in ECHOES.items()},
    **UNKNOWN,
}


@pytest.mark.parametrize("behaviour", FAILURES.values(), ids=FAILURES)
def test_the_key_is_nowhere(
    behaviour: servers.Behaviour, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    seen: list[Exchange] = []
    shown: list[object] = []
    with RawServer(behaviour) as server, speaking(server.url(), observer=seen.append, read_timeout=0.15) as transport:
        error: ProviderError | None = None
        try:
            transport.request("POST", "/api/thing", params={"page": 1}, body={"key": KEY})
        except ProviderError as caught:
            error = caught
        if error is not None:
            assert error.__context__ is None  # a chained exception would carry the request with its headers
            shown += [str(error), repr(error), vars(error), "".join(traceback.format_exception(error))]
        shown += [seen, repr(transport), repr(vars(transport)), repr(vars(transport._session))]
        if server.requests:
            assert KEY.encode() in server.requests[0]
    text = repr(shown) + caplog.text + "".join(capfd.readouterr())
    assert len(seen) == 1
    for spelling in (
        KEY,
        KEY[:12],
        quote(KEY, safe=""),
        quote_plus(KEY),
        json.dumps(KEY)[1:-1],
        KEY.replace("/", "\\/"),
    ):
        assert spelling not in text
    letters = re.sub(r"\\x00|[^A-Za-z0-9]", "", text)
    assert re.match("[a-z0-9]+", KEY)[0] not in letters  # type: ignore[index]
    assert caplog.records


@settings(deadline=None)
@given(
    secret=st.text("abcXYZ/+=", min_size=9, max_size=60),
    before=st.text("0123456789 ", max_size=60),
    repeats=st.integers(1, 5),
    limit=st.integers(1, 200),
    spelling=st.sampled_from(
        [
            str,
            quote,
            quote_plus,
            lambda text: quote(text, safe=""),
            lambda text: text.replace("/", "\\/"),
            escaped,
            numbered,
            named,
        ]
    ),
)
def test_an_excerpt_hides_the_key_in_every_spelling_wherever_it_is_cut(
    secret: str, before: str, repeats: int, limit: int, spelling: Callable[[str], str]
) -> None:
    whole = (before + HIDDEN) * repeats
    cut = whole if len(whole) <= limit else whole[: limit - 1] + "…"
    # Two keys side by side may be read as the end of one and the beginning of another.
    assume(before or repeats == 1)
    assert Redactor([secret]).excerpt((before + spelling(secret)) * repeats, limit) == cut


def test_a_key_with_a_space_or_a_line_break_is_refused_without_being_shown(recorder: Recorder) -> None:
    for key in ("Bearer abcdefgh", "abcdefgh\nijkl", "کلید", "abcd\x7fefgh"):
        with pytest.raises(Misconfigured) as caught:
            Transport(recorder.url, headers={"Authorization": key}, secrets=(key,))
        assert key not in str(caught.value)
    assert recorder.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "ok", "api_key": "hidden-thing", "user": "Ops"}',
        b'{"api_key":"hidden-thing"}',
        b'{"api_key" : "hidden-thing \\" and more hidden-thing"}',
        b'{"api_key": "hidden-thi',
        b'{"api_key": hidden-thing}',
    ],
)
def test_the_value_of_a_secret_member_is_not_reported_even_cut_short(recorder: Recorder, body: bytes) -> None:
    class Discreet(Transport):
        secret_members = ("api_key",)

    seen: list[Exchange] = []
    recorder.will_answer(body, status=422)
    transport = Discreet(recorder.url, headers={}, secrets=(KEY,), observer=seen.append)
    with pytest.raises(ProviderError) as caught:
        transport.request("GET", "/api/me")
    transport.close()
    assert "hidden-thi" not in seen[0].response_excerpt
    assert HIDDEN in seen[0].response_excerpt
    assert "hidden-thi" not in repr(vars(caught.value))


def test_members_that_are_no_secret_are_reported() -> None:
    redact = Redactor((), ("api_key",))
    assert redact('{"api_key_name": "main", "key": 1, "api_key": null}') == (
        '{"api_key_name": "main", "key": 1, "api_key": "[hidden]"}'
    )

"""LOX24: who may speak, what a refusal says, and the address that must not be blocked."""

from __future__ import annotations

import pytest

from providers.backends.lox24 import Lox24
from providers.exceptions import (
    AuthFailed,
    InsufficientFunds,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Throttled,
)
from providers.sandbox import SandboxServer
from providers.types import AccountConfig, Exchange

from .lox24 import BOOK, CREDENTIALS, connect, record
from .servers import Recorder


@pytest.mark.parametrize("status", [401, 403])
def test_after_one_refused_login_nothing_more_is_asked(scripted_lox24: Lox24, recorder: Recorder, status: int) -> None:
    recorder.will_answer({"detail": "no"}, status=status)
    for _ in range(5):
        with pytest.raises(AuthFailed) as caught:
            scripted_lox24.check()
        assert caught.value.status == status
    assert len(recorder.asked) == 1


def test_five_clients_with_a_wrong_key_block_the_address_and_it_is_told_for_how_long(sandbox: SandboxServer) -> None:
    wrong = AccountConfig(
        slug="lox24", credentials={**CREDENTIALS, "api_key": "wrong-key"}, base_url=sandbox.url("lox24")
    )
    for _ in range(4):
        with Lox24(wrong) as client, pytest.raises(AuthFailed):
            client.check()
    with connect(sandbox.url("lox24")) as client:
        with pytest.raises(Throttled, match="address") as caught:
            client.check()
        assert caught.value.retry_after == 600
        sandbox.advance(599)
        with pytest.raises(Throttled):
            client.check()
        sandbox.advance(1)
        assert client.check().identity == CREDENTIALS["client_id"]


def test_three_wrong_logins_in_a_minute_block_nothing(sandbox: SandboxServer) -> None:
    for _ in range(2):
        for _ in range(3):
            wrong = {**CREDENTIALS, "client_id": "41008"}
            with Lox24(AccountConfig("lox24", wrong, sandbox.url("lox24"))) as client, pytest.raises(AuthFailed):
                client.check()
        sandbox.advance(61)
    with connect(sandbox.url("lox24")) as client:
        assert client.check().can_send


def test_an_account_that_is_not_active_is_no_matter_of_the_key(sandbox: SandboxServer, lox24: Lox24) -> None:
    sandbox.state("lox24").is_active = False
    with pytest.raises(AuthFailed, match=r"not activated this account.*contact to support"):
        lox24.check()


def test_a_wait_that_is_told_is_believed(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer({"detail": "slow down"}, status=429, Retry_After="3")
    with pytest.raises(Throttled, match="slow down") as caught:
        scripted_lox24.check()
    assert caught.value.retry_after == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Rejected), (402, InsufficientFunds), (404, NotFound), (422, Rejected), (500, OutcomeUnknown)],
)
def test_a_status_means_what_the_document_says(
    scripted_lox24: Lox24, recorder: Recorder, status: int, kind: type[ProviderError]
) -> None:
    recorder.will_answer({"detail": "the words"}, status=status)
    with pytest.raises(kind) as caught:
        scripted_lox24.update_contact(BOOK, "900001", record())
    assert type(caught.value) is kind
    assert caught.value.params.get("words", "the words") == "the words"


VIOLATIONS = [
    {"propertyPath": "phone", "message": "invalid value", "code": None},
    {"propertyPath": "a", "message": "too long"},
    {"propertyPath": "phone", "message": "taken"},
]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"detail": "phone: x", "violations": VIOLATIONS}, "phone: invalid value; phone: taken; a: too long"),
        ({"hydra:title": "An error occurred", "hydra:description": "the reason"}, "the reason"),
        ({"title": "An error occurred", "detail": "the reason"}, "the reason"),
        ({"hydra:title": "An error occurred"}, "An error occurred"),
        ({"violations": "nonsense", "title": 5, "detail": "the reason"}, "the reason"),
        ({"reason": "not a form that is documented"}, '{"reason": "not a form that is documented"}'),
        (b"just words", "just words"),
    ],
)
def test_the_words_of_a_refusal_are_those_closest_to_the_field(
    scripted_lox24: Lox24, recorder: Recorder, body: object, words: str
) -> None:
    recorder.will_answer(body, status=422)
    with pytest.raises(Rejected) as caught:
        scripted_lox24.update_contact(BOOK, "900001", record())
    assert caught.value.params["words"] == words


def test_complaints_are_kept_by_field(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer({"violations": VIOLATIONS}, status=422)
    with pytest.raises(Rejected) as caught:
        scripted_lox24.update_contact(BOOK, "900001", record())
    assert caught.value.fields == {"phone": ["invalid value", "taken"], "a": ["too long"]}


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"client_id": "41007"},
        {"api_key": "x"},
        {"client_id": "acme", "api_key": "x"},
        {"client_id": "41007", "api_key": "x y"},
    ],
)
def test_credentials_that_cannot_be_right_cost_no_call(credentials: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        Lox24(AccountConfig("lox24", credentials))


def test_the_key_is_in_nothing_that_is_kept(sandbox: SandboxServer) -> None:
    exchanges: list[Exchange] = []
    account = AccountConfig("lox24", CREDENTIALS, sandbox.url("lox24"), observer=exchanges.append)
    with Lox24(account) as client:
        client.check()
    assert CREDENTIALS["api_key"] not in repr(exchanges) + repr(sandbox.requests) + repr(client)
    assert len(exchanges[0].request_id) == 32


def test_the_balance_is_in_the_currency_of_the_account(sandbox: SandboxServer, lox24: Lox24) -> None:
    sandbox.state("lox24").currency = "CHF"
    assert lox24.balance().currency == "CHF"

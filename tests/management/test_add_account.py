"""`add_account`: a new account from the command line."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from contactsync.models import ProviderAccount
from tests.factories import make_account

pytestmark = pytest.mark.django_db


def add(monkeypatch: pytest.MonkeyPatch, stdin: str, *arguments: str) -> dict[str, object]:
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    out = io.StringIO()
    call_command("add_account", *arguments, "--json", stdout=out)
    result: dict[str, object] = json.loads(out.getvalue())
    return result


def test_it_makes_an_unchecked_account_with_encrypted_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    result = add(
        monkeypatch, '{"api_key": "a-secret-key-of-thirty-two-chars"}', "IPPanel", "--provider", "ippanel",
        "--sender", "+983000505", "--set", "batch_size=50",
    )  # fmt: skip
    account = ProviderAccount.objects.get()
    assert result["ok"] is True
    assert "a-secret-key" not in json.dumps(result)
    assert (account.name, account.state, account.settings["batch_size"]) == ("IPPanel", "unchecked", "50")
    assert account.credentials.open() == {"api_key": "a-secret-key-of-thirty-two-chars"}


@pytest.mark.parametrize(
    ("stdin", "arguments", "complaint"),
    [
        ("", [], "standard input"),
        ("not json", [], "not JSON"),
        ('["a"]', [], "JSON object"),
        ('{"api_key": "x"}', ["--set", "batch_size"], "KEY=VALUE"),
        ('{"api_key": "a-secret-key-of-thirty-two-chars"}', ["--set", "colour=red"], "colour"),
        ('{"api_key": "a-secret-key-of-thirty-two-chars"}', ["--base-url", "nonsense"], "nonsense"),
        ("{}", [], "api_key"),
        (
            '{"api_key": "a-secret-key-of-thirty-two-chars"}',
            ["--region", "XX"],
            "“XX”: There is no country with this code",
        ),
        ('{"api_key": "a-secret-key-of-thirty-two-chars"}', ["--region", "Iran"], "“Iran”: There is no country"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, stdin: str, arguments: list[str], complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        add(monkeypatch, stdin, "IPPanel", "--provider", "ippanel", *arguments)
    assert not ProviderAccount.objects.exists()


def test_a_country_may_be_written_in_small_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    key = '{"api_key": "a-secret-key-of-thirty-two-chars"}'
    add(monkeypatch, key, "Main", "--provider", "ippanel", "--region", "de")
    assert ProviderAccount.objects.get().default_region == "DE"


def test_a_name_can_be_used_once(monkeypatch: pytest.MonkeyPatch) -> None:
    make_account(name="IPPanel")
    with pytest.raises(CommandError, match="already"):
        add(monkeypatch, '{"api_key": "another-key-of-thirty-two-charss"}', "IPPanel", "--provider", "ippanel")

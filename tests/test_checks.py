"""System checks: each problem is found under its stable id, with a hint; a good configuration has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from contactsync.checks import check_credentials
from contactsync.models.fields import Credentials
from contactsync.sync.connect import is_loopback
from tests.factories import make_account

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
GOOD: dict[str, Any] = {
    "SECRET_KEY": "a-long-random-text-0123456789-abcdefghijklmnopqrstuvwxyz",
    "CREDENTIAL_KEYS": [NEW],
    "DEBUG": False,
    "SITE_URL": "https://contacts.example.org",
    "ALLOWED_HOSTS": ["contacts.example.org"],
}


def ours(messages: list[CheckMessage]) -> dict[str, CheckMessage]:
    return {str(message.id): message for message in messages if str(message.id).startswith("contactsync.")}


def found(**changes: Any) -> list[str]:
    """Ids of our messages under the good settings with these changes, found by Django’s own run of all checks."""
    with override_settings(**{**GOOD, **changes}):
        messages = ours(run_checks())
    assert all(message.hint for message in messages.values())
    return sorted(messages)


def test_a_good_configuration_has_no_message() -> None:
    assert found() == []


@pytest.mark.parametrize("keys", [[], ["not-a-key"], [NEW, "not-a-key"]])
def test_a_missing_or_unusable_credential_key_is_an_error(keys: list[str]) -> None:
    assert found(CREDENTIAL_KEYS=keys) == ["contactsync.E001"]


@pytest.mark.parametrize("secret", ["tiny-9", "ab" * 40])
def test_a_secret_key_that_can_be_guessed_is_a_warning_that_does_not_show_it(secret: str) -> None:
    assert found(SECRET_KEY=secret) == ["contactsync.W001"]
    with override_settings(SECRET_KEY=secret):
        message = ours(run_checks())["contactsync.W001"]
    assert secret not in f"{message.msg} {message.hint}"


def test_a_data_directory_that_can_be_made_is_good(tmp_path: Path) -> None:
    assert found(DATA_DIR=tmp_path) == []
    assert found(DATA_DIR=tmp_path / "not" / "there" / "yet") == []


def test_a_data_directory_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    assert found(DATA_DIR=file) == ["contactsync.E002"]
    assert found(DATA_DIR=file / "below") == ["contactsync.E002"]
    monkeypatch.setattr("os.access", lambda *_: False)  # whoever runs the tests may be allowed to write anywhere
    assert "contactsync.E002" in found(DATA_DIR=tmp_path)


@pytest.mark.parametrize(
    ("site", "hosts", "debug", "ids"),
    [
        ("http://127.0.0.1:8000", ["127.0.0.1"], True, []),
        ("http://localhost:8000", ["localhost", "[::1]"], True, []),
        ("http://127.0.0.1:8000", ["127.0.0.1"], False, []),
        ("http://contacts.example.org", ["contacts.example.org"], False, ["contactsync.W002"]),
        ("http://192.168.1.5:8000", ["192.168.1.5"], False, ["contactsync.W002"]),
        ("https://contacts.example.org", ["contacts.example.org"], True, ["contactsync.E003"]),
        ("http://127.0.0.1:8000", ["127.0.0.1", "contacts.example.org"], True, ["contactsync.E003"]),
        ("http://127.0.0.1:8000", ["*"], True, ["contactsync.E003"]),
    ],
)
def test_what_others_could_read_is_told(site: str, hosts: list[str], debug: bool, ids: list[str]) -> None:
    assert found(SITE_URL=site, ALLOWED_HOSTS=hosts, DEBUG=debug) == ids


@pytest.mark.parametrize("host", ["localhost", "app.localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_these_names_mean_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "0.0.0.0", "192.168.0.1", "*", "", "::"])  # noqa: S104
def test_these_names_do_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.django_db
def test_credentials_that_no_key_opens_are_a_warning_with_the_names() -> None:
    with override_settings(CREDENTIAL_KEYS=[OLD]):
        make_account(name="lost account")
    with override_settings(CREDENTIAL_KEYS=[NEW]):
        make_account(name="good account")
        make_account(name="empty account", key="")
        messages = ours(run_checks(databases=["default"]))
    assert list(messages) == ["contactsync.W003"]
    assert "lost account" in messages["contactsync.W003"].msg
    assert "good account" not in messages["contactsync.W003"].msg
    assert "empty account" not in messages["contactsync.W003"].msg


@pytest.mark.django_db
def test_credentials_under_an_older_key_are_told_until_they_are_rotated() -> None:
    with override_settings(CREDENTIAL_KEYS=[OLD]):
        make_account(name="old account")
    with override_settings(CREDENTIAL_KEYS=[NEW, OLD]):
        assert list(ours(run_checks(databases=["default"]))) == ["contactsync.I001"]
        call_command("rotate_credentials", verbosity=0)
        assert list(ours(run_checks(databases=["default"]))) == []


@pytest.mark.django_db
def test_what_is_no_token_at_all_is_a_warning_too() -> None:
    account = make_account()
    account.credentials = Credentials("plain-text-from-somewhere")
    account.save()
    messages = ours(check_credentials(databases=["default"]))
    assert list(messages) == ["contactsync.W003"]
    assert "plain-text" not in messages["contactsync.W003"].msg


def test_the_database_is_asked_only_when_the_check_is_for_databases() -> None:
    assert ours(run_checks()) == {}  # and no access to the database, which this test has not got


@pytest.mark.django_db
def test_before_the_first_migration_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(connection.introspection), "table_names", lambda *_, **__: [])
    assert check_credentials(databases=["default"]) == []

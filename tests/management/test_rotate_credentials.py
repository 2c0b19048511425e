"""`rotate_credentials`: all accounts open with the newest key alone afterwards."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import override_settings

from contactsync.crypto import Undecryptable
from contactsync.models import ProviderAccount
from tests.factories import make_account

pytestmark = pytest.mark.django_db

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def rotate() -> dict[str, Any]:
    out = io.StringIO()
    call_command("rotate_credentials", "--json", stdout=out)
    result: dict[str, Any] = json.loads(out.getvalue())
    return result


def opened(keys: list[str]) -> dict[str, dict[str, str]]:
    with override_settings(CREDENTIAL_KEYS=keys):
        return {account.name: account.credentials.open() for account in ProviderAccount.objects.all()}


def test_every_account_opens_with_the_newest_key_alone() -> None:
    with override_settings(CREDENTIAL_KEYS=[OLD]):
        make_account(name="first", key="key of the first")
        make_account(name="second", key="key of the second")
    make_account(name="without credentials", key="")
    with override_settings(CREDENTIAL_KEYS=[NEW, OLD]):
        assert rotate() == {"ok": True, "accounts": 2, "rotated": 2, "failed": []}
    assert opened([NEW]) == {
        "first": {"api_key": "key of the first"},
        "second": {"api_key": "key of the second"},
        "without credentials": {},
    }
    with pytest.raises(Undecryptable):
        opened([OLD])


def test_running_it_again_does_no_harm() -> None:
    with override_settings(CREDENTIAL_KEYS=[NEW]):
        make_account(name="only", key="its key")
        rotate()
        rotate()
    assert opened([NEW]) == {"only": {"api_key": "its key"}}


def test_an_account_that_no_key_opens_is_named_left_alone_and_stops_nobody_else() -> None:
    with override_settings(CREDENTIAL_KEYS=[Fernet.generate_key().decode()]):
        lost = make_account(name="a lost one")
    with override_settings(CREDENTIAL_KEYS=[OLD]):
        make_account(name="good", key="good key")
    with override_settings(CREDENTIAL_KEYS=[NEW, OLD]), pytest.raises(CommandError, match="a lost one") as caught:
        rotate()
    assert caught.value.returncode == 1
    token = lost.credentials.token
    lost.refresh_from_db()
    assert lost.credentials.token == token
    lost.delete()
    assert opened([NEW]) == {"good": {"api_key": "good key"}}


def test_nothing_of_the_credentials_is_printed() -> None:
    make_account(name="only", key="very-secret-value")
    out = io.StringIO()
    call_command("rotate_credentials", stdout=out)
    assert out.getvalue().splitlines() == ["accounts: 1", "rotated: 1", "failed: none"]

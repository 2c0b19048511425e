"""The first account of an unattended install, from the environment."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from contactsync.models import ProviderAccount
from contactsync.sync.connect import Misconfigured
from contactsync.sync.new_account import UNOPENABLE, account_from_environment

pytestmark = pytest.mark.django_db

KEY = "environment-key-of-thirty-two-ch"
ENVIRONMENT = {
    "PROVIDER": "ippanel",
    "PROVIDER_TOKEN": KEY,
    "PROVIDER_BASE_URL": "http://127.0.0.1:9/v1",
    "PROVIDER_SENDER": "+983000505",
}


def test_nothing_happens_without_a_provider() -> None:
    assert account_from_environment() == (None, "")
    assert not ProviderAccount.objects.exists()


def test_it_is_made_once_and_kept_in_step() -> None:
    with override_settings(**ENVIRONMENT):
        account, done = account_from_environment()
        assert account is not None
        assert (done, account.credentials.open()) == ("made", {"api_key": KEY})
        assert account_from_environment()[1] == "unchanged"
    with override_settings(**{**ENVIRONMENT, "PROVIDER_SENDER": "+983000777"}):
        assert account_from_environment()[1] == "changed"
    assert ProviderAccount.objects.get().default_sender == "+983000777"


def test_an_account_that_a_person_edited_is_left_alone() -> None:
    with override_settings(**ENVIRONMENT):
        account_from_environment()
    ProviderAccount.objects.update(from_environment=False, default_sender="+983000888")
    with override_settings(**{**ENVIRONMENT, "PROVIDER_SENDER": "+983000777"}):
        assert account_from_environment()[1] == "edited here, left alone"
    assert ProviderAccount.objects.get().default_sender == "+983000888"


@pytest.mark.parametrize(
    "wrong", [{"PROVIDER": "nobody"}, {"PROVIDER_TOKEN": ""}, {"PROVIDER_BASE_URL": "not an address"}]
)
def test_values_that_make_no_account_are_refused(wrong: dict[str, str]) -> None:
    with override_settings(**{**ENVIRONMENT, **wrong}), pytest.raises(Misconfigured):
        account_from_environment()
    assert not ProviderAccount.objects.exists()


def test_credentials_that_no_key_opens_are_said_and_not_overwritten() -> None:
    with override_settings(**ENVIRONMENT):
        account_from_environment()
        token = ProviderAccount.objects.get().credentials.token
        with override_settings(CREDENTIAL_KEYS=[Fernet.generate_key().decode()]):
            assert account_from_environment()[1] == UNOPENABLE
    assert ProviderAccount.objects.get().credentials.token == token

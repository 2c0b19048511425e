"""Provider accounts: keys go in and never come out."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.urls import reverse

from contactsync.models import ProviderAccount
from contactsync.models.fields import Credentials
from contactsync.models.reasons import reason
from providers import registry
from providers.sandbox import SandboxServer
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_account

pytestmark = pytest.mark.django_db
KEY = "a-very-secret-key-0123456789-abcdef"
ADD = "/admin/contactsync/provideraccount/add/?provider=ippanel"


def boss():
    return client_of(is_superuser=True)


def form(**changes: str) -> dict[str, str]:
    return {"name": "Main", "base_url": "", "default_sender": "+983000505", "default_region": "IR", **changes}


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_the_only_provider_needs_no_choosing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BACKENDS", {"ippanel": registry.BACKENDS["ippanel"]})
    response = boss().get("/admin/contactsync/provideraccount/add/")
    assert response.status_code == 302
    assert response.url.endswith("?provider=ippanel")


def test_a_new_account_keeps_the_key_encrypted_and_waits_for_its_test() -> None:
    response = boss().post(ADD, form(credential_api_key=KEY))
    account = ProviderAccount.objects.get()
    assert response.url == address(account)
    assert account.credentials.open() == {"api_key": KEY}
    assert (account.provider, account.state) == ("ippanel", "unchecked")


def test_a_new_account_without_a_key_is_refused() -> None:
    response = boss().post(ADD, form())
    assert response.status_code == 200
    assert not ProviderAccount.objects.exists()


def test_the_page_never_shows_the_key() -> None:
    account = make_account(key=KEY)
    page = text_of(boss().get(address(account)))
    assert KEY not in page
    assert account.credentials.token not in page
    assert "A key is stored" in page
    assert 'type="password"' in page


def test_the_key_is_nowhere_in_the_database_history_or_downloads() -> None:
    client = boss()
    client.post(ADD, form(credential_api_key=KEY))
    assert all(KEY not in entry.change_message + entry.object_repr for entry in LogEntry.objects.all())
    download = client.get("/admin/contactsync/provideraccount/download/csv/").getvalue().decode()
    assert KEY not in download
    assert ProviderAccount.objects.get().credentials.token not in download
    if connection.vendor == "sqlite":
        file = Path(settings.DATABASES["default"]["TEST"]["NAME"])
        assert not file.exists() or KEY.encode() not in file.read_bytes()


def test_a_wrong_form_is_shown_again_without_the_key() -> None:
    page = text_of(boss().post(ADD, form(name="", credential_api_key=KEY)))
    assert KEY not in page


def test_a_blank_key_keeps_what_is_there() -> None:
    account = make_account(key=KEY)
    boss().post(address(account), form(name="Renamed", credential_api_key=""))
    account.refresh_from_db()
    assert account.name == "Renamed"
    assert account.credentials.open() == {"api_key": KEY}
    assert account.state == "ready"


def test_a_new_key_makes_a_refused_account_unchecked() -> None:
    account = make_account(state="refused", state_reason=reason("No."))
    boss().post(address(account), form(credential_api_key=KEY))
    account.refresh_from_db()
    assert account.credentials.open() == {"api_key": KEY}
    assert (account.state, account.state_reason) == ("unchecked", {})


def test_any_edit_ends_the_hold_of_the_environment() -> None:
    account = make_account(from_environment=True)
    assert "set up by the server" in text_of(boss().get(address(account)))
    boss().post(address(account), form())
    account.refresh_from_db()
    assert account.from_environment is False


def test_a_new_address_asks_for_the_key_again() -> None:
    account = make_account(key=KEY)
    page = text_of(boss().post(address(account), form(base_url="https://elsewhere.example/v1")))
    assert "Enter this again" in page
    account.refresh_from_db()
    assert account.base_url == ""


@pytest.mark.parametrize(
    "wrong",
    ["http://api.example.com/v1", "https://user:word@example.com", "ftp://example.com", "https://a.example/?x=1"],
)
def test_an_address_that_is_not_safe_is_refused(wrong: str) -> None:
    response = boss().post(ADD, form(base_url=wrong, credential_api_key=KEY))
    assert response.status_code == 200
    assert "base_url" in response.context["adminform"].form.errors


@pytest.mark.parametrize(
    "right", ["https://api.example.com/v1/", "http://127.0.0.1:9000/ippanel/v1", "http://localhost:1"]
)
def test_https_and_loopback_addresses_are_taken(right: str) -> None:
    boss().post(ADD, form(base_url=right, credential_api_key=KEY))
    assert ProviderAccount.objects.get().base_url == right.rstrip("/")


def test_settings_are_typed_and_bounded() -> None:
    account = make_account()
    response = boss().post(address(account), form(setting_batch_size="0"))
    assert "setting_batch_size" in response.context["adminform"].form.errors
    boss().post(address(account), form(setting_batch_size="20"))
    account.refresh_from_db()
    assert account.settings["batch_size"] == 20


def test_an_unknown_country_is_refused() -> None:
    response = boss().post(ADD, form(default_region="XX", credential_api_key=KEY))
    assert "default_region" in response.context["adminform"].form.errors


def test_test_connection_tells_what_it_learnt(sandbox: SandboxServer) -> None:
    account = make_account(base_url=sandbox.url("ippanel"), state="unchecked")
    client = boss()
    response = client.post(address(account, "check"))
    account.refresh_from_db()
    assert account.state == "ready"
    assert "The connection works" in said(response)
    page = text_of(client.get(address(account)))
    assert account.identity in page
    assert account.currency in page
    assert account.senders[0]["value"] in page


def test_a_refused_key_is_told_in_plain_words_after_one_call(sandbox: SandboxServer) -> None:
    account = make_account(base_url=sandbox.url("ippanel"), key="wrong-key-wrong-key-wrong-key-00")
    response = boss().post(address(account, "check"))
    account.refresh_from_db()
    assert account.state == "refused"
    assert "refused the key" in said(response)
    assert len(sandbox.requests) == 1
    assert "wrong-key" not in said(response)


def test_an_unreachable_provider_is_told_in_plain_words() -> None:
    account = make_account(base_url="http://127.0.0.1:9/ippanel/v1", state="unchecked")
    response = boss().post(address(account, "check"))
    assert "could not be tested" in said(response)


def test_a_test_that_does_not_get_through_leaves_a_ready_account_ready_and_says_so() -> None:
    account = make_account(base_url="http://127.0.0.1:9/ippanel/v1")
    client = boss()
    response = client.post(address(account, "check"))
    assert said(response).startswith("The account works, but the last test could not reach the provider")
    page = text_of(client.get(address(account)))
    assert "The account works, but the last test could not reach the provider" in page
    assert "ready" in page


def test_testing_is_never_a_get() -> None:
    assert boss().get(address(make_account(), "check")).status_code == 405


def test_people_who_may_only_see_accounts_see_no_key_fields_and_cannot_test() -> None:
    account = make_account(key=KEY)
    client = client_of(may=("view_provideraccount",))
    page = text_of(client.get(address(account)))
    assert "credential_" not in page
    assert 'type="password"' not in page
    assert "Test connection" not in page
    assert client.post(address(account, "check")).status_code == 403
    assert client.post(address(account), form(credential_api_key="x")).status_code == 403


@pytest.mark.parametrize("group", ["Marketing", "Marketing lead"])
def test_marketing_does_not_come_near_accounts(group: str) -> None:
    account = make_account()
    client = client_of(group)
    assert client.get(address(account)).status_code == 403
    assert client.get(reverse("admin:contactsync_provideraccount_changelist")).status_code == 403
    assert client.get(ADD).status_code == 403


def test_the_page_says_when_the_key_was_entered() -> None:
    client = boss()
    client.post(ADD, form(credential_api_key=KEY))
    assert "Entered:" in text_of(client.get(address(ProviderAccount.objects.get())))


# Access, provider by provider


def add_at(provider: str) -> str:
    return f"/admin/contactsync/provideraccount/add/?provider={provider}"


def stored_in(account: ProviderAccount) -> dict[str, str]:
    account.refresh_from_db()
    return account.credentials.open()


def test_what_is_no_secret_is_shown_and_the_key_is_not() -> None:
    account = make_account(provider="lox24", credentials=Credentials.seal({"client_id": "77123", "api_key": KEY}))
    page = text_of(boss().get(address(account)))
    assert 'value="77123"' in page
    assert KEY not in page
    boss().post(address(account), form(credential_client_id="77123", default_region="DE"))
    assert stored_in(account) == {"client_id": "77123", "api_key": KEY}
    boss().post(address(account), form(credential_client_id="77124", default_region="DE"))
    assert stored_in(account) == {"client_id": "77124", "api_key": KEY}
    assert account.state == "unchecked"


def test_saving_what_was_shown_leaves_a_tested_account_as_it_is() -> None:
    sealed = Credentials.seal({"client_id": "77123", "api_key": KEY})
    account = make_account(provider="lox24", credentials=sealed, state="ready")
    boss().post(address(account), form(credential_client_id="77123", default_region="DE"))
    account.refresh_from_db()
    assert (account.state, account.default_region) == ("ready", "DE")


def test_a_wrong_client_id_is_said_beside_it() -> None:
    data = form(credential_client_id="seventy", credential_api_key=KEY, default_region="DE")
    page = boss().post(add_at("lox24"), data)
    assert "credential_client_id" in page.context["adminform"].form.errors
    assert not ProviderAccount.objects.exists()


def test_a_setting_that_needs_another_is_said_beside_it() -> None:
    data = form(credential_api_key=KEY, setting_source="telegram")
    page = boss().post(add_at("callbell"), data)
    assert "setting_channel_uuid" in page.context["adminform"].form.errors


def test_an_address_that_only_the_customer_knows_is_asked_for_beside_its_field() -> None:
    page = boss().post(add_at("atomtelecom"), form(credential_token=KEY))
    errors = page.context["adminform"].form.errors
    assert list(errors) == ["base_url"]
    assert "Enter the address of the API" in errors["base_url"][0]
    assert "gives each customer an address of their own" in text_of(page)


def test_a_signature_secret_is_entered_kept_and_removed() -> None:
    secret = "whsec_" + "x" * 32
    client = boss()
    client.post(add_at("callbell"), form(credential_api_key=KEY))
    account = ProviderAccount.objects.get()
    assert "Optional; none is stored." in text_of(client.get(address(account)))
    client.post(address(account), form(credential_callback_secret=secret))
    assert stored_in(account) == {"api_key": KEY, "callback_secret": secret}
    page = text_of(client.get(address(account)))
    assert secret not in page
    assert "forget_callback_secret" in page
    client.post(address(account), form())
    assert stored_in(account)["callback_secret"] == secret
    both = client.post(address(account), form(credential_callback_secret="new", forget_callback_secret="on"))
    assert "forget_callback_secret" in both.context["adminform"].form.errors
    client.post(address(account), form(forget_callback_secret="on"))
    assert stored_in(account) == {"api_key": KEY}


def test_what_a_provider_does_not_tell_has_its_reason_in_the_place() -> None:
    account = make_account(provider="lox24", credentials=Credentials.seal({"client_id": "7", "api_key": KEY}))
    assert "LOX24 lists no senders" in text_of(boss().get(address(account)))
    atom = make_account(provider="atomtelecom", base_url="https://atom.example.org")
    assert "does not tell the credit" in text_of(boss().get(address(atom)))

"""A provider is its own files and one line in each registry: a fifth one, known to these tests only, gets everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from contactsync.models import Contact, ProviderAccount, Run
from contactsync.sync import connect, executor, lifecycle, planner
from providers import registry
from providers.exceptions import Misconfigured
from providers.sandbox import SandboxServer
from providers.sandbox.dialect import DIALECTS
from providers.types import AccountConfig, BookRef, Operation
from tests.admin.flow_rows import client_of, text_of
from tests.factories import SANDBOX_KEY, make_account, make_contact, make_phonebook

from .contract import ProviderContract
from .pigeon import OPERATIONS, Pigeon


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """The two lines that register it, and a sandbox that started after them."""
    monkeypatch.setitem(registry.BACKENDS, "pigeon", "tests.providers.pigeon.Pigeon")
    monkeypatch.setitem(DIALECTS, "pigeon", "tests.providers.pigeon.PigeonDialect")
    with SandboxServer(key=SANDBOX_KEY) as server:
        yield server
        assert server.state("pigeon").violations == []


class TestContract(ProviderContract):
    slug = "pigeon"
    credentials = {"api_key": SANDBOX_KEY}
    wrong_credentials = {"api_key": "another-key-that-is-wrong-987654"}
    sender = ""
    phones = ("+989121110001", "+989351110002", "+989121110003", "+989011110004")
    refused_phone = "+98912111000"
    unknown_id = "999999"
    create_path = "POST /books/"
    send_path = "POST /flights"
    settings = {"read_timeout": 1}

    @pytest.fixture(autouse=True)
    def only_what_it_can(self, sandbox: SandboxServer, request: pytest.FixtureRequest) -> None:
        """As in the contract, once the provider is registered."""
        missing = [each for each in getattr(request.function, "operations", ()) if each not in OPERATIONS]
        if missing:
            pytest.skip(f"pigeon cannot {', '.join(missing)}")

    def messages_to(self, sandbox: SandboxServer, phone: str) -> list[str]:
        return [text for to, text in sandbox.state("pigeon").flights if to == phone]

    def numbers_in(self, sandbox: SandboxServer, book: BookRef) -> list[str]:
        return [row["phone"] for row in sandbox.state("pigeon").people.values() if row["book"] == book.remote_id]

    def option_values(self, sandbox: SandboxServer, book: BookRef, phone: str) -> Mapping[str, str]:
        return {}


def test_a_registered_backend_is_found_and_built(sandbox: SandboxServer) -> None:
    account = AccountConfig(slug="pigeon", credentials={"api_key": SANDBOX_KEY}, base_url=sandbox.url("pigeon"))
    with registry.build(account) as provider:
        assert isinstance(provider, Pigeon)
        assert provider.check().identity == "The loft"


def test_a_provider_nobody_registered_is_named_with_the_known_ones() -> None:
    with pytest.raises(Misconfigured, match=r"“pigeon”.*ippanel"):
        registry.backend("pigeon")


@pytest.mark.parametrize("slug", sorted(registry.BACKENDS))
def test_every_registered_backend_is_complete(slug: str) -> None:
    cls = registry.backend(slug)
    assert cls.slug == slug
    assert cls.label
    assert cls.capabilities.can(Operation.CHECK)
    assert any(field.required for field in cls.credential_fields)
    assert {field.name for field in cls.setting_fields} >= {"requests_per_second", "connect_timeout", "read_timeout"}
    assert slug in DIALECTS


@pytest.mark.django_db
def test_the_application_offers_it_and_knows_its_abilities(sandbox: SandboxServer) -> None:
    assert ("pigeon", "Pigeon post") in connect.provider_choices()
    account = make_account(provider="pigeon", base_url=sandbox.url("pigeon"))
    assert connect.capabilities(account) is Pigeon.capabilities
    page = text_of(client_of(is_superuser=True).get("/admin/contactsync/provideraccount/add/?provider=pigeon"))
    assert "Ring" in page
    assert "Calls per second" in page
    assert "Pigeon post" in text_of(client_of(is_superuser=True).get("/admin/providers/"))


@pytest.mark.django_db
def test_a_phonebook_is_pushed_to_it(sandbox: SandboxServer) -> None:
    account = make_account(
        provider="pigeon", base_url=sandbox.url("pigeon"), state=ProviderAccount.State.READY, default_sender=""
    )
    book = make_phonebook(account, title="Newsletter")
    for name in ("Sara", "Hassan"):
        make_contact(book, first_name=name)
    run = planner.create_push_run(book)
    planner.plan(run.pk)
    run.refresh_from_db()
    lifecycle.approve(run)
    executor.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.counts["balances"]) == (Run.State.FINISHED, True)
    held = {row["phone"]: row["name"] for row in sandbox.state("pigeon").people.values()}
    assert held == dict(book.contacts.values_list("phone", "first_name"))
    assert set(book.contacts.values_list("sync_state", flat=True)) == {Contact.SyncState.SYNCED}

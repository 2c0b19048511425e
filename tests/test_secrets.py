"""The provider's key is in no log line, no page, no download, no row and no error, whatever happened with it."""

from __future__ import annotations

import html
import io
import json
import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse

from contactsync import models
from contactsync.campaigns import evidence
from contactsync.models import Callback, Campaign, CampaignTarget, Phonebook
from contactsync.models.fields import Credentials
from contactsync.sync.accounts import set_credentials
from providers.sandbox import SandboxServer
from tests.campaigns.companies import COMPANIES, Company
from tests.factories import SANDBOX_KEY, make_account, make_campaign, make_contact, make_phonebook, make_user
from tests.providers.servers import RawServer, http

SECRET = "whsec_0123456789abcdef0123456789abcdef"
KEY = "a-very-secret-key-0123456789abcdef"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phonebook(sandbox: SandboxServer, transactional_db: None) -> Phonebook:
    sandbox.use_key(KEY)
    book = make_phonebook(make_account(key=KEY, base_url=sandbox.url("ippanel")), title="Customers")
    make_contact(book, "+989120000001")
    return book


def everything_in_the_database() -> Iterator[str]:
    """Each row of each table as text; on SQLite the bytes of the files too."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - names of the schema
            yield from map(repr, cursor.fetchall())
    if connection.vendor == "sqlite":
        path = Path(str(connection.settings_dict["NAME"]))
        for file in (path, path.with_name(path.name + "-wal")):
            if file.exists():
                yield file.read_bytes().decode("latin-1")


def every_page() -> Iterator[str]:
    """Every list, form and row page of every model of the app."""
    for model in (getattr(models, name) for name in models.__all__):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield from reverse_or_nothing(f"{name}_changelist")
        yield from reverse_or_nothing(f"{name}_add")
        for row in model._default_manager.all()[:3]:
            yield from reverse_or_nothing(f"{name}_change", row.pk)
            yield from reverse_or_nothing(f"{name}_history", row.pk)
    yield reverse("admin:index")


def reverse_or_nothing(name: str, *args: object) -> Iterator[str]:
    try:
        yield reverse(name, args=args)
    except NoReverseMatch:
        return


def go_through_everything(phonebook: Phonebook, sandbox: SandboxServer) -> str:
    """Check, push, send, read a report, then be refused and hit faults; what the commands printed."""
    out = io.StringIO()

    def run(*arguments: object) -> None:
        try:
            call_command(*map(str, arguments), "--json", stdout=out, stderr=out)
        except CommandError as error:
            out.write(str(error))

    campaign: Campaign = make_campaign(phonebook.account, message="Sale")
    CampaignTarget.objects.create(campaign=campaign, phonebook=phonebook)
    run("check_account", phonebook.account.name)
    run("push", phonebook.title)
    run("send_campaign", campaign.pk)
    run("campaign_report", campaign.pk)
    make_contact(phonebook, "+989120000002")
    sandbox.fault("html", times=1)
    run("push", phonebook.title)
    sandbox.use_key("another-key-entirely-0123456789abc")
    run("push", phonebook.title)
    run("check_account", phonebook.account.name)
    return out.getvalue()


def test_the_key_appears_nowhere(
    phonebook: Phonebook,
    sandbox: SandboxServer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("contactsync.sync.line.wait", lambda seconds: None)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    printed = go_through_everything(phonebook, sandbox)
    client.force_login(make_user(is_superuser=True))
    pages = {url: client.get(url) for url in every_page()}
    assert len(pages) > 30
    assert {url: page.status_code for url, page in pages.items() if page.status_code not in {200, 302, 403}} == {}
    captured = capfd.readouterr()
    places = {
        "printed": [printed, captured.out, captured.err],
        "logged": [caplog.text],
        "pages": [page.content.decode() for page in pages.values() if not page.streaming],
        "database": list(everything_in_the_database()),
    }
    assert {name for name, texts in places.items() if any(KEY in text for text in texts)} == set()


@pytest.mark.parametrize("slug", ["atomtelecom", "callbell"])
def test_neither_the_secret_nor_the_address_of_call_backs_appears_anywhere(
    sandbox: SandboxServer, caplog: pytest.LogCaptureFixture, client: Client, slug: str
) -> None:
    """But on the page of the account, which only those see who may change it."""
    caplog.set_level(logging.DEBUG)
    credentials = {"token": SANDBOX_KEY, "api_key": SANDBOX_KEY, "callback_secret": SECRET}
    account = make_account(
        provider=slug,
        base_url=sandbox.url(slug),
        default_sender="ACME" if slug == "atomtelecom" else next(iter(sandbox.state("callbell").channels)),
        default_region="AU",
        credentials=Credentials.seal(credentials),
    )
    book = make_phonebook(account)
    make_contact(book, "+61491570006")
    campaign = make_campaign(account, message="Sale")
    CampaignTarget.objects.create(campaign=campaign, phonebook=book)
    if slug == "atomtelecom":  # whose sends carry the address
        call_command("send_campaign", str(campaign.pk), "--json", stdout=io.StringIO())
        assert account.callback_key.encode() in sandbox.requests_to("POST /api/sms/send$")[0].body
    path = f"/callbacks/{account.callback_key}/"
    told = [b'{"event": "contact_deleted", "payload": {"uuid": "ab"}}', b'{"to": "1", "from": "61491570006"}', b"{"]
    for body in told:
        client.post(path, body, content_type="application/json", headers={"X-Callbell-Signature": "t=1,v1=00"})
    Callback.objects.create(account=account, key="k", kind="delivery", raw_state="Delivered")
    client.force_login(make_user(is_superuser=True))
    own_page = reverse("admin:contactsync_provideraccount_change", args=[account.pk])
    pages = {url: client.get(url) for url in every_page()}
    texts = {url: page.content.decode() for url, page in pages.items() if not page.streaming}
    assert {url for url, text in texts.items() if account.callback_key in text} <= {own_page}
    assert {url for url, text in texts.items() if SECRET in text} == set()
    assert account.callback_key not in caplog.text
    assert SECRET not in caplog.text
    rows = [row for row in everything_in_the_database() if row.startswith("(")]
    assert not any(SECRET in row for row in rows)
    assert sum(account.callback_key in row for row in rows) == 1


def repeating(server: RawServer, connection: socket.socket) -> None:
    """Answer each request with the whole of it in many spellings, as a refusal and as a fault in turn."""
    while asked := server.read_request(connection):
        said = asked.decode("latin-1")
        words = [said, html.escape(said), quote(said).lower(), said.replace("/", "\\u002F").replace("+", "&plus;")]
        body = json.dumps({"message": " ".join(words), "code": said, "errors": {said: [said]}})
        is_text = len(server.requests) % 4 == 3
        content = said.encode("utf-16") if is_text else body.encode()
        connection.sendall(http(content, status=500 if len(server.requests) % 2 else 422))


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.slug)
def test_a_server_that_repeats_what_it_was_asked_gives_no_key_away(
    company: Company,
    sandbox: SandboxServer,
    transactional_db: None,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("contactsync.sync.line.wait", lambda seconds: None)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    key = "0a1b2c3d4e5f/a+very=secret/key"
    account = company.account(sandbox)
    account.credentials = Credentials.seal({**company.credentials, "api_key": key, "token": key})
    out = io.StringIO()
    with RawServer(repeating) as server:
        account.base_url = server.url()
        account.save()
        book = make_phonebook(account, title="Customers")
        make_contact(book, company.phones(1)[0])
        campaign = make_campaign(account, message="Sale")
        CampaignTarget.objects.create(campaign=campaign, phonebook=book)
        for command in (["push", book.title], ["send_campaign", campaign.pk], ["check_account", account.name]):
            try:
                call_command(*map(str, command), "--json", stdout=out, stderr=out)
            except CommandError as error:
                out.write(str(error))
        evidence.search_account(account.pk)
        assert any(key.encode() in request for request in server.requests)
    client.force_login(make_user(is_superuser=True))
    own_page = reverse("admin:contactsync_provideraccount_change", args=[account.pk])
    found = {url: client.get(url) for url in every_page()}
    pages = {url: page.content.decode() for url, page in found.items() if not page.streaming}
    files = [client.get(reverse(f"admin:contactsync_{name}_download", args=["csv"])) for name in ("call", "run")]
    shown = [text for url, text in pages.items() if url != own_page]
    shown += [b"".join(file).decode() for file in files]  # type: ignore[arg-type]
    shown += [out.getvalue(), caplog.text, *capfd.readouterr()]
    for text in [*shown, pages[own_page], *everything_in_the_database()]:
        assert "0a1b2c3d4e5f" not in re.sub(r"\\x00|\\u0000|[^A-Za-z0-9]", "", text)
    assert not any(account.callback_key in text for text in shown)


def test_the_form_takes_a_key_and_never_gives_it_back(phonebook: Phonebook, client: Client) -> None:
    client.force_login(make_user(is_superuser=True))
    set_credentials(phonebook.account, {"api_key": KEY})
    page = client.get(reverse("admin:contactsync_provideraccount_change", args=[phonebook.account.pk]))
    assert 'type="password"' in page.content.decode()
    assert KEY not in page.content.decode()
    assert phonebook.account.credentials.token not in page.content.decode()


def test_a_dump_of_the_data_holds_no_credentials(phonebook: Phonebook) -> None:
    out = io.StringIO()
    call_command("dumpdata", "contactsync.provideraccount", stdout=out)
    assert KEY not in out.getvalue()
    assert phonebook.account.credentials.token not in out.getvalue()

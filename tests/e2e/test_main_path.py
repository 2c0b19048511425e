"""The whole way in a browser: a file goes in, reaches the provider, a campaign goes out, the report comes back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contactsync.management.demo_accounts import IPPANEL
from contactsync.options import parse_option
from contactsync.phone import parse_phone
from tests.e2e.site import SAMPLES, Site, installed
from tests.e2e.walk import Walk, as_number

SAMPLE = SAMPLES / "sample-contacts-fa.csv"
ROWS = 500
FIELDS = ["prefix", "first_name", "last_name", "phone", "email", "option:شهر", "option:تاریخ تولد", "option:امتیاز"]
KINDS = {"شهر": "text", "تاریخ تولد": "date", "امتیاز": "integer"}
DELIVERED = "2"  # as the provider writes it
SHARES = """() => [...document.querySelectorAll(".cs-shares + .cs-table-wrap tbody tr")].map(
  row => [row.querySelector("[data-state]").dataset.state, row.cells[1].textContent])"""
PARTS = ("created", "updated", "unchanged", "duplicate", "rejected")
MENU = "#cs-nav a[href='/admin/contactsync/{}/']"


@dataclass(frozen=True)
class Words:
    """What this person calls things."""

    book: str
    campaign: str
    message: str


WORDS = {
    "en": Words("Customer club", "Autumn sale", "Customer club: 20% off everything until Friday. Stop: 11"),
    "fa": Words(IPPANEL.phonebook, "تخفیف پاییزه", IPPANEL.message),
}


@pytest.fixture(scope="module", params=["en", "fa"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def site(prepared: Path, tmp_path_factory: pytest.TempPathFactory, language: str) -> Iterator[Site]:
    site = installed(prepared, tmp_path_factory.mktemp("e2e") / "site")
    site.shell(f"Phonebook.objects.update(title={WORDS[language].book!r})")
    yield site
    site.stop()


def test_from_the_file_to_the_delivery_report(walk: Callable[..., Walk], site: Site, language: str) -> None:
    person = walk("demo", language)
    rejected = import_the_sample(person)
    accepted = expected_contacts(rejected)
    push(person, len(accepted))
    write_a_campaign(person, WORDS[language], accepted)
    send(person, len(accepted))
    read_the_report(person, len(accepted))
    look_around(person)
    person.open("")
    person.look("dashboard-after", dark=True)
    compare(site.state(), accepted)
    assert site.key not in "".join(person.sources)
    assert site.key.encode() not in site.written()


def import_the_sample(person: Walk) -> list[dict[str, str]]:
    """From the dashboard to the result; the rejected rows as the downloaded file has them."""
    page = person.page
    person.look("dashboard")
    person.press(MENU.format("phonebook"))
    person.look("phonebooks")
    person.press("#result_list th.field-title a")
    person.look("phonebook-empty")
    person.press("#content a[href*='/importjob/add/']")
    assert page.input_value("#id_phonebook"), "the phonebook is chosen already"
    person.look("upload")
    page.set_input_files("#id_file", SAMPLE)
    person.press("#content form[enctype] button[type=submit]")

    titles = dict(
        page.evaluate("[...document.querySelectorAll('.cs-columns option')].map(o => [o.value, o.text.trim()])")
    )
    guessed = [page.input_value(f"[name=column_{index}]") for index in range(len(FIELDS))]
    named = [f"option:{titles[field]}" if field.startswith("option:") else field for field in guessed]
    assert named == FIELDS
    for encoding, is_readable in (("cp437", False), ("utf-8", True)):  # shown anew as soon as it is chosen
        with page.expect_navigation():
            page.select_option("#id_encoding", encoding)
        assert ("موبایل" in page.inner_text(".cs-first-rows")) is is_readable
        assert page.evaluate("document.activeElement.id") == "id_encoding"
    person.look("columns")
    person.press("#content form[data-once] button.cs-button--primary")

    person.wait("form[action$='/apply/']")
    person.wait("[data-balance=yes]")
    assert person.text(".cs-equation b") == str(ROWS)
    checked = {part: person.count(part) for part in PARTS}
    assert sum(checked.values()) == ROWS
    person.look("check")

    with person.site.no_worker():
        person.press("form[action$='/apply/'] button")
        page.wait_for_selector("progress")
        person.look("import-running")
    person.wait("[data-balance=yes]")
    assert {part: person.count(part) for part in PARTS} == checked, "the import did what the check said"
    person.look("result")

    with page.expect_download() as download:
        page.click("a[href$='/rejected/']")
    text = download.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == checked["rejected"] > 0
    return rows


def expected_contacts(rejected: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """Number -> options of every row that is not rejected, the first row of a number winning; worked out from the file."""
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        header = list(reader.fieldnames or [])
        rows = list(reader)
    refused = [tuple(row[name] for name in header) for row in rejected]
    line, reason = [name for name in rejected[0] if name not in header][:2]
    assert all(row[line].isdigit() and row[reason].strip() for row in rejected), "every rejected row has its reason"
    expected: dict[str, dict[str, str]] = {}
    for row in rows:
        if tuple(row.values()) in refused:
            continue
        phone = parse_phone(row["شماره موبایل"], "IR").e164
        assert phone, row
        options = {title: parse_option(row[title], kind).value for title, kind in KINDS.items() if row[title].strip()}
        expected.setdefault(phone, options)
    assert len(rows) == ROWS
    return expected


def push(person: Walk, contacts: int) -> None:
    """From the result of the import to a phonebook in step."""
    person.press("#content a.cs-button[href$='/change/']")
    person.press("form[action$='/push/'] button")
    person.wait("form[action$='/approve/'] button.cs-button--primary")
    numbers = person.page.locator("dl.cs-stats").first.locator("dd").all_inner_texts()
    assert [int(number) for number in numbers] == [contacts, 0, 0, 0], "all to create"
    person.look("plan")
    person.site.slow("POST /api/contacts", 3)
    person.press("form[action$='/approve/'] button.cs-button--primary")
    person.page.wait_for_selector("progress")
    person.wait("[data-balance=yes]")
    assert person.count("done") == contacts
    person.look("pushed")
    person.press("dl.cs-facts a[href*='/phonebook/']")
    cards = person.page.locator(".cs-stat__value").all_inner_texts()
    assert [int(number) for number in cards] == [contacts, contacts, 0, 0], "every contact is in step"
    person.look("phonebook-in-step")


def write_a_campaign(person: Walk, words: Words, accepted: Collection[str]) -> None:
    """To everybody in the phonebook, and once more to two chosen contacts, who get it once all the same."""
    page, contacts = person.page, len(accepted)
    person.press(MENU.format("campaign"))
    person.look("campaigns-none")
    person.press(".object-tools a.addlink")
    page.fill("#id_title", words.campaign)
    page.fill("#id_message", words.message)
    page.select_option("#id_targets-0-phonebook", label=words.book)
    page.click(".add-row a")
    page.select_option("#id_targets-1-phonebook", label=words.book)
    page.select_option("#id_targets-1-type", "detail")
    choose_contacts(person, "#targets-1", sorted(accepted)[:2])
    page.wait_for_selector("[data-parts-line]:not(:empty)")
    person.look("campaign-draft")
    person.press("input[name=_prepare]")
    person.wait("form[action$='/send/'] button")
    assert person.count("recipients") == contacts
    assert person.count("duplicate") == 2
    stats = person.page.locator(".cs-stats--turned dd").all_inner_texts()
    parts = int(stats[2])
    assert [int(stats[0].replace(",", "")), int(stats[1].replace(",", ""))] == [contacts, contacts * parts]
    assert len(stats) >= 4, "a price is shown"
    person.look("prepared", dark=True)


def choose_contacts(person: Walk, group: str, phones: list[str]) -> None:
    """Type a number as people in Iran write it, and take what is offered."""
    page = person.page
    for phone in phones:
        page.locator(f"{group} .select2-search__field").press_sequentially(phone.replace("+98", "0"))
        page.locator(".select2-results__option", has_text=phone).click()
        page.locator(f"{group} .select2-selection__choice", has_text=phone).wait_for()


def send(person: Walk, contacts: int) -> None:
    person.press("form[action$='/send/'] button")
    person.wait("[data-balance=yes]")
    assert person.count("accepted") == contacts
    person.look("sent")


def read_the_report(person: Walk, contacts: int) -> None:
    """An hour later at the provider."""
    person.site.advance(3600)
    finals = [message[3] for send in person.site.state()["sends"] for message in send["messages"]]
    shown: dict[str, int] = {}
    for _ in range(3):  # a reading that began before that hour may still end after it
        person.press("form[action$='/refresh/'] button")
        person.page.locator("[data-progress-url]").wait_for(state="detached")
        person.wait(".cs-shares")
        shown = {state: as_number(count) for state, count in person.page.evaluate(SHARES)}
        if shown.get("delivered") == finals.count(DELIVERED):
            break
    assert shown.get("delivered") == finals.count(DELIVERED) > 0
    assert sum(shown.values()) == contacts
    listed = person.page.locator("tr:has(td.cs-nowrap a[href*='/recipient/'])")
    assert listed.count() == listed.locator("td:nth-child(4) [data-state]").count() > 0, (
        "everybody listed has a delivery"
    )
    person.look("report")
    person.press("td.cs-nowrap a[href*='/recipient/']")
    person.look("recipient")


def look_around(person: Walk) -> None:
    """The other screens of the menu open too, and are as they must be."""
    for path in person.page.locator("#cs-nav a").evaluate_all("all => all.map(a => a.getAttribute('href'))"):
        person.page.goto(person.site.url + path)
        person.look("list-" + path.strip("/").replace("/", "-").removeprefix("admin-contactsync-"))


def compare(state: dict[str, Any], accepted: dict[str, dict[str, str]]) -> None:
    """The provider holds exactly what was accepted, and each number got one message."""
    titles = {str(option["id"]): option["title"] for option in state["options"]}
    there = {
        row["number"]: {titles[key]: value.replace("/", "-") for key, value in row["options"].items()}
        for row in state["contacts"]
    }
    assert there == accepted
    messages = [message[0] for send in state["sends"] for message in send["messages"]]
    assert sorted(messages) == sorted(accepted)
    assert state["violations"] == []

"""Pages that change under a person's eyes: what they say stays true without loading them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e.site import SAMPLES, Site
from tests.e2e.test_safety import SEND, make_phonebook, prepare
from tests.e2e.walk import NARROW, Walk

ON_WIRE = ("[data-count=on_wire]", "[data-part=on_wire] b", "[data-list=on_wire]")
SENT = """() => /^[0-9.]+ of 0[.]5 MB sent [(][0-9]+%[)]$/.test(document.querySelector("[data-upload-line]").textContent)"""
HIDDEN_EDGES = """() => [...document.querySelectorAll("#changelist-form .results, .cs-table-wrap")]
  .filter(box => box.scrollWidth > box.clientWidth)
  .filter(box => !getComputedStyle(box).backgroundAttachment.includes("local")
    || [...box.querySelectorAll("tbody tr, tbody td, table")].some(one => getComputedStyle(one).backgroundColor !== "rgba(0, 0, 0, 0)"))
  .length"""


def test_cards_equation_and_lists_of_a_send_move_together(walk: Callable[..., Walk], site: Site) -> None:
    campaign = make_phonebook(site, "Moving", ["+989121120001", "+989121120002"])["campaign"]
    lead = walk("demo", first=90)
    prepare(lead, campaign)
    with site.no_worker():
        lead.press(SEND)
        assert [lead.text(place) for place in ON_WIRE] == ["0", "0", "0"]
        assert lead.page.locator("[data-list-files=on_wire]").is_hidden()
        lead.page.evaluate("window.stillTheSame = true")
        site.slow("POST /api/send", 6)
    lead.wait("[data-list-files=on_wire] a")
    assert lead.page.evaluate("window.stillTheSame"), "the page was not loaded anew"
    assert [lead.text(place) for place in ON_WIRE] == ["2", "2", "2"]
    assert lead.text("[data-list=waiting]") == "0"
    lead.wait("[data-balance=yes]")


def test_the_sentence_about_columns_follows_the_choice(walk: Callable[..., Walk], site: Site) -> None:
    person = walk("demo", first=95)
    page = person.page
    person.open("contactsync/importjob/add/")
    page.select_option("#id_phonebook", str(site.shell("print(Phonebook.objects.earliest('pk').pk)")))
    page.set_input_files("#id_file", SAMPLES / "sample-contacts-fa.csv")
    person.press("#content form[enctype] button[type=submit]")
    assert "8 of 8 columns are used." in person.text("[data-choice]")
    assert page.locator("[data-left-out]").first.is_hidden()
    page.select_option("[name=column_4]", "")
    page.select_option("[name=column_5]", "")
    said = person.text("[data-choice]")
    assert "6 of 8 columns are used." in said
    assert "Left out, so nothing of them is imported: \u2068ایمیل\u2069, \u2068شهر\u2069." in said
    page.select_option("[name=column_5]", "new")
    assert "7 of 8 columns are used." in person.text("[data-choice]")


def test_a_file_on_a_slow_line_shows_how_much_of_it_has_left(
    walk: Callable[..., Walk], site: Site, tmp_path: Path
) -> None:
    person = walk("demo", first=96)
    page = person.page
    big = tmp_path / "big.csv"
    big.write_text("Mobile,Note\n" + "".join(f"0912{n:07},{'x' * 90}\n" for n in range(5_000)))
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    person.open("contactsync/importjob/add/")
    page.select_option("#id_phonebook", str(site.shell("print(Phonebook.objects.earliest('pk').pk)")))
    page.set_input_files("#id_file", big)
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", slow)
    page.click("#content form[data-upload] button[type=submit]")
    page.wait_for_function(SENT)
    page.click("[data-upload-cancel]")
    assert person.text("[data-upload-line]") == "Cancelled: nothing was kept of the file."
    line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    person.press("#content form[data-upload] button[type=submit]")
    assert "2 of 2 columns are used." in person.text("[data-choice]")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(walk: Callable[..., Walk], site: Site) -> None:
    person = walk("demo", first=96)
    page = person.page
    asked: list[str] = []
    person.open("contactsync/importjob/add/")
    page.on("request", lambda request: asked.append(request.method))
    page.select_option("#id_phonebook", str(site.shell("print(Phonebook.objects.earliest('pk').pk)")))
    page.set_input_files("#id_file", SAMPLES / "sample-contacts-fa.csv")
    page.evaluate("document.querySelector('[data-upload-progress]').dataset.most = '10'")
    page.click("#content form[data-upload] button[type=submit]")
    assert "The file is larger than 200 MB. Split it" in person.text("[data-upload-line]")
    assert "POST" not in asked


def test_what_is_wrong_with_a_file_stands_beside_it_as_without_the_script(
    walk: Callable[..., Walk], site: Site, tmp_path: Path
) -> None:
    person = walk("demo", first=96)
    page = person.page
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("Mobile,Note\n")
    person.open("contactsync/importjob/add/")
    page.select_option("#id_phonebook", str(site.shell("print(Phonebook.objects.earliest('pk').pk)")))
    page.set_input_files("#id_file", nothing)
    page.evaluate("window.stillTheSame = true")
    page.click("#content form[data-upload] button[type=submit]")
    person.wait(".errorlist")
    assert "The file has no rows below its header." in person.text(".errorlist")
    assert page.evaluate("window.stillTheSame"), "the page was not loaded anew"
    page.set_input_files("#id_file", SAMPLES / "sample-contacts-fa.csv")
    person.press("#content form[data-upload] button[type=submit]")
    assert "8 of 8 columns are used." in person.text("[data-choice]")


def test_where_a_list_goes_on_beyond_its_edge_a_shadow_shows_it(walk: Callable[..., Walk], site: Site) -> None:
    make_phonebook(site, "Edges", ["+989121130001", "+989121130002"])
    person = walk("demo", first=97)
    with person.seen_as(NARROW):
        person.open("contactsync/contact/")
        box = person.page.locator("#changelist-form .results")
        assert box.evaluate("box => box.scrollWidth > box.clientWidth"), "there is something to scroll to"
        assert person.page.evaluate(HIDDEN_EDGES) == 0


def test_without_a_clipboard_the_report_for_the_provider_is_selected(walk: Callable[..., Walk], site: Site) -> None:
    call = site.shell("""
run = Run.objects.create(kind="push", account=ProviderAccount.objects.get(), state="finished")
print(Call.objects.create(run=run, sequence=1, operation="create_option", request_line="POST https://example.org/").pk)
""")
    person = walk("demo", first=99)
    page = person.page
    page.add_init_script("""
Object.defineProperty(Navigator.prototype, "clipboard", { get: () => undefined });
document.execCommand = () => window.isCopied;
""")
    person.open(f"contactsync/call/{call}/change/")
    button = page.locator("[data-copy=call-report]")
    button.click()
    assert "Press Ctrl+C" in person.text("[data-copy-said]")
    assert page.evaluate("document.activeElement.id") == "call-report"
    selected = page.evaluate("getSelection().toString()")
    assert selected.strip() == page.locator("#call-report").input_value().strip()
    page.evaluate("window.isCopied = true")
    button.click()
    assert person.text("[data-copy-said]") == "Copied"

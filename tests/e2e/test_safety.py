"""What must not happen, in a browser: a send by the wrong person, a send twice, work lost because of a wrong key."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.site import Site
from tests.e2e.walk import Walk

SEND = "form[action$='/send/'] button"


def make_phonebook(site: Site, title: str, phones: list[str]) -> dict[str, int]:
    """A phonebook of these numbers, and a draft of a campaign to it; their ids."""
    ids: dict[str, int] = site.shell(f"""
book = Phonebook.objects.create(account=ProviderAccount.objects.get(), title={title!r})
for phone in {phones!r}:
    contact = Contact(phonebook=book, phone=phone)
    contact.refresh_state()
    contact.save()
campaign = Campaign.objects.create(account=book.account, title={title!r}, message="To " + {title!r})
CampaignTarget.objects.create(campaign=campaign, phonebook=book, type=CampaignTarget.Type.ALL)
print(json.dumps({{"book": book.pk, "campaign": campaign.pk}}))
""")
    return ids


def open_campaign(person: Walk, campaign: int) -> None:
    person.open(f"contactsync/campaign/{campaign}/change/")


def prepare(person: Walk, campaign: int) -> None:
    """To the page that shows what would be sent."""
    open_campaign(person, campaign)
    person.press("input[name=_prepare]")
    person.wait("input[name=q]")


def test_marketing_prepares_and_only_the_lead_sends(walk: Callable[..., Walk], site: Site) -> None:
    phones = ["+989121110001", "+989121110002"]
    campaign = make_phonebook(site, "Two roles", phones)["campaign"]
    marketing = walk("marketing", first=60)
    marketing.look("marketing-dashboard")
    prepare(marketing, campaign)
    assert marketing.page.locator(SEND).count() == 0
    assert "It can be sent by: demo, lead." in marketing.text("#content")
    marketing.look("marketing-prepared")

    lead = walk("lead", first=65)
    open_campaign(lead, campaign)
    assert lead.page.locator(SEND).count() == 1
    lead.press(SEND)
    lead.wait("[data-balance=yes]")
    assert sorted(set(site.messages()) & set(phones)) == phones


def test_two_clicks_and_two_windows_make_one_send(walk: Callable[..., Walk], site: Site) -> None:
    phones = ["+989121110003", "+989121110004", "+989121110005"]
    campaign = make_phonebook(site, "Only once", phones)["campaign"]
    lead, again = walk("lead", first=70), walk("lead", first=75)
    prepare(lead, campaign)
    open_campaign(again, campaign)
    with lead.page.expect_navigation():
        lead.page.dblclick(SEND)
    again.press(SEND)
    assert "Somebody else was faster" in again.text(".messagelist")
    again.look("faster")
    lead.wait("[data-balance=yes]")
    lead.look()
    assert sorted(phone for phone in site.messages() if phone in phones) == phones


def test_a_wrong_key_stops_the_account_and_the_right_one_lets_the_push_go_on(
    walk: Callable[..., Walk], site: Site
) -> None:
    phones = ["+989121110006", "+989121110007"]
    book = make_phonebook(site, "Key test", phones)["book"]
    admin = walk("demo", first=80)
    admin.open(f"contactsync/phonebook/{book}/change/")
    admin.press("form[action$='/push/'] button")
    admin.wait("form[action$='/approve/'] button.cs-button--primary")
    run = admin.page.url
    account = "contactsync/provideraccount/1/change/"
    try:
        enter_key(admin, account, "this-key-is-not-the-right-one")
        admin.page.goto(run)
        admin.press("form[action$='/approve/'] button.cs-button--primary")
        admin.wait(".cs-badge[data-state=paused]")
        admin.look("push-paused")
        refused = [request for request in site.requests() if request["status"] == 401]
        assert len(refused) == 1, "one call, then the account stops"

        admin.open("")
        first = admin.page.locator("section[aria-labelledby=board-decisions] li").first
        assert "is stopped" in first.inner_text()
        admin.look("dashboard-account-stopped")
        with admin.page.expect_navigation():
            first.locator("a.cs-button").click()
        admin.press("form[action$='/check/'] button")
        assert "The provider refused the key." in admin.text(".messagelist .error")
        assert admin.page.locator("#account-state [data-state=refused]").count() == 1
        admin.look("account-refused")
    finally:
        enter_key(admin, account, site.key)
        admin.press("form[action$='/check/'] button")
    assert "1 run that had stopped" in admin.text(".messagelist")
    admin.look("account-ready")
    admin.page.goto(run)
    admin.wait(".cs-badge[data-state=finished]")
    admin.wait("[data-balance=yes]")
    assert set(phones) <= {contact["number"] for contact in site.state()["contacts"]}
    assert site.key not in "".join(admin.sources)


def enter_key(person: Walk, account: str, key: str) -> None:
    person.open(account)
    assert person.page.input_value("#id_credential_api_key") == ""
    person.page.fill("#id_credential_api_key", key)
    person.press("input[name=_continue]")

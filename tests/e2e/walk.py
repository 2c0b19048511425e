"""A person in a browser: goes through pages, takes pictures, and complains about anything that no page may have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Response

from tests.e2e.readable import READABLE
from tests.e2e.site import ROOT, Site

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
TIMEOUT = 60_000  # milliseconds; a busy machine is no failure

#: what every page must be, whatever it shows; returns what is wrong
AUDIT = """() => {
  const wrong = [];
  const seen = element => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const hints = element => [...element.querySelectorAll("[alt], [title]")].map(one => one.alt || one.title).join(" ");
  const text = element => element ? (element.textContent + hints(element)).trim() : "";
  const byId = ids => (ids || "").split(/\\s+/).map(id => text(document.getElementById(id))).join(" ").trim();
  const named = element => element.getAttribute("aria-label")?.trim() || byId(element.getAttribute("aria-labelledby"))
    || [...(element.labels || [])].map(text).join(" ").trim() || element.title;
  for (const element of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!seen(element)) continue;
    const button = ["submit", "button", "reset"].includes(element.type) && element.value;
    if (!button && !named(element)) wrong.push("no label: " + element.outerHTML.slice(0, 200));
  }
  for (const element of document.querySelectorAll("button, a[href], [role=button]")) {
    if (seen(element) && !text(element) && !named(element)) wrong.push("no name: " + element.outerHTML.slice(0, 200));
  }
  for (const image of document.querySelectorAll("img")) {
    if (!image.hasAttribute("alt")) wrong.push("no alt: " + image.outerHTML.slice(0, 200));
  }
  for (const title of document.querySelectorAll("h1, h2, h3, nav ul")) {
    if (seen(title) && !text(title)) wrong.push("empty: " + title.outerHTML.slice(0, 200));
  }
  const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
  if (twice.length) wrong.push("the same id twice: " + twice.join(", "));
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
  if (!document.title.trim()) wrong.push("no title");
  return wrong;
}"""
#: what people press or read as a title, and is still in Latin letters on a Persian page; names in code are none of it
UNTRANSLATED = """() => [...document.querySelectorAll("button, .cs-button, label, legend, dt, h2, th[scope=col], summary")]
  .filter(element => element.checkVisibility() && !element.closest("[lang]:not(html), .cs-chip, bdi") && !element.querySelector("bdi"))
  .map(element => element.textContent.trim()).filter(text => /[A-Za-z]/.test(text) && !/[\u0600-\u06ff]/.test(text))"""
TOO_WIDE = "() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth)"


class Walk:
    """One person's browser on one site. `complaints` must stay empty; `look` checks it. Pictures are counted on from `first`."""

    def __init__(self, browser: Browser, site: Site, language: str, first: int = 1) -> None:
        self.site, self.language = site, language
        self.context = browser.new_context(
            viewport=WIDE, locale="en-US", timezone_id="Asia/Tehran", accept_downloads=True
        )
        self.context.set_default_timeout(TIMEOUT)
        self.complaints: list[str] = []
        self.sources: list[str] = []
        self.pictures = first - 1
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self._heard("error", str(error)))
        self.page.on("response", self._answered)
        self.page.on("request", self._asked)

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} or "Content Security Policy" in text:
            self.complaints.append(f"console: {text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")

    def _asked(self, request: Request) -> None:
        if request.url.startswith("http") and urlsplit(request.url).netloc != urlsplit(self.site.url).netloc:
            self.complaints.append(f"asked somebody else: {request.url}")

    # Going

    def log_in(self, name: str) -> None:
        """To the dashboard, in this walk's language."""
        self.page.goto(self.site.url)
        if self.language != "en":
            with self.page.expect_navigation():
                self.page.click(f".cs-languages button[value={self.language}]")
        self.look("" if self.pictures else "login", dark=True)
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", self.site.password)
        with self.page.expect_navigation():
            self.page.press("#id_password", "Enter")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site.url}/admin/{path}")

    def press(self, selector: str) -> None:
        """Press a button or link that leads to another page."""
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()

    def wait(self, selector: str) -> None:
        """Until the page shows it, by itself: pages of long work load themselves anew."""
        self.page.wait_for_selector(selector)
        self.page.wait_for_load_state()

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def count(self, name: str) -> int:
        """One number of the equation that the page shows."""
        return as_number(self.text(f"[data-count={name}]"))

    # Looking

    def look(self, name: str = "", *, dark: bool = False) -> None:
        """Check the page in both widths, light and dark; with a name, keep pictures of it."""
        page = self.page
        self.sources.append(page.content())
        direction = page.evaluate("() => [document.documentElement.lang, document.documentElement.dir]")
        wrong = list(self.complaints)
        if direction != [self.language, "rtl" if self.language == "fa" else "ltr"]:
            wrong.append(f"language and direction are {direction}")
        wrong += page.evaluate(AUDIT)
        if self.language == "fa":
            wrong += [f"not in Persian: {text}" for text in page.evaluate(UNTRANSLATED)]
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            wrong += [f"{scheme}: {text}" for text in page.evaluate(READABLE)]
        self.pictures += bool(name)
        for view in (WIDE, NARROW):
            with self.seen_as(view):
                if beyond := page.evaluate(TOO_WIDE):
                    wrong.append(f"{beyond} pixels too wide at {view['width']}")
                if name:
                    self.keep(f"{name}-{view['width']}")
                if name and dark:
                    page.emulate_media(color_scheme="dark")
                    self.keep(f"{name}-{view['width']}-dark")
                    page.emulate_media(color_scheme="light")
        assert not wrong, f"{page.url}\n" + "\n".join(wrong)

    @contextmanager
    def seen_as(self, view: Any) -> Iterator[None]:
        """The page at another size for a moment."""
        self.page.set_viewport_size(view)
        try:
            yield
        finally:
            self.page.set_viewport_size(WIDE)

    def keep(self, name: str) -> None:
        """A picture of the whole page, in a folder that is not part of the repository."""
        folder = ROOT / "screenshots" / self.language
        folder.mkdir(parents=True, exist_ok=True)
        path: Path = folder / f"{self.pictures:02d}-{name}.png"
        self.page.evaluate("window.scrollTo(0, 0)")  # what sticks to the top belongs at the top of the picture
        self.page.screenshot(path=path, full_page=True, animations="disabled")


def as_number(text: str) -> int:
    """A count as a page writes it: grouped by commas, in any digits."""
    return int(text.strip().replace(",", "").replace("٬", ""))

"""A site of real processes and a real Chromium. Without Chromium these tests are skipped, except where CI is set."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.site import Site, installed, prepare
from tests.e2e.walk import Walk

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = shutil.which("chromium")
    if found:
        return found
    missing = "Chromium was not found. On Debian and Ubuntu: apt install chromium"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def prepared(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every site is copied from: made once, whichever of the processes that share the tests comes first."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, ready = shared / "e2e-prepared", shared / "e2e-prepared.ready"
    with (shared / "e2e-prepared.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            prepare(folder)
            ready.touch()
    return folder


@pytest.fixture(scope="module")
def site(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One installation for the tests of a module."""
    site = installed(prepared, tmp_path_factory.mktemp("e2e") / "site")
    yield site
    site.stop()


@pytest.fixture
def browser(chromium_path: str) -> Iterator[Browser]:
    """A browser of its own for each test: outside, its event loop would keep other tests from the database."""
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def walk(browser: Browser, site: Site) -> Callable[..., Walk]:
    """Another person in another window: `walk("lead", "fa")` is logged in and on the dashboard."""

    def begin(name: str, language: str = "en", first: int = 1) -> Walk:
        person = Walk(browser, site, language, first)
        person.log_in(name)
        return person

    return begin

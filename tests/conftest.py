"""How many tests run at once; and a real browser for the tests of the report, which skip where there is none."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker more than there are cores: many tests wait for a process, or for a limit of time."""
    return (os.cpu_count() or 1) + 1


LOTS = {
    "test_fail_closed.py": 6,
    "test_append_faults.py": 4,
    "test_hangs.py": 2,
    "test_stray.py": 2,
    "test_corpus.py": 6,
    "test_action.py": 2,
    "test_many_kinds.py": 2,
}
"""File of many cases that take long -> one case in so many is played in an ordinary run of the tests."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Play some of the cases of LOTS, the same ones each time; `make hostile` plays all, and so does naming a case."""
    if os.environ.get("NSM_GATE_HOSTILE") == "all" or any("::" in word for word in config.args):
        return
    left = [item for item in items if _lot(item) % LOTS.get(item.path.name, 1)]
    config.hook.pytest_deselected(items=left)
    gone = set(left)
    items[:] = [item for item in items if item not in gone]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare the thousands of tests the looking for garbage: in each fork it would be copied, too."""
    gc.collect()
    gc.freeze()


def _lot(item: pytest.Item) -> int:
    is_case = getattr(item, "callspec", None) is not None
    return hashlib.sha256(item.name.encode()).digest()[0] if is_case else 0


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return Chromium, without a window and with an empty profile."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")
    # Without windows to think of it takes two thirds of the time.
    programs = map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))
    program = next((found for found in programs if found), None)
    if program is None:
        pytest.skip("Chromium is not installed here: apt-get install chromium-headless-shell")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Page:
    """A page of the report from disk, with all that it said and asked for."""

    def __init__(self, browser: Any, **options: Any) -> None:
        """Open an empty page: `viewport`, `color_scheme` and the like are the browser's words."""
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, report: Path, address: str = "") -> Any:
        """Open a report; wait until its script has run and the charts that can be seen are drawn."""
        self.page.goto(report.as_uri() + address)
        self.page.wait_for_selector("html[data-ready]", state="attached")
        return self.page

    def quiet(self, report: Path) -> None:
        """Assert that nothing was said, and nothing asked for but the report itself and its empty icon."""
        assert self.complaints == []
        assert {url.partition("#")[0] for url in self.requests} - {"data:,"} == {report.as_uri()}


@pytest.fixture
def browse(chromium: Any) -> Iterator[Any]:
    """Return a function that makes a page; all are closed at the end."""
    made: list[Page] = []

    def make(**options: Any) -> Page:
        made.append(Page(chromium, **options))
        return made[-1]

    yield make
    for page in made:
        page.context.close()

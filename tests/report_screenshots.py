"""Takes the pictures of docs/report.md from the real page in a real Chromium: `make screenshots`."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tests.conftest import FLAGS
from tests.screenshots import IMAGES
from tests.support import ROOT, Repo, gate

NOW = datetime(2026, 3, 15, 9, 0, tzinfo=timezone.utc)
RUN = "#/run/dual_pass_attention_planning_v2_20260311"
PICTURES = {
    "report-overview": ((1200, 860), "light", "", "#top"),
    "report-progress": ((1200, 860), "dark", "", "#progress"),
    "report-run": ((1200, 860), "light", RUN, None),
    "report-phone": ((390, 780), "light", "", "#progress"),
}
"""Picture -> window, theme, address, and what is scrolled to."""


def draw(folder: Path) -> None:
    """Write every picture into a folder."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        repo = Repo.init(Path(place) / "nsm")
        shutil.copytree(ROOT / "examples/nsm", repo.path, dirs_exist_ok=True)
        result = gate("report", "-o", "report.html", cwd=repo.path, env=repo.env, now=NOW)
        if result.code:
            raise AssertionError(result.err)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, (window, scheme, address, target) in PICTURES.items():
            _picture(
                browser, repo.path / "report.html", folder / f"{name}.png", window, scheme, address, target
            )
        browser.close()


def _picture(
    browser: Any,
    report: Path,
    place: Path,
    window: tuple[int, int],
    scheme: str,
    address: str,
    target: str | None,
) -> None:
    page = browser.new_page(viewport={"width": window[0], "height": window[1]}, color_scheme=scheme)
    page.goto(report.as_uri() + address)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.plot')].every(p => !p.clientWidth || p.firstElementChild)"
    )
    if target is not None:
        page.evaluate("target => document.querySelector(target).scrollIntoView()", target)
    page.wait_for_timeout(500)
    page.screenshot(path=place)
    page.close()


if __name__ == "__main__":
    draw(IMAGES)

"""The site that `make docs` makes: whole, without a dead link, and with nothing on another host."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.support import ROOT

if importlib.util.find_spec("sphinx") is None:
    pytest.skip("Sphinx is not installed: pip install --group docs", allow_module_level=True)

LOADED = {
    "audio": "src", "embed": "src", "iframe": "src", "img": "src", "input": "src", "link": "href", "object": "data",
    "script": "src", "source": "src", "track": "src", "video": "src",
}  # fmt: skip
"""Element -> the attribute that has the browser load something."""
RELATIONS = {"next", "prev", "index", "search", "genindex", "author", "help"}
"""Kinds of `link` that lead somewhere and load nothing."""


class Page(HTMLParser):
    """What a page of the site leads to and loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.navigation: list[str] = []
        self._styles: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.ids |= {said[name] for name in ("id", "name") if name in said}
        if tag == "div":
            self._open.append(said.get("class", ""))
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
            if "sidebar-tree" in self._open:
                self.navigation.append(said["href"])
        if tag == "link" and set(said.get("rel", "").split()) <= RELATIONS:
            self.links.append(said["href"])
        elif tag in LOADED and LOADED[tag] in said:
            self.loaded.append(said[LOADED[tag]])
        self.loaded += [part.split()[0] for part in said.get("srcset", "").split(",") if part.strip()]
        self.loaded += in_styles(said.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._open:
            self._open.pop()


def in_styles(text: str) -> list[str]:
    """Return what a style sheet loads."""
    return re.findall(r"""url\(\s*["']?([^"')]+)""", text) + re.findall(r"""@import\s+["']([^"']+)""", text)


def made(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Make the site as `make docs` does, elsewhere."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (options,) = re.findall(r"^\t\$\(BIN\)/python -m sphinx (.*) build/site$", makefile, re.MULTILINE)
    words = options.replace("build/doctrees", str(target / "doctrees")).split()
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(target / "site")],
        cwd=source, env={**os.environ, "LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site."""
    target = tmp_path_factory.mktemp("site")
    done = made(ROOT, target)
    assert (done.returncode, done.stderr) == (0, "")
    return target / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Return every page of the site."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_made_and_in_the_navigation(site: Path, pages: dict[Path, Page]) -> None:
    sources = [*sorted(ROOT.glob("docs/*.md")), ROOT / "benchmarks/README.md"]
    wanted = {path.relative_to(ROOT).with_suffix(".html").as_posix() for path in sources}
    assert len(wanted) > 14
    assert set(pages[site / "index.html"].navigation) == wanted
    assert len(pages[site / "index.html"].navigation) == len(wanted)
    for path in (*wanted, "README.html"):
        assert (site / path) in pages
        leads = {os.path.normpath((site / path).parent / link) for link in pages[site / path].navigation}
        assert leads >= {str(site / other) for other in wanted - {path}}
    assert (site / "index.html").read_bytes() == (site / "README.html").read_bytes()


def test_no_link_is_dead(site: Path, pages: dict[Path, Page]) -> None:
    dead, inside, headings = [], 0, 0
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            inside += 1
            target = Path(os.path.normpath(path.parent / unquote(parts.path))) if parts.path else path
            if not target.is_file() or site not in target.parents:
                dead.append((str(path.relative_to(site)), link))
            elif parts.fragment and target.suffix == ".html":
                headings += 1
                if unquote(parts.fragment) not in pages[target].ids:
                    dead.append((str(path.relative_to(site)), link))
    assert dead == []
    assert (inside > 500, headings > 200) == (True, True)


def test_nothing_is_loaded_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    loaded = [(path, link) for path, page in pages.items() for link in page.loaded]
    for path in site.rglob("*.css"):
        loaded += [(path, link) for link in in_styles(path.read_text(encoding="utf-8"))]
    for path in site.rglob("*.svg"):
        text = re.sub(
            r'xmlns(:\w+)?="[^"]*"|<!--.*?-->', "", path.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        assert "http" not in text, path
    elsewhere = [(path, link) for path, link in loaded if urlsplit(link).scheme not in ("", "data")]
    assert elsewhere == []
    assert [(path, link) for path, link in loaded if urlsplit(link).netloc] == []
    assert len(loaded) > 100


def test_it_opens_from_disk_and_is_searched_there(site: Path, browse: Callable[..., Any]) -> None:
    opened = browse()
    page = opened.page
    page.goto((site / "index.html").as_uri())
    page.get_by_placeholder("Search").first.fill("fusion")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    found = [str(link.get_attribute("href")) for link in page.locator("#search-results li a").all()]
    assert any("docs/criteria.html" in link for link in found)
    page.goto((site / "docs/from-the-guide.html").as_uri())
    page.wait_for_selector("article h2")
    assert opened.complaints == []
    assert {url.partition(":")[0] for url in opened.requests} <= {"file", "data"}


def test_a_dead_link_and_a_page_that_nothing_leads_to_fail_the_build(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("docs", "rules", "benchmarks"):
        shutil.copytree(ROOT / name, source / name)
    shutil.copyfile(ROOT / "README.md", source / "README.md")
    with (source / "docs/limits.md").open("a", encoding="utf-8") as file:
        file.write(
            "\n[a](nowhere.md) [b](setup.md#no-such-heading) [c](#not-here-either) ![d](images/none.png)\n"
        )
    (source / "docs/stray.md").write_text("# A page of its own\n", encoding="utf-8")
    done = made(source, tmp_path / "target")
    assert done.returncode == 1
    for what in ("nowhere.md", "no-such-heading", "not-here-either", "images/none.png", "stray.md"):
        assert what in done.stderr, what
    assert len([row for row in done.stderr.splitlines() if "WARNING: " in row]) == 5

"""How `make docs` makes a site of README.md and the pages of this folder: the settings of Sphinx.

The pages are plain Markdown, as a code host shows it. What a site needs besides is added here: the
navigation, and `index.html`, which is the README.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sphinx.application import Sphinx

NAVIGATION = {
    "Begin": ["docs/setup", "docs/commands", "docs/from-the-guide"],
    "Check, write and mend": ["docs/check", "docs/append", "docs/fix", "docs/migrate"],
    "Read": ["docs/runs", "docs/report"],
    "Rules": ["docs/criteria", "docs/rule-language", "docs/governance", "docs/packs"],
    "Run it": ["docs/ci", "docs/limits", "benchmarks/README"],
}
"""Heading of the navigation -> its pages. A page that is in none of them fails the build."""

project = "nsm-gate"
smartquotes = False  # they would turn --all into –all
language = "en"
root_doc = "README"
extensions = ["myst_parser"]
include_patterns = ["README.md", "docs/*.md", "benchmarks/README.md"]
# Folders without pages, which need not be walked through.
exclude_patterns = [".*", "build", "dist", "examples", "nsm_gate", "rules", "schemas", "tests"]

myst_heading_anchors = 4  # as deep as the pages have headings

html_theme = "furo"
html_title = "nsm-gate"
html_static_path = ["site"]
html_css_files = ["site.css"]
html_use_index = False
html_copy_source = False
html_show_search_summary = False  # would be fetched, which a browser forbids to pages from disk
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False


def navigation(_app: Sphinx, name: str, text: list[str]) -> None:
    """Add the navigation to the home page. In the page itself, code hosts would show it as code."""
    if name == root_doc:
        for heading, pages in NAVIGATION.items():
            text[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n" + "\n".join(pages) + "\n```\n"


def home(app: Sphinx, error: Exception | None) -> None:
    """Let the folder open at the README, whose own name keeps the links to it right."""
    if error is None:
        made = Path(app.outdir)
        shutil.copyfile(made / f"{root_doc}.html", made / "index.html")


def setup(app: Sphinx) -> dict[str, object]:
    """Take part in the build."""
    app.connect("source-read", navigation)
    app.connect("build-finished", home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

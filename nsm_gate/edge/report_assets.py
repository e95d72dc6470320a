"""The parts of a report that are the same for every log: templates, style, scripts, the plotting library.

The only module that knows the packages of the extra `report`.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from nsm_gate.errors import GateError
from nsm_gate.nouns import NamedTuple

_FOLDER = Path(__file__).resolve().parent.parent / "report" / "page"
_SCRIPTS = ("dom", "data", "filters", "specs", "charts", "table", "overview", "run", "main")
_PACKAGES = ("jinja2", "vl_convert")
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


class Assets(NamedTuple):
    """What a page is made of.

    Attributes:
        templates: Name -> Jinja2 source.
        style: The style sheet.
        script: The report's own script.
        plotting: The script that makes `vegaEmbed`.
    """

    templates: dict[str, str]
    style: str
    script: str
    plotting: str


@cache
def assets() -> Assets:
    """Return the parts of a page.

    Raises:
        GateError: The extra `report` is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in _PACKAGES):
        fact = "an HTML report needs the extra nsm-gate[report], which is not installed"
        raise GateError(fact, "pip install 'nsm-gate[report]', or write Markdown: -o FILE.md")
    script = "\n".join((_FOLDER / f"{name}.js").read_text("utf-8") for name in _SCRIPTS)
    return Assets(
        {file.name: file.read_text("utf-8") for file in sorted(_FOLDER.glob("*.j2"))},
        (_FOLDER / "report.css").read_text("utf-8"),
        f'(() => {{\n"use strict";\n{script}}})();\n',
        _plotting(),
    )


def _plotting() -> str:
    """Return Vega, Vega-Lite and vega-embed, as they travel inside vl-convert: nothing is fetched."""
    import vl_convert  # loads a JavaScript engine: only where a page is made

    # In a function of its own: the names of the bundle are nobody else's.
    return f"(() => {{\n{vl_convert.javascript_bundle(_SNIPPET)}\n}})();\n"

"""The registry of output formats: a module each, imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from nsm_gate.model import Report
from nsm_gate.render.style import Style

Render = Callable[[Report, Style], str]


def _late(name: str) -> Render:
    """Return the format of a module that is imported once it renders: a hook pays for every import."""

    def render(report: Report, style: Style) -> str:
        made: str = importlib.import_module(f"nsm_gate.render.{name}").render(report, style)
        return made

    return render


FORMATS: Mapping[str, Render] = {
    name: _late(name)
    for name in (
        "text",
        "concise",
        "json",
        "jsonl",
        "github",
        "gitlab",
        "sarif",
        "junit",
        "rdjson",
        "azure",
        "markdown",
    )
}

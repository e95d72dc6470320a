"""The registry of output formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nsm_gate.model import Report
from nsm_gate.render import concise, github, json, markdown, text
from nsm_gate.render.style import Style

FORMATS: Mapping[str, Callable[[Report, Style], str]] = {
    "text": text.render,
    "concise": concise.render,
    "json": json.render,
    "github": github.render,
    "markdown": markdown.render,
}

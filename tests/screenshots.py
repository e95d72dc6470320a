"""Draws the pictures of the documentation from what the real command prints: `make screenshots`.

Rich turns the terminal's colours into an SVG. Its usual style sheet fetches a font from a server; this one
names a font of the reader's machine.
"""

from __future__ import annotations

import inspect
import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from tests.generated import failing
from tests.support import ROOT

IMAGES = ROOT / "docs/images"
_WIDTH = 104
_SHEET = inspect.signature(Console.export_svg).parameters["code_format"].default
_STYLE = re.sub(r"@font-face \{\{.*?\}\}\s*", "", _SHEET, flags=re.DOTALL)


def terminal(title: str, printed: str) -> str:
    """Return coloured terminal output as an SVG."""
    console = Console(
        record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text.from_ansi(printed), soft_wrap=True)
    svg = console.export_svg(title=title, theme=DIMMED_MONOKAI, code_format=_STYLE, unique_id="nsm-gate")
    return re.sub(r"[ \t]+\n", "\n", svg).rstrip() + "\n"


def draw(folder: Path) -> None:
    """Write every picture into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    check = failing("check", "--staged", "--color", "always")
    (folder / "check.svg").write_text(terminal("nsm-gate check --staged", check), encoding="utf-8")


if __name__ == "__main__":
    draw(IMAGES)

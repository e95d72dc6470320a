"""docs/commands.md: every command of `nsm-gate --help` has a section with its options and an example.

That the options and the examples are today's is what `tests.generated --check` says, which test_readme.py asks.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from tests.support import ROOT, gate

PAGE = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## nsm-gate ([\w -]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def helped(*command: str) -> str:
    """Return what --help prints, which argparse writes to the process's own stream."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        done = gate(*command, "--help", cwd=Path.cwd())
    assert (done.code, done.err) == (0, "")
    return said.getvalue()


def listed(text: str) -> list[str]:
    """Return the commands that a help lists."""
    part = text.partition("positional arguments:")[2].partition("options:")[0]
    return re.findall(r"^    ([a-z][a-z-]*)\b", part, re.MULTILINE)


def test_every_command_has_a_section_and_stands_in_the_index() -> None:
    every = []
    for name in listed(helped()):
        inner = listed(helped(name)) if name in ("rules", "config") else []
        every += [f"{name} {sub}" for sub in inner] or [name]
    assert len(every) >= 18
    assert sorted(every) == sorted(SECTIONS)
    index = PAGE.partition("<!-- index:begin -->")[2].partition("<!-- index:end -->")[0]
    assert re.findall(r"^\| \[`([\w -]+)`\]\(#nsm-gate-[\w-]+\) \|", index, re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_has_every_option_and_an_example(name: str) -> None:
    section = SECTIONS[name]
    options = set(re.findall(r"^  (?:-\w(?: [A-Z]+)?, )?(--[\w-]+)", helped(*name.split()), re.MULTILINE)) - {
        "--help"
    }
    rows = re.findall(r"^\| `([^`]*)` \| (.+) \|$", section, re.MULTILINE)
    assert {word for row, _ in rows for word in re.findall(r"(?<![\w-])--[\w-]+", row)} == options
    assert re.search(rf"^```console\n\$ nsm-gate {name}\b", section, re.MULTILINE)

"""docs/from-the-guide.md as the tests see it: each section has the guide's snippet and the commands that do it.

A section is headed by `###`. Its first code block is the guide's, word for word; the `console` blocks hold the
commands. A section is compared by a function of `guide_results.COMPARED`, or in a module that `ELSEWHERE` names.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, SHARED, Result, environment, gate

PAGE = ROOT / "docs/from-the-guide.md"
GUIDE = SHARED / "spec/experiment-tracking-guide.md"
_HEADING_OR_BLOCK = re.compile(r"^(#+) ([^\n]*)$|^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ALL_LINES = ("runs",)
"""Commands that show the latest line of each run, where the guide shows every line."""
_JSON = ("runs", "check")
"""Commands whose answer the tests read as JSON; of others they read what is printed."""
_LISTS_WHAT_IS_MISSING = ("new",)
"""Commands that say on standard error what is left to be done."""


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    title: str
    language: str
    block: str
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Ran:
    """What a snippet of the guide gave.

    Attributes:
        place: The project that it ran in.
        block: The snippet itself. Not all are programs: some are members of an entry, or an entry with comments.
        names: What it defined, where it is Python.
        error: Why it stopped, if it did.
    """

    place: Path
    block: str
    out: str
    names: dict[str, Any] = field(default_factory=dict)
    error: str = ""


def blocks(text: str) -> list[tuple[str, str, str]]:
    """Return (heading, language, text) of every code block."""
    found, heading = [], ""
    for match in _HEADING_OR_BLOCK.finditer(text):
        level, title, language, block = match.groups()
        if level is not None:
            # A comment of a shell or of Python outside of a block does not occur.
            heading = title
        else:
            found.append((heading, language, block))
    return found


def sections() -> list[Section]:
    """Return the sections of the page, in order."""
    made: dict[str, list[tuple[str, str]]] = {}
    for heading, language, block in blocks(PAGE.read_text(encoding="utf-8")):
        made.setdefault(heading, []).append((language, block))
    return [
        Section(
            title, *parts[0],
            tuple(row[2:] for language, block in parts[1:] if language == "console" for row in block.splitlines()),
        )
        for title, parts in made.items() if parts[0][0] != "console"
    ]  # fmt: skip


def guide_blocks() -> list[tuple[str, str]]:
    """Return (heading, text) of the guide's code blocks."""
    if not GUIDE.is_file():
        pytest.skip("the guide is not beside this checkout (../shared/spec)")
    return [(heading, block) for heading, _, block in blocks(GUIDE.read_text(encoding="utf-8"))]


def project(name: str, folder: Path) -> Path:
    """Lay a project out as the guide has it: the sample, or the real logs."""
    place = folder / name
    if name == "sample":
        shutil.copytree(ROOT / "examples/nsm", place)
        return place
    logs = SHARED / "logs"
    if not logs.is_dir():
        pytest.skip("the project's real logs are not beside this checkout")
    (place / "experiments").mkdir(parents=True)
    (place / "baselines.jsonl").write_bytes((logs / "baselines.jsonl").read_bytes())
    (place / "experiments/training_log.jsonl").write_bytes((logs / "training_log.jsonl").read_bytes())
    return place


def run_snippet(section: Section, place: Path) -> Ran:
    """Run the guide's own snippet in a project."""
    if section.language == "bash":
        if "jq" in section.block and shutil.which("jq") is None:
            pytest.skip("jq is not installed")
        done = subprocess.run(
            ["bash", "-c", section.block],
            cwd=place,
            env=environment(place),
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(place, section.block, done.stdout, error=done.stderr)
    if section.language != "python":
        return Ran(place, section.block, "")
    os.environ.setdefault("MPLBACKEND", "Agg")  # one of them draws
    # Some snippets expect to be run beside the log. All import json, but not in every block.
    inside = place / "experiments" if "open('training_log.jsonl'" in section.block else place
    out, names = io.StringIO(), {"json": json}
    with working_in(inside), contextlib.redirect_stdout(out):
        try:
            exec(compile(section.block, section.title, "exec"), names)
        except Exception as error:  # whatever it is: it is the guide's
            return Ran(place, section.block, out.getvalue(), names, f"{type(error).__name__}: {error}")
    return Ran(place, section.block, out.getvalue(), names)


@contextlib.contextmanager
def working_in(place: Path) -> Iterator[None]:
    """Work in a folder, as the guide's code does: with `utcnow`, which Python 3.12 warns of."""
    before = os.getcwd()
    os.chdir(place)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message=r"datetime\.datetime\.utcnow", category=DeprecationWarning
            )
            yield
    finally:
        os.chdir(before)


def run_commands(section: Section, place: Path, *, every_line: bool) -> list[Any]:
    """Run the commands of a section, as they are typed and in JSON; return the documents, or what else is printed.

    Args:
        section: Whose commands.
        place: The project.
        every_line: Whether commands show every line, as the guide's snippets do.
    """
    made = []
    for command in section.commands:
        _, *args = shlex.split(command)
        said = typed(args, place)
        assert said.out or said.code == 0
        if args[0] not in _JSON:
            made.append(said.out)
            continue
        every = ("--all-lines",) if every_line and args[0] in _ALL_LINES and "--all-lines" not in args else ()
        made.append(typed([*args, *every, "--output-format", "json"], place).json)
    return made


def typed(args: list[str], place: Path) -> Result:
    """Run a command of the page; it answers, and says nothing on standard error."""
    result = gate(*args, cwd=place)
    assert (result.code in (0, 1), result.err == "" or args[0] in _LISTS_WHAT_IS_MISSING) == (True, True), (
        args
    )
    return result

"""What CI runners take for commands in what a step prints: the oracle of the tests on hostile text.

Ports of the runners' own readers, made stricter where those depend on the machine: any word is a command
here, not only those that are registered, and characters that Unicode lets a reader ignore hide nothing,
since .NET compares strings by culture.

GitHub: `ActionCommand.TryParseV2`, then `ActionCommand.TryParse`, on lines split at LF, CR and CRLF.
Azure: `Command.TryParse`. GitLab: section marks, which need an escape sequence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_IGNORED = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_GITHUB_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_GITHUB_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_OLD = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"))


@dataclass(frozen=True)
class Command:
    """A command that a runner would obey."""

    name: str
    properties: dict[str, str] = field(default_factory=dict)
    data: str = ""


def rows(output: str) -> list[str]:
    """Return the lines that a runner reads: a bare CR ends one too."""
    return re.split(r"\r\n|\r|\n", output)


def github_commands(output: str) -> list[Command]:
    """Return what a GitHub runner would obey."""
    found = []
    for row in rows(output):
        bare = _IGNORED.sub("", row)
        command = _github(row) or _old(row) or _github(bare) or _old(bare)
        if command is not None:
            found.append(command)
    return found


def azure_commands(output: str) -> list[Command]:
    """Return what an Azure agent would obey."""
    found = []
    for row in rows(output):
        command = _azure(row) or _azure(_IGNORED.sub("", row))
        if command is not None:
            found.append(command)
    return found


def gitlab_sections(output: str) -> list[str]:
    """Return the section marks that a GitLab job log would fold at."""
    return re.findall(r"section_(?:start|end):\d+:[A-Za-z0-9_.-]+.*?\r\x1b\[0K", output)


def _github(row: str) -> Command | None:
    """`::name key=value,key=value::data`, behind white space."""
    row = row.lstrip()
    end = row.find("::", 2)
    if not row.startswith("::") or end < 0:
        return None
    name, _, told = row[2:end].partition(" ")
    return Command(name, _pairs(told.strip(), ",", _GITHUB_PROPERTY), _decoded(row[end + 2 :], _GITHUB_DATA))


def _old(row: str) -> Command | None:
    """`##[name key=value;key=value]data`, anywhere in a line."""
    start = row.find("##[")
    end = row.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, told = row[start + 3 : end].partition(" ")
    table = (*_OLD, ("%25", "%"))
    return Command(name, _pairs(told, ";", table), _decoded(row[end + 1 :], table))


def _azure(row: str) -> Command | None:
    """`##vso[area.event key=value;key=value]data`, anywhere in a line."""
    start = row.find("##vso[")
    end = row.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, told = row[start + 6 : end].partition(" ")
    if len([part for part in name.split(".") if part]) != 2:
        return None
    table = (*_OLD, ("%AZP25", "%"))
    return Command(name, _pairs(told, ";", table), _decoded(row[end + 1 :], table))


def _pairs(told: str, mark: str, table: tuple[tuple[str, str], ...]) -> dict[str, str]:
    pairs = (part.partition("=") for part in told.split(mark) if part)
    return {name: _decoded(value, table) for name, _, value in pairs if name and value}


def _decoded(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for code, char in table:
        text = text.replace(code, char)
    return text

"""An entry as one row of a table: a column for each value, called as the rule language calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from nsm_gate.model import Json, Path
from nsm_gate.policy import LogKind

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def flat(entry: Mapping[str, Json], kind: LogKind) -> dict[str, Json]:
    """Return each value of an entry by its name: `final_metrics.accuracy`, `entry.timestamp`.

    Objects are taken apart, lists are not; an object without members is null.
    """
    row: dict[str, Json] = {}
    _fill(row, entry, (), kind.run)
    return row


def columns(rows: Iterable[Mapping[str, Json]]) -> tuple[str, ...]:
    """Return the columns of a table of such rows, in the order in which they come up.

    Where an object is null in one row and has members in others, its members have the columns.
    """
    filled: dict[str, bool] = {}
    for row in rows:
        for name, value in row.items():
            filled[name] = filled.get(name, False) or value is not None
    parents = {name[:at] for name in filled for at, char in enumerate(name) if char in ".["}
    return tuple(name for name, has in filled.items() if has or name not in parents)


def spelled(path: Path, kind: LogKind) -> str:
    """Return a path from the entry's root as a query names it."""
    return _called(path, kind.run)


@lru_cache(maxsize=4096)
def _called(path: Path, run: Path) -> str:
    inside = run and path[: len(run)] == run and len(path) > len(run)
    steps = path[len(run) :] if inside else path if not run else ("entry", *path)
    if not _WORD.fullmatch(steps[0]):
        steps = ("entry", *path)
    return steps[0] + "".join(f".{step}" if _WORD.fullmatch(step) else f'["{step}"]' for step in steps[1:])


def _fill(row: dict[str, Json], value: Mapping[str, Json], above: Path, run: Path) -> None:
    for member, inner in value.items():
        path = (*above, member)
        if type(inner) is dict and inner:
            _fill(row, inner, path, run)
        else:
            row[_called(path, run)] = None if inner == {} else inner

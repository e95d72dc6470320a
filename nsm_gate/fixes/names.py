"""What a machine mends of a run id that is taken: it gets a number."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from nsm_gate.edits import Fix
from nsm_gate.fixes.site import Site
from nsm_gate.jsonl import decode
from nsm_gate.model import Entry
from nsm_gate.pointers import pointer
from nsm_gate.records import Record

_DATED = re.compile(r"(.+)(_[0-9]{8})", re.DOTALL | re.ASCII)


def suffix(site: Site) -> Fix | None:
    """Give a run id that an earlier line has a number before its date: `plain_2_20251101`.

    Unsafe: it says that the two lines are two runs. A line that is the same as an earlier one says nothing
    new: it is taken out. Not where the run goes on: the lines that end it would not follow.
    """
    kind, original = site.kind, site.original()
    if original < site.line.number:
        return Fix(False, f"copy of line {original} removed", site.removed())
    if kind.run_id is None or kind.key != (kind.run_id,) or site.finding.pointer != pointer(*kind.run_id):
        return None
    decoded = decode(site.line, max(len(site.line.raw), 1))
    if not isinstance(decoded, Entry):
        return None
    record = Record(decoded, kind, site.finding.path)
    if record.name is None or record.status == "running":
        return None
    name = site.fresh(record.name)
    return Fix(False, f"the run is called {name}", site.instead(json.dumps(name, ensure_ascii=False)))


def numbered(name: str, number: int) -> str:
    """Return a run id with a number, which stands before the date that ends it."""
    dated = _DATED.fullmatch(name)
    return f"{dated[1]}_{number}{dated[2]}" if dated else f"{name}_{number}"


class Names:
    """The run ids of a log kind that are taken."""

    def __init__(self, used: Callable[[], Iterable[str]]) -> None:
        """Keep how to list them; nothing is read before a name is asked for."""
        self._used = used
        self._taken: set[str] | None = None
        self._next: dict[str, int] = {}

    def fresh(self, name: str) -> str:
        """Return a name like this that nobody has, and take it."""
        if self._taken is None:
            self._taken = set(self._used())
        number = self._next.get(name, 2)
        while numbered(name, number) in self._taken:
            number += 1
        self._next[name] = number + 1
        made = numbered(name, number)
        self._taken.add(made)
        return made

"""The strongest runs so far, line by line: what references pick where a log is judged from its beginning.

`candidates` answers the same for any line at any time, and needs the whole log for it. Whatever is not plain
here - runs spread over logs, a run compared with itself - is left to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from nsm_gate.candidates import Candidates
from nsm_gate.history import Key
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.policy import Reference
from nsm_gate.timestamps import Instant, parse


class _Held(NamedTuple):
    value: Any
    at: int
    key: Key


class Best:
    """The strongest candidates among the lines that were taken."""

    def __init__(
        self, path: str, sources: Sequence[Reference], candidates: Candidates, *, whole: bool
    ) -> None:
        """Begin before the first line.

        Args:
            path: The log.
            sources: References that pick runs of it, by number.
            candidates: Picks runs of other logs.
            whole: Whether all lines of the kind are taken here, in order.
        """
        self._path = path
        self._candidates = candidates
        self._numbers = {id(reference): number for number, reference in enumerate(sources)}
        self._signs = [1 if reference.pick == "max" else -1 for reference in sources]
        self._unsure = [not whole] * len(sources)
        self._groups: dict[tuple[int, str], list[_Held]] = {}
        self._best: dict[tuple[int, str], _Held] = {}
        self._places: dict[int, list[tuple[int, str]]] = {}

    def take(self, number: int, group: str | None, value: Any, index: int, key: Key) -> None:
        """Take in a run that a reference may pick; without a group, one of which that is not known.

        Without a value, it is comparable and has no measure.
        """
        if group is None:
            self._unsure[number] = True
            return
        if value is None:
            return
        place = (number, group)
        held = _Held(value, index, key)
        self._groups.setdefault(place, []).append(held)
        self._places.setdefault(index, []).append(place)
        best = self._best.get(place)
        if best is None or self._beats(number, held, best):
            self._best[place] = held

    def supersede(self, index: int | None) -> None:
        """Leave out a line that a later one of its run has replaced."""
        for place in self._places.pop(index, ()) if index is not None else ():
            group = [held for held in self._groups[place] if held.at != index]
            self._groups[place] = group
            if self._best[place].at == index:
                del self._best[place]
                for held in group:
                    best = self._best.get(place)
                    if best is None or self._beats(place[0], held, best):
                        self._best[place] = held

    def _beats(self, number: int, one: _Held, other: _Held) -> bool:
        sign = self._signs[number]
        return bool(one.value * sign > other.value * sign)

    def strongest(
        self, reference: Reference, group: str | None, key: Key, logged: datetime | str | None
    ) -> Any:
        """Return the measure of the run that a reference picks for the next line; None where it is not plain.

        Args:
            reference: The reference.
            group: What must agree.
            key: The next line's own.
            logged: When it was logged, where the reference picks from another log kind: as it is written, or
                read, in UTC.
        """
        if group is None:
            return None
        number = self._numbers.get(id(reference))
        if number is None:
            utc = _utc(logged)
            if utc is None:
                return None
            return self._candidates.strongest(reference, group, self._path, utc)
        best = self._best.get((number, group))
        if self._unsure[number] or best is None or best.key == key:
            return None
        return best.value


def _utc(logged: datetime | str | None) -> datetime | None:
    if isinstance(logged, datetime):
        return logged.replace(tzinfo=timezone.utc)
    instant = parse(logged) if logged is not None else ""
    return instant.utc if isinstance(instant, Instant) else None

"""Entries that are to be appended: as they are given, with what can be filled in, and as they stand."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence

import jiter

from nsm_gate.jsonable import Fault, dumped, jsonable
from nsm_gate.jsonl import decode
from nsm_gate.lines import Lines
from nsm_gate.model import Entry, Json, Line, Path, Report
from nsm_gate.nouns import NamedTuple
from nsm_gate.policy import LogKind
from nsm_gate.records import ABSENT, Record

_FEW = 16
"""Up to so many entries, the lines of a log are searched for their keys before they are decoded."""


class Text(bytes):
    """Entries as JSON writes them, in UTF-8."""


class Draft(NamedTuple):
    """An entry that is to be appended.

    Attributes:
        value: The entry; None where there is none.
        raw: Its line, without a newline; what was given, where that holds no entry.
        faults: What JSON cannot hold of it.
        filled: What was filled in.
    """

    value: dict[str, Json] | None
    raw: bytes
    faults: tuple[Fault, ...] = ()
    filled: tuple[Path, ...] = ()


class Appended(NamedTuple):
    """What became of entries that were to be appended.

    Attributes:
        report: What `check` says of their lines. The numbers of refused lines are those that they would have.
        path: The log, from the root of the repository.
        written: Whether the log holds all of them now.
        entries: The entries, with what was filled in.
        lines: The line of each.
        already: The lines among them that stood there before.
        filled: JSON pointers to what was filled in.
        torn: The file that a torn last line of the log was moved to, if there was one.
        finished: How many entries of an interrupted writer were appended first.
    """

    report: Report
    path: str
    written: bool
    entries: tuple[Mapping[str, Json], ...]
    lines: tuple[int, ...]
    already: frozenset[int] = frozenset()
    filled: tuple[str, ...] = ()
    torn: str | None = None
    finished: int = 0

    @property
    def new(self) -> list[int]:
        """Return the lines that are new, in order."""
        return sorted(set(self.lines) - self.already)


# --- reading ----------------------------------------------------------------------------------------


def draft_of(value: object, kind: LogKind) -> Draft:
    """Return the draft of a Python value."""
    made, faults = jsonable(value, naive_is_utc=kind.naive_is_utc)
    if not isinstance(made, dict) and not faults:
        fact = f"the entry is a {type(value).__name__}, not an object"
        faults = [Fault("", fact, "give a dict, or a list of dicts")]
    return Draft(made if isinstance(made, dict) and not faults else None, dumped(made), tuple(faults))


def drafts_of(data: bytes, limit: int) -> list[Draft]:
    """Return the drafts of a text: of one object, on as many rows as it likes, or of JSON Lines.

    Args:
        data: The text.
        limit: Longest line of a log, in bytes.
    """
    whole = data.strip()
    if not whole:
        return []
    rows = [row.strip() for row in whole.split(b"\n") if row.strip()]
    if len(rows) == 1:
        return [_draft(whole, limit)]
    # One object on several rows is indented, as people write it.
    try:
        value = jiter.from_json(whole, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError:
        if rows[0].endswith(b"}"):
            return [_draft(row, limit) for row in rows]
        flat = _draft(whole.replace(b"\n", b" "), limit)
        # Where the only fault is a line break inside a string, it must not pass for a space.
        return [flat if flat.value is None else _draft(whole.replace(b"\n", b"\r"), limit)]
    return [Draft(value, dumped(value)) if type(value) is dict else _draft(whole.replace(b"\n", b" "), limit)]


def _draft(raw: bytes, limit: int) -> Draft:
    found = decode(Line(1, raw), limit)
    if isinstance(found, Entry):
        return Draft(found.value, raw)
    try:
        value = jiter.from_json(raw, allow_inf_nan=True, catch_duplicate_keys=True)
    except ValueError:
        return Draft(None, raw)
    # With its NaN named by its place, as it is where the value comes from Python.
    return Draft(None, raw, tuple(jsonable(value)[1]) if type(value) is dict else ())


# --- filling in -------------------------------------------------------------------------------------


def blanks(draft: Draft, places: Iterable[Path]) -> list[Path]:
    """Return those of some places where an entry has no value, and could have one."""
    found = []
    for path in places:
        value: Json = draft.value
        for name in path[:-1]:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, dict) and value.get(path[-1]) is None:
            found.append(path)
    return found


def filled(draft: Draft, known: Mapping[Path, str]) -> Draft:
    """Return an entry with values filled in; new members come first, as people read them.

    Args:
        draft: The entry.
        known: Values by their place.
    """
    places = blanks(draft, known)
    if not places or draft.value is None:
        return draft
    value = copy.deepcopy(draft.value)
    for path in places:
        holder = value
        for name in path[:-1]:
            holder = holder[name]
        holder[path[-1]] = known[path]
    first = [path[0] for path in places if path[0] not in draft.value]
    value = {**{name: value[name] for name in first}, **value}
    return Draft(value, dumped(value), (), tuple(places))


# --- what stands there already ----------------------------------------------------------------------


class Standing:
    """The lines of a log, looked up by what a new entry has in common with the one that it repeats."""

    def __init__(self, lines: Lines, drafts: Sequence[Draft], kind: LogKind, limit: int) -> None:
        """Read the lines that may hold one of the drafts."""
        self._kind = kind
        self._records: list[Record] = []
        self._found: dict[tuple[Path, ...], dict[str, list[Record]]] = {}
        words = [_word(draft, kind) for draft in drafts]
        few = None
        if len(drafts) <= _FEW and all(words):
            few = [word for pair in words for word in pair if word in lines.data]
        for number, raw in enumerate(lines if few != [] else (), 1):
            if few is None or any(word in raw for word in few):
                self.add(raw, number, limit)

    def add(self, raw: bytes, number: int, limit: int) -> None:
        """Take a line in."""
        decoded = decode(Line(number, raw), limit)
        if isinstance(decoded, Entry):
            record = Record(decoded, self._kind, "")
            self._records.append(record)
            for places, records in self._found.items():
                records.setdefault(_identity(record, places), []).append(record)

    def same(self, draft: Draft) -> int | None:
        """Return the line that holds an entry already, but for what was filled in; None where none does."""
        if draft.value is None or not self._kind.key:
            return None
        wanted = Record(Entry(Line(1, draft.raw), draft.value), self._kind, "")
        if wanted.key is None:
            return None
        if draft.filled not in self._found:
            table: dict[str, list[Record]] = {}
            for record in self._records:
                table.setdefault(_identity(record, draft.filled), []).append(record)
            self._found[draft.filled] = table
        for record in self._found[draft.filled].get(_identity(wanted, draft.filled), ()):
            if _alike(_without(draft.value, draft.filled), _without(record.entry.value, draft.filled)):
                return record.line
        return None


def _word(draft: Draft, kind: LogKind) -> tuple[bytes, ...]:
    """Return the ways in which a line writes a part of an entry's key; empty where it has no text for one."""
    if draft.value is None:
        return (b"\0",)  # in no line of a log
    record = Record(Entry(Line(1, draft.raw), draft.value), kind, "")
    for path in kind.key:
        text = record.text(path)
        if text and path not in draft.filled:
            return dumped(text), json.dumps(text).encode()
    return ()


def _identity(record: Record, but: Sequence[Path]) -> str:
    """Return the parts of a key that were not filled in, as text in which 1 and true differ."""
    parts = [record.at(path) for path in record.kind.key if path not in but]
    return json.dumps([None if part is ABSENT else part for part in parts])


def _without(value: dict[str, Json], places: Sequence[Path]) -> dict[str, Json]:
    made = copy.deepcopy(value) if places else value
    for path in places:
        holder: Json = made
        for name in path[:-1]:
            holder = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(path[-1], None)
    return made


def _alike(one: Json, other: Json) -> bool:
    """Return whether two values are the same in JSON: 1 is 1.0, and not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)

"""The settings of a run in words, and how those of two runs differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from nsm_gate.model import Json, Path
from nsm_gate.policy import LogKind
from nsm_gate.records import ABSENT, Record
from nsm_gate.report.nouns import Changed, Difference
from nsm_gate.values import is_number

_TEXT = 300
_ITEMS = 12
_FIELDS = 400
_LONG_TEXT = 20_000

FUSION = "fusion mode"
SINGLE = "single pass"
_DUAL, _MODE = "use_dual_pass", "fusion_mode"
"""The hyperparameters of the guide's second recipe."""


def said(value: Json) -> str:
    """Return a value in words: JSON, with a long list shortened."""
    if isinstance(value, str):
        return value if len(value) <= _TEXT else f"{value[: _TEXT - 1]}…"
    if isinstance(value, list):
        shown = ", ".join(said(item) for item in value[:_ITEMS])
        rest = f", … {len(value) - _ITEMS:,} more" if len(value) > _ITEMS else ""
        return _cut(f"[{shown}{rest}]")
    if isinstance(value, dict):
        return _cut(json.dumps(value, ensure_ascii=False))
    return _cut(json.dumps(value))


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"


def leaves(value: Json, before: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every value of an object by its dotted name, in order."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{before}.{name}" if before else name)
    else:
        yield before, value


def flat(value: Json, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value of an object by its dotted name, in words, in order."""
    return ((name, said(inner)) for name, inner in leaves(value, before))


def _groups(record: Record) -> dict[str, Json]:
    """Return the objects that hold settings, by name."""
    kind = record.kind
    paths = dict.fromkeys(path for path in (kind.hyperparameters, *kind.configuration) if path)
    return {path[-1]: record.at(path) for path in paths if isinstance(record.at(path), dict)}


def settings(record: Record) -> dict[str, str]:
    """Return the settings of a run: `hyperparameters.seed` -> `42`; and the mode of its fusion."""
    found = {f"{group}.{name}": text for group, v in _groups(record).items() for name, text in flat(v)}
    mode = fusion(record)
    return found if mode is None else {FUSION: mode, **found}


def fusion(record: Record) -> str | None:
    """Return how a run joins two passes, as the guide's recipe reads it; None where nothing says it."""
    held = record.at(record.kind.hyperparameters)
    if not isinstance(held, dict) or not isinstance(held.get(_DUAL), bool):
        return None
    if not held[_DUAL]:
        return SINGLE
    mode = held.get(_MODE)
    return mode if isinstance(mode, str) and mode else "none"


def fields(record: Record) -> tuple[dict[str, dict[str, str]], int]:
    """Return everything that a run's line holds but its history and its texts, and how much is left out.

    The settings come first, then results, then the rest.
    """
    kind = record.kind
    entry: Json = record.entry.value
    run = record.at(kind.run)
    sections: dict[str, dict[str, str]] = {}
    told: set[Path] = {path for path in (kind.findings, kind.error_message) if path}
    told |= {place[:end] for place in _histories(kind) for end in range(len(kind.run) + 1, len(place) + 1)}
    first = [
        path for path in (kind.hyperparameters, kind.architecture, *kind.configuration, kind.results) if path
    ]
    for path in dict.fromkeys(first):
        held = record.at(path)
        if held is not ABSENT and held is not None and path not in told:
            sections[path[-1]] = dict(flat(held))
            told.add(path)
    rest: dict[str, str] = {}
    if isinstance(run, dict):
        for name, value in run.items():
            if (*kind.run, name) not in told:
                rest.update(flat(value, name))
    if kind.run:
        for name, value in entry.items():
            if name != kind.run[0]:
                rest.update(flat(value, f"entry.{name}"))
    if rest:
        sections["other fields"] = rest
    return _limited(sections)


def _histories(kind: LogKind) -> tuple[Path, ...]:
    return kind.names.get(kind.history[0], ()) if kind.history else ()


def _limited(sections: Mapping[str, Mapping[str, str]]) -> tuple[dict[str, dict[str, str]], int]:
    room = _FIELDS
    total = sum(map(len, sections.values()))
    made: dict[str, dict[str, str]] = {}
    for name, values in sections.items():
        made[name] = dict(list(values.items())[:room])
        room -= len(made[name])
    return {name: values for name, values in made.items() if values}, max(0, total - _FIELDS)


def text(record: Record, path: Path | None) -> str:
    """Return a text of a run, at most 20,000 characters of it; empty where there is none."""
    found = record.text(path) or ""
    return found if len(found) <= _LONG_TEXT else f"{found[: _LONG_TEXT - 1]}…"


def difference(reference: str, this: Record, other: Record) -> Difference:
    """Compare the settings of a run with those of the run that a criterion compared it with.

    Runs of two log kinds name their settings differently: those are compared that have the same last part of
    the name, or one word of both log kinds.
    """
    alike = this.kind.name == other.kind.name
    mine = _comparable(this, other, alike=alike)
    theirs = _comparable(other, this, alike=alike)
    names = [*mine, *(name for name in theirs if name not in mine)]
    if not alike:
        names = [name for name in names if name in mine and name in theirs]
    changed = [name for name in names if not _same(mine.get(name, ABSENT), theirs.get(name, ABSENT))]
    return Difference(
        reference,
        other.name or "",
        f"{other.path}:{other.line}",
        tuple(Changed(name, _side(mine, name), _side(theirs, name)) for name in changed),
        len(names) - len(changed),
        0 if alike else len({*mine, *theirs}) - len(names),
    )


def _side(found: Mapping[str, Json], name: str) -> str | None:
    return said(found[name]) if name in found else None


def _same(one: Json, other: Json) -> bool:
    if one is ABSENT or other is ABSENT:
        return one is other
    if is_number(one) and is_number(other):
        return bool(one == other)
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _comparable(record: Record, other: Record, *, alike: bool) -> dict[str, Json]:
    groups = _groups(record)
    if alike:
        return {f"{group}.{name}": v for group, held in groups.items() for name, v in leaves(held)}
    common = {
        ".".join(place[-2:]): word
        for word, places in record.kind.names.items()
        if word in other.kind.names
        for place in places
    }
    found: dict[str, Json] = {}
    for group, held in groups.items():
        for name, value in leaves(held):
            found.setdefault(common.get(f"{group}.{name}", name.rpartition(".")[2]), value)
    return found

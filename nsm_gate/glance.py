"""A quick look at lines that are not judged: a few of their members, past all the others.

The reader here is laxer than the judgement's: it does not see a member that is written twice. What it finds
is a hint where to look: whoever uses a line that it found reads that line strictly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import jiter
import msgspec
from msgspec import UNSET, MsgspecError, Raw, UnsetType

from nsm_gate.books import Book, Digest, Key, digest, summed
from nsm_gate.model import Path
from nsm_gate.nouns import Any
from nsm_gate.policy import LogKind, Reference
from nsm_gate.references import agreement, eligible, same
from nsm_gate.values import UNKNOWN, Value

_SCALAR = str | int | float | bool | None
_NUMBER = int | float | None


def glance(wanted: Mapping[Path, Any]) -> Callable[[bytes], tuple[Any, ...]]:
    """Return what reads some members of a line, by decoding it into structures that hold nothing else.

    Of a member that is not there, or stands in something else than an object, UNSET is read. MsgspecError
    where one is of another type.

    Args:
        wanted: The type of each member, by its path.
    """
    tree: dict[str, Any] = {}
    for path, kind in wanted.items():
        at = tree
        for member in path[:-1]:
            at = at.setdefault(member, {})
        at[path[-1]] = kind
    made = _Reading()
    made.structure(tree, (), "s", 0)
    results = ", ".join(made.names[path] for path in wanted)
    rows = [
        "def read(raw):",
        "    s = decode(raw)",
        *(f"    {row}" for row in made.rows),
        f"    return ({results},)",
    ]
    space: dict[str, Any] = {
        **made.types,
        "U": UNSET,
        "decode": msgspec.json.Decoder(made.types["T0"]).decode,
    }
    exec("\n".join(rows), space)  # noqa: S102
    read: Callable[[bytes], tuple[Any, ...]] = space["read"]
    return read


class _Reading:
    """Writes the code that takes structures apart.

    Attributes:
        rows: The code.
        names: Variable of each member, by its path.
        types: The structures, by name.
    """

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.names: dict[Path, str] = {}
        self.types: dict[str, Any] = {}

    def structure(self, tree: Mapping[str, Any], path: Path, variable: str, depth: int) -> Any:
        """Make the type of an object, and write how it is read from a variable."""
        number = len(self.types)
        self.types[f"T{number}"] = None
        fields, names = [], {}
        pad = "    " * depth
        if depth:
            self.rows.append(f"{'    ' * (depth - 1)}if {variable}.__class__ is T{number}:")
        inner = []
        for place, (member, kind) in enumerate(tree.items()):
            field, own = f"m{place}", f"v{number}_{place}"
            names[field] = member
            self.names[path + (member,)] = own  # noqa: RUF005  # 3.10 has no star here
            self.rows.append(f"{pad}{own} = {variable}.{field}")
            if isinstance(kind, dict):
                inner.append((field, kind, (*path, member), own))
            else:
                fields.append((field, kind | UnsetType, UNSET))
        for field, kind, below, own in inner:
            fields.append((field, self.structure(kind, below, own, depth + 1) | None | UnsetType, UNSET))
        if depth:
            own = " = ".join(self._all(tree, path))
            self.rows += [f"{'    ' * (depth - 1)}else:", f"{pad}{own} = U"]
        made = msgspec.defstruct(f"Members{number}", fields, rename=names, gc=False)
        self.types[f"T{number}"] = made
        return made

    def _all(self, tree: Mapping[str, Any], path: Path) -> Iterator[str]:
        for member, kind in tree.items():
            yield self.names[path + (member,)]  # noqa: RUF005
            if isinstance(kind, dict):
                yield from self._all(kind, (*path, member))


def keys(book: Book) -> Callable[[int], tuple[Key | None, Digest | None]] | None:
    """Return what reads the key of a line and the digest of its results; None where there is no quick way."""
    kind = book.kind
    names = summed(kind)
    if not kind.key or () in kind.key or (kind.results is not None and not names):
        return None
    paths: dict[Path, Any] = dict.fromkeys(kind.key, str | int)
    paths.update({(*(kind.results or ()), name): _NUMBER for name in names})
    try:
        look = glance(paths)
    except (TypeError, ValueError):
        return None
    size = len(kind.key)

    def read(index: int) -> tuple[Key | None, Digest | None]:
        try:
            found = look(book.lines[index])
            key = found[:size]
            total = math.fsum(filter(None, found[size:]))
        except (MsgspecError, ValueError, OverflowError):
            key, total = (), 0.0
        if total and UNSET not in key and len(book.lines[index]) <= book.limit:
            return key, total
        # Rare, or no results at all: the careful reader tells.
        record = book.record(index)
        return (None, None) if record is None else (record.key, digest(record))

    return read


def candidates(reference: Reference, book: Book) -> Iterator[tuple[Key | None, str | None, Value]] | None:
    """Return what a reference asks of each line: its key, what must agree, the measure.

    What must agree is None for a line that it does not pick. None where there is no quick way.
    """
    kind = book.kind
    reads = list(reference.rest.paths()) if reference.rest is not None else []
    agree = [*reference.same, *(theirs for theirs, _ in reference.pairs)]
    places = {name: _place(kind, name) for name in (*reads, *agree, reference.by)}
    if None in places.values() or any(name[0] == "this" for name in reads) or not kind.key:
        return None
    paths: dict[Path, Any] = dict.fromkeys(kind.key, str | int)
    if kind.status is not None:
        paths.setdefault(kind.status, _SCALAR)
    for name in reads:
        paths.setdefault(places[name] or (), _SCALAR)
    for name in agree:
        if paths.setdefault(places[name] or (), Raw) is not Raw:
            paths[places[name] or ()] = Raw
    paths[places[reference.by] or ()] = _NUMBER
    if any(one != other and other[: len(one)] == one for one in paths for other in paths):
        return None
    if any(paths[places[name] or ()] is Raw for name in reads) or any(
        paths[path] is Raw for path in kind.key
    ):
        return None
    try:
        look = glance(paths)
    except (TypeError, ValueError):
        return None
    return _looked(reference, book, look, list(paths), reads, [places[name] or () for name in agree])


def _looked(
    reference: Reference, book: Book, look: Callable[[bytes], tuple[Any, ...]], paths: Sequence[Path],
    reads: Sequence[tuple[str, ...]], agree: Sequence[Path],
) -> Iterator[tuple[Key | None, str | None, Value]]:  # fmt: skip
    kind = book.kind
    size = len(kind.key)
    at = {path: number for number, path in enumerate(paths)}
    status = at[kind.status] if kind.status is not None else None
    asked = [at[_place(kind, name) or ()] for name in reads]
    agreed = [at[path] for path in agree]
    by = at[_place(kind, reference.by) or ()]
    holds: dict[tuple[Any, ...], bool] = {}
    texts: dict[tuple[bytes, ...], str | None] = {}
    for index in range(len(book.lines)):
        raw = book.lines[index]
        try:
            found = look(raw) if len(raw) <= book.limit else ()
        except MsgspecError:
            found = ()
        key = found[:size]
        if not found or UNSET in key:
            record = book.record(index)
            fits = record is not None and eligible(reference, record, None)
            text = same(reference, record) if fits and record is not None else None
            yield (
                record.key if record is not None else None,
                text,
                record.value(reference.by) if text is not None and record is not None else UNKNOWN,
            )
            continue
        value = found[by]
        text = None
        if status is None or found[status] == "completed":
            values = tuple([(found[number].__class__, found[number]) for number in asked])
            if reference.rest is not None and values not in holds:
                holds[values] = _holds(reference, dict(zip(reads, (v for _, v in values), strict=True)))
            if reference.rest is None or holds[values]:
                parts = tuple(
                    [bytes(found[number]) if found[number] is not UNSET else b"" for number in agreed]
                )
                if parts not in texts:
                    texts[parts] = _text(parts)
                text = texts[parts]
        yield key, text, value


def _holds(reference: Reference, values: Mapping[tuple[str, ...], Any]) -> bool:
    def lookup(path: tuple[str, ...], _gaps: bool = False, /) -> Value:
        value = values[path]
        return UNKNOWN if value is None or value is UNSET else value

    return reference.rest is not None and reference.rest.value(lookup) is True


def _text(parts: Sequence[bytes]) -> str | None:
    """Return what must agree as canonical text; None where a part is not there or null.

    A line with a part that is no JSON holds no entry: nothing agrees with it.
    """
    try:
        values = [jiter.from_json(part, allow_inf_nan=False) if part else None for part in parts]
    except ValueError:
        return None
    return None if None in values else agreement(values)


def _place(kind: LogKind, name: tuple[str, ...]) -> Path | None:
    """Return the one place of a name of the rules; None where there are several, or none is sure."""
    if name[0] == "entry":
        return name[1:] or None
    places = kind.names.get(name[0], ()) if len(name) == 1 else ()
    if len(places) > 1 or "count()" in name:
        return None
    return places[0] if places else kind.run + name

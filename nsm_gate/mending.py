"""Mends what a machine can, round by round: a line that is mended may show what was hidden before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from nsm_gate.edits import Edit, Fix, compatible, edited
from nsm_gate.fixable import Fixable
from nsm_gate.fixes import FIXES, layout, times
from nsm_gate.history import Book
from nsm_gate.jsonl import decode, places, text
from nsm_gate.lines import Lines
from nsm_gate.model import Entry, Report
from nsm_gate.nouns import NamedTuple

_ROUNDS = 12
"""More than there are sorts of fixes: each round leaves fewer of them."""


UNASKED = (times.UTC_OFFSET, layout.ORDER, layout.SPACING)
"""Names of the fixes that no rule asks for."""


class Wish(NamedTuple):
    """Which fixes are asked for.

    Attributes:
        unsafe: Also those after which an entry does not say the same.
        order: Also the order of members.
        spacing: Also the white space.
        names: Only these: rules whose findings are mended, and names of fixes that no rule asks for.
    """

    unsafe: bool = False
    order: bool = False
    spacing: bool = False
    names: Collection[str] = (*FIXES, *UNASKED)


class Done(NamedTuple):
    """A fix that was made.

    Attributes:
        line: Number of the line in the log as it was.
        name: The rule whose finding it mends, or the name of a fix that no rule asks for.
        run: Name of the run, where the line has one.
    """

    path: str
    line: int
    name: str
    run: str | None
    message: str


class Mended(NamedTuple):
    """What became of the logs.

    Attributes:
        logs: The changed logs by path.
        done: The fixes that were made, in order.
        report: What is found of the logs as they are now.
        new: How many lines were looked at.
        logged: How many lines are new to the base, but logged history already: others have them.
    """

    logs: Mapping[str, MendedLog]
    done: tuple[Done, ...]
    report: Report
    new: int
    logged: int


class MendedLog(NamedTuple):
    """A changed log.

    Attributes:
        before: What it held.
        after: Its lines, each with its newline if it has one.
        origins: For each of them, the index of the line that it was.
    """

    before: bytes
    after: Sequence[bytes]
    origins: Sequence[int]


class Judged(NamedTuple):
    """A judgement of the logs with some of them changed.

    Attributes:
        report: With a fix beside each finding that a machine can mend.
        books: The judged logs by path.
    """

    report: Report
    books: Mapping[str, Book]
    fixable: Fixable


def mend(judge: Callable[[Mapping[str, bytes]], Judged], wish: Wish) -> Mended:
    """Make fixes until none is left.

    Args:
        judge: Judges the logs with the content of some replaced.
        wish: Which fixes are asked for.
    """
    logs: dict[str, MendedLog] = {}
    done: list[Done] = []
    new = logged = 0
    for number in range(_ROUNDS + 1):
        judged = judge({path: b"".join(log.after) for path, log in logs.items()})
        if number == 0:
            new = sum(len(judged.fixable.lines(path)) for path in judged.books)
            logged = sum(len(book.change.judged) for book in judged.books.values()) - new
        planned = _planned(judged, wish)
        if not planned or number == _ROUNDS:
            break
        for path, fixes in planned.items():
            book = judged.books[path]
            before = logs.get(path) or MendedLog(_content(book), (), range(len(book.lines)))
            made = [Done(path, before.origins[at] + 1, *told) for at, told, _ in fixes]
            done += made
            logs[path] = _made(book, before, [edit for _, _, fix in fixes for edit in fix.edits])
    done.sort(key=lambda item: (item.path, item.line))
    return Mended(logs, tuple(done), judged.report, new, logged)


_Planned = tuple[int, tuple[str, "str | None", str], Fix]
"""Index of the line; name of the fix, the run and the message; the fix."""


def _planned(judged: Judged, wish: Wish) -> dict[str, list[_Planned]]:
    """Return the fixes of one round by path: none overlaps another."""
    asked: dict[str, list[_Planned]] = {}
    for finding in judged.report.findings:
        fix = finding.fix
        if fix is None or not (fix.safe or wish.unsafe):
            continue
        if finding.rule in wish.names:
            told = (finding.rule, finding.run, fix.message)
            asked.setdefault(finding.path, []).append((finding.line - 1, told, fix))
    for path, book in judged.books.items():
        unasked = _unasked(book, judged.fixable, path, wish)
        asked.setdefault(path, []).extend(item for item in unasked if item[1][0] in wish.names)
    kept: dict[str, list[_Planned]] = {}
    for path, fixes in asked.items():
        chosen = {id(fix) for fix in compatible(fix for _, _, fix in fixes)}
        if chosen:
            kept[path] = [item for item in fixes if id(item[2]) in chosen]
    return kept


def _unasked(book: Book, fixable: Fixable, path: str, wish: Wish) -> Iterator[_Planned]:
    """Yield the fixes that no rule asks for."""
    lost = fixable.lost(path)
    laid_out = wish.order or wish.spacing
    for index in fixable.lines(path):
        if index in lost or not (laid_out or b"+00:00" in book.lines[index]):
            continue
        line = book.line(index)
        decoded = decode(line, book.limit)
        if not isinstance(decoded, Entry):
            continue
        found, shown = places(line.raw), text(line.raw)
        name = book.seen(index, decoded).name
        for fix in times.utc_offsets(line, shown, book.kind, found):
            yield index, (times.UTC_OFFSET, name, fix.message), fix
        ordered = layout.order(line, shown, found, book.kind.schema) if wish.order else None
        if ordered is not None:
            yield index, (layout.ORDER, name, ordered.message), ordered
        spaced = layout.spacing(line, shown) if wish.spacing else None
        if spaced is not None:
            yield index, (layout.SPACING, name, spaced.message), spaced


def _content(book: Book) -> bytes:
    return b"\n".join(book.lines) + (b"\n" if book.lines and book.terminated else b"")


def _made(book: Book, before: MendedLog, edits: Sequence[Edit]) -> MendedLog:
    """Return a log after edits of its lines. A line that becomes empty is gone."""
    of_line: dict[int, list[Edit]] = {}
    for edit in edits:
        of_line.setdefault(edit.line - 1, []).append(edit)
    after: list[bytes] = []
    origins: list[int] = []
    for index in range(len(book.lines)):
        line = book.line(index)
        made = line.raw + b"\n" * line.terminated
        if index in of_line:
            made = edited(line.raw, line.terminated, of_line[index])
        if made:
            after.append(made)
            origins.append(before.origins[index])
    if len(Lines(b"".join(after))) != len(after):
        raise ValueError("a fix must not split a line or join two")
    return MendedLog(before.before, after, origins)

"""One run of the logs by its name: its line, how that is judged, and what it may be compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nsm_gate.candidates import Candidates
from nsm_gate.changes import Change
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.engine import Task, run
from nsm_gate.errors import GateError
from nsm_gate.history import Book, LogInput
from nsm_gate.model import Report
from nsm_gate.names import plural, suggestion
from nsm_gate.nouns import NamedTuple, replace
from nsm_gate.policy import Policy
from nsm_gate.records import Record


class Shelf(NamedTuple):
    """Logs in which runs are looked for, and the way to all logs of a kind."""

    logs: Sequence[LogInput]
    books_of: Callable[[str], Sequence[Book]]


class OneRun(NamedTuple):
    """A run, as of its latest line or the one asked for.

    Attributes:
        report: What is found of that line, as it was the last of its log.
        candidates: The runs that references may pick.
        lines: Every line of the run in its log, this one too.
    """

    record: Record
    report: Report
    candidates: Candidates
    lines: Sequence[Record]


def one_run(name: str, line: int | None, shelf: Shelf, policy: Policy, world: Surroundings) -> OneRun:
    """Find a run and judge its line.

    Args:
        name: As the logs have it.
        line: The line, where several are of the run; else the latest.
        shelf: Where to look.
        policy: The rules.
        world: Where the command runs.

    Raises:
        GateError: No run is called so, or several logs have one that is.
    """
    seen = _lines_of(name, line, shelf.logs)
    book, index = seen[-1]
    world.watch.tell(at=book.path)

    def books_of(kind: str) -> Sequence[Book]:
        return [cut if other.path == cut.path else other for other in shelf.books_of(kind)]

    # The log as it was when the line was the last one.
    kept = frozenset(range(index))
    change = Change((index,), (), (), (kept,))
    cut = replace(book, lines=book.lines[: index + 1], terminated=True, change=change)
    task = Task(policy, [LogInput(cut, "none")], books_of, 1, world.now(), "none", "one run is explained")
    report = run(task)
    record = cut.record(index)
    if record is None:
        raise GateError("the line holds no entry", "", book.path, index + 1)
    every = [found for at in range(len(book.lines)) if (found := book.record(at)) and found.name == name]
    return OneRun(record, report, Candidates(books_of), every)


def latest(name: str, shelf: Shelf) -> Record:
    """Return the latest line of a run.

    Raises:
        GateError: No run is called so, or several logs have one that is.
    """
    book, index = _lines_of(name, None, shelf.logs)[-1]
    record = book.record(index)
    if record is None:
        raise GateError("the line holds no entry", "", book.path, index + 1)
    return record


def names_of(logs: Sequence[LogInput]) -> Iterator[tuple[str, Book, int]]:
    """Yield the name of every run with its book and line, from 0."""
    for item in logs:
        for index in range(len(item.book.lines)):
            record = item.book.record(index)
            if record is not None and record.name is not None:
                yield record.name, item.book, index


def _lines_of(name: str, line: int | None, logs: Sequence[LogInput]) -> list[tuple[Book, int]]:
    """Return the lines of a run, or the one asked for."""
    seen: list[tuple[Book, int]] = []
    names: set[str] = set()
    for each, book, index in names_of(logs):
        names.add(each)
        if each == name:
            seen.append((book, index))
    if not seen:
        hint = suggestion(name, names) or f"the logs hold {plural(len(names), 'run')}"
        raise GateError(f"no run is called {name!r}", hint)
    if line is not None:
        lines = sorted({index + 1 for _, index in seen})
        seen = [found for found in seen if found[1] + 1 == line]
        if not seen:
            shown = ", ".join(map(str, lines[:20])) + ", …" * (len(lines) > 20)
            hint = f"it stands on {'lines' if len(lines) > 1 else 'line'} {shown}"
            raise GateError(f"line {line} is not of {name!r}", hint)
    paths = sorted({book.path for book, _ in seen})
    if len(paths) > 1:
        raise GateError(f"{name!r} stands in {', '.join(paths)}", "name the log after the run")
    return seen

"""The verdicts of every line of logs that are read: what `check --all` gives them."""

from __future__ import annotations

from collections.abc import Sequence

from nsm_gate.changes import compare
from nsm_gate.commands.one_run import Shelf
from nsm_gate.commands.open_logs import OpenLog
from nsm_gate.commands.progress import Progress
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace
from nsm_gate.edge.bases import Comparison
from nsm_gate.edge.logs import Logs
from nsm_gate.engine import Task, run
from nsm_gate.history import Book, LogInput
from nsm_gate.model import Report, Verdict
from nsm_gate.policy import Policy
from nsm_gate.vocabulary import Verdicts

_WHY = "every line is judged"


def shelf_of(space: Workspace, policy: Policy, logs: Sequence[OpenLog]) -> Shelf:
    """Return logs that are read as the engine takes them, with all others that references may pick from."""
    space.work.limit = policy.limits.file
    every = Logs(policy, Comparison(space.work, (), (), "none", _WHY), space.git)
    claimed = [log.path for log in logs if log.claimed]
    inputs = every.select(claimed) if claimed else []
    own = [_book(log, policy) for log in logs if not log.claimed]

    def books_of(kind: str) -> Sequence[Book]:
        return [*every.books_of(kind), *(book for book in own if book.kind.name == kind)]

    return Shelf([*inputs, *(LogInput(book, "none") for book in own)], books_of)


def judged(space: Workspace, policy: Policy, logs: Sequence[OpenLog], world: Surroundings) -> Report:
    """Return the report on every line of some logs."""
    world.watch.tell(seconds=policy.limits.seconds)
    shelf = shelf_of(space, policy, logs)
    with Progress(world) as progress:
        return run(
            Task(
                policy, shelf.logs, shelf.books_of, 0, world.now(), "none", _WHY,
                tick=progress.tick, whole=True,
            )
        )  # fmt: skip


def by_line(report: Report) -> Verdicts:
    """Return the verdicts of a report by log and line."""
    found: dict[tuple[str, int], list[Verdict]] = {}
    for verdict in report.verdicts:
        found.setdefault((verdict.path, verdict.line), []).append(verdict)
    return found


def _book(log: OpenLog, policy: Policy) -> Book:
    lines = list(log.lines())
    raw = [line.raw for line in lines]
    terminated = not lines or lines[-1].terminated
    return Book(log.path, log.kind, raw, terminated, compare((), (), raw), policy.limits.line)

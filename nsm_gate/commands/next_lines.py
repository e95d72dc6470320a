"""Judge entries as the next lines of a log, behind what stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from nsm_gate.changes import compare
from nsm_gate.checks import CHECKS
from nsm_gate.checks.check import RulesCheck
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace
from nsm_gate.edge.bases import Comparison
from nsm_gate.edge.files import WorkTree
from nsm_gate.edge.logs import Logs
from nsm_gate.edge.trees import Item, Tree
from nsm_gate.engine import Task, run
from nsm_gate.entries import Appended, Draft, Standing, blanks, filled
from nsm_gate.errors import GateError
from nsm_gate.governance import Governance
from nsm_gate.history import Book, LogInput
from nsm_gate.jsonable import Fault
from nsm_gate.jsonl import decode
from nsm_gate.lines import Lines
from nsm_gate.model import Entry, Finding, Line, Path, Report, Severity
from nsm_gate.names import plural
from nsm_gate.nouns import NamedTuple, replace
from nsm_gate.pointers import pointer
from nsm_gate.policy import LogKind, Policy
from nsm_gate.records import Record
from nsm_gate.timestamps import written

PATIENCE = 60.0
"""Seconds that a lock is waited for, where nobody says otherwise."""

_RULES = tuple(check.id for check in CHECKS if not isinstance(check, RulesCheck))
"""What is asked of a line; what the rules themselves lack is not its fault."""
_LFS = b"version https://git-lfs.github.com/spec/"
_OF_GIT: tuple[Path, Path] = (("branch",), ("commit",))
"""Members of a key that git knows."""


class Asked(NamedTuple):
    """What is to be appended, and how.

    Attributes:
        log: The log, as the command line names it.
        given: Python values, or texts of JSON.
        config: `--config`: another configuration file.
        fail_on: Severity from which the entries are refused; None never.
        patience: Seconds to wait for the lock.
        by_time: Whether the entries are appended in the order in which they were logged.
        dry: Whether they are judged only.
    """

    log: str
    given: Sequence[object]
    config: str | None = None
    fail_on: Severity | None = Severity.ERROR
    patience: float = PATIENCE
    by_time: bool = False
    dry: bool = False


class _Others(NamedTuple):
    """The work tree without the log that is appended to, which is read under its lock."""

    tree: WorkTree
    but: str

    @property
    def label(self) -> str:
        return self.tree.label

    def paths(self) -> set[str]:
        return set(self.tree.paths()) - {self.but}

    def item(self, path: str) -> Item | None:
        return self.tree.item(path) if path != self.but else None

    def read(self, path: str) -> bytes | None:
        return self.tree.read(path)


class NextLines:
    """Entries that are to be the next lines of a log."""

    def __init__(
        self,
        asked: Asked,
        world: Surroundings,
        space: Workspace,
        path: str,
        policy: Policy,
        governance: Governance,
        kind: LogKind,
        drafts: Sequence[Draft],
    ) -> None:
        """Judge them by a policy; nothing is read yet."""
        self.asked, self.world, self.space, self.path = asked, world, space, path
        self.policy, self.governance, self.kind, self.given = policy, governance, kind, drafts
        self.made: Appended | None = None

    def result(self) -> Appended:
        """Return what the last decision was."""
        if self.made is None:
            raise GateError("nothing was decided", "report it with the input that caused it", self.path)
        return self.made

    def decide(self, lines: Lines) -> list[bytes] | None:
        """Return the lines to append to those that stand there; None where they are refused."""
        if lines.data.startswith(_LFS):
            hint = "take it out of Git LFS: the gate compares the lines that git stores"
            raise GateError("the log is a Git LFS pointer", hint, self.path)
        drafts = self._drafts()
        limit = self.policy.limits.line
        standing = Standing(lines, drafts, self.kind, limit)
        new: list[Draft] = []
        numbers: list[int] = []
        already: set[int] = set()
        entries = []
        for draft in drafts:
            line = standing.same(draft)
            if line is None:
                new.append(draft)
                line = len(lines) + len(new)
                standing.add(draft.raw, line, limit)
            elif line <= len(lines):
                already.add(line)
            numbers.append(line)
            entries.append(draft.value or {})
        report = self._judge(lines, new)
        refused = bool(report.exit_code)
        if not refused:
            self._refuse_faults(new)
        places = dict.fromkeys(pointer(*path) for draft in new for path in draft.filled)
        done = not (refused or self.asked.dry)
        self.made = Appended(
            report, self.path, done, tuple(entries), tuple(numbers), frozenset(already), tuple(places)
        )
        return None if refused else [draft.raw for draft in new]

    def _drafts(self) -> list[Draft]:
        """Return the entries with what is known filled in, in the order in which they are to be appended."""
        known: dict[Path, str] = {}
        if self.kind.logged is not None:
            # Now, under the lock: a line that is appended later is logged later.
            known[self.kind.logged] = written(self.world.now())
        asked = [path for path in _OF_GIT if path in self.kind.key]
        if self.space.git is not None and any(blanks(draft, asked) for draft in self.given):
            found = self.space.git.position()
            values = zip(_OF_GIT, found, strict=True)
            known |= {path: value for path, value in values if path in asked and value is not None}
        drafts = [filled(draft, known) for draft in self.given]
        if not self.asked.by_time:
            return drafts
        return [draft for _, draft in sorted(enumerate(drafts), key=lambda pair: self._order(*pair))]

    def _order(self, number: int, draft: Draft) -> tuple[float, int]:
        record = Record(Entry(Line(1, draft.raw), draft.value or {}), self.kind, self.path)
        instant = record.instant
        return instant.utc.timestamp() if instant is not None else float("inf"), number

    def _judge(self, lines: Lines, new: Sequence[Draft]) -> Report:
        """Return what `check` says of new lines behind those that stand there."""
        gap = b"" if lines.terminated else b"\n"
        head = Lines(lines.data + gap + b"".join(draft.raw + b"\n" for draft in new)) if new else lines
        change = compare([lines], [lines], head)
        book = Book(self.path, self.kind, head, head.terminated, change, self.policy.limits.line)
        base = f"the {plural(len(lines), 'line')} before" if lines else "an empty log"
        task = Task(
            self.policy, [LogInput(book, base)], self._books(book), 1, self.world.now(), base, "append",
            _RULES, self.asked.fail_on, lambda count: None if count % 500 else self.world.watch.tell(),
            governance=self.governance,
        )  # fmt: skip
        report = run(task)
        faults = {len(lines) + at: draft.faults for at, draft in enumerate(new, 1) if draft.faults}
        if not faults:
            return report
        # Of many lines, what they come to is known before anybody looks: now they come to more.
        told = tuple(_named(report.findings, faults))
        runs, verdicts = tuple(report.runs), tuple(report.verdicts)
        return replace(report, findings=told, runs=runs, verdicts=verdicts, lots=None)

    def _books(self, book: Book) -> Callable[[str], Sequence[Book]]:
        """Return the logs of a kind: those on disk, and the one that is appended to as it would be."""
        tree = WorkTree(self.space.root, self.space.git, self.policy.limits.file)
        others: Tree = _Others(tree, self.path)
        logs = Logs(self.policy, Comparison(others, (), (), "none", "append"), self.space.git)

        @cache
        def books_of(name: str) -> Sequence[Book]:
            found = [
                # What stands in another log was logged before, committed or not.
                replace(other, change=compare([other.lines], [other.lines], other.lines))
                for other in logs.books_of(name)
            ]
            return sorted([*found, book] if name == self.kind.name else found, key=lambda one: one.path)

        return books_of

    def _refuse_faults(self, new: Sequence[Draft]) -> None:
        """Refuse what is no entry, whatever the severities and waivers say: it would break the log."""
        for draft in new:
            found = decode(Line(1, draft.raw), self.policy.limits.line)
            if draft.faults:
                raise GateError(draft.faults[0].message, draft.faults[0].hint, self.path)
            if not isinstance(found, Entry):
                raise GateError(found.reason, found.hint, self.path)


def _named(findings: Sequence[Finding], faults: Mapping[int, Sequence[Fault]]) -> Iterator[Finding]:
    """Yield findings, with each that says no more than `no JSON` replaced by what is wrong, by its place."""
    for finding in findings:
        told = faults.get(finding.line, ()) if finding.rule == "invalid-json" else ()
        if not told:
            yield finding
        for fault in told:
            yield finding._replace(pointer=fault.pointer, message=fault.message, hint=fault.hint)

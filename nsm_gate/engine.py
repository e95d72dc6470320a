"""Policy + changes -> Report: which checks run on what, severities, waivers and order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from nsm_gate.candidates import Candidates
from nsm_gate.checks import BY_ID, CHECKS
from nsm_gate.checks.check import EntryCheck, LineCheck, LogCheck, LogContext, Subject, VerdictCheck
from nsm_gate.criteria import applicable, judge
from nsm_gate.errors import GateError
from nsm_gate.findings import finding_of
from nsm_gate.history import Book, History, LogInput
from nsm_gate.jsonl import decode, places
from nsm_gate.model import (
    Entry,
    Finding,
    JudgedLog,
    Line,
    Outcome,
    Problem,
    Report,
    Run,
    Severity,
    Verdict,
)
from nsm_gate.policy import Policy, Reference
from nsm_gate.records import Record
from nsm_gate.references import Picked
from nsm_gate.scanner import Place
from nsm_gate.schema import Validator


@dataclass(frozen=True, slots=True)
class Task:
    """All that one judgement depends on.

    Attributes:
        logs: The logs to judge.
        books_of: Every head log of a kind, for keys and references.
        bases: How many bases the changes were compared with.
        now: The current time, in UTC.
        base: What counts as old, in words.
        why: Why this base was taken.
        rules: The rules that report; others keep silent.
        fail_on: Severity from which the exit code is 1; None never.
        tick: Called with the number of judged lines, for progress.
        begin: Called with the path of each log before it is judged.
    """

    policy: Policy
    logs: Sequence[LogInput]
    books_of: Callable[[str], Sequence[Book]]
    bases: int
    now: datetime
    base: str
    why: str
    rules: Collection[str] = tuple(BY_ID)
    fail_on: Severity | None = Severity.ERROR
    tick: Callable[[int], None] = lambda _count: None
    begin: Callable[[str], None] = lambda _path: None


def run(task: Task) -> Report:
    """Judge the logs of a task."""
    return _Engine(task).report()


class _Engine:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.policy = task.policy
        self.findings: list[Finding] = []
        self.verdicts: list[Verdict] = []
        self.runs: list[Run] = []
        self.judged: list[JudgedLog] = []
        self.candidates = Candidates(task.books_of)
        self.histories: dict[str, History] = {}
        self.validators: dict[str, Validator] = {}
        self.count = 0

    def report(self) -> Report:
        for log in sorted(self.task.logs, key=lambda log: log.book.path):
            self.task.begin(log.book.path)
            self.log(log)
        rank = {check.id: number for number, check in enumerate(CHECKS)}
        self.findings.sort(key=lambda f: (f.path, f.line, -f.severity, f.column, rank[f.rule]))
        return Report(
            self.task.base,
            self.task.why,
            tuple(self.judged),
            tuple(self.runs),
            tuple(self.findings),
            tuple(self.verdicts),
            self.task.fail_on,
        )

    # --- logs and lines -----------------------------------------------------------------------

    def log(self, log: LogInput) -> None:
        book = log.book
        fault = log.fault or self.foreign(book)
        context = LogContext(
            book.path, book.kind, book.change, book.lines, log.base, log.merge, log.gone, log.moved_to, fault,
            lambda raw: _name_of(raw, book),
        )  # fmt: skip
        for check in CHECKS:
            if isinstance(check, LogCheck):
                for problem in check.run(context):
                    line = Line(problem.line, problem.lost or b"")
                    if problem.lost is None and problem.line <= len(book.lines):
                        line = book.line(problem.line - 1)
                    name = problem.run or (_name_of(line.raw, book) if line.raw else None)
                    self.stamp(problem, log, line, name, None, {})
        judged = () if fault else book.change.judged
        lines = 0 if log.gone is not None else len(book.lines)
        self.judged.append(JudgedLog(book.path, book.kind.name, log.base, lines, len(judged)))
        if not fault and log.gone is None:
            self.lines(log, judged)

    def foreign(self, book: Book) -> tuple[str, str] | None:
        """Say why a file that has a log's name is plainly another project's."""
        members = book.kind.schema.get("properties")
        if not isinstance(members, Mapping) or not members or not book.change.judged:
            return None
        entries = 0
        new = set(book.change.judged)
        others = (index for index in range(len(book.lines)) if index not in new)
        for index in (*book.change.judged, *others):
            record = book.record(index)
            if record is None:
                continue
            entries += 1
            if any(member in members for member in record.entry.value):
                return None
        if not entries:
            return None
        names = ", ".join(members)
        which = "its one entry has no" if entries == 1 else f"none of its {entries} entries has a"
        fact = f"{which} member of {book.kind.name} ({names})"
        return fact, "exclude it in nsm-gate.yaml, or describe your own log kind there"

    def lines(self, log: LogInput, judged: Sequence[int]) -> None:
        book = log.book
        new = set(judged)
        partial = [] if self.task.bases < 2 else range(len(book.lines))
        for index in sorted({*new, *partial}):
            mask = book.change.mask(index)
            if index in new:
                self.count += 1
                self.task.tick(self.count)
                try:
                    self.line(log, index)
                except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                    # A bug: never a pass, and the line is named.
                    fact = f"internal error: {type(error).__name__}: {error}"
                    hint = "report it with this line"
                    raise GateError(fact, hint, book.path, index + 1) from error
            elif not self.history(book).is_settled(mask):
                record = book.record(index)
                if record is not None:
                    self.merged(log, index, record, mask)

    def merged(self, log: LogInput, index: int, record: Record, mask: int) -> None:
        """Check a line that only one parent of a merge had: it may repeat a key of the other's."""
        subject = self.subject(log.book, index, record, mask)
        check = BY_ID["duplicate-run"]
        if isinstance(check, EntryCheck):
            found = places(record.entry.line.raw)
            for problem in check.run(subject):
                self.stamp(problem, log, record.entry.line, record.name, record.experiment_type, found)

    def line(self, log: LogInput, index: int) -> None:
        book = log.book
        line = book.line(index)
        decoded = decode(line, book.limit)
        record = None
        problems: list[Problem] = []
        for check in CHECKS:
            if isinstance(check, LineCheck):
                problems += check.run(line, decoded)
        if isinstance(decoded, Entry):
            record = Record(decoded, book.kind, book.path, True)
            subject = self.subject(book, index, record, 0)
            problems += self.entry(subject)
        name = record.name if record else None
        kind = record.experiment_type if record else None
        domain = record.domain if record else None
        status = record.status if record else None
        self.runs.append(Run(book.path, line.number, name, kind, domain, status, record is not None))
        found = places(line.raw) if record and problems else {}
        for problem in problems:
            self.stamp(problem, log, line, name, kind, found)

    # --- entries ------------------------------------------------------------------------------

    def subject(self, book: Book, index: int, record: Record, mask: int) -> Subject:
        same, twin = self.history(book).enter(record, mask)
        previous = book.record(index - 1) if index else None
        return Subject(
            record,
            previous,
            same,
            twin,
            self.task.now,
            self.policy,
            self.policy.experiment_types.get(record.experiment_type or ""),
            self.policy.domains.get(record.domain or ""),
            tuple(self.validator(book).flaws(record.entry.value)),
        )

    def entry(self, subject: Subject) -> Iterator[Problem]:
        """Yield an entry's problems, one a defect.

        The specific rule wins over the schema where it owns the place. What the schema refuses is not
        computed with: no law, warning or verdict speaks of a refused value, nor of anything below an
        object that is missing or of the wrong type.
        """
        owned: set[str] = set()
        flaws: list[Problem] = []
        found: list[tuple[bool, Problem]] = []
        for check in CHECKS:
            if not isinstance(check, EntryCheck):
                continue
            for problem in check.run(subject):
                if check.id == "schema":
                    flaws.append(problem)
                    continue
                found.append((check.owns, problem))
                if check.owns and problem.pointer is not None:
                    owned.add(problem.pointer)
                owned.update(problem.covers)
        roots = tuple(f"{flaw.pointer}/" for flaw in flaws if flaw.below and flaw.pointer not in owned)
        refused = {flaw.pointer or "" for flaw in flaws if flaw.pointer not in owned and not flaw.yields}
        moot = refused | owned
        told = {place for _, problem in found for place in problem.covers}
        kept = [
            problem
            for owns, problem in found
            if not (problem.pointer or "").startswith(roots)
            and not (refused | told).intersection(problem.reads)
            and (owns or problem.pointer not in refused)
        ]
        laws = {problem.pointer for problem in kept if problem.reads}
        for flaw in flaws:
            if flaw.pointer not in owned and not (flaw.yields and flaw.pointer in laws):
                yield flaw
        yield from kept
        for verdict in self.judge(subject, refused):
            self.verdicts.append(verdict)
            # A value that is reported already is not reported once more as unknown.
            reported = [place in moot or place.startswith(roots) for place in verdict.lacks]
            if verdict.outcome is Outcome.UNKNOWN and reported and all(reported):
                continue
            for check in CHECKS:
                if isinstance(check, VerdictCheck):
                    yield from check.run(verdict)

    def judge(self, subject: Subject, refused: set[str]) -> Iterator[Verdict]:
        record, kind = subject.record, subject.experiment_type
        references: dict[str, Reference] = {**record.kind.references, **(kind.references if kind else {})}
        picked: dict[str, Picked] = {}

        def pick(name: str) -> Picked | None:
            if name not in references:
                return None
            if name not in picked:
                picked[name] = self.candidates.pick(references[name], record)
            return picked[name]

        for applied in applicable(record, kind, subject.domain):
            yield judge(applied, record, pick, refused)

    def history(self, book: Book) -> History:
        kind = book.kind.name
        if kind not in self.histories:
            judged = {log.book.path for log in self.task.logs}
            self.histories[kind] = History(self.task.books_of(kind), self.task.bases, judged)
        return self.histories[kind]

    def validator(self, book: Book) -> Validator:
        kind = book.kind
        if kind.name not in self.validators:
            self.validators[kind.name] = Validator(kind.schema, kind.schema_name)
        return self.validators[kind.name]

    # --- findings -----------------------------------------------------------------------------

    def stamp(
        self,
        problem: Problem,
        log: LogInput,
        line: Line,
        name: str | None,
        experiment_type: str | None,
        found: dict[str, Place],
    ) -> None:
        """Keep a problem as a finding, where its rule reports."""
        if problem.rule not in self.task.rules:
            return
        finding = finding_of(
            problem, log.book, line, name, experiment_type, found, self.policy, self.task.now.date()
        )
        if finding is not None:
            self.findings.append(finding)


def _name_of(raw: bytes, book: Book) -> str | None:
    decoded = decode(Line(1, raw), book.limit)
    return Record(decoded, book.kind, book.path).name if isinstance(decoded, Entry) else None

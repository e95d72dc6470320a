"""Policy + changes -> Report: which checks run on what, severities, waivers and order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from nsm_gate.candidates import Candidates
from nsm_gate.checks import BY_ID, CHECKS
from nsm_gate.checks.check import (
    EntryCheck,
    Judged,
    LineCheck,
    LogCheck,
    LogContext,
    Registration,
    Subject,
    VerdictCheck,
)
from nsm_gate.defects import defects
from nsm_gate.errors import GateError
from nsm_gate.findings import finding_of, waived
from nsm_gate.governance import Governance, could_accept
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
from nsm_gate.nouns import NamedTuple
from nsm_gate.policy import Policy
from nsm_gate.records import Record
from nsm_gate.scanner import Place
from nsm_gate.schema import Validator
from nsm_gate.timestamps import Instant, parse
from nsm_gate.values import UNKNOWN, is_number
from nsm_gate.verdicts import verdicts
from nsm_gate.whereabouts import HERE


class Task(NamedTuple):
    """All that one judgement depends on.

    Attributes:
        logs: The logs to judge.
        books_of: Every head log of a kind, for keys and references.
        bases: How many bases the changes were compared with.
        now: The current time, in UTC.
        base: What counts as old, in words.
        why: Why this base was taken.
        select: The rules that report; others keep silent.
        fail_on: Severity from which the exit code is 1; None never.
        tick: Called with the number of judged lines, for progress.
        begin: Called with the path of each log before it is judged.
        complete: Whether every line of every log is judged.
        governance: What the change does to the rules, and whose rules judge.
    """

    policy: Policy
    logs: Sequence[LogInput]
    books_of: Callable[[str], Sequence[Book]]
    bases: int
    now: datetime
    base: str
    why: str
    select: Collection[str] = tuple(BY_ID)
    fail_on: Severity | None = Severity.ERROR
    tick: Callable[[int], None] = lambda _count: None
    begin: Callable[[str], None] = lambda _path: None
    complete: bool = False
    governance: Governance = Governance()


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
        self.sides = task.governance.sides(task.books_of)
        self.histories: dict[str, History] = {}
        self.validators: dict[str, Validator] = {}
        self.count = 0
        self.used: set[int] = set()

    def report(self) -> Report:
        for log in sorted(self.task.logs, key=lambda log: log.book.path):
            self.task.begin(log.book.path)
            self.log(log)
        self.of_rules()
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
            self.task.governance.said,
        )

    def of_rules(self) -> None:
        """Check the rules themselves, once it is known which waivers were needed."""
        task, policy = self.task, self.policy
        expected = [
            index
            for index, waiver in enumerate(policy.waivers)
            if could_accept(waiver, task.select, self.runs, complete=task.complete)
        ]
        told = task.governance
        for problem in told.problems(policy, self.used, expected, task.now.date()):
            if problem.rule in task.select:
                path = problem.path or told.config
                made = finding_of(problem, path, "", Line(problem.line, b""), None, None, {}, policy)
                self.findings += [made] if made is not None else []

    # --- logs and lines -----------------------------------------------------------------------

    def log(self, log: LogInput) -> None:
        book = log.book
        fault = log.fault or self.foreign(book)
        context = LogContext(
            book.path, book.kind, book.change, book.lines, log.base, log.merge, log.gone, log.moved_to, fault,
            lambda raw: _name_of(raw, book), self.task.governance.evolved(book.kind), book.limit,
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
            HERE.line(index + 1)
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
        drawn = _history(record) if record is not None else ()
        self.runs.append(Run(book.path, line.number, name, kind, domain, status, record is not None, drawn))
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
        """Yield an entry's problems, then what its verdicts give."""
        found = defects(subject)
        yield from found.problems
        record = subject.record
        registered = self.registered(record)
        began = record.text(record.kind.start) if registered is not None else None
        start = parse(began) if began is not None else None
        started = start if isinstance(start, Instant) else None
        for verdict in verdicts(record, self.policy, self.candidates, found.refused):
            self.verdicts.append(verdict)
            # A value that is reported already is not reported once more as unknown.
            if (
                verdict.outcome is Outcome.UNKNOWN
                and verdict.lacks
                and all(map(found.speak_of, verdict.lacks))
            ):
                continue
            for check in CHECKS:
                if isinstance(check, VerdictCheck):
                    yield from check.run(Judged(verdict, started, registered))
        if self.sides is not None:
            yield from self.task.governance.turned(record, self.sides, found.refused)

    def registered(self, record: Record) -> Callable[[str], Registration] | None:
        """Return the look-up of registrations, where a rule that asks for it reports on this run."""
        rule, kind = "not-preregistered", record.experiment_type
        severity = self.policy.severity(rule, record.kind.name, kind, BY_ID[rule].severity)
        if severity is Severity.IGNORE or rule not in self.task.select:
            return None
        return self.task.governance.registered

    def history(self, book: Book) -> History:
        kind = book.kind.name
        if kind not in self.histories:
            judged = {log.book.path for log in self.task.logs}
            self.histories[kind] = History(self.task.books_of(kind), self.task.bases, judged)
        return self.histories[kind]

    def validator(self, book: Book) -> Validator:
        kind = book.kind
        if kind.name not in self.validators:
            self.validators[kind.name] = Validator(kind.schema, kind.schema_path)
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
        if problem.rule not in self.task.select:
            return
        book = log.book
        made = finding_of(problem, book.path, book.kind.name, line, name, experiment_type, found, self.policy)
        if made is None:
            return
        finding, waiver = waived(made, self.policy, self.task.now.date())
        self.findings.append(finding)
        if waiver is not None:
            self.used.add(waiver)


def _history(record: Record) -> tuple[float, ...]:
    """Return the series that the log kind draws small; nothing where it is not all numbers."""
    value = record.value(record.kind.history) if record.kind.history is not None else UNKNOWN
    if type(value) is not list or not all(is_number(item) and abs(item) < 10**300 for item in value):
        return ()
    return tuple(float(item) for item in value)


def _name_of(raw: bytes, book: Book) -> str | None:
    decoded = decode(Line(1, raw), book.limit)
    return Record(decoded, book.kind, book.path).name if isinstance(decoded, Entry) else None

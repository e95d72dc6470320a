"""Policy + changes -> Report: which checks run on what, severities, waivers and order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from nsm_gate.candidates import Candidates
from nsm_gate.checks import BY_ID, CHECKS
from nsm_gate.checks.check import (
    EntryCheck,
    LogCheck,
    LogContext,
    Registration,
    Seen,
    Subject,
)
from nsm_gate.defects import defects
from nsm_gate.findings import finding_of, waived
from nsm_gate.governance import Governance, could_accept
from nsm_gate.history import Book, History, LogInput, Wanted, digest
from nsm_gate.jsonl import decode, places
from nsm_gate.model import (
    Entry,
    Finding,
    JudgedLog,
    Line,
    Many,
    Problem,
    Report,
    Run,
    Severity,
    Verdict,
)
from nsm_gate.nouns import Any, NamedTuple, Protocol
from nsm_gate.policy import Policy
from nsm_gate.problems import naming, of_line, of_verdict
from nsm_gate.records import Record
from nsm_gate.scanner import Place
from nsm_gate.schema import Validator
from nsm_gate.tallies import Details
from nsm_gate.timestamps import Instant, parse
from nsm_gate.values import UNKNOWN, is_number
from nsm_gate.verdicts import verdicts
from nsm_gate.whereabouts import HERE

MANY = 400
"""Judged lines below which proofs cost more than they save."""


class Spread(Protocol):
    """Does work on parts of the lines."""

    def __call__(self, work: Callable[[int, int], Any], parts: Sequence[tuple[int, int]], /) -> Iterable[Any]:
        """Yield what the work gives for each part, in their order."""


def serially(work: Callable[[int, int], Any], parts: Sequence[tuple[int, int]], /) -> Iterable[Any]:
    """Do the work here, one part after the other."""
    return (work(start, stop) for start, stop in parts)


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
        spread: Does work on parts of the lines, in processes of its own where it likes.
        whole: Whether all that is found of every line will be read: then many lines are judged as few are.
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
    spread: Spread = serially
    whole: bool = False


def run(task: Task) -> Report:
    """Judge the logs of a task."""
    return Engine(task).report()


_ALL = frozenset(BY_ID)
_RANK = {check.id: number for number, check in enumerate(CHECKS)}


def order(finding: Finding) -> tuple[str, int, int, int, int]:
    """Return what findings are ordered by."""
    return finding.path, finding.line, -finding.severity, finding.column, _RANK[finding.rule]


class Engine:
    """One judgement."""

    order = staticmethod(order)

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
        """Judge all logs."""
        logs = sorted(self.task.logs, key=lambda log: log.book.path)
        if self.is_many(logs):
            from nsm_gate.many import report  # a hook has few lines, and pays for every import

            return report(self, logs)
        for log in logs:
            self.task.begin(log.book.path)
            self.lines(log, self.log(log))
        self.of_rules()
        self.findings.sort(key=order)
        return self.made(self.runs, self.findings, self.verdicts)

    def made(
        self,
        runs: Sequence[Run],
        findings: Sequence[Finding],
        verdicts: Sequence[Verdict],
        lots: Many | None = None,
    ) -> Report:
        """Return the report of what was judged."""
        task = self.task
        if lots is None:
            runs, findings, verdicts = tuple(runs), tuple(findings), tuple(verdicts)
        said = task.governance.said
        return Report(
            task.base, task.why, tuple(self.judged), runs, findings, verdicts, task.fail_on, said, lots
        )

    def pays(self, lines: int) -> bool:
        """Return whether it pays to prove so many lines of a log, among many."""
        return 10 * lines >= MANY

    def is_many(self, logs: Sequence[LogInput]) -> bool:
        """Return whether there are so many lines that it pays to prove most of them clean together."""
        lines = sum(len(log.book.change.judged) for log in logs if log.gone is None and log.fault is None)
        if lines < MANY or self.task.whole or self.task.bases > 1 or self.sides is not None:
            return False
        # When a criterion was registered is asked for each run.
        rule = "not-preregistered"
        rules = [entry for entry in self.policy.severities if entry.rule == rule]
        return not any(entry.severity for entry in rules) and not BY_ID[rule].severity

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

    def log(self, log: LogInput) -> Sequence[int]:
        """Check a log as a whole; return the indices of the lines to judge."""
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
                    self.findings += self.stamped(problem, log, line, name, None, {})
        judged = () if fault else book.change.judged
        lines = 0 if log.gone is not None else len(book.lines)
        self.judged.append(JudgedLog(book.path, book.kind.name, log.base, lines, len(judged)))
        return judged if log.gone is None else ()

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
        """Judge the lines of a log one by one."""
        book = log.book
        if log.fault is not None or log.gone is not None:
            return
        new = set(judged)
        partial = [] if self.task.bases < 2 or not (judged or book.change.kept) else range(len(book.lines))
        for index in sorted({*new, *partial}):
            mask = book.change.mask(index)
            HERE.line(index + 1)
            if index in new:
                self.count += 1
                self.task.tick(self.count)
                made = self.details(log, index, enter=True)
                self.runs.append(made.run)
                self.findings += made.findings
                self.verdicts += made.verdicts
            elif not self.history(book).is_settled(mask):
                record = book.record(index)
                if record is not None:
                    self.merged(log, index, record, mask)

    def merged(self, log: LogInput, index: int, record: Record, mask: int) -> None:
        """Check a line that only one parent of a merge had: it may repeat a key of the other's."""
        subject = self.subject(log.book, index, record, mask, enter=True)
        check = BY_ID["duplicate-run"]
        if isinstance(check, EntryCheck):
            found = places(record.entry.line.raw)
            for problem in check.run(subject):
                self.findings += self.stamped(
                    problem, log, record.entry.line, record.name, record.experiment_type, found
                )

    def details(self, log: LogInput, index: int, *, enter: bool = False) -> Details:
        """Judge a line in full.

        Args:
            log: Its log.
            index: The line.
            enter: Whether it is not entered into the history yet.

        Raises:
            GateError: A bug: never a pass, and the line is named.
        """
        with naming(log.book.path, index + 1):
            return self._details(log, index, enter=enter)

    def _details(self, log: LogInput, index: int, *, enter: bool) -> Details:
        book = log.book
        line, decoded = book.line(index), book.decoded(index)
        problems = list(of_line(line, decoded))
        given: list[Verdict] = []
        record = None
        if isinstance(decoded, Entry):
            record = Record(decoded, book.kind, book.path, True)
            problems += self.entry(self.subject(book, index, record, 0, enter=enter), given)
        run = run_of(book, index, record)
        found = places(line.raw) if record and problems else {}
        findings = [
            finding
            for problem in problems
            for finding in self.stamped(problem, log, line, run.name, run.experiment_type, found)
        ]
        return Details(run, tuple(findings), tuple(given))

    # --- entries ------------------------------------------------------------------------------

    def subject(
        self, book: Book, index: int, record: Record, mask: int, *, enter: bool | None,
        checks: Collection[str] = _ALL,
    ) -> Subject:  # fmt: skip
        """Return an entry and what it is held against.

        Args:
            book: Its log.
            index: Its line.
            record: The entry.
            mask: Which bases held it.
            enter: Whether to enter it into the history; None where no other line counts.
            checks: Those that will look at it; what none of them asks for is left out.
        """
        same: Seen | None = None
        twin: Seen | None = None
        if enter is not None:
            history = self.history(book)
            same, twin = history.enter(record, mask) if enter else history.earlier(record, mask)
        previous = book.record(index - 1) if index and "timestamp-order" in checks else None
        likely = checks is not _ALL
        flaws = self.validator(book).flaws(record.entry.value, likely=likely) if "schema" in checks else ()
        return Subject(
            record,
            previous,
            same,
            twin,
            self.task.now,
            self.policy,
            self.policy.experiment_types.get(record.experiment_type or ""),
            self.policy.domains.get(record.domain or ""),
            tuple(flaws),
        )

    def entry(self, subject: Subject, given: list[Verdict], *, brief: bool = False) -> Iterator[Problem]:
        """Yield an entry's problems, then what its verdicts give; put the verdicts into `given`.

        Where it is brief, verdicts of which nothing is to be said are without words.
        """
        found = defects(subject)
        yield from found.problems
        record = subject.record
        registered = self.registered(record)
        began = record.text(record.kind.start) if registered is not None else None
        start = parse(began) if began is not None else None
        started = start if isinstance(start, Instant) else None
        brief = brief and registered is None
        for verdict in verdicts(record, self.policy, self.candidates, found.refused, brief=brief):
            given.append(verdict)
            yield from of_verdict(verdict, found, started, registered)
        if self.sides is not None:
            yield from self.task.governance.turned(record, self.sides, found.refused)

    def run(self, log: LogInput, index: int) -> Run:
        """Return the run on a line."""
        return run_of(log.book, index, log.book.record(index))

    def registered(self, record: Record) -> Callable[[str], Registration] | None:
        """Return the look-up of registrations, where a rule that asks for it reports on this run."""
        rule, kind = "not-preregistered", record.experiment_type
        severity = self.policy.severity(rule, record.kind.name, kind, BY_ID[rule].severity)
        if severity is Severity.IGNORE or rule not in self.task.select:
            return None
        return self.task.governance.registered

    def history(self, book: Book) -> History:
        """Return what was logged before, of a book's log kind."""
        kind = book.kind.name
        if kind not in self.histories:
            judged = {log.book.path for log in self.task.logs}
            books = self.task.books_of(kind)
            self.histories[kind] = History(books, self.task.bases, judged, self.wanted(kind))
        return self.histories[kind]

    def wanted(self, kind: str) -> Wanted | None:
        """Return the keys and digests of the lines to judge, where they are few; None where they are many."""
        logs = [log.book for log in self.task.logs if log.book.kind.name == kind]
        if sum(len(book.change.judged) for book in logs) > MANY or self.task.bases > 1:
            return None
        records = [record for book in logs for index in book.change.judged if (record := book.record(index))]
        keys = {record.key for record in records if record.key is not None}
        digests = {found for record in records if (found := digest(record)) is not None}
        return Wanted(keys, digests)

    def validator(self, book: Book) -> Validator:
        """Return the schema of a book's log kind, compiled once."""
        kind = book.kind
        if kind.name not in self.validators:
            self.validators[kind.name] = Validator(kind.schema, kind.schema_path)
        return self.validators[kind.name]

    # --- findings -----------------------------------------------------------------------------

    def stamped(
        self,
        problem: Problem,
        log: LogInput,
        line: Line,
        name: str | None,
        experiment_type: str | None,
        found: dict[str, Place],
    ) -> tuple[Finding, ...]:
        """Return a problem as a finding, where its rule reports."""
        if problem.rule not in self.task.select:
            return ()
        book = log.book
        made = finding_of(problem, book.path, book.kind.name, line, name, experiment_type, found, self.policy)
        if made is None:
            return ()
        finding, waiver = waived(made, self.policy, self.task.now.date())
        if waiver is not None:
            self.used.add(waiver)
        return (finding,)


def run_of(book: Book, index: int, record: Record | None) -> Run:
    """Return the run on a line; of a line without an entry, its place alone."""
    if record is None:
        return Run(book.path, index + 1, None, None, None, None, False)
    return Run(
        book.path, index + 1, record.name, record.experiment_type, record.domain, record.status, True,
        _history(record),
    )  # fmt: skip


def _history(record: Record) -> tuple[float, ...]:
    """Return the series that the log kind draws small; nothing where it is not all numbers."""
    value = record.value(record.kind.history) if record.kind.history is not None else UNKNOWN
    if type(value) is not list or not all(is_number(item) and abs(item) < 10**300 for item in value):
        return ()
    return tuple(float(item) for item in value)


def _name_of(raw: bytes, book: Book) -> str | None:
    decoded = decode(Line(1, raw), book.limit)
    return Record(decoded, book.kind, book.path).name if isinstance(decoded, Entry) else None

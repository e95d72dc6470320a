"""What a check is: a rule id, its documentation, and a generator of problems.

Five sorts, by what they look at. The module's docstring is the documentation: its first line says the
law, then come why it matters, how to mend a breach, and an example.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, datetime

from nsm_gate.changes import Change
from nsm_gate.model import Entry, Line, Malformed, Problem, Severity, Verdict
from nsm_gate.nouns import NamedTuple
from nsm_gate.policy import Assertion, Domain, ExperimentType, LogKind, Policy, Waiver
from nsm_gate.records import Record
from nsm_gate.rule_changes import RuleChange
from nsm_gate.schema import Flaw, Validator
from nsm_gate.timestamps import Instant


class LogContext(NamedTuple):
    """A log as the change leaves it.

    Attributes:
        change: What happened to its lines.
        head: Its lines now.
        base: What it is compared with, in words.
        merge: Whether the change merges branches.
        gone: Where the log no longer exists: how many published lines went with it.
        moved_to: The log that now holds those lines, if one does.
        fault: Why the file is not a log at all: message and hint.
        name: Names the run of a line, for messages.
        evolved: The schemas of the base's rules and of the head's, where they differ.
        limit: Longest line that is decoded, in bytes.
    """

    path: str
    kind: LogKind
    change: Change
    head: Sequence[bytes]
    base: str
    merge: bool
    gone: int | None
    moved_to: str | None
    fault: tuple[str, str] | None
    name: Callable[[bytes], str | None]
    evolved: tuple[Validator, Validator] | None
    limit: int


class Seen(NamedTuple):
    """An earlier line, as far as a later one is compared with it."""

    path: str
    line: int
    name: str | None
    status: str | None


class Subject(NamedTuple):
    """A judged entry and what it is held against.

    Attributes:
        record: The entry.
        previous: The entry on the line just before it, if that line holds one.
        same_key: The latest earlier line with the same key that no base already held beside it.
        twin: An earlier run under another key with the same results and configuration.
        now: The current time, in UTC.
        experiment_type: None where the run names none, or one that is not known.
        domain: Likewise.
        flaws: How the entry breaks the schema of its log kind.
        laws: The log kind's assertions, where only some of them can be broken; None for all.
    """

    record: Record
    previous: Record | None
    same_key: Seen | None
    twin: Seen | None
    now: datetime
    policy: Policy
    experiment_type: ExperimentType | None
    domain: Domain | None
    flaws: Sequence[Flaw]
    laws: Sequence[Assertion] | None = None


class Registration(NamedTuple):
    """Since when the history of the rules holds a criterion as it judges now.

    Attributes:
        commit: The commit that brought it, shortened; empty where it is new.
        when: When that was, in UTC; None where it is new.
        always: Whether it came with the pack, and the repository never had another.
        certain: Whether no older commit may hold it that this clone lacks.
    """

    commit: str
    when: datetime | None
    certain: bool = True
    always: bool = False


class Judged(NamedTuple):
    """A verdict, and what tells whether its criterion was fixed before the run.

    Attributes:
        started: When the run began, where its entry says so.
        registered: Looks up when the criterion was; None where nobody asks.
    """

    verdict: Verdict
    started: Instant | None
    registered: Callable[[str], Registration] | None


class RulesContext(NamedTuple):
    """The rules of a judgement, what the change does to them, and what became of the waivers.

    Attributes:
        changes: What differs between the rules of the base and those of the head.
        unreadable: Why the base's rules could not be read; empty where they could.
        pack: The pack's hash, where it is not the one that the configuration agrees to.
        config: The configuration's file.
        waivers: Those of the rules that judge.
        used: Indices of the waivers that accepted a finding.
        expected: Indices of those that could have: the lines they name were judged, by the rule they name.
        today: The day of the judgement, in UTC.
    """

    changes: Sequence[RuleChange]
    unreadable: str
    pack: str
    config: str
    waivers: Sequence[Waiver]
    used: Collection[int]
    expected: Collection[int]
    today: date


class RulesCheck(NamedTuple):
    """Looks at the rules themselves."""

    id: str
    doc: str
    severity: Severity
    run: Callable[[RulesContext], Iterator[Problem]]


class LogCheck(NamedTuple):
    """Looks at what happened to a whole log."""

    id: str
    doc: str
    severity: Severity
    run: Callable[[LogContext], Iterator[Problem]]


class LineCheck(NamedTuple):
    """Looks at one physical line, decoded or not."""

    id: str
    doc: str
    severity: Severity
    run: Callable[[Line, Entry | Malformed], Iterator[Problem]]


class EntryCheck(NamedTuple):
    """Looks at one entry.

    Attributes:
        owns: Whether the schema keeps silent at the places that this check reports.
    """

    id: str
    doc: str
    severity: Severity
    run: Callable[[Subject], Iterator[Problem]]
    owns: bool = False


class VerdictCheck(NamedTuple):
    """Looks at one verdict."""

    id: str
    doc: str
    severity: Severity
    run: Callable[[Judged], Iterator[Problem]]


def refusal(rule: str) -> Callable[[Line, Entry | Malformed], Iterator[Problem]]:
    """Return the check of a rule that reading itself decides: it yields why the line holds no entry."""

    def run(line: Line, decoded: Entry | Malformed) -> Iterator[Problem]:
        if isinstance(decoded, Malformed) and decoded.rule == rule:
            columns = (decoded.column, decoded.end_column)
            yield Problem(rule, decoded.reason, decoded.hint, line.number, columns=columns)

    return run


Check = LogCheck | LineCheck | EntryCheck | VerdictCheck | RulesCheck

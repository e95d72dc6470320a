"""The nouns that every layer shares. All are frozen; none does any work.

Lines and columns count from 1, columns in Unicode code points; `end_column` is exclusive.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

from nsm_gate.edits import Fix
from nsm_gate.nouns import Any, NamedTuple, Protocol, dataclass

Json = Any
"""A decoded JSON value: None, bool, int, float, str, list or dict with string keys."""

Path = tuple[str, ...]
"""Member names from the entry's root to a value."""


class Severity(enum.IntEnum):
    """How much a finding weighs. Larger is graver."""

    IGNORE = 0
    NOTICE = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """Return the name that YAML and JSON use."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Severity:
        """Return the severity of a name that YAML uses; KeyError on another."""
        return cls[word.upper()]


class Outcome(str, enum.Enum):
    """What a criterion says of one run."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"

    def __str__(self) -> str:
        """Return the word, as Python's own StrEnum does: tables of pandas show it."""
        return self.value


class Line(NamedTuple):
    """A physical line of a log.

    Attributes:
        number: From 1.
        raw: The bytes between two newlines, without them.
        terminated: Whether a newline follows.
    """

    number: int
    raw: bytes
    terminated: bool = True


class Entry(NamedTuple):
    """The object that a line decodes to."""

    line: Line
    value: dict[str, Json]


class Malformed(NamedTuple):
    """A line that holds no entry.

    Attributes:
        rule: The rule that it breaks: `invalid-json`, `duplicate-member` or `blank-line`.
        reason: The fact, in one line.
        hint: The remedy.
        column: Where the fault begins.
        end_column: Where it ends, exclusive.
    """

    line: Line
    rule: str
    reason: str
    hint: str
    column: int
    end_column: int


class At(enum.Enum):
    """Which columns a pointer stands for: those of the value, or of its member name."""

    VALUE = "value"
    NAME = "name"


class Problem(NamedTuple):
    """What a check yields: a fact about a line, located symbolically.

    Attributes:
        rule: Rule id.
        message: The fact: lower case, no full stop, the value quoted.
        hint: The remedy.
        line: Number of the physical line (in the base, for a lost line).
        pointer: JSON pointer (RFC 6901) to the value; None where there is no entry.
        at: Which columns the pointer stands for.
        columns: The columns themselves, where no pointer says them.
        severity: The check's own wish, which a policy may override.
        run: Name of the run, where it is not the line's own.
        criterion: Name of the criterion, for the verdict rules.
        lost: Bytes of the line in the base, where the head no longer has it.
        covers: Further pointers that this problem explains, so that the schema keeps silent.
        reads: Pointers of the values that it was computed from; where one is refused, it is moot.
        yields: Whether a law that names the same value replaces it: it restates that law.
        below: Whether nothing under the pointer is reported: the object itself is missing or wrong.
        path: The file, where it is not the log: one of the rules.
    """

    rule: str
    message: str
    hint: str
    line: int
    pointer: str | None = None
    at: At = At.VALUE
    columns: tuple[int, int] | None = None
    severity: Severity | None = None
    run: str | None = None
    criterion: str | None = None
    lost: bytes | None = None
    covers: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    yields: bool = False
    below: bool = False
    path: str | None = None


class Excerpt(NamedTuple):
    """A window on a physical line around what a finding points at.

    Attributes:
        before: Text left of the value, shortened.
        text: The value's own text, shortened.
        after: Text right of it, shortened.
        cut_before: Whether the line goes on to the left.
        cut_after: Whether the line goes on to the right.
    """

    before: str
    text: str
    after: str
    cut_before: bool
    cut_after: bool


class Finding(NamedTuple):
    """A problem stamped with path, columns and severity: the unit of the JSON output.

    Attributes:
        byte_columns: The columns in bytes of UTF-8, where they are not those in code points.
        fix: How a machine mends it; None where none can, or where the line is logged history.
    """

    rule: str
    severity: Severity
    path: str
    line: int
    column: int
    end_column: int
    pointer: str | None
    run: str | None
    criterion: str | None
    message: str
    hint: str
    waived: str | None = None
    excerpt: Excerpt | None = None
    byte_columns: tuple[int, int] | None = None
    fix: Fix | None = None


class ReferenceUsed(NamedTuple):
    """The other run that a verdict compared with.

    Attributes:
        name: The reference's name in the rules (`single_pass`).
        run: Name of the run that was picked.
        path: Log that holds it.
        line: Its line.
        appended: Whether the same change appends it.
        values: What the criterion read of it: dotted name -> value.
    """

    name: str
    run: str
    path: str
    line: int
    appended: bool
    values: Mapping[str, Json] = {}


class Verdict(NamedTuple):
    """The outcome of one criterion for one run.

    Attributes:
        observed: The value judged; for an assertion the object of the values that it read.
        expected: The test as the rules write it.
        margin: Signed distance to the threshold in the metric's unit; negative is missed.
        explanation: One sentence with the values in it.
        pointer: JSON pointer to the observed value.
        reference: The run compared with, if any.
        law: Canonical text of the criterion as judged; the JSON output gives its SHA-256.
        lacks: JSON pointers of the run's values that the test needed and did not get.
        defined_at: `file:line` of the criterion.
        rules_from: `head` or `base`: whose rules judged.
        unverified: Whether it is met by the rules' word alone, with a warning: there was no run to
            compare with.
    """

    path: str
    line: int
    run: str | None
    experiment_type: str | None
    domain: str | None
    criterion: str
    outcome: Outcome
    observed: Json
    expected: str
    margin: float | None
    explanation: str
    pointer: str | None
    reference: ReferenceUsed | None
    law: str
    defined_at: str
    rules_from: str = "head"
    lacks: tuple[str, ...] = ()
    unverified: bool = False


class JudgedLog(NamedTuple):
    """What was checked of one log, and against what.

    Attributes:
        path: Relative to the repository root, with forward slashes.
        log: Name of the log kind.
        base: What the log was compared with, in words (`merge base of origin/main: 1a2b3c4`).
        lines: Physical lines of the head.
        appended: Lines that were judged.
    """

    path: str
    log: str
    base: str
    lines: int
    appended: int


class Run(NamedTuple):
    """A judged line, as renderers head their groups with it.

    Attributes:
        entry: Whether the line holds an entry at all.
        history: The series that the log kind draws small, oldest first; empty where there is none.
    """

    path: str
    line: int
    name: str | None
    experiment_type: str | None
    domain: str | None
    status: str | None
    entry: bool = True
    history: tuple[float, ...] = ()


class Many(Protocol):
    """The judgement of so many lines that what is said of each is made where somebody asks for it.

    Attributes:
        counts: Severity -> findings that no waiver accepts.
        waived: Findings that one accepts.
        tally: What the runs come to (`tallies.Tally`).
        gravest: File -> the weight of its gravest finding.
    """

    counts: Mapping[Severity, int]
    waived: int
    tally: Any
    gravest: Mapping[str, int]

    def shown(self, most: int) -> Any:
        """Return the lines that a person looks at first (`lots.Shown`)."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one `check` found: the only input of a renderer.

    Attributes:
        rules: Whose rules judged, in words, where it is not the head's.
        lots: Where many lines were judged, what they come to; runs, findings and verdicts are made late then.
        fixes: How many fixes were made before; the exit code is 1 then, as of any hook that changes files.
    """

    base: str
    why: str
    logs: tuple[JudgedLog, ...]
    runs: Sequence[Run]
    findings: Sequence[Finding]
    verdicts: Sequence[Verdict]
    fail_on: Severity | None = Severity.ERROR
    rules: str = ""
    lots: Many | None = None
    fixes: int = 0

    def count(self, severity: Severity) -> int:
        """Return how many unwaived findings have exactly this severity."""
        if self.lots is not None:
            return self.lots.counts.get(severity, 0)
        return sum(f.severity is severity and f.waived is None for f in self.findings)

    @property
    def waived(self) -> int:
        """Return how many findings a waiver accepts."""
        if self.lots is not None:
            return self.lots.waived
        return sum(f.waived is not None for f in self.findings)

    @property
    def checked(self) -> int:
        """Return how many lines were judged."""
        return sum(log.appended for log in self.logs)

    @property
    def exit_code(self) -> int:
        """Return 1 where an unwaived finding is at or above `fail_on`, or fixes were made; else 0."""
        if self.fixes or self.fail_on is None:
            return int(bool(self.fixes))
        return int(any(self.count(severity) for severity in Severity if severity >= max(self.fail_on, 1)))

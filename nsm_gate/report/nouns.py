"""The nouns of the report. All are frozen; none does any work."""

from __future__ import annotations

from collections.abc import Mapping

from nsm_gate.model import Finding, JudgedLog, Verdict
from nsm_gate.nouns import NamedTuple

MET, MISSED, UNKNOWN, UNJUDGED = "met", "missed", "unknown", "unjudged"
"""What the verdicts of one run come to, the most telling first to be found: see `overall`."""
OUTCOMES = (MET, MISSED, UNKNOWN, UNJUDGED)


class Target(NamedTuple):
    """A bar that a metric is held against.

    Attributes:
        operator: `<`, `<=`, `>` or `>=`.
        value: In the metric's own unit.
        owner: The experiment type, domain or log kind that asks it.
        expected: The test as the rules write it.
        source: Where the number comes from, where the rules say it.
    """

    metric: str
    operator: str
    value: float
    owner: str
    expected: str
    source: str = ""


class Step(NamedTuple):
    """A point from which another run is the strongest that a reference may pick.

    Attributes:
        time: Milliseconds since 1970, UTC.
        run: Its name.
        metrics: Its metrics.
    """

    time: int
    run: str
    metrics: Mapping[str, float]


class Epochs(NamedTuple):
    """The history of one run, a row an epoch.

    Attributes:
        steps: The epochs: as the log numbers them, else from 1.
        columns: Name of a measure -> its values; None where an epoch lacks it.
    """

    steps: tuple[float, ...]
    columns: Mapping[str, tuple[float | None, ...]]


class Changed(NamedTuple):
    """One setting that two runs do not share; None for the side that lacks it."""

    name: str
    mine: str | None
    theirs: str | None


class Difference(NamedTuple):
    """How a run's settings differ from those of the run it was compared with.

    Attributes:
        reference: The reference's name in the rules.
        run: The other run's name.
        place: `path:line` of the other run.
        changed: What differs.
        same: How many settings agree.
        alone: How many settings only one of the two has, where they are of two log kinds.
    """

    reference: str
    run: str
    place: str
    changed: tuple[Changed, ...]
    same: int
    alone: int = 0


class Earlier(NamedTuple):
    """An earlier line of the same run."""

    path: str
    line: int
    status: str


class Told(NamedTuple):
    """A run, by the latest line that speaks for it.

    Attributes:
        place: `path:line`.
        log: Name of the log kind.
        time: When it was logged, in milliseconds since 1970, UTC; None where no valid time is there.
        outcome: What its verdicts come to.
        metrics: Numbers that it measured.
        settings: Dotted name of a setting -> its value in words.
        classes: The accuracy of either class, where both are known.
        notes: Its findings text.
        error: Its error message.
        verdicts: In the order of the rules.
        problems: What the gate found about its lines, verdicts aside.
        fields: Section -> dotted name -> value in words.
        left_out: How many fields are not told, for want of room.
    """

    name: str
    path: str
    line: int
    log: str
    status: str
    experiment_type: str
    domain: str
    time: int | None
    outcome: str
    metrics: Mapping[str, float]
    settings: Mapping[str, str]
    classes: tuple[float, float] | None
    notes: str
    error: str
    verdicts: tuple[Verdict, ...]
    problems: tuple[Finding, ...]
    fields: Mapping[str, Mapping[str, str]]
    left_out: int
    epochs: Epochs | None
    differences: tuple[Difference, ...]
    earlier: tuple[Earlier, ...]

    @property
    def place(self) -> str:
        """Return `path:line`."""
        return f"{self.path}:{self.line}"


class Results(NamedTuple):
    """Everything that a report shows.

    Attributes:
        logs: What was read.
        source: Where the rules come from, in words.
        runs: In the order in which they were logged.
        metrics: The metrics that any run has, those that the rules name first.
        better: Metric -> `>` where more is better, `<` where less is.
        targets: The bars that the rules set, of the types, domains and log kinds that occur.
        strongest: Reference -> the strongest runs that it might have picked, as time went on.
        settings: Names of the settings by which runs may be compared, the telling ones first.
        broken: Findings of lines that hold no run.
        loose: Other findings that belong to no run.
        lines: How many lines hold no run.
        superseded: How many lines a later line of their run speaks for.
        described: Experiment type, domain or log kind -> what the rules say that it is.
    """

    logs: tuple[JudgedLog, ...]
    source: str
    runs: tuple[Told, ...]
    metrics: tuple[str, ...]
    better: Mapping[str, str]
    targets: tuple[Target, ...]
    strongest: Mapping[str, tuple[Step, ...]]
    settings: tuple[str, ...]
    broken: tuple[Finding, ...]
    loose: tuple[Finding, ...]
    lines: int
    superseded: int
    described: Mapping[str, str]

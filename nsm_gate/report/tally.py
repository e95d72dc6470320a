"""Counts over the runs of a report: by experiment type and domain, by criterion, by mode of fusion."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from nsm_gate.model import Outcome
from nsm_gate.nouns import NamedTuple
from nsm_gate.report.nouns import OUTCOMES, Told
from nsm_gate.report.settings import FUSION, SINGLE


class Group(NamedTuple):
    """The runs of one log kind, experiment type and domain.

    Attributes:
        outcomes: What the verdicts of a run come to -> how many runs.
        missed: Criterion -> how many runs missed it, the most missed first.
    """

    log: str
    experiment_type: str
    domain: str
    runs: int
    outcomes: Mapping[str, int]
    missed: Mapping[str, int]


class Asked(NamedTuple):
    """One criterion, over the runs of a log kind and experiment type that it was asked of.

    Attributes:
        expected: The tests as the rules write them: more than one where branches differ.
        outcomes: Outcome -> how many runs; `not-applicable` is left out.
    """

    log: str
    experiment_type: str
    criterion: str
    expected: tuple[str, ...]
    outcomes: Mapping[str, int]


class Spread(NamedTuple):
    """One metric over some runs."""

    size: int
    mean: float
    low: float
    high: float


class Mode(NamedTuple):
    """The runs of one mode of fusion."""

    mode: str
    runs: int
    spreads: Mapping[str, Spread]


def outcomes(runs: Iterable[Told]) -> dict[str, int]:
    """Return how many runs come to each outcome, the absent ones too."""
    found = Counter(run.outcome for run in runs)
    return {outcome: found[outcome] for outcome in OUTCOMES}


def groups(runs: Sequence[Told]) -> list[Group]:
    """Return the runs by log kind, experiment type and domain, each level by name, the largest log first."""
    held: dict[tuple[str, str, str], list[Told]] = defaultdict(list)
    for run in runs:
        held[run.log, run.experiment_type, run.domain].append(run)
    sizes = Counter(run.log for run in runs)
    made = []
    for log, experiment_type, domain in sorted(held, key=lambda key: (-sizes[key[0]], *key)):
        found = held[log, experiment_type, domain]
        missed = Counter(v.criterion for run in found for v in run.verdicts if v.outcome is Outcome.MISSED)
        counts = outcomes(found)
        made.append(Group(log, experiment_type, domain, len(found), counts, dict(missed.most_common())))
    return made


def criteria(runs: Sequence[Told]) -> list[Asked]:
    """Return every criterion that was asked, in the order of the rules, by log kind and experiment type."""
    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    expected: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for run in runs:
        for verdict in run.verdicts:
            if verdict.outcome is not Outcome.NOT_APPLICABLE:
                key = run.log, run.experiment_type, verdict.criterion
                counts[key][verdict.outcome.value] += 1
                expected[key][verdict.expected] = None
    sizes = Counter(run.log for run in runs)
    order = sorted(counts, key=lambda key: (-sizes[key[0]], key[0], key[1]))
    return [Asked(*key, tuple(expected[key]), dict(counts[key])) for key in order]


def modes(runs: Sequence[Told], metrics: Sequence[str]) -> list[Mode]:
    """Return the completed runs by mode of fusion, the single pass last, with the spread of each metric."""
    held: dict[str, list[Told]] = defaultdict(list)
    for run in runs:
        if FUSION in run.settings and run.status == "completed":
            held[run.settings[FUSION]].append(run)
    made = []
    for mode in sorted(held, key=lambda name: (name == SINGLE, name)):
        values = {m: [run.metrics[m] for run in held[mode] if m in run.metrics] for m in metrics}
        spreads = {
            metric: Spread(len(found), mean(found), min(found), max(found))
            for metric, found in values.items()
            if found
        }
        made.append(Mode(mode, len(held[mode]), spreads))
    return made


def mean(values: Sequence[float]) -> float:
    """Return the mean, of values whose sum may exceed what a float can hold."""
    return sum(value / len(values) for value in values)

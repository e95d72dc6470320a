"""What another set of rules would say of the same log: two reports -> every run that turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nsm_gate.model import Finding, Outcome, Report, Verdict
from nsm_gate.names import plural

_OF_VERDICTS = {"criterion-missed", "criterion-unknown"}
_RANK = {Outcome.MISSED: 0, Outcome.UNKNOWN: 1, Outcome.NOT_APPLICABLE: 2, Outcome.MET: 3}


@dataclass(frozen=True, slots=True)
class Turn:
    """A verdict or a finding that differs between the old rules and the new ones.

    Attributes:
        path: The log.
        line: Its line.
        run: Name of the run, where the line says it.
        subject: The criterion, or the rule of a finding.
        before: What the old rules say: an outcome, a severity, `waived`, or `not asked` and `nothing`.
        after: What the new rules say.
        looser: Whether the new rules ask less.
        detail: The two explanations or messages.
        criterion: Whether it is a verdict.
    """

    path: str
    line: int
    run: str | None
    subject: str
    before: str
    after: str
    looser: bool
    detail: str
    criterion: bool


def turns(old: Report, new: Report) -> list[Turn]:
    """Return what differs between two judgements of the same lines, verdicts first, by place."""
    found = [*_verdicts(old, new), *_findings(old, new)]
    return sorted(found, key=lambda turn: (not turn.criterion, turn.path, turn.line, turn.subject))


def sentences(found: Sequence[Turn]) -> list[str]:
    """Return the turns counted: `3 runs turn from missed to met`."""
    runs = Counter(
        pair for _, _, pair in {(t.path, t.line, (t.before, t.after)) for t in found if t.criterion}
    )
    said = [
        f"{plural(count, 'run')} {'turns' if count == 1 else 'turn'} from {before} to {after}"
        for (before, after), count in sorted(runs.items(), key=lambda item: (-item[1], item[0]))
    ]
    gone = sum(not turn.criterion and turn.looser for turn in found)
    come = sum(not turn.criterion and not turn.looser for turn in found)
    if gone:
        said.append(f"{plural(gone, 'finding')} {'is' if gone == 1 else 'are'} gone, lowered or waived")
    if come:
        said.append(f"{plural(come, 'finding')} {'is' if come == 1 else 'are'} new or raised")
    return said


def _verdicts(old: Report, new: Report) -> Iterator[Turn]:
    before = {(v.path, v.line, v.criterion): v for v in old.verdicts}
    after = {(v.path, v.line, v.criterion): v for v in new.verdicts}
    for key in {**before, **after}:
        one, other = before.get(key), after.get(key)
        if one is not None and other is not None and one.outcome is other.outcome:
            continue
        some = one or other
        yield Turn(
            *key[:2],
            some.run if some else None,
            key[2],
            one.outcome.value if one else "not asked",
            other.outcome.value if other else "not asked",
            _asks_less(one, other),
            "; now ".join(_said(v) for v in (one, other) if v is not None),
            criterion=True,
        )


def _asks_less(one: Verdict | None, other: Verdict | None) -> bool:
    if one is None:
        return False
    return other is None or _RANK[other.outcome] > _RANK[one.outcome]


def _said(verdict: Verdict) -> str:
    return f"{verdict.explanation} [{verdict.expected}]"


def _findings(old: Report, new: Report) -> Iterator[Turn]:
    before, after = _by_place(old), _by_place(new)
    for key in {**before, **after}:
        one, other = before.get(key), after.get(key)
        weights = [_weight(finding) for finding in (one, other)]
        if weights[0] == weights[1]:
            continue
        some = other or one
        path, line, rule, _ = key
        yield Turn(
            path, line, some.run if some else None, rule, _word(one), _word(other),
            weights[1] < weights[0], some.message if some else "", criterion=False,
        )  # fmt: skip


def _by_place(report: Report) -> dict[tuple[str, int, str, str], Finding]:
    logs = {log.path for log in report.logs}
    return {
        (f.path, f.line, f.rule, f.pointer or ""): f
        for f in report.findings
        if f.rule not in _OF_VERDICTS and f.path in logs
    }


def _weight(finding: Finding | None) -> int:
    return 0 if finding is None or finding.waived is not None else int(finding.severity)


def _word(finding: Finding | None) -> str:
    if finding is None:
        return "nothing"
    return "waived" if finding.waived is not None else finding.severity.word

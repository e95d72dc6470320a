"""What another set of rules would say of the same log: two reports -> every run that turns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import zip_longest

from nsm_gate.model import Finding, Outcome, Report, Verdict
from nsm_gate.names import plural
from nsm_gate.nouns import TypeVar, dataclass

_OF_VERDICTS = {"criterion-missed", "criterion-unknown"}
_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item")
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


def _pairs(
    old: Iterable[_Item],
    new: Iterable[_Item],
    key: Callable[[_Item], _Key],
    same: Callable[[_Item], Hashable],
) -> Iterator[tuple[_Key, _Item | None, _Item | None]]:
    """Yield what stands at one key before and after; where several do, those that are the same together."""
    sides: tuple[dict[_Key, list[_Item]], ...] = (defaultdict(list), defaultdict(list))
    for side, items in zip(sides, (old, new), strict=True):
        for item in items:
            side[key(item)].append(item)
    for place in {**sides[0], **sides[1]}:
        before, after = sides[0][place], list(sides[1][place])
        left = []
        for one in before:
            twin = next((index for index, item in enumerate(after) if same(item) == same(one)), None)
            if twin is None:
                left.append(one)
            else:
                yield place, one, after.pop(twin)
        for pair in zip_longest(left, after):
            yield place, *pair


def _verdicts(old: Report, new: Report) -> Iterator[Turn]:
    pairs = _pairs(
        old.verdicts, new.verdicts, lambda v: (v.path, v.line, v.criterion), lambda v: (v.law, v.outcome)
    )
    for (path, line, criterion), one, other in pairs:
        some = one or other
        if some is None or (one is not None and other is not None and one.outcome is other.outcome):
            continue
        yield Turn(
            path,
            line,
            some.run,
            criterion,
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
    pairs = _pairs(
        _of_logs(old), _of_logs(new),
        lambda f: (f.path, f.line, f.rule, f.pointer or ""), lambda f: f.message,
    )  # fmt: skip
    for (path, line, rule, _), one, other in pairs:
        some = other or one
        weights = [_weight(finding) for finding in (one, other)]
        if some is None or weights[0] == weights[1]:
            continue
        yield Turn(
            path, line, some.run, rule, _word(one), _word(other),
            weights[1] < weights[0], some.message, criterion=False,
        )  # fmt: skip


def _of_logs(report: Report) -> Iterator[Finding]:
    logs = {log.path for log in report.logs}
    return (f for f in report.findings if f.rule not in _OF_VERDICTS and f.path in logs)


def _weight(finding: Finding | None) -> int:
    return 0 if finding is None or finding.waived is not None else int(finding.severity)


def _word(finding: Finding | None) -> str:
    if finding is None:
        return "nothing"
    return "waived" if finding.waived is not None else finding.severity.word

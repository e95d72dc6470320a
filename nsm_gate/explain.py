"""How one run is judged: which rules, which reference among which candidates, and the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from nsm_gate.candidates import Candidates
from nsm_gate.criteria import Pick, applicable
from nsm_gate.expressions import Node
from nsm_gate.model import Verdict
from nsm_gate.nouns import dataclass
from nsm_gate.pointers import COUNT, dotted, show
from nsm_gate.policy import Criterion, Policy, Reference
from nsm_gate.records import Record
from nsm_gate.references import Picked, shortcoming, strength
from nsm_gate.values import UNKNOWN, Value, decimal, is_number, rounded


@dataclass(frozen=True, slots=True)
class Read:
    """A name that a criterion reads.

    Attributes:
        name: As the rules write it.
        place: Where it stands: `final_metrics.accuracy`, or the other run's; empty where there is no place.
        value: What stands there, in words.
    """

    name: str
    place: str
    value: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that a reference might have picked.

    Attributes:
        strength: Its metric, in words; empty where it has none or is not comparable.
        reason: Why it was not picked; empty for the one that was.
    """

    run: str
    path: str
    line: int
    strength: str
    reason: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One criterion of the run.

    Attributes:
        criterion: The rule.
        verdict: What it gives.
        reads: Every name that decides, in order.
        references: Each reference that it compares with, and all runs that were considered, the picked first.
    """

    criterion: Criterion
    verdict: Verdict
    reads: tuple[Read, ...]
    references: tuple[tuple[Reference, tuple[Candidate, ...]], ...]


def explained(
    record: Record, policy: Policy, candidates: Candidates, verdicts: Sequence[Verdict]
) -> Iterator[Explained]:
    """Yield every criterion that is asked of a run, with all that decided it.

    Args:
        record: The run.
        policy: The rules.
        candidates: The runs that references may pick.
        verdicts: What the run got, of every criterion that is asked of it, in order.
    """
    kind = policy.experiment_types.get(record.experiment_type or "")
    domain = policy.domains.get(record.domain or "")
    references = {**record.kind.references, **(kind.references if kind else {})}
    picked: dict[str, Picked] = {}

    def pick(name: str) -> Picked | None:
        if name in references and name not in picked:
            picked[name] = candidates.pick(references[name], record)
        return picked.get(name)

    asked = [applied.criterion for applied in applicable(record, kind, domain)]
    for criterion, verdict in zip(asked, verdicts, strict=True):
        paths = list(dict.fromkeys(path for part in _parts(criterion) for path in part.paths()))
        used = list(dict.fromkeys(path[0] for path in paths if path[0] in references))
        yield Explained(
            criterion,
            verdict,
            tuple(_read(path, record, pick) for path in paths if len(path) > 1 or path[0] not in references),
            tuple(
                (references[name], tuple(_considered(references[name], record, candidates, pick(name))))
                for name in used
            ),
        )


def _parts(criterion: Criterion) -> Iterator[Node]:
    for part in (criterion.when, *(p for b in criterion.branches for p in (b.condition, b.test))):
        if part is not None:
            yield part


def _read(path: tuple[str, ...], record: Record, pick: Pick) -> Read:
    found = pick(path[0])
    if found is None:
        place = record.place(path)
        if COUNT in place:
            return Read(dotted(path), "", "– (no count is declared)")
        return Read(dotted(path), ".".join(place), said(record.value(path)))
    if found.record is None:
        return Read(dotted(path), "", f"– ({found.reason})")
    other = found.record
    name = path[1:]
    place = record.place(name) if other.kind.name == record.kind.name else other.place(name)
    shown = f"{other.name or 'the reference'}: {'.'.join(place)}"
    return Read(dotted(path), shown, said(other.value_like(name, record)))


def said(value: Value) -> str:
    """Return a value in words: a number exactly as far as six decimals, a series by its ends."""
    if value is UNKNOWN:
        return "–"
    if is_number(value):
        return rounded(decimal(value))
    if isinstance(value, list) and len(value) > 1 and all(is_number(item) for item in value):
        return f"{rounded(decimal(value[0]))} → {rounded(decimal(value[-1]))} over {len(value)} values"
    return show(value)


def _considered(
    reference: Reference, this: Record, candidates: Candidates, picked: Picked | None
) -> Iterator[Candidate]:
    """Yield the picked run, then the others: the weaker ones first, then those that are not comparable."""
    best = picked.record if picked is not None else None
    by = dotted(reference.by)
    rows: list[tuple[int, Decimal, Candidate]] = []
    for other in candidates.considered(reference, this):
        place = this.place(reference.by) if other.kind.name == this.kind.name else None
        reason = shortcoming(reference, other, this)
        force = None if reason else strength(reference, other, place)
        value = "" if force is None else f"{by} {rounded(-force if reference.pick == 'min' else force)}"
        is_best = best is not None and (other.path, other.line) == (best.path, best.line)
        if is_best:
            reason = ""
        elif not reason:
            reason = f"has no {by} at the same place" if force is None else _weaker(reference)
        rank = 0 if is_best else 1 if force is not None else 2
        made = Candidate(other.name or "", other.path, other.line, value, reason)
        rows.append((rank, -(force or Decimal(0)), made))
    for _, _, made in sorted(rows, key=lambda row: row[:2]):
        yield made


def _weaker(reference: Reference) -> str:
    return f"{'larger' if reference.pick == 'min' else 'smaller'}, or as strong and later"


def arithmetic(explained_: Explained, record: Record) -> Sequence[str]:
    """Return the arithmetic behind a verdict that its explanation leaves out."""
    verdict = explained_.verdict
    rows = []
    if verdict.margin is not None:
        rows.append(f"margin {verdict.margin:+.6g}")
    subject = explained_.criterion.subject
    rate: Value = record.value(subject) if subject else UNKNOWN
    count = record.value((COUNT, *subject)) if subject and len(subject) == 1 else UNKNOWN
    if is_number(rate) and 0 < rate < 1 and type(count) is int and count > 0:
        share = float(rate)
        error = (share * (1 - share) / count) ** 0.5
        rows.append(
            f"standard error sqrt({said(rate)} × {said(decimal(1) - decimal(rate))} / {count}) = {error:.4f}"
        )
    return rows

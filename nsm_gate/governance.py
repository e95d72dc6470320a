"""What a change does to the rules that judge it, and who is judged by whose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date

from nsm_gate.candidates import Candidates
from nsm_gate.checks import BY_ID, CHECKS, DEFAULTS
from nsm_gate.checks.check import LogCheck, Registration, RulesCheck, RulesContext
from nsm_gate.criteria import applicable
from nsm_gate.history import Book
from nsm_gate.model import Outcome, Problem, Run, Severity, Verdict
from nsm_gate.nouns import NamedTuple, replace
from nsm_gate.policy import LogKind, Policy, Waiver
from nsm_gate.records import Record
from nsm_gate.rule_changes import RuleChange, differences
from nsm_gate.schema import Validator
from nsm_gate.verdicts import verdicts

_RANK = {Outcome.MISSED: 0, Outcome.UNKNOWN: 1}
"""How far from success a verdict is; what is met or not asked is not."""

BooksOf = Callable[[str], Sequence[Book]]
"""Log kind -> its logs, as the head has them."""

Sides = tuple[Candidates, Candidates]
"""What picks references by the base's rules, and by the head's."""


class Governance(NamedTuple):
    """Whose rules judge, and how those of the base and of the head differ.

    Attributes:
        old: The base's rules; None where they are the head's, or there is no base.
        new: The head's rules, where they differ from the base's.
        unreadable: Why the base's rules could not be read; empty where they could.
        pack: The pack's hash, where it is not the one that the configuration agrees to.
        config: The configuration's file.
        said: Whose rules judge, in words, where it is not the head's.
        registered: Looks up since when the history holds a criterion.
        logged: Returns the lines that a log has in the base; None where the judged lines are all new.
    """

    old: Policy | None = None
    new: Policy | None = None
    unreadable: str = ""
    pack: str = ""
    config: str = ""
    said: str = ""
    registered: Callable[[str], Registration] | None = None
    logged: Callable[[str], Collection[bytes]] | None = None

    def problems(
        self, policy: Policy, used: Collection[int], expected: Iterable[int], today: date
    ) -> Iterator[Problem]:
        """Yield what is wrong with the rules themselves, once it is known which waivers were needed.

        Args:
            policy: The rules that judge.
            used: Indices of the waivers that accepted a finding.
            expected: Indices of those that could have.
            today: The day of the judgement, in UTC.
        """
        changes: Sequence[RuleChange] = ()
        if self.old is not None and self.new is not None:
            changes = differences(self.old, self.new, DEFAULTS)
        context = RulesContext(
            changes, self.unreadable, self.pack, self.config, policy.waivers, used, frozenset(expected), today
        )
        for check in CHECKS:
            if isinstance(check, RulesCheck):
                yield from check.run(context)

    def evolved(self, kind: LogKind) -> tuple[Validator, Validator] | None:
        """Return the schemas of a log kind under the base's and under the head's rules, where they differ."""
        old = self.old.logs.get(kind.name) if self.old is not None else None
        new = self.new.logs.get(kind.name) if self.new is not None else None
        if old is None or new is None or old.schema == new.schema:
            return None
        return Validator(old.schema, old.schema_path), Validator(new.schema, new.schema_path)

    def sides(self, books_of: BooksOf) -> Sides | None:
        """Return what picks references by the base's and by the head's rules, where they differ.

        Each has names of its own, and so runs of its own.

        Args:
            books_of: Where references find other runs.
        """

        def picking(policy: Policy) -> Candidates:
            def books(name: str) -> Sequence[Book]:
                kind = policy.logs.get(name)
                # What was decoded is kept: the names of rules do not change it.
                return [replace(b, kind=kind) for b in books_of(name)] if kind is not None else []

            return Candidates(books)

        return None if self.old is None or self.new is None else (picking(self.old), picking(self.new))

    def turned(self, record: Record, sides: Sides, refused: Collection[str]) -> Iterator[Problem]:
        """Yield a problem for each criterion of which the base's rules think less than the head's.

        Where the base's rules judge, that is an error: the change brings the run and the rule that it needs.
        Runs that the base holds already are left out.

        Args:
            record: The run.
            sides: What picks references by the two sets of rules.
            refused: JSON pointers of values that the schema refuses.
        """
        if self.old is None or self.new is None or not record.appended:
            return
        if self.logged is not None and record.entry.line.raw in self.logged(record.path):
            return
        before = _by_owner(record, self.old, sides[0], refused)
        after = _by_owner(record, self.new, sides[1], refused)
        severity = Severity.ERROR if self.said else Severity.WARNING
        for key, verdict in before.items():
            other = after.get(key)
            rank = _RANK.get(verdict.outcome, 2)
            if rank >= (2 if other is None else _RANK.get(other.outcome, 2)):
                continue
            if other is None:
                now = "which this change takes out"
            elif other.outcome is Outcome.MET:
                now = f"and met only by this change's own rule, {other.expected}"
            elif other.outcome is Outcome.UNKNOWN:
                now = f"and unknown by this change's own rule: {other.explanation}"
            else:
                now = "and this change's rules no longer ask it of this run"
            yield Problem(
                "rules-changed",
                f"{verdict.explanation}: {verdict.outcome.value} by the rules of the base, {now}",
                "change the rule first, in a change of its own; the run is judged by what stood before it",
                verdict.line,
                pointer=verdict.pointer,
                severity=severity,
                criterion=verdict.criterion,
            )


def _by_owner(
    record: Record, policy: Policy, candidates: Candidates, refused: Collection[str]
) -> dict[tuple[str, str], Verdict]:
    """Return the verdicts of a policy by who asks (log kind, type or domain) and criterion."""
    kind = policy.logs.get(record.kind.name)
    if kind is None:
        return {}
    judged = record._replace(kind=kind)
    experiment = policy.experiment_types.get(record.experiment_type or "")
    asked = [
        item.criterion for item in applicable(judged, experiment, policy.domains.get(record.domain or ""))
    ]

    def owner(number: int) -> str:
        for whose, items in (("log", kind.criteria), ("type", experiment.criteria if experiment else ())):
            if any(item is asked[number] for item in items):
                return whose
        return "domain"

    found = verdicts(judged, policy, candidates, refused)
    return {(owner(number), verdict.criterion): verdict for number, verdict in enumerate(found)}


def could_accept(waiver: Waiver, select: Collection[str], runs: Iterable[Run], *, complete: bool) -> bool:
    """Return whether a waiver could have accepted something: what it names was judged, by its rule.

    Args:
        waiver: The waiver.
        select: The rules that report.
        runs: The lines that were judged.
        complete: Whether every line of every log was.
    """
    if waiver.rule not in select or isinstance(BY_ID[waiver.rule], (LogCheck, RulesCheck)):
        return False
    if complete:
        return True
    if waiver.run is not None:
        return any(run.name == waiver.run and waiver.path in (None, run.path) for run in runs)
    return any((run.path, run.line) == (waiver.path, waiver.line) for run in runs)

"""What a line comes to, without words: the severities of its findings, the outcomes of its criteria."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from nsm_gate.checks import BY_ID
from nsm_gate.criteria import Applied, applicable, judge
from nsm_gate.defects import defects
from nsm_gate.findings import waiver_of
from nsm_gate.history import Book, LogInput
from nsm_gate.model import Entry, Problem, Severity, Verdict
from nsm_gate.nouns import TYPE_CHECKING
from nsm_gate.policy import Assertion
from nsm_gate.problems import naming, of_line, of_verdict
from nsm_gate.records import Record
from nsm_gate.tallies import Alone

if TYPE_CHECKING:
    from nsm_gate.engine import Engine

_OF_EARLIER = frozenset({"duplicate-run", "duplicate-record"})


class Weighing:
    """Judges one line of many, as `bulk` and `settling` ask."""

    def __init__(self, engine: Engine) -> None:
        """Judge as an engine does."""
        self._engine = engine

    def alone(
        self,
        log: LogInput,
        index: int,
        checks: Collection[str],
        laws: Sequence[Assertion],
        criteria: Sequence[Applied],
    ) -> Alone | None:
        """Judge a line that decodes by some checks, laws and criteria, as if no other line were there.

        None where the schema refuses values, so that all depends on all.
        """
        book = log.book
        with naming(book.path, index + 1):
            decoded = book.decoded(index)
            if not isinstance(decoded, Entry):
                return None
            record = Record(decoded, book.kind, book.path, True)
            subject = self._engine.subject(book, index, record, 0, enter=None, checks=checks)._replace(
                laws=laws
            )
            found = defects(subject, checks)
            if found.refused or found.roots:
                return None
            problems = list(found.problems)
            outcomes = []
            for applied in criteria:
                verdict = judge(applied, record, _no_reference, brief=True)
                outcomes.append(verdict.outcome)
                problems += of_verdict(verdict, found, None, None)
            return Alone(self.weights(problems, book, record.experiment_type, record.name), outcomes, True)

    def whole(self, log: LogInput, index: int, *, entered: bool) -> Alone:
        """Judge a line by all checks and criteria, for what it comes to alone.

        Args:
            log: Its log.
            index: The line.
            entered: Whether it was entered into the history; if not, it is judged as if no other line were
                there.
        """
        with naming(log.book.path, index + 1):
            return self._whole(log, index, entered=entered)

    def _whole(self, log: LogInput, index: int, *, entered: bool) -> Alone:
        book = log.book
        line, decoded = book.line(index), book.decoded(index)
        problems = list(of_line(line, decoded))
        given: list[Verdict] = []
        record = None
        if isinstance(decoded, Entry):
            record = Record(decoded, book.kind, book.path, True)
            subject = self._engine.subject(book, index, record, 0, enter=False if entered else None)
            problems += self._engine.entry(subject, given, brief=True)
        kind, name = (record.experiment_type, record.name) if record is not None else (None, None)
        return Alone(self.weights(problems, book, kind, name), [v.outcome for v in given], record is not None)

    def repeated(self, log: LogInput, index: int) -> list[tuple[Severity, int | None]]:
        """Judge a line that was entered into the history by the checks alone that ask for earlier lines.

        Return the severity of each problem, and the waiver that accepts it.
        """
        book = log.book
        with naming(book.path, index + 1):
            record = book.record(index)
            if record is None:
                return []
            problems = defects(
                self._engine.subject(book, index, record, 0, enter=False, checks=_OF_EARLIER), _OF_EARLIER
            ).problems
            return self.weights(problems, book, record.experiment_type, record.name)

    def compares(self, record: Record) -> bool:
        """Return whether one of a run's criteria compares it with another run."""
        kind = self._engine.policy.experiment_types.get(record.experiment_type or "")
        domain = self._engine.policy.domains.get(record.domain or "")
        names = {**record.kind.references, **(kind.references if kind else {})}
        return any(
            path[0] in names
            for applied in applicable(record, kind, domain)
            for path in applied.criterion.paths()
        )

    def weights(
        self, problems: Iterable[Problem], book: Book, experiment_type: str | None, name: str | None
    ) -> list[tuple[Severity, int | None]]:
        """Return the severity of each problem that is reported, and the waiver that accepts it."""
        found = [
            self.weigh(p.rule, book, experiment_type, p.run or name, p.line, p.severity) for p in problems
        ]
        return [weight for weight in found if weight[0]]

    def weigh(
        self, rule: str, book: Book, experiment_type: str | None, run: str | None, line: int,
        wish: Severity | None = None,
    ) -> tuple[Severity, int | None]:  # fmt: skip
        """Return the severity of a rule for a line, and the waiver that accepts its finding."""
        if rule not in self._engine.task.select:
            return Severity.IGNORE, None
        severity = self._engine.policy.severity(
            rule, book.kind.name, experiment_type, BY_ID[rule].severity, wish
        )
        if not severity or not self._engine.policy.waivers:
            return severity, None
        return severity, waiver_of(
            rule, run, book.path, line, self._engine.policy, self._engine.task.now.date()
        )


def _no_reference(_name: str) -> None:
    return None

"""Logs of many lines -> a report that says at once what they come to, and makes the rest when asked."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from nsm_gate.best import Best
from nsm_gate.bulk import Bulk
from nsm_gate.history import LogInput
from nsm_gate.lots import Late, Lot, Lots
from nsm_gate.model import Finding, Report
from nsm_gate.nouns import TYPE_CHECKING, Any
from nsm_gate.parts import Part, Parts, stretches
from nsm_gate.proofs.prover import Prover
from nsm_gate.settling import Settling
from nsm_gate.tallies import Details, added
from nsm_gate.weighing import Weighing

if TYPE_CHECKING:
    from nsm_gate.engine import Engine

_OF_LOGS = ("history-rewritten", "not-a-log")


def report(engine: Engine, logs: Sequence[LogInput]) -> Report:
    """Judge the lines of logs, each log's together."""
    with _without_collection():
        return _Many(engine, logs).report()


@contextmanager
def _without_collection() -> Iterator[None]:
    """Leave garbage that refers to itself: there is hardly any, and looking for it takes its time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class _Many:
    def __init__(self, engine: Engine, logs: Sequence[LogInput]) -> None:
        self.engine = engine
        self.logs = logs
        self.lots: list[Lot] = []
        self.kept: list[Any] = []
        self.by_path: dict[str, LogInput] = {}
        self.about: dict[tuple[str, int], list[Finding]] = defaultdict(list)

    def report(self) -> Report:
        engine, task = self.engine, self.engine.task
        for log in self.logs:
            task.begin(log.book.path)
            self.log(log)
        engine.of_rules()
        lots = Lots(self.lots, engine.findings, self.details, self.everything, engine.order)
        return engine.made(Late(lots, 0), Late(lots, 1), Late(lots, 2), lots)

    def log(self, log: LogInput) -> None:
        engine, book = self.engine, log.book
        first = len(engine.findings)
        judged = engine.log(log)
        if not judged:
            return
        lines = set(judged)
        loose = []
        for finding in engine.findings[first:]:
            if finding.rule not in _OF_LOGS and finding.line - 1 in lines:
                self.about[finding.path, finding.line].append(finding)
            else:
                loose.append(finding)
        engine.findings[first:] = loose
        prover, judge = Prover(book.kind, engine.policy, engine.task.now), Weighing(engine)
        if engine.pays(len(judged)):
            prover.learn(book.lines, judged)
        bulk = Bulk(log, judged, engine.policy, prover, judge)
        settling = Settling(log, judged, engine.policy, prover, judge)
        parts = Parts(self._looked_at(bulk, len(judged)))
        whole = len(judged) == len(book.lines) and len(engine.task.books_of(book.kind.name)) == 1

        def tell() -> None:
            """Tell the candidates what is known of this log, so that nobody has to read it for them."""
            keys, told = settling.told(parts.all())
            for reference, facts in zip(settling.sources, told, strict=True):
                if facts is not None:
                    engine.candidates.tell(book, reference, keys, facts)

        if whole:
            engine.candidates.offer(book.path, tell)
        best = Best(book.path, settling.sources, engine.candidates, whole=whole)
        lot = Lot(book.path, judged, lambda index: engine.run(log, index))
        # Lines are put in order while others are still looked at.
        for index, row in settling.settle(
            parts, engine.history(book), best, engine.used, lambda: engine.candidates.hear(book.path)
        ):
            for finding in self.about.get((book.path, index + 1), ()) if self.about else ():
                row = added(row, finding.severity, waived=finding.waived is not None)
            lot.take(row)
        self.lots.append(lot)
        self.kept.append((parts, bulk, settling, best))
        self.by_path[book.path] = log

    def _looked_at(self, bulk: Bulk, count: int) -> Iterator[Part]:
        engine = self.engine
        for part in engine.task.spread(bulk.look, stretches(count)):
            engine.used |= part.used
            engine.count += len(part.facts)
            engine.task.tick(engine.count)
            yield part

    def details(self, path: str, index: int) -> Details:
        """Judge a line once more, in full."""
        made = self.engine.details(self.by_path[path], index)
        return made._replace(findings=(*self.about.get((path, index + 1), ()), *made.findings))

    def everything(self) -> Iterable[Details]:
        """Judge every line once more, in full."""
        for lot in self.lots:

            def work(start: int, stop: int, lot: Lot = lot) -> list[Details]:
                return [self.details(lot.path, lot.lines[position]) for position in range(start, stop)]

            for made in self.engine.task.spread(work, stretches(len(lot.lines))):
                yield from made

"""A query over logs -> its answer as rows: what `nsm-gate runs` prints and `read_runs` returns."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from nsm_gate.commands.asking import Asked, NameCheck, WordCheck, query_of, term_of
from nsm_gate.commands.open_logs import STDIN, OpenLogs, StandardInput
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace, opened
from nsm_gate.directions import directions
from nsm_gate.errors import GateError
from nsm_gate.expressions import Name
from nsm_gate.flat import spelled
from nsm_gate.groups import compared, counted, measures
from nsm_gate.listing import Listing
from nsm_gate.names import plural
from nsm_gate.nouns import NamedTuple, replace
from nsm_gate.pointers import show
from nsm_gate.policy import Policy
from nsm_gate.queries import Answer, Collector, Query, Row, chosen
from nsm_gate.terms import Term, terms
from nsm_gate.values import UNKNOWN, is_number
from nsm_gate.vocabulary import OF_VERDICTS, Vocabulary

Ways = Mapping[tuple[str, ...], bool]


class Source(NamedTuple):
    """Where a query looks.

    Attributes:
        logs: Logs and folders, as they are typed; `-` alone is standard input, nothing every log of runs.
        kind: The log kind that is meant.
        config: Another configuration than the repository's.
    """

    logs: Sequence[str] = ()
    kind: str | None = None
    config: str | None = None


class Answered(NamedTuple):
    """The answer, what is to be said beside it, and what it was read from.

    Attributes:
        notes: What was left out.
        policy: The rules in force.
        places: The files that were read.
    """

    listing: Listing
    notes: Sequence[str]
    policy: Policy
    places: Sequence[str]


def answered(
    source: Source, asked: Asked, world: Surroundings, *, exact: bool, people: bool = False
) -> Answered:
    """Read logs, and return what a query asks for.

    Args:
        source: Where to look.
        asked: The query.
        world: Where the command runs.
        exact: Whether whole entries or exact numbers are wanted: then the lines are kept.
        people: Whether people read it: then the usual columns are read where none is asked for.

    Raises:
        GateError: The query or the logs are wrong; `GateErrors` where several things are.
    """
    query = query_of(asked)
    judge = any(name[0] in OF_VERDICTS for name in query.names)
    stdin = list(source.logs) == ["-"]
    with opened(world, () if stdin else source.logs) as space:
        policy = space.policy(space.work, source.config)
        logs = (
            StandardInput(policy, world, source.kind, twice=judge)
            if stdin
            else OpenLogs(space, policy, world, source.kind)
        )
        return _Question(query, policy, logs, exact=exact, people=people).answer(space, world)


class _Question:
    def __init__(self, query: Query, policy: Policy, logs: OpenLogs, *, exact: bool, people: bool) -> None:
        self.policy = policy
        self.logs = logs
        self.exact = exact
        self.asked = query
        self.ways: Ways = directions(policy, logs.kinds.values())
        metrics = query.columns or tuple(self._metrics())
        columns = query.columns or tuple(self._usual(query) if people else ())
        if query.group_by:
            columns = (term_of("run"), *(term for term in metrics if term.text != "run"))
        self.metrics = metrics
        self.query = replace(query, columns=() if query.count_by else columns)

    def answer(self, space: Workspace, world: Surroundings) -> Answered:
        query, kinds = self.query, self.logs.kinds
        largest = self._largest(query)
        words = {name: Vocabulary(kind, self.policy) for name, kind in kinds.items()}
        check = NameCheck(query, words, self.policy)
        if any(each.asks_verdicts(name) for each in words.values() for name in query.names):
            from nsm_gate.commands.judged_logs import by_line, judged

            verdicts = by_line(judged(space, self.policy, self.logs.logs, world))
            words = {name: Vocabulary(kind, self.policy, verdicts) for name, kind in kinds.items()}
        several = len(self.logs.logs) > 1
        collector = Collector(query, words, several=several, raw=self.exact)
        seen = WordCheck(query, self.policy)
        for record in self.logs.records():
            check.look(record)
            seen.look(record)
            collector.take(record)
        check.finish()
        seen.finish()
        answer = collector.answer()
        if answer.odd is not None:
            term, value = answer.odd
            hint = f"compare it, or ask known({term.text})"
            raise GateError(f"{term.text!r} gives {show(value)}, neither true nor false", hint, "--where")
        rows = chosen(answer.rows, query, largest)
        places = [os.path.join(space.root, log.path) for log in self.logs.logs if log.path != STDIN]
        return Answered(self._listing(rows, answer, words), self.logs.notes, self.policy, places)

    # --- what is shown --------------------------------------------------------------------------

    def _listing(self, rows: Sequence[Row], answer: Answer, words: Mapping[str, Vocabulary]) -> Listing:
        query = self.query
        facts = self._facts(rows, answer)
        if query.count_by:
            groups = counted(rows, query.count_by)
            columns = (*(term.text for term in query.count_by), "count")
            return Listing("groups", columns, columns, [group.values for group in groups], facts)
        if query.group_by:
            return self._comparison(rows, facts)
        columns = tuple(term.text for term in query.columns)
        readers = {name: each.reader(query.names) for name, each in words.items()}
        values = [row.values for row in rows]
        shown = columns if self.asked.columns else tuple(_filled(columns, values))
        return Listing(
            "runs", columns, shown, values, facts, not self.asked.columns, rows, query.columns, readers
        )

    def _comparison(self, rows: Sequence[Row], facts: Sequence[str]) -> Listing:
        query = self.query
        metrics = self.metrics
        if not self.asked.columns:
            metrics = tuple(m for m in metrics if any(is_number(row.values[m.text]) for row in rows))
        better = {m.text: way for m in metrics if (way := self._way(m)) is not None}
        groups = compared(rows, query.group_by, metrics, better)
        first = (*(term.text for term in query.group_by), "count")
        every = [name for metric in metrics for name in measures(metric.text, better.get(metric.text))]
        shown = [
            f"{metric.text}.{part}"
            for metric in metrics
            for part in (("mean", "best") if metric.text in better else ("mean", "min", "max"))
        ]
        return Listing("groups", (*first, *every), (*first, *shown), [g.values for g in groups], facts)

    def _facts(self, rows: Sequence[Row], answer: Answer) -> list[str]:
        word = "line" if self.query.all_lines else "run"
        count = plural(answer.runs, word)
        of = count if len(rows) == answer.runs else f"{len(rows):,} of {count}"
        paths = [log.path for log in self.logs.logs]
        facts = [f"{of} · {paths[0] if len(paths) == 1 else plural(len(paths), 'log')}"]
        if answer.unknown:
            facts[0] += f" · --where is unknown for {plural(answer.unknown, word)}"
        ranked = [self.query.best.term] if self.query.best else []
        for term in (*ranked, *self.query.sort, *(self.metrics if self.query.group_by else ())):
            of_kinds = (spelled(row.places[term.text], row.kind) for row in answer.rows if _stands(row, term))
            places = Counter(of_kinds).most_common()
            if len(places) > 1:
                said = ", ".join(f"{place} in {plural(count, word)}" for place, count in places)
                facts.append(f"{term.text} is {said}")
        return list(dict.fromkeys(facts))

    def _usual(self, query: Query) -> Iterable[Term]:
        """Return the columns that are shown where none is asked for, as far as they hold anything."""
        kinds = list(self.logs.kinds.values())
        names = ["run"]
        for kind in kinds:
            # What names a run besides its name: branch and commit of a baseline.
            names += [spelled(path, kind) for path in kind.key if path != kind.run_id]
        words = {"status": "status", "experiment_type": "experiment_type", "domain": "domain"}
        names += [word for word, place in words.items() if any(getattr(kind, place) for kind in kinds)]
        names += ["log"] if len(self.logs.logs) > 1 else []
        ranked = (query.best.term,) if query.best else ()
        usual = [*(terms(name)[0] for name in dict.fromkeys(names)), *self._metrics()]
        return {term.text: term for term in (*usual, *query.per, *ranked, *query.sort)}.values()

    def _metrics(self) -> Iterable[Term]:
        """Return the metrics that criteria ask for, by the names that every experiment type shares."""
        names = [name for kind in self.logs.kinds.values() for name in kind.names if (name,) in self.ways]
        return [term_of(name) for name in dict.fromkeys(names)]

    # --- which way is better --------------------------------------------------------------------

    def _way(self, term: Term) -> bool | None:
        return self.ways.get(term.node.path) if isinstance(term.node, Name) else None

    def _largest(self, query: Query) -> bool:
        if query.best is None:
            return True
        way = self._way(query.best.term) if query.best.largest is None else query.best.largest
        if way is None:
            text = query.best.term.text
            fact = f"whether more or less of {text!r} is better is not known"
            raise GateError(fact, f"write --best 'max({text})' or --best 'min({text})'")
        return way


def _stands(row: Row, term: Term) -> bool:
    return term.text in row.places and row.values[term.text] is not UNKNOWN


def _filled(columns: Sequence[str], values: Sequence[Mapping[str, object]]) -> Iterable[str]:
    """Yield the columns that hold something in some row; the first always."""
    for number, column in enumerate(columns):
        if number == 0 or any(row[column] is not UNKNOWN for row in values):
            yield column

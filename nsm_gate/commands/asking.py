"""A query as it is typed -> what it asks for: names are held against the formats, and against the runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from nsm_gate.edge.name_check import Names
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.expressions import Name
from nsm_gate.names import nearest, suggestion
from nsm_gate.nouns import NamedTuple, TypeVar
from nsm_gate.parser import ExpressionError, parse
from nsm_gate.pointers import dotted
from nsm_gate.policy import Policy
from nsm_gate.queries import Query
from nsm_gate.records import Record
from nsm_gate.terms import Best, Term, best, terms
from nsm_gate.vocabulary import OF_VERDICTS, Vocabulary, has, members_at

Parsed = TypeVar("Parsed")
_STATUSES = ("running", "completed", "failed")
_MOST_MEMBERS = 1000
"""Members of entries that are kept to say which one was probably meant."""


class Asked(NamedTuple):
    """What the command line, or a caller, asks for, as text."""

    where: Sequence[str] = ()
    status: str | None = None
    domain: str | None = None
    experiment_type: str | None = None
    best: str | None = None
    last: int | None = None
    per: str | None = None
    sort: str | None = None
    limit: int | None = None
    columns: str | None = None
    count_by: str | None = None
    group_by: str | None = None
    all_lines: bool = False


def query_of(asked: Asked) -> Query:
    """Return the query; its names are not looked at yet.

    Raises:
        GateErrors: All expressions that do not parse, and options that contradict each other.
    """
    errors = list(_contradictions(asked))

    def parsed(option: str, text: str, parse: Callable[[str], Parsed], otherwise: Parsed) -> Parsed:
        try:
            return parse(text)
        except ExpressionError as error:
            errors.append(GateError(str(error), error.hint, option, None, error.column))
            return otherwise

    def several(option: str, text: str | None, *, signed: bool = False) -> tuple[Term, ...]:
        nothing: tuple[Term, ...] = ()
        return nothing if text is None else parsed(option, text, lambda t: terms(t, signed=signed), nothing)

    tests = [parsed("--where", text, _test, None) for text in asked.where]
    picked: Best | None = None
    if asked.best is not None:
        picked = parsed("--best", asked.best, best, None)
    made = Query(
        tuple(test for test in tests if test is not None),
        asked.status, asked.domain, asked.experiment_type, picked, asked.last,
        several("--per", asked.per), several("--sort", asked.sort, signed=True), asked.limit,
        several("--columns", asked.columns), several("--count-by", asked.count_by),
        several("--group-by", asked.group_by), asked.all_lines,
    )  # fmt: skip
    if errors:
        raise GateErrors(tuple(errors))
    return made


def _test(text: str) -> Term | None:
    return Term(text.strip(), parse(text))


def _contradictions(asked: Asked) -> Iterable[GateError]:
    for option, count in (("--last", asked.last), ("--limit", asked.limit)):
        if count is not None and count < 1:
            yield GateError(f"{option} {count} asks for nothing", "give a number from 1 on")
    grouped = [("--count-by", asked.count_by), ("--group-by", asked.group_by)]
    if all(value is not None for _, value in grouped):
        yield GateError("--count-by and --group-by ask for different tables", "give one of them")
    if asked.best is not None and asked.last is not None:
        yield GateError("--best and --last both choose among the runs", "give one of them")
    if asked.per is not None and asked.best is None and asked.last is None:
        yield GateError("--per says of which groups", "give --best or --last with it")
    if asked.count_by is not None and (asked.columns is not None or asked.sort is not None):
        yield GateError("--count-by has columns and an order of its own", "leave --columns and --sort out")
    if asked.group_by is not None and asked.sort is not None:
        yield GateError("--group-by has an order of its own", "leave --sort out")


# --- names ------------------------------------------------------------------------------------------


class NameCheck:
    """Names that no format declares: some run must have them, or the query is a slip.

    A rule is refused for a name that no run can have, before there is any; a query has the runs before it.
    """

    def __init__(self, query: Query, vocabularies: Mapping[str, Vocabulary], policy: Policy) -> None:
        """Find the names that nothing declares.

        Raises:
            GateError: A name can be in no run whatever the log holds.
        """
        self._policy = policy
        self._vocabularies = list(vocabularies.values())
        undeclared = {
            name for name in query.names if not any(each.knows(name) for each in self._vocabularies)
        }
        for name in sorted(undeclared):
            if name[0] in OF_VERDICTS and any(each.asks_verdicts(name) for each in self._vocabularies):
                words = {word for each in self._vocabularies for word in each.words(())}
                near = [word for word in sorted(words) if word.startswith(f"{name[0]}.")]
                hint = suggestion(dotted(name), near) or f"there is {', '.join(near[:8])}"
                raise GateError(f"no verdict is called {dotted(name)!r}", hint)
        self._missing = undeclared
        self._seen: dict[tuple[str, ...], set[str]] = {name[:-1]: set() for name in undeclared}
        self._any = False

    def look(self, record: Record) -> None:
        """Look for the names in an entry."""
        self._any = True
        if self._missing:
            self._missing = {name for name in self._missing if not has(record, name)}
            for above, members in self._seen.items():
                if len(members) < _MOST_MEMBERS:
                    members.update(members_at(record, above))

    def finish(self) -> None:
        """Refuse the names that no run has; where there is no run, those that none can have."""
        wrong = [
            GateError(*self._fault(name)) for name in sorted(self._missing) if self._any or self._never(name)
        ]
        if wrong:
            raise GateErrors(tuple(wrong))

    def _never(self, name: tuple[str, ...]) -> bool:
        metrics = {metric for domain in self._policy.domains.values() for metric in domain.metrics}
        kinds = [each.kind for each in self._vocabularies]
        return all(Names(kind, self._policy.logs, {}, metrics).fault(name) is not None for kind in kinds)

    def _fault(self, name: tuple[str, ...]) -> tuple[str, str]:
        shown = dotted(name)
        fact = f"no run has {shown!r}"
        for each in self._vocabularies:
            run = each.kind.run
            if run and name[: len(run)] == run and len(name) > len(run):
                return fact, f"write {dotted(name[len(run) :])}: names start at {dotted(run)}"
            if each.is_reference(name):
                hint = f"{name[0]} is a reference of criteria: nsm-gate show RUN --diff {name[0]} compares"
                return fact, hint
        above = name[:-1]
        words = {word for each in self._vocabularies for word in each.words(above)} | self._seen[above]
        near = nearest(name[-1], words)
        if near is not None:
            return fact, f"did you mean {dotted((*above, near))!r}?"
        return fact, "nsm-gate runs --last 1 --output-format json shows what a run has"


class _Word(NamedTuple):
    what: str
    word: str
    known: set[str]
    read: Callable[[Record], str | None]


class WordCheck:
    """A status, domain or experiment type that the policy does not know: some run must have it."""

    def __init__(self, query: Query, policy: Policy) -> None:
        """Find the words that are asked for and not known."""
        asked = (
            ("status", query.status, _STATUSES, lambda record: record.status),
            ("domain", query.domain, policy.domains, lambda record: record.domain),
            (
                "experiment type", query.experiment_type, policy.experiment_types,
                lambda record: record.experiment_type,
            ),
        )  # fmt: skip
        # What the policy knows is no slip, whether a run has it or not.
        self._asked = [
            _Word(what, word, set(known), read)
            for what, word, known, read in asked
            if word is not None and word not in known
        ]

    def look(self, record: Record) -> None:
        """Take the words of an entry."""
        for asked in self._asked:
            word = asked.read(record)
            if word is not None:
                asked.known.add(word)

    def finish(self) -> None:
        """Refuse a word that neither the policy nor a run has."""
        for asked in self._asked:
            if asked.word not in asked.known:
                options = sorted(asked.known)
                hint = suggestion(asked.word, options) or f"there is {', '.join(options[:12])}"
                raise GateError(f"no run has the {asked.what} {asked.word!r}", hint)


def term_of(name: str) -> Term:
    """Return the term that reads one name."""
    return Term(name, Name((name,)))

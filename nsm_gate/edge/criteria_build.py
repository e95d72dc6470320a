"""YAML nodes -> criteria, references and assertions, with every mistake collected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal

from nsm_gate.errors import GateError
from nsm_gate.expressions import Arithmetic, Both, Call, Comparison, Literal, Name
from nsm_gate.expressions import Node as Expression
from nsm_gate.functions import FUNCTIONS
from nsm_gate.model import Path
from nsm_gate.nouns import dataclass, field
from nsm_gate.parser import ExpressionError, parse, parse_test
from nsm_gate.parser import state as state_test
from nsm_gate.pointers import COUNT
from nsm_gate.policy import Assertion, Branch, Criterion, Reference, UseDomain
from nsm_gate.strict_yaml import Node
from nsm_gate.values import Value, decimal

_PICK = re.compile(r"(max|min)\((.+)\)")
_QUOTED = 200  # characters of an expression that a message quotes
_PERCENT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*%")
_OPERATORS = {"above": ">", "below": "<", "at_least": ">=", "at_most": "<="}
_BESIDE = {
    **dict.fromkeys(_OPERATORS, ("by", "standard_errors", "when")),
    "series": ("is", "tolerance", "bumps", "last", "when"),
    "use": (),
}
"""What may stand beside a form of criterion, where it is not only when."""
_QUOTE = 'put the test in quotes, "> 0.55", or write {above: 0.55}'


@dataclass
class Builder:
    """Turns nodes into rules; what cannot be turned is a mistake in `errors`.

    Attributes:
        references: Those in reach of what is being built: another type's of the same name is nothing to it.
        scope: What is being built: `log`, `experiment_type`, `domain` or `reference`, and its name; of a
            reference also the log kind that it is picked from, and whose it is.
        read: Every expression with its scope, its place and the references in reach, so that its names
            can be held against schemas.
    """

    references: Mapping[str, Node] = field(default_factory=dict)
    errors: list[GateError] = field(default_factory=list)
    scope: tuple[str, ...] = ("", "")
    read: list[tuple[tuple[str, ...], Node, Expression, Mapping[str, Node]]] = field(default_factory=list)

    def expression(self, node: Node, own: tuple[str, ...] | None = None, shift: int = 0) -> Expression | None:
        """Parse a text node; a test of `own` is allowed where it is given.

        Args:
            node: The text.
            own: Name of the criterion.
            shift: How many characters the text has before what the file says.
        """
        if not isinstance(node.value, str) or (node.block and not node.value.strip()):
            self.errors.append(node.error("a test is expected as text", _QUOTE))
            return None
        bare = {name: (name, *own) for name in self.references} if own else {}
        try:
            parsed = parse_test(node.value, own, bare) if own else parse(node.value)
        except ExpressionError as error:
            shown = " ".join(node.value.split())
            shown = shown if len(shown) <= _QUOTED else f"{shown[: _QUOTED - 1]}…"
            self.errors.append(node.inside(f"{error} in {shown!r}", error.hint, error.column - shift))
            return None
        self.read.append((self.scope, node, parsed, self.references))
        return parsed

    def criteria(self, parent: Node | None) -> tuple[Criterion | UseDomain, ...]:
        """Return the criteria of a `criteria:` mapping."""
        built = []
        for name, node in parent.items() if parent else ():
            item = self.criterion(name, node)
            if item is not None:
                built.append(item)
        return tuple(built)

    def criterion(self, name: str, node: Node) -> Criterion | UseDomain | None:
        """Return one criterion, in any of its forms."""
        if isinstance(node.value, str):
            return self._finish(name, node, self._branch(name, node))
        if not isinstance(node.value, dict):
            self.errors.append(node.error("a test is expected as text", _QUOTE))
            return None
        for key in ("by", "standard_errors"):
            if key in node.value and not _OPERATORS.keys() & node.value.keys():
                hint = "give it beside above, below, at_least or at_most"
                self.errors.append(node.error(f"{key} belongs to a threshold", hint))
                return None
        forms = [key for key in ("assert", *_OPERATORS, "first", "series", "use") if key in node.value]
        if len(forms) != 1:
            what = " and ".join(forms) if forms else "no test"
            hint = "write one of assert, above, below, at_least, at_most, first, series with is, use"
            self.errors.append(node.error(f"criterion {name!r} has {what}", hint))
            return None
        form = forms[0]
        inner = node.value[form]
        idle = [key for key in node.value if key not in (form, "source", *_BESIDE.get(form, ("when",)))]
        for key in idle:
            fact = f"{key} means nothing beside {form}"
            self.errors.append(GateError(fact, "take it out", node.path, *node.keys[key]))
        if idle:
            return None
        if form == "use":
            return UseDomain(name)
        if form == "first":
            return self._finish(name, node, self._branches(name, inner))
        if form == "series":
            return self._finish(name, node, self._series(node, inner), subject=inner.value)
        if form == "assert":
            return self._finish(name, node, self._branch(name, inner))
        return self._finish(name, node, self._threshold(name, node, form))

    def _threshold(self, name: str, node: Node, form: str) -> list[Branch] | None:
        """Return the test of a threshold, moved by what it is to be cleared by."""
        inner = node.value[form]
        threshold = inner.value
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float, str)):
            self.errors.append(inner.error(f"{form} needs a number or an expression"))
            return None
        operator = _OPERATORS[form]
        shift = len(operator) + 1
        text = Node(f"{operator} {inner.text or threshold}", inner.path, inner.line, inner.column)
        text.quoted = inner.quoted
        made = self._branch(name, text, shift)
        if made is None or not isinstance(made[0].test, Comparison):
            return None
        bar = made[0].test.rest[0][1]
        expected = made[0].expected
        sign = "+" if operator[0] == ">" else "-"
        by, errors = node.get("by"), node.get("standard_errors")
        if by is not None:
            distance = _distance(by, bar)
            if distance is None:
                hint = "write by: 0.01, or by: 5% of the threshold"
                self.errors.append(by.error(f"{by.value!r} is no distance", hint))
                return None
            bar = Arithmetic(sign, bar, distance)
            expected += f" by {by.text or by.value}"
        if errors is not None:
            count = Literal(decimal(errors.value), str(errors.value))
            error = Call("standard_error", (Name((name,)), Name((COUNT, name))), ())
            bar = Arithmetic(sign, bar, Arithmetic("*", count, error))
            expected += f" by {errors.value} standard error{'s' * (errors.value != 1)}"
        test = Comparison(Name((name,)), ((operator, bar),))
        if errors is not None:
            self.read.append((self.scope, errors, test, self.references))
        return [Branch(None, test, expected)]

    def _branch(self, name: str, node: Node, shift: int = 0) -> list[Branch] | None:
        test = self.expression(node, (name,), shift)
        if test is not None and not list(test.paths()):
            shown = " ".join(str(node.value).split())
            # A block of text is what became of an unquoted >.
            hint = _QUOTE if node.block else f'compare something of the run: "> {shown}"'
            self.errors.append(node.error("a test that looks at nothing of the run", hint))
            return None
        return None if test is None else [Branch(None, test, " ".join(str(node.value).split()))]

    def _branches(self, name: str, node: Node) -> list[Branch] | None:
        built: list[Branch] = []
        for index, item in enumerate(node.value):
            last = index == len(node.value) - 1
            keys = set(item.value)
            if keys != {"if", "then"} and not (keys == {"else"} and last):
                self.errors.append(item.error("a branch is {if: ..., then: ...}, the last one {else: ...}"))
                return None
            test = item.value["then"] if "then" in keys else item.value["else"]
            made = self._branch(name, test)
            condition = self.expression(item.value["if"]) if "if" in keys else None
            if made is None or ("if" in keys and condition is None):
                return None
            built.append(Branch(condition, made[0].test, made[0].expected))
        return built

    def _series(self, node: Node, series: Node) -> list[Branch] | None:
        state = node.get("is")
        if state is None:
            self.errors.append(node.error("a series needs is", "add is: decreasing"))
            return None
        word = str(state.value)
        options = [(key, node.value[key]) for key in ("tolerance", "bumps", "last") if key in node.value]
        for key, option in options:
            if key not in FUNCTIONS[word].options:
                self.errors.append(option.error(f"{word} has no {key}", f"write {FUNCTIONS[word].usage}"))
                return None
        given = tuple((key, Literal(_exact(option), option.text)) for key, option in options)
        test = state_test(word, tuple(str(series.value).split(".")), given)
        self.read.append((self.scope, series, test, self.references))
        said = ", ".join(f"{key} {option.text or option.value}" for key, option in options)
        return [Branch(None, test, f"{word} ({said})" if said else word)]

    def _finish(
        self, name: str, node: Node, branches: list[Branch] | None, subject: str | None = None
    ) -> Criterion | None:
        when = node.get("when")
        condition = self.expression(when) if when else None
        if branches is None or (when and condition is None):
            return None
        source = node.get("source")
        plain = node.plain()
        if isinstance(plain, dict):
            plain.pop("source", None)
        parts = [part for branch in branches for part in (branch.test, branch.condition) if part]
        used = {
            path[0]: _law_of(self.references[path[0]])
            for part in (*parts, *([condition] if condition else ()))
            for path in part.paths()
            if path[0] in self.references
        }
        law = _text_of([*self.scope[:2], name, plain, used])
        observed = tuple(subject.split(".")) if subject else _subject(name, branches)
        return Criterion(
            name,
            tuple(branches),
            condition,
            observed,
            str(source.value) if source else "",
            f"{node.path}:{node.line}",
            law,
        )

    def reference(self, name: str, node: Node) -> Reference | None:
        """Return a declared reference of the log kind or type that is being built."""
        where = node.get("where")
        owner = self.scope
        self.scope = ("reference", name, str(node.value["from"].value), *owner)
        condition = self.expression(where) if where else None
        self.scope = owner
        pick = _PICK.fullmatch(str(node.value["pick"].value))
        if pick is None or (where and condition is None):
            return None
        for path in condition.paths() if condition else ():
            if path[0] in self.references and where:
                fact = f"{path[0]!r} is a reference, and a reference cannot look at another"
                hint = "compare the candidate's own members, and those of the judged run: this.accuracy"
                self.errors.append(where.inside(fact, hint, max(1, where.text.find(path[0]) + 1)))
                return None
        same = node.get("same")
        said = node.get("description")
        return Reference(
            name,
            str(node.value["from"].value),
            condition,
            tuple(tuple(str(item.value).split(".")) for item in same.value) if same else (),
            pick[1],
            tuple(pick[2].split(".")),
            f"{node.path}:{node.line}",
            str(node.value["none"].value),
            str(said.value) if said else "",
            _text_of(_law_of(node)),
            *_split(condition),
        )

    def assertion(self, name: str, node: Node, run: Path) -> Assertion | None:
        """Return a declared law between fields."""
        test = self.expression(node.value["assert"])
        when = node.get("when")
        condition = self.expression(when) if when else None
        if test is None or (when and condition is None):
            return None
        hint = node.get("hint")
        return Assertion(
            name,
            test,
            condition,
            absolute(str(node.value["at"].value), run),
            str(node.value["message"].value),
            str(hint.value) if hint else "",
            f"{node.path}:{node.line}",
            _text_of({key: inner.plain() for key, inner in node.items() if key not in ("message", "hint")}),
        )


def _split(
    where: Expression | None,
) -> tuple[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...], Expression | None]:
    """Return the equalities of a candidate's path and one of `this`, and what else a condition asks.

    Runs that agree in the former can be looked up, rather than looked at one by one.
    """
    parts = where.items if isinstance(where, Both) else (where,) if where is not None else ()
    pairs, rest = [], []
    for part in parts:
        sides = (part.first, part.rest[0][1]) if isinstance(part, Comparison) and len(part.rest) == 1 else ()
        paths = [side.path for side in sides if isinstance(side, Name)]
        ours = [path[1:] for path in paths if path[0] == "this" and len(path) > 1]
        theirs = [path for path in paths if path[0] != "this"]
        if isinstance(part, Comparison) and part.rest[0][0] == "==" and len(ours) == len(theirs) == 1:
            pairs.append((theirs[0], ours[0]))
        else:
            rest.append(part)
    return tuple(pairs), Both(tuple(rest)) if len(rest) > 1 else rest[0] if rest else None


def _text_of(law: object) -> str:
    return json.dumps(law, sort_keys=True, separators=(",", ":"))


def _exact(node: Node) -> Value:
    """Return a number as it is written."""
    return Decimal(node.text) if isinstance(node.value, float) else node.value


def _distance(node: Node, bar: Expression) -> Expression | None:
    """Return what a threshold is to be cleared by: a number, or a share of the threshold's size."""
    if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return Literal(_exact(node), node.text)
    share = _PERCENT.fullmatch(str(node.value))
    if share is None:
        return None
    return Arithmetic("*", Call("abs", (bar,), ()), Literal(Decimal(share[1]).scaleb(-2), node.text))


def _law_of(reference: Node) -> object:
    """Return what of a reference decides."""
    plain = reference.plain()
    return {key: value for key, value in plain.items() if key != "description"} if plain else plain


def absolute(text: str, run: Path) -> Path:
    """Return a run-relative dotted path from the entry's root."""
    members = tuple(text.split("."))
    return members[1:] if members[0] == "entry" else run + members


def _subject(name: str, branches: list[Branch]) -> tuple[str, ...] | None:
    """Return the criterion's own name where every branch tests just that, else None."""
    for branch in branches:
        reads = list(branch.test.paths())
        if reads != [(name,)]:
            others = [path for path in reads if path != (name,)]
            if (name,) not in reads or any(path[1:] != (name,) for path in others):
                return None
    return (name,)

"""Read a mapping: its YAML, its shape, and every name in it. All mistakes are reported at once."""

from __future__ import annotations

import re

from nsm_gate.conversions import STEPS, Clock, Step, zone
from nsm_gate.edge.name_check import Names
from nsm_gate.edge.shapes import check_shape, own_schema
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.expressions import Node as Expression
from nsm_gate.mapping import ABSENT, Computed, Constant, Field, From, Now, Origin, Parts, Plan, Source
from nsm_gate.names import suggestion
from nsm_gate.nouns import Any
from nsm_gate.parser import ExpressionError, parse
from nsm_gate.pointers import COUNT
from nsm_gate.policy import LogKind, Policy
from nsm_gate.schema import Validator
from nsm_gate.strict_yaml import Node, load

SCHEMA = "mapping.schema.json"
_YEAR = re.compile("%[YyGcx]")
_ORIGINS = ("from", "all", "value", "expr")
_ONE_ORIGIN = "give one of from, all, value and expr, or now: true"


def read_mapping(data: bytes, path: str, policy: Policy) -> Plan:
    """Return the mapping that a file holds.

    Args:
        data: Its content.
        path: Its name for messages.
        policy: The rules, with the log kind that it leads to.

    Raises:
        GateErrors: All its mistakes.
    """
    root, mistakes = load(data, path)
    if root is not None and not mistakes and not isinstance(root.value, dict):
        mistakes = [root.error("the file is not a mapping", "write `key: value` lines")]
    if root is not None and not mistakes:
        mistakes = check_shape(root, Validator(own_schema(SCHEMA), path))
    if root is None or mistakes:
        raise GateErrors(tuple(mistakes))
    return _Reader(root, policy).plan()


class _Reader:
    def __init__(self, root: Node, policy: Policy) -> None:
        self.root = root
        self.policy = policy
        self.errors: list[GateError] = []
        self.places: dict[str, tuple[int, int]] = {}

    def plan(self) -> Plan:
        root = self.root
        name = root.value["to"]
        kind = self.policy.logs.get(str(name.value))
        if kind is None:
            hint = suggestion(str(name.value), self.policy.logs)
            hint = hint or f"the policy knows {', '.join(self.policy.logs)}"
            self.errors.append(name.error(f"no log kind is called {name.value!r}", hint))
        fields = []
        for target, node in root.value["fields"].items():
            self.places = {}
            place = root.value["fields"].keys[target]
            if kind is not None:
                self.errors += self.misplaced(kind, target, place)
            source = self.source(node)
            fields.append(Field(tuple(target.split(".")), source, place, dict(self.places)))
        where = root.get("where")
        test = self.expression(where) if where is not None else None
        nulls = root.get("nulls")
        form = self.word("from", "")
        if root.get("delimiter") is not None and form != "csv":
            fact = "delimiter is for CSV"
            self.errors.append(root.value["delimiter"].error(fact, "add from: csv, or leave it out"))
        if self.errors:
            raise GateErrors(tuple(sorted(self.errors, key=lambda e: (e.line or 0, e.column or 0))))
        return Plan(
            root.path, str(name.value), form, self.word("delimiter", ","),
            frozenset(str(item.value) for item in nulls.value) if nulls else frozenset(),
            self.word("nan_is_null", False) is True, test, tuple(fields),
            (where.line, where.column) if where else (1, 1),
        )  # fmt: skip

    def word(self, name: str, default: Any) -> Any:
        node = self.root.get(name)
        return default if node is None else node.value

    def misplaced(self, kind: LogKind, target: str, place: tuple[int, int]) -> list[GateError]:
        """Return the mistake of a target that no entry of the log kind can have."""
        path = tuple(target.split("."))
        if "" in path:
            fact, hint = f"{target!r} is no path", "write member names with dots between them"
            return [GateError(fact, hint, self.root.path, *place)]
        metrics = {metric for domain in self.policy.domains.values() for metric in domain.metrics}
        if path[:-1] == kind.run and path[-1] in metrics:
            return []
        fault = Names(kind, {}, {}, metrics).place_fault(path, target)
        if fault is None:
            return []
        near = fault[1] if fault[1].startswith("did you mean") else "leave it out, or add it to the schema"
        return [GateError(fault[0], near, self.root.path, *place)]

    # --- sources ------------------------------------------------------------------------------------

    def source(self, node: Node) -> Source:
        """Return what a field says of its value; mistakes are kept."""
        if isinstance(node.value, str):
            return Source(self.read(node))
        given = [name for name in _ORIGINS if name in node.value]
        now = node.get("now")
        wanted = now is not None and now.value is True
        if len(given) > 1 or (not given and not wanted):
            place = node.keys.get(given[1]) if given else None
            fact = f"{given[0]} and {given[1]} both say where the value comes from" if given else ""
            fact = fact or "nothing says where the value comes from"
            line, column = place or (node.line, node.column)
            self.errors.append(GateError(fact, _ONE_ORIGIN, node.path, line, column))
            return Source(Now())
        default, optional = node.get("default"), node.get("optional")
        rename, without = node.get("rename"), node.get("without")
        return Source(
            self.origin(node, given[0]) if given else Now(),
            self.steps(node.get("convert")),
            ABSENT if default is None else default.plain(),
            wanted,
            optional is not None and optional.value is True,
            {name: str(inner.value) for name, inner in rename.items()} if rename else {},
            tuple(str(item.value) for item in without.value) if without else (),
        )

    def origin(self, node: Node, name: str) -> Origin:
        inner = node.value[name]
        if name == "value":
            return Constant(inner.plain())
        if name == "expr":
            made = self.expression(inner)
            return Computed(made) if made is not None else Now()
        if name == "all":
            return Parts(tuple(self.source(item) for item in inner.value))
        return self.read(inner)

    def read(self, node: Node) -> From:
        items = node.value if isinstance(node.value, list) else [node]
        for item in items:
            self.places[str(item.value)] = (item.line, item.column)
        return From(tuple(str(item.value) for item in items))

    def expression(self, node: Node) -> Expression | None:
        try:
            made = parse(str(node.value))
        except ExpressionError as error:
            self.errors.append(node.inside(str(error), error.hint, error.column))
            return None
        for path in made.paths():
            self.places.setdefault(".".join(path), (node.line, node.column))
            if COUNT in path:
                hint = "write the member that holds the count"
                self.errors.append(node.error("an old entry has no count of examples behind a rate", hint))
        return made

    # --- steps --------------------------------------------------------------------------------------

    def steps(self, node: Node | None) -> tuple[Step, ...]:
        if node is None:
            return ()
        items = node.value if isinstance(node.value, list) else [node]
        made = [self.step(item) for item in items]
        return tuple(step for step in made if step is not None)

    def step(self, node: Node) -> Step | None:
        if isinstance(node.value, str):
            sort = STEPS.get(node.value)
            if sort is None:
                hint = suggestion(node.value, STEPS) or f"the steps are {', '.join(STEPS)}"
                self.errors.append(node.error(f"no step is called {node.value!r}", hint))
            elif sort.takes:
                hint = f"write {{{node.value}: …}}"
                self.errors.append(node.error(f"{node.value} takes a {sort.takes}", hint))
            return Step(node.value) if sort is not None and not sort.takes else None
        ((name, inner),) = node.value.items()
        if name == "time":
            return self.clock(inner)
        return Step(name, inner.plain())

    def clock(self, node: Node) -> Step | None:
        name = node if isinstance(node.value, str) else node.value["zone"]
        written = node.get("format")
        found = zone(str(name.value))
        if found is None:
            hint = "write UTC, an offset such as +02:00, or an IANA name such as Europe/Berlin"
            self.errors.append(name.error(f"{name.value!r} is no time zone", hint))
            return None
        form = str(written.value) if written is not None else ""
        if written is not None and not _YEAR.search(form.replace("%%", "")):
            hint = "write %Y where the year stands: without one it would be taken for 1900"
            self.errors.append(written.error(f"the format {form!r} says no year", hint))
            return None
        return Step("time", Clock(found, form))

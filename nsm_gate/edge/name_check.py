"""Every name that an expression reads is held against the schema of the log kinds it applies to.

A name that no run can have makes a criterion unknown for ever: an unknown member of a closed object, or
a near miss of a declared name in an open one, is a mistake of the rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from nsm_gate.edge.criteria_build import absolute
from nsm_gate.errors import GateError
from nsm_gate.functions import STATES
from nsm_gate.model import Path
from nsm_gate.names import is_slip, nearest
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.pointers import COUNT
from nsm_gate.policy import LogKind
from nsm_gate.schema import resolved
from nsm_gate.strict_yaml import Node

Name = tuple[str, ...]


class Names(NamedTuple):
    """What names mean in one log kind.

    Attributes:
        logs: All log kinds, for references.
        references: Those that are in reach of the expression: name -> the log kind that it is picked from.
        metrics: Members of the run that domains declare.
        judged: Inside of a reference, the log kinds whose runs `this` may be.
    """

    kind: LogKind
    logs: Mapping[str, LogKind]
    references: Mapping[str, str]
    metrics: Collection[str]
    judged: Sequence[LogKind] = ()

    def fault(self, name: Name) -> tuple[str, str] | None:
        """Return what is wrong with a name, and the remedy; None where nothing is."""
        head = name[0]
        if head in self.references:
            other = self.logs.get(self.references[head])
            if other is None or len(name) == 1:
                return None
            return Names(other, self.logs, {}, self.metrics).fault(name[1:])
        if head == "this":
            if len(name) == 1 or not self.judged:
                hint = "write this.accuracy" if self.judged else "leave it out: names are the run's own"
                return "this is the judged run inside of a reference's where", hint
            faults = [Names(kind, self.logs, {}, self.metrics).fault(name[1:]) for kind in self.judged]
            return faults[0] if all(faults) else None
        if COUNT in name:
            if name[-1] in self.kind.rates and len(name) == 2:
                return None
            fact = f"{self.kind.name} does not say over how many examples {name[-1]!r} is"
            return fact, "add it to rates: of the log kind"
        if len(name) == 1 and (head in self.kind.names or head in self.metrics):
            return None
        if head == "entry":
            return self._walk((), name[1:])
        return self._walk(self.kind.run, name)

    def place_fault(self, place: Path, shown: str) -> tuple[str, str] | None:
        """Return what is wrong with a path from the entry's root; None where nothing is."""
        fault = self._walk((), place)
        return (f"{self.kind.name} has no {shown!r}", fault[1]) if fault else None

    def _walk(self, start: Path, name: Sequence[str]) -> tuple[str, str] | None:
        schema = self.kind.schema
        node = resolved(schema, schema)
        for member in start:
            node = resolved(node.get("properties", {}).get(member), schema)
        for depth, member in enumerate(name):
            node = _item(node, schema)
            members: Mapping[str, Any] = node.get("properties") or {}
            if member not in members:
                return self._missing(node, members, name, depth)
            node = resolved(members[member], schema)
        return None

    def _missing(
        self, node: Mapping[str, Any], members: Mapping[str, Any], name: Sequence[str], depth: int
    ) -> tuple[str, str] | None:
        member, shown = name[depth], ".".join(name)
        words = [*members, *self.kind.names, *self.references] if depth == 0 else list(members)
        words += STATES if len(name) == 1 else ()
        near = nearest(member, words)
        closed = node.get("additionalProperties") is False
        if not closed and not (near and is_slip(member, near)):
            return None
        hint = "add it to the schema, to names: of the log kind or to metrics: of a domain"
        if near:
            hint = f"did you mean {'.'.join((*name[:depth], near))!r}?"
        return f"{self.kind.name} has no {shown!r}", hint


def members(kind: LogKind) -> Collection[str]:
    """Return the members of the run object that the schema of a log kind declares."""
    node = resolved(kind.schema, kind.schema)
    for step in kind.run:
        node = resolved(node.get("properties", {}).get(step), kind.schema)
    declared: Collection[str] = node.get("properties", {}).keys()
    return declared


_PLACES = (
    "run_id", "status", "domain", "experiment_type", "findings", "error_message", "corrects", "reason",
    "architecture", "results", "task_loss",
)  # fmt: skip
_LISTS = ("key", "configuration", "class_accuracies")


def _places(root: Node) -> Iterator[Node]:
    """Yield what a log kind says of where something stands, beside `names:` and `rates:`."""
    found = [root.get(name) for name in _PLACES]
    for name in _LISTS:
        listed = root.get(name)
        found += listed.value if listed else ()
    times, tuned, laws = root.get("times"), root.get("hyperparameters"), root.get("assertions")
    found += [times.get(name) for name in ("logged", "start", "end", "seconds")] if times else ()
    found += [tuned.get("at")] if tuned else ()
    found += [law.get("at") for _, law in laws.items()] if laws else ()
    yield from (node for node in found if node is not None)


def unpickable(
    references: Mapping[str, Node], logs: Mapping[str, LogKind], metrics: Collection[str]
) -> Iterator[GateError]:
    """Yield a mistake for each member that runs are picked by, or must agree in, and that none can have.

    Such a reference never finds a run: with `none: pass`, its criterion would be met for ever.
    """
    for node in references.values():
        kind = logs.get(str(node.value["from"].value))
        if kind is None:
            continue
        pick, same = node.value["pick"], node.get("same")
        asked = [
            (pick, str(pick.value)[4:-1]),
            *((item, str(item.value)) for item in (same.value if same else ())),
        ]
        for item, text in asked:
            fault = Names(kind, logs, {}, metrics).fault(tuple(text.split(".")))
            if fault is not None:
                yield item.error(*fault)


def misplaced(kind: LogKind, root: Node) -> Iterator[GateError]:
    """Yield a mistake for each place that a log kind names and that no entry of it can have.

    A key that no entry has would let every duplicate pass.
    """
    checker = Names(kind, {}, {}, ())
    for node in _places(root):
        fault = checker.place_fault(absolute(str(node.value), kind.run), str(node.value))
        if fault is not None:
            yield node.error(*fault)
    names, rates = root.get("names"), root.get("rates")
    for name, node in names.items() if names else ():
        for item, place in zip(node.value, kind.names.get(name, ()), strict=False):
            fault = checker.place_fault(place, str(item.value))
            if fault is None:
                continue
            word = str(item.value).split(".")[0]
            if word in kind.names:
                circle = word == name or _leads(kind, word, name)
                fact = f"{word!r} is itself a name" + (", and the names go in a circle" if circle else "")
                fault = (fact, "a place is a path in the entry, such as final_metrics.accuracy")
            yield item.error(*fault)
    for name, node in rates.items() if rates else ():
        fault = checker.place_fault(kind.rates[name], str(node.value)) if name in kind.rates else None
        if fault is not None:
            yield node.error(*fault)


def _leads(kind: LogKind, start: str, end: str) -> bool:
    """Return whether following names as if they were places leads from one to the other."""
    seen: set[str] = set()
    pending = [start]
    while pending:
        word = pending.pop()
        if word == end:
            return True
        if word not in seen:
            seen.add(word)
            run = len(kind.run)
            pending += [place[run] for place in kind.names.get(word, ()) if len(place) > run]
    return False


def _item(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a list's items, since a path over a list plucks."""
    if "properties" not in node and "items" in node:
        return resolved(node["items"], schema)
    return node

"""The schemas of a policy held against the reference implementation, and both engines against each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

import referencing.exceptions

from nsm_gate.errors import GateError
from nsm_gate.lint.reference import DRAFTS, LOCAL, NotCompared, Reference
from nsm_gate.lint.remark import Remark
from nsm_gate.model import Json, Severity
from nsm_gate.nouns import Any
from nsm_gate.pointers import show
from nsm_gate.policy import Example, Policy
from nsm_gate.scanner import Fault, Scanner
from nsm_gate.schema import Validator
from nsm_gate.whereabouts import HERE

MOST = 20
_MOST_PLACES = 1000


def malformed(path: str, data: bytes, schema: Mapping[str, Any]) -> Iterator[Remark]:
    """Yield how a schema breaks its meta-schema, and references and patterns of it that lead nowhere."""
    lines = _Lines(data)

    def remark(where: str, message: str, hint: str) -> Remark:
        return Remark(path, lines.of(where), Severity.ERROR, message, hint)

    reference = Reference(schema)
    if reference.draft not in DRAFTS:
        yield remark("/$schema", "the reference implementation does not know this draft", "name another")
        return
    try:
        with HERE.busy("the meta-schema, by the reference implementation"):
            broken = list(reference.breaks(MOST))
    except RecursionError:
        fact = "the schema is nested deeper than the reference implementation can follow"
        yield Remark(path, 1, Severity.WARNING, fact, "flatten it, so that both engines can judge")
        return
    for where, keyword in broken:
        hint = "write what the meta-schema of its draft asks for"
        yield remark(where, f"{where or 'the schema'} breaks the meta-schema: {keyword}", hint)
    for where, message, hint in () if broken else _walk(reference):
        yield remark(where, message, hint)


def _walk(reference: Reference) -> Iterator[tuple[str, str, str]]:
    """Yield every reference that cannot be followed and pattern that cannot be used, with its remedy.

    The gate's engine looks only at those that it meets when it compiles the schema.
    """
    root = reference.specification.create_resource(reference.schema)
    pending = [(root, LOCAL.resolver_with_root(root))]
    said: set[tuple[str, str]] = set()
    while pending and len(said) < MOST:
        resource, resolver = pending.pop()
        node = resource.contents
        pending += [(inner, resolver.in_subresource(inner)) for inner in resource.subresources()]
        for keyword, word in _words(node):
            if (keyword, word) in said:
                continue
            if keyword == "pattern":
                try:
                    Validator({"pattern": word}, f"the pattern {show(word)}")
                except GateError as error:
                    said.add((keyword, word))
                    where = _find(reference.schema, keyword, word)
                    yield where, error.message.partition(": ")[2], error.hint
                continue
            try:
                resolver.lookup(word)
            except referencing.exceptions.Unresolvable:
                said.add((keyword, word))
                where = _find(reference.schema, keyword, word)
                away = not word.startswith("#")
                fact = "leads out of the schema, and nothing is fetched" if away else "leads nowhere"
                hint = "copy what it refers to into $defs" if away else "mend it, or add it to $defs"
                yield where, f"{keyword} {show(word)} {fact}", hint


def _words(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for keyword in ("$ref", "$dynamicRef", "pattern"):
            if isinstance(node.get(keyword), str):
                yield keyword, node[keyword]
        for pattern in node.get("patternProperties", ()):
            yield "pattern", pattern


def _find(schema: Any, keyword: str, word: str) -> str:
    """Return the pointer of the first place where a keyword has a value, or where a pattern is a key."""
    pending: deque[tuple[str, Any]] = deque([("", schema)])
    while pending:
        where, node = pending.popleft()
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, inner in items:
            inside = f"{where}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if (key == keyword and inner == word) or (key == word and where.endswith("/patternProperties")):
                return inside
            pending.append((inside, inner))
    return ""


class _Lines:
    """The lines on which the values of a JSON text stand."""

    def __init__(self, data: bytes) -> None:
        self.text = data.decode("utf-8", "replace")
        self.places: dict[str, int] | None = None

    def of(self, where: str) -> int:
        """Return the line of a pointer, or of the nearest place above it."""
        if self.places is None:
            self.places = {}
            try:
                for found, place in Scanner(self.text.replace("\n", " ")).run():
                    self.places[found] = place.value[0]
            except Fault:
                pass  # a text that is deeper than the scanner goes: what it saw has its line
        while where and where not in self.places:
            where = where.rpartition("/")[0]
        return self.text.count("\n", 0, self.places.get(where, 1) - 1) + 1


def compared(
    policy: Policy, schemas: Mapping[str, str], begin: Callable[[Example], None]
) -> Iterator[Remark | None]:
    """Yield a remark for each entry of an example on which the engines differ, and None for each other.

    Args:
        policy: With its examples.
        schemas: Log kind -> where its schema lies.
        begin: Called with each example before it is judged.
    """
    gates = {name: Validator(kind.schema, schemas[name]) for name, kind in policy.logs.items()}
    silent: dict[str, str] = {}
    references = {name: Reference(kind.schema) for name, kind in policy.logs.items()}
    for example in policy.examples:
        begin(example)
        entries = [(example.log, example.entry, "its entry")]
        for log, before in example.before.items():
            entries += [(log, entry, f"entry {n} of {log} before it") for n, entry in enumerate(before, 1)]
        for log, entry, said in entries:
            if log in silent:
                continue
            try:
                with HERE.busy(f"the example {show(example.name)}, by {schemas[log]}"):
                    theirs = references[log].refused(entry, _MOST_PLACES)
            except NotCompared as odd:
                silent[log] = str(odd)
                continue
            ours = list(gates[log].refused(entry, _MOST_PLACES))
            fact = _difference(ours, theirs)
            if fact is None:
                yield None
                continue
            hint = f"say it in {schemas[log]} so that every validator reads it alike"
            fact = f"the engines differ on {said}, in the example {show(example.name)}: {fact}"
            yield Remark(example.path, example.line, Severity.ERROR, fact, hint)
    for name, why in silent.items():
        fact = f"examples of {name} are not compared with the reference implementation: {why}"
        hint = "write the schema without it, so that both engines can judge"
        yield Remark(schemas[name], 1, Severity.WARNING, fact, hint)


def _difference(ours: Sequence[Json], theirs: Sequence[Json]) -> str | None:
    """Say how two engines differ in the places that they refuse; None where they do not."""
    if bool(ours) != bool(theirs):
        who, other = ("the gate", "the reference") if ours else ("the reference", "the gate")
        places = ", ".join(dict.fromkeys(place or "the entry" for place in (ours or theirs)[:3]))
        return f"{who} refuses {places}, {other} accepts it"
    if _MOST_PLACES in (len(ours), len(theirs)):
        return None
    only = [f"the gate alone refuses {place or 'the entry'}" for place in sorted({*ours} - {*theirs})]
    only += [f"the reference alone refuses {place or 'the entry'}" for place in sorted({*theirs} - {*ours})]
    return ", ".join(only[:3]) or None

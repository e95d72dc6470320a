"""Merged YAML nodes -> `Policy`. Reports all mistakes of all files at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import jiter

from nsm_gate.edge import config_build, examples_build
from nsm_gate.edge.criteria_build import Builder, absolute
from nsm_gate.edge.name_check import Names, members, misplaced, unpickable
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.model import Path, Severity
from nsm_gate.names import suggestion
from nsm_gate.nouns import Any, replace
from nsm_gate.pointers import COUNT, pointer
from nsm_gate.policy import (
    Domain,
    ExperimentType,
    LogKind,
    Policy,
    Reference,
)
from nsm_gate.scanner import Fault, Scanner
from nsm_gate.schema import SchemaError, Validator
from nsm_gate.strict_yaml import Node
from nsm_gate.whereabouts import HERE

_MOST = 4 << 20  # bytes of a schema
KINDS = ("log", "experiment_type", "domain")


def build(
    merged: Mapping[str, Mapping[str, Node]],
    config: Node | None,
    schema_of: Callable[[Node], tuple[str, bytes] | None],
    rule_ids: Collection[str],
    source: str,
    mistakes: list[GateError],
    *,
    examples: bool = False,
) -> Policy:
    """Build the policy of merged files.

    Args:
        merged: `log`, `experiment_type` and `domain` -> name -> the file's root.
        config: Root of the repository's configuration.
        schema_of: Finds the schema that a log kind names: its display path and content.
        rule_ids: Every rule that severities and waivers may name.
        source: Where the policy comes from, in words.
        mistakes: What reading the files found already; the rest is added, and all are raised.
        examples: Whether to build the examples.
    """
    shared, others = (
        {name: node for root in merged[group].values() for name, node in _declared(root).items()}
        for group in ("log", "experiment_type")
    )
    builder = Builder(errors=mistakes)
    logs = {name: _log(builder, name, root, schema_of) for name, root in merged["log"].items()}
    types = {name: _type(builder, name, root, shared) for name, root in merged["experiment_type"].items()}
    # Whose domain it is says no type: that of any may be in reach.
    builder.references = {**others, **shared}
    domains = {name: _domain(builder, name, root) for name, root in merged["domain"].items()}
    errors = builder.errors
    known = {name: kind for name, kind in logs.items() if kind}
    metrics = {metric for domain in domains.values() for metric in domain.metrics}
    words = {"this", "entry", *metrics}
    for log in known.values():
        words |= {*log.names, *members(log)}
    for group in ("log", "experiment_type"):
        for root in merged[group].values():
            errors += _misdeclared(root, logs, words)
            errors += unpickable(_declared(root), known, metrics)
    in_reach = {name: _declared(root).keys() for name, root in merged["log"].items()}
    errors += _unknown_names(builder, known, metrics, shared, in_reach)
    for log in known.values():
        errors += misplaced(log, merged["log"][log.name])
    config_build.check_log_severities(merged["log"], rule_ids, errors)
    policy = config_build.applied(
        Policy(known, types, domains, source=source), config, rule_ids, logs, types, errors
    )
    shown = examples_build.examples(merged, known, rule_ids, errors) if examples else ()
    if errors:
        once = {(str(error), error.hint): error for error in errors}
        in_order = sorted(once.values(), key=lambda e: (e.path or "", e.line or 0, e.column or 0))
        raise GateErrors(tuple(in_order))
    return policy._replace(examples=shown)


def _misdeclared(root: Node, logs: Collection[str], words: Collection[str]) -> Iterator[GateError]:
    """Yield a mistake for each reference of a file that leads nowhere, or that hides a measure."""
    for name, reference in _declared(root).items():
        kind = reference.get("from")
        if kind and kind.value not in logs:
            hint = suggestion(str(kind.value), logs) or f"the log kinds are {', '.join(logs)}"
            yield kind.error(f"reference {name!r} is taken from no known log kind: {kind.value!r}", hint)
        if name in words:
            place = root.value["references"].keys[name]
            fact = f"reference {name!r} is called like a measure or a member of a run"
            yield GateError(fact, "choose another name", reference.path, *place)


def _unknown_names(
    builder: Builder,
    logs: Mapping[str, LogKind],
    metrics: Collection[str],
    shared: Mapping[str, Node],
    in_reach: Mapping[str, Collection[str]],
) -> Iterator[GateError]:
    """Yield a mistake for each name that no log kind has to which its expression applies.

    Args:
        builder: What was built, with every expression.
        logs: The log kinds.
        metrics: Members of the run that domains declare.
        shared: The references that log kinds declare.
        in_reach: Log kind -> the names of its own references.
    """

    def asked(what: str, owner: str) -> list[LogKind]:
        """Return the log kinds to which what is built applies."""
        if what == "log":
            return [logs[owner]] if owner in logs else []
        if what == "domain":
            return [kind for kind in logs.values() if kind.domain]
        return [kind for kind in logs.values() if kind.experiment_type]

    def reach(kind: LogKind, references: Mapping[str, Node]) -> dict[str, str]:
        """Return which of the references a run of a log kind has, and the log kinds they are picked from."""
        own = in_reach[kind.name]
        return {
            name: str(node.value["from"].value)
            for name, node in references.items()
            if name in own or shared.get(name) is not node
        }

    for scope, node, expression, references in builder.read:
        judged: list[LogKind] = []
        if scope[0] == "reference":
            kinds = [logs[scope[2]]] if scope[2] in logs else []
            judged = asked(scope[3], scope[4])
        else:
            kinds = asked(scope[0], scope[1])
        for path in expression.paths():
            faults = [
                Names(kind, logs, reach(kind, references), metrics, judged).fault(path) for kind in kinds
            ]
            if faults and all(faults):
                fact, hint = next(fault for fault in faults if fault)
                found = node.text.find(".".join(path) if COUNT not in path else path[-1])
                yield node.error(fact, hint) if found < 0 else node.inside(fact, hint, found + 1)


def _text(root: Node, key: str) -> str:
    node = root.get(key)
    return str(node.value) if node else ""


def _texts(root: Node | None, key: str) -> tuple[str, ...]:
    node = root.get(key) if root else None
    return tuple(str(item.value) for item in node.value) if node else ()


def _declared(root: Node) -> dict[str, Node]:
    """Return the references that a file declares."""
    node = root.get("references")
    return dict(node.items()) if node else {}


def _references(builder: Builder, root: Node) -> dict[str, Reference]:
    built = {name: builder.reference(name, inner) for name, inner in _declared(root).items()}
    return {name: reference for name, reference in built.items() if reference}


def _log(
    builder: Builder, name: str, root: Node, schema_of: Callable[[Node], tuple[str, bytes] | None]
) -> LogKind | None:
    for needed in ("files", "schema", "key"):
        if root.get(needed) is None:
            builder.errors.append(root.error(f"log kind {name!r} has no {needed}", f"add {needed}:"))
            return None
    builder.scope = ("log", name)
    builder.references = _declared(root)
    references = _references(builder, root)
    found = schema_of(root.value["schema"])
    schema = _schema(builder, root.value["schema"], found)
    run: Path = tuple(_text(root, "run").split(".")) if root.get("run") else ()

    def place(key: str, parent: Node | None = root) -> Path | None:
        text = _text(parent, key) if parent else ""
        return absolute(text, run) if text else None

    times = root.get("times")
    naive = times.get("naive_is_utc") if times else None
    tuned = root.get("hyperparameters")
    names = root.get("names")
    rates = root.get("rates")
    laws = root.get("assertions")
    severity = root.get("severity")
    assertions = [builder.assertion(law, node, run) for law, node in (laws.items() if laws else ())]
    return LogKind(
        name=name,
        description=_text(root, "description"),
        files=_texts(root, "files"),
        schema_name=_text(root, "schema"),
        schema=schema,
        run=run,
        key=tuple(absolute(text, run) for text in _texts(root, "key")),
        run_id=place("run_id"),
        status=place("status"),
        domain=place("domain"),
        experiment_type=place("experiment_type"),
        logged=place("logged", times),
        start=place("start", times),
        end=place("end", times),
        seconds=place("seconds", times),
        naive_is_utc=bool(naive and naive.value),
        findings=place("findings"),
        error_message=place("error_message"),
        corrects=place("corrects"),
        reason=place("reason"),
        hyperparameters=place("at", tuned),
        required_hyperparameters=_texts(tuned, "required"),
        architecture=place("architecture"),
        results=place("results"),
        configuration=tuple(absolute(text, run) for text in _texts(root, "configuration")),
        class_accuracies=tuple(absolute(text, run) for text in _texts(root, "class_accuracies")),
        task_loss=place("task_loss"),
        history=tuple(_text(root, "history").split(".")) if root.get("history") else None,
        names={
            word: tuple(absolute(str(item.value), run) for item in node.value)
            for word, node in (names.items() if names else ())
        },
        rates={word: absolute(str(node.value), run) for word, node in (rates.items() if rates else ())},
        references=references,
        assertions=tuple(law for law in assertions if law),
        criteria=builder.criteria(root.get("criteria")),
        severity={
            rule: Severity.of(str(node.value)) for rule, node in (severity.items() if severity else ())
        },
        defined_at=f"{root.path}:{root.line}",
        schema_path=found[0] if found else "",
    )


def _schema(builder: Builder, node: Node, found: tuple[str, bytes] | None) -> Mapping[str, Any]:
    if found is None:
        builder.errors.append(node.error(f"schema {node.value!r} is not there", "put it beside the rules"))
        return {}
    path, data = found
    if len(data) > _MOST:
        fact = f"file is over {_MOST >> 20} MiB"
        builder.errors.append(GateError(fact, "say it with less, or with patterns", path))
        return {}
    try:
        schema = jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        fact, _, at = str(error).partition(" at line ")
        row, _, place = at.partition(" column ")
        line, column = (int(row), max(1, int(place))) if row and place else (1, 1)
        hint = "a schema is one JSON object"
        builder.errors.append(GateError(f"not JSON: {fact}", hint, path, line, column))
        return {}
    if not isinstance(schema, dict):
        builder.errors.append(GateError("a JSON Schema is an object", 'write {"type": "object"}', path, 1, 1))
        return {}
    try:
        with HERE.instead(path, 0):
            Validator(schema, path)
    except SchemaError as error:
        line, column = _place(data.decode(), error.steps)
        builder.errors.append(replace(error, line=line, column=column))
        return {}  # what is no schema tells nothing of names, and may not even have the shape of one
    return schema


def _place(text: str, steps: Sequence[str | int]) -> tuple[int, int]:
    """Return line and column of a value of a JSON text; its beginning where the value cannot be found."""
    where = pointer(*map(str, steps))
    try:
        values = Scanner(text.replace("\n", " ")).run()
        at = next((place.value[0] - 1 for found, place in values if found == where), 0)
    except Fault:
        at = 0
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _type(builder: Builder, name: str, root: Node, shared: Mapping[str, Node]) -> ExperimentType:
    builder.scope = ("experiment_type", name)
    builder.references = {**shared, **_declared(root)}
    references = _references(builder, root)
    return ExperimentType(
        name,
        _text(root, "description"),
        _texts(root, "requires"),
        builder.criteria(root.get("criteria")),
        references,
        f"{root.path}:{root.line}",
    )


def _domain(builder: Builder, name: str, root: Node) -> Domain:
    builder.scope = ("domain", name)
    return Domain(
        name,
        _text(root, "description"),
        _texts(root, "metrics"),
        builder.criteria(root.get("criteria")),
        f"{root.path}:{root.line}",
    )

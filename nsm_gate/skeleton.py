"""The entry that a log kind, an experiment type and a domain ask for, with nothing that nobody can know.

From the schema come the members that it requires, from the rules the paths that the type requires and the
places that criteria look at. What is not known is null, which the schema or a rule refuses where a value is
required.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice

from nsm_gate.model import Json, Path
from nsm_gate.nouns import Any, dataclass
from nsm_gate.pointers import COUNT
from nsm_gate.policy import Criterion, Domain, ExperimentType, LogKind, Policy, UseDomain
from nsm_gate.schema import resolved
from nsm_gate.timestamps import written

FINDINGS = "TODO"
"""What `missing-findings` refuses as a placeholder."""

_DEPTH = 12
_MOST = 1000
_NO_RUN = ("this", "entry")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a skeleton is for.

    Attributes:
        experiment_type: None where the log kind has none.
        domain: Likewise.
        run_id: The run's name, or None to make one of type, domain and date.
        now: The current time, in UTC.
    """

    kind: LogKind
    experiment_type: ExperimentType | None
    domain: Domain | None
    run_id: str | None
    now: datetime


def skeleton(policy: Policy, asked: Asked) -> dict[str, Json]:
    """Return the entry."""
    kind = asked.kind
    entry: dict[str, Json] = {}
    for path, node in islice(_required(kind.schema, kind.schema, ()), _MOST):
        _set(entry, path, _only(node), kind.schema)
    for path in _asked(policy, asked):
        _set(entry, path, None, kind.schema)
    for path, value in _known(asked, entry):
        _set(entry, path, value, kind.schema, known=True)
    ordered: dict[str, Json] = _ordered(entry, kind.schema, kind.schema)
    return ordered


def run_name(asked: Asked) -> str | None:
    """Return the run's name: the one given, or type, domain and day; None where neither is known."""
    words = [part.name for part in (asked.experiment_type, asked.domain) if part]
    if asked.run_id is not None or not words:
        return asked.run_id
    return "_".join((*words, f"{asked.now:%Y%m%d}"))


def _known(asked: Asked, entry: Mapping[str, Json]) -> Iterator[tuple[Path, Json]]:
    """Yield what can be filled in honestly."""
    kind = asked.kind
    if kind.logged:
        yield kind.logged, written(asked.now.replace(microsecond=0))
    if kind.findings:
        yield kind.findings, FINDINGS
    if kind.experiment_type and asked.experiment_type:
        yield kind.experiment_type, asked.experiment_type.name
    if kind.domain and asked.domain:
        # The data's own description names the domain once more, under the same word.
        for path in (kind.domain, *tuple(_leaves(entry, ()))):
            if path[-1] == kind.domain[-1]:
                yield path, asked.domain.name
    name = run_name(asked)
    if kind.run_id and name is not None:
        yield kind.run_id, name


def _asked(policy: Policy, asked: Asked) -> Iterator[Path]:
    """Yield every path that the rules ask for or look at."""
    kind, chosen, domain = asked.kind, asked.experiment_type, asked.domain
    roles = (kind.run_id, *kind.key, kind.status, kind.domain, kind.experiment_type, kind.findings)
    times = (kind.logged, kind.start, kind.end, kind.seconds)
    yield from (path for path in (*roles, *times, kind.error_message, kind.task_loss) if path)
    yield from kind.class_accuracies
    if kind.hyperparameters:
        for needed in kind.required_hyperparameters:
            yield (*kind.hyperparameters, needed)
    for text in chosen.requires if chosen else ():
        if text != "domain_metrics":
            yield _place(kind, tuple(text.split(".")))
    for metric in domain.metrics if domain else ():
        yield (*kind.run, *metric.split("."))
    references = {name for log in policy.logs.values() for name in log.references}
    references |= {name for some in policy.experiment_types.values() for name in some.references}
    for group in (kind.criteria, chosen.criteria if chosen else (), domain.criteria if domain else ()):
        for criterion in group:
            for name in _names(criterion):
                counted = COUNT not in name or name[-1] in kind.rates
                if counted and name[0] not in references and name[0] not in _NO_RUN:
                    yield _place(kind, name)


def _names(criterion: Criterion | UseDomain) -> Iterator[Path]:
    if isinstance(criterion, UseDomain):
        return
    for branch in criterion.branches:
        for node in (branch.condition, branch.test):
            if node is not None:
                yield from node.paths()


def _place(kind: LogKind, name: Path) -> Path:
    """Return where a name of the rules stands: its first place."""
    if name[0] == "entry":
        return name[1:]
    if COUNT in name:
        return kind.rates[name[-1]]
    places = kind.names.get(name[0], ()) if len(name) == 1 else ()
    return places[0] if places else kind.run + name


def _required(node: Any, schema: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the leaves that a schema requires, with their own schemas; what is conditional is left out."""
    properties, required = _members(node, schema)
    for name in required:
        inner = resolved(properties.get(name), schema)
        deeper = _required(inner, schema, (*path, name)) if len(path) < _DEPTH else iter(())
        # Not as a list: a schema may refer to itself, several times on each level.
        first = next(deeper, None)
        if first is None:
            yield (*path, name), inner
        else:
            yield first
            yield from deeper


def _members(node: Any, schema: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the members that an object's schema declares and those that it requires."""
    node = resolved(node, schema)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for part in (node, *(resolved(part, schema) for part in _list(node.get("allOf")))):
        inner = part.get("properties")
        properties.update(inner if isinstance(inner, Mapping) else {})
        required += [name for name in _list(part.get("required")) if isinstance(name, str)]
    return properties, list(dict.fromkeys(required))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _only(node: Mapping[str, Any]) -> Json:
    """Return the one value that a schema allows, or None."""
    if "const" in node:
        return node["const"]
    options = _list(node.get("enum"))
    return options[0] if len(options) == 1 else None


def _set(
    entry: dict[str, Json], path: Path, value: Json, schema: Mapping[str, Any], *, known: bool = False
) -> None:
    """Set a value, unless one is there; a known one replaces null. A path into a list makes it empty."""
    holder: dict[str, Json] = entry
    node: Any = schema
    for depth, name in enumerate(path, 1):
        node = resolved(_members(node, schema)[0].get(name), schema)
        if depth == len(path):
            break
        if "array" in _types(node) and "object" not in _types(node):
            value, path = [], path[:depth]
            break
        if not isinstance(holder.get(name), dict):
            holder[name] = {}
        holder = holder[name]
    types = _types(node)
    if known and isinstance(value, str) and types and "string" not in types:
        return  # the schema wants another sort of value, which nobody knows
    if holder.get(path[-1]) is None:
        holder[path[-1]] = value


def _types(node: Mapping[str, Any]) -> list[str]:
    found = node.get("type", [])
    return found if isinstance(found, list) else [found]


def _leaves(value: Json, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    else:
        yield path


def _ordered(value: Json, node: Any, schema: Mapping[str, Any]) -> Any:
    """Return the members in the schema's order, those that it does not declare last."""
    if not isinstance(value, dict):
        return value
    properties, _ = _members(node, schema)
    names = [name for name in properties if name in value]
    names += [name for name in value if name not in properties]
    return {name: _ordered(value[name], properties.get(name), schema) for name in names}

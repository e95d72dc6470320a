"""`nsm-gate rules show ID`: what one rule, experiment type, domain, log kind or criterion asks.

ID is the id of a rule, the name of an experiment type, a domain or a log kind, or one criterion of them:
TYPE.CRITERION. What is called alike is all shown. Where the rules of the repository do not load, a rule is
shown with its default severity, and standard error says so; all else is exit 2.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence

from nsm_gate.checks import BY_ID, CHECKS
from nsm_gate.checks.check import Check
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.explain import said
from nsm_gate.model import Entry, Line
from nsm_gate.names import plural, suggestion
from nsm_gate.pointers import dotted, show
from nsm_gate.policy import Criterion, Domain, Example, ExperimentType, LogKind, Policy, UseDomain
from nsm_gate.records import Record
from nsm_gate.render.untrusted import plain
from nsm_gate.settings import flow, of_file, severity
from nsm_gate.sources import Sources
from nsm_gate.strict_yaml import Node

FALLBACK = "Where the rules of the repository do not load, defaults are shown, and standard error says so."
_SAID = {"experiment_type": "experiment type", "domain": "domain", "log": "log kind"}
_OUTCOMES = ("met", "missed", "unknown", "not-applicable")

Here = tuple[Policy, Sources]
"""What is in force in the repository."""


def in_force(args: argparse.Namespace, world: Surroundings) -> Here | None:
    """Return the rules of the repository; None, told on stderr, where they do not load."""
    config = getattr(args, "config", None)  # `rules` alone is `rules list`
    try:
        with opened(world) as space:
            return space.rules(space.work, config)
    except (GateError, GateErrors):
        if config is not None:
            raise
        fact = "the rules of this repository do not load, so defaults are shown"
        world.stderr.write(f"nsm-gate: {fact}\n  nsm-gate rules lint says what is wrong\n")
        return None


def differing(check: Check, here: Here | None) -> str:
    """Say which severity a rule has here, and who sets it, where it is not the default; else nothing."""
    found = _severities(check, here) if here is not None else []
    if all(word == check.severity.word for word, _ in found):
        return ""
    return ", ".join(said for word, said in found if word != check.severity.word)


def _severities(check: Check, here: Here) -> list[tuple[str, str]]:
    """Return the severity of a rule for all, then where another is set: the word, and it with its place."""
    policy, sources = here
    found = []
    for setting in severity(check.id, policy, sources, check.severity):
        where = setting.name.removeprefix(f"severity.{check.id}").removeprefix(".")
        log = next((name for name in policy.logs if f"{where}.".startswith(f"{name}.")), "")
        kind = where.removeprefix(log).removeprefix(".")
        scope = f" for {kind} in {log}" if kind else f" in {log}" if log else ""
        found.append((str(setting.value), f"{setting.value}{scope} ({setting.place})"))
    return found


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Print everything that is called so."""
    check = BY_ID.get(args.id)
    if check is not None:
        here = in_force(args, world)
        world.stdout.write(f"{check.id} ({check.severity.word})\n\n{check.doc.strip()}\n")
        if here is not None:
            told = ", ".join(text for _, text in _severities(check, here))
            world.stdout.write(f"Here: {plain(told, 2000)}.\n")
        if here is None or not list(_rows(args.id, *here)):
            return 0
        world.stdout.write("\n")
    with opened(world) as space:
        policy, sources = space.rules(space.work, args.config, examples=True)
    rows = list(_rows(args.id, policy, sources))
    if not rows:
        hint = suggestion(args.id, _known(sources)) or "nsm-gate rules list and config show name all there is"
        raise GateError(f"no rule, type, domain, log kind or criterion is called {args.id!r}", hint)
    world.stdout.write("".join(f"{plain(row, 2000)}\n" for row in rows))
    return 0


def _known(sources: Sources) -> list[str]:
    found = [check.id for check in CHECKS]
    for roots in sources.merged.values():
        for name, root in roots.items():
            criteria = root.get("criteria")
            found += [name, *(f"{name}.{criterion}" for criterion in (criteria.value if criteria else ()))]
    return found


def _rows(name: str, policy: Policy, sources: Sources) -> Iterator[str]:
    first = True
    for group in _SAID:
        for owner in sources.merged[group]:
            # A name may hold a dot: the owner's is known.
            criterion = name.removeprefix(f"{owner}.") if name.startswith(f"{owner}.") else ""
            criteria = sources.at(group, owner, "criteria")
            if owner != name and (criteria is None or criterion not in criteria.value):
                continue
            if not first:
                yield ""
            first = False
            shown = _Shown(policy, sources, group, owner)
            yield from shown.whole() if owner == name else shown.one(criterion)


class _Shown:
    """One log kind, experiment type or domain."""

    def __init__(self, policy: Policy, sources: Sources, group: str, name: str) -> None:
        self.policy = policy
        self.sources = sources
        self.group = group
        self.name = name
        self.root = sources.merged[group][name]
        holders: Mapping[str, Mapping[str, LogKind | ExperimentType | Domain]] = {
            "log": policy.logs, "experiment_type": policy.experiment_types, "domain": policy.domains,
        }  # fmt: skip
        self.criteria: Sequence[Criterion | UseDomain] = holders[group][name].criteria
        self.examples = [example for example in policy.examples if example.owner == (group, name)]

    def whole(self) -> Iterator[str]:
        """Yield all that the file says."""
        yield f"{_SAID[self.group]} {self.name} · {self.root.path}:{self.root.line}"
        description = self.root.get("description")
        if description is not None:
            yield from ("", flow(description))
        told = ("criteria", "references", "assertions")
        start = f"{self.group}.{self.name}."
        settings = [
            (setting.name.removeprefix(start), setting.shown)
            for setting in of_file(self.sources, self.group, self.name)
            if setting.name.removeprefix(start).partition(".")[0] not in told
        ]
        if settings:
            yield ""
            width = max(len(key) for key, _ in settings)
            yield from (f"{key.ljust(width)}  {shown}" for key, shown in settings)
        for item in self.criteria:
            yield ""
            yield from self.criterion(item, examples=False)
        for key in ("references", "assertions"):
            for name, node in (self.root.get(key) or Node({}, "", 1, 1)).items():
                yield from ("", f"{key[:-1]} {name} · {node.path}:{node.line}", *_members(node))
        if self.examples:
            yield from ("", f"{plural(len(self.examples), 'example')}: nsm-gate rules test {self.name}")

    def one(self, name: str) -> Iterator[str]:
        """Yield one criterion, with its examples."""
        yield f"{_SAID[self.group]} {self.name} · {self.root.path}:{self.root.line}"
        yield ""
        for item in self.criteria:
            if item.name == name:
                yield from self.criterion(item, examples=True)

    def criterion(self, item: Criterion | UseDomain, *, examples: bool) -> Iterator[str]:
        """Yield what a criterion asks, what it compares with, and which examples show it."""
        node = self.sources.at(self.group, self.name, "criteria", item.name) or self.root
        yield f"criterion {item.name} · {node.path}:{node.line}"
        if isinstance(item, UseDomain):
            yield "  takes in the criteria of the run's domain"
            return
        yield from _members(node, item)
        for name in dict.fromkeys(path[0] for path in _paths(item)):
            yield from self.reference(name, whole=examples)
        shown = [example for example in self.examples if item.name in example.expect]
        if examples:
            for example in shown:
                yield f"  {example.expect[item.name]}: {self.example(example, item)}"
            return
        for outcome in _OUTCOMES:
            first = next((example for example in shown if example.expect[item.name] == outcome), None)
            if first is not None:
                yield f"  {outcome}: {self.example(first, item)}"

    def reference(self, name: str, *, whole: bool) -> Iterator[str]:
        """Yield what a reference is that a criterion compares with."""
        places = [
            *([(self.group, self.name)] if self.group == "experiment_type" else ()),
            *(("log", kind.name) for kind in self.policy.logs.values()),
            *(("experiment_type", experiment) for experiment in self.policy.experiment_types),
        ]
        found = (self.sources.at(group, owner, "references", name) for group, owner in places)
        node = next((node for node in found if node is not None), None)
        if node is not None:
            yield f"  compares with {name} · {node.path}:{node.line}"
            yield from (f"  {row}" for row in (_members(node) if whole else ()))

    def example(self, example: Example, item: Criterion) -> str:
        """Return an example with the values that the criterion reads."""
        record = Record(Entry(Line(1, b""), dict(example.entry)), self.policy.logs[example.log], "")
        references = {name for kind in self.policy.logs.values() for name in kind.references}
        references.update(*(kind.references for kind in self.policy.experiment_types.values()))
        paths = [path for path in dict.fromkeys(_paths(item)) if path[0] not in references]
        values = ", ".join(f"{dotted(path)} {said(record.value(path))}" for path in paths)
        return f"{show(example.name, 100)} ({values}) · {example.path}:{example.line}"


def _members(node: Node, criterion: Criterion | None = None) -> Iterator[str]:
    """Yield the members of a criterion, reference or assertion, a row each."""
    if not isinstance(node.value, dict):
        yield f"  {flow(node)}"
        return
    if criterion is not None and node.get("first") is None:
        yield f"  {criterion.branches[0].expected}"
    for key, inner in node.items():
        if key == "first":
            for branch in inner.value:
                yield f"  {', '.join(f'{word} {flow(part)}' for word, part in branch.items())}"
        elif criterion is None or key in ("when", "source"):
            yield f"  {key}: {flow(inner)}"


def _paths(criterion: Criterion) -> Iterator[tuple[str, ...]]:
    for part in (criterion.when, *(p for b in criterion.branches for p in (b.condition, b.test))):
        if part is not None:
            yield from part.paths()

"""The `examples:` of rules files -> examples to judge, with every mistake collected."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping

from nsm_gate.edge.criteria_build import absolute
from nsm_gate.errors import GateError
from nsm_gate.model import Path
from nsm_gate.names import suggestion
from nsm_gate.nouns import Any
from nsm_gate.policy import Example, LogKind
from nsm_gate.strict_yaml import Node

_Made = tuple[LogKind, dict[str, Any], dict[str, tuple[dict[str, Any], ...]]]
"""The log kind of an example, its entry, and what was logged before it."""


def examples(
    merged: Mapping[str, Mapping[str, Node]],
    logs: Mapping[str, LogKind],
    rule_ids: Collection[str],
    errors: list[GateError],
) -> tuple[Example, ...]:
    """Return the examples of every rules file, in order.

    Args:
        merged: `log`, `experiment_type` and `domain` -> name -> the file's root.
        logs: The log kinds.
        rule_ids: Every rule that an example may expect.
        errors: Mistakes are added to it.
    """
    built: list[Example] = []
    for group, roots in merged.items():
        for name, root in roots.items():
            node = root.get("examples")
            if node is not None:
                built += _File((group, name), logs, rule_ids, errors).examples(node)
    return tuple(built)


class _File:
    def __init__(
        self,
        owner: tuple[str, str],
        logs: Mapping[str, LogKind],
        rule_ids: Collection[str],
        errors: list[GateError],
    ) -> None:
        self.owner = owner
        self.logs = logs
        self.rule_ids = rule_ids
        self.errors = errors
        self.made: dict[str, _Made | None] = {}  # None: a mistake in it is told already

    def examples(self, parent: Node) -> list[Example]:
        built = []
        for node in parent.value:
            name = str(node.value["name"].value)
            rules = node.get("findings")
            for item in rules.value if rules else ():
                if item.value not in self.rule_ids:
                    hint = suggestion(str(item.value), self.rule_ids) or "nsm-gate rules list shows them"
                    self.errors.append(item.error(f"no rule is called {item.value!r}", hint))
            if name in self.made:
                where = node.value["name"]
                self.errors.append(where.error(f"two examples are called {name!r}", "rename one"))
                continue
            made = self.made[name] = self.example(node)
            if made is None:
                continue
            kind, entry, before = made
            built.append(
                Example(
                    name,
                    self.owner,
                    kind.name,
                    entry,
                    before,
                    node.value["expect"].plain(),
                    tuple(rules.plain()) if rules else (),
                    node.path,
                    node.line,
                )
            )
        return built

    def example(self, node: Node) -> _Made | None:
        like, earlier = node.get("like"), node.get("before")
        base = self.made.get(str(like.value)) if like else None
        if like is None or node.get("log"):
            kind = self.kind(node)
        else:
            found = self.like(like, None)
            kind = found[0] if found else None
        entry = self.entry(node, kind) if kind else None
        before = self.before(earlier) if earlier else base[2] if base else {}
        return None if kind is None or entry is None else (kind, entry, before)

    def kind(self, node: Node) -> LogKind | None:
        """Return the log kind: the one named, the file's own, or the only one that the file applies to."""
        named = node.get("log")
        if named is not None:
            return self.log(str(named.value), named)
        group, name = self.owner
        if group == "log":
            return self.logs.get(name)
        if group == "domain":
            fitting = [kind for kind in self.logs.values() if kind.domain]
        else:
            fitting = [kind for kind in self.logs.values() if kind.experiment_type]
        if _of_pack(node.path):
            # A pack does not know of the log kinds that a repository adds.
            fitting = [kind for kind in fitting if _of_pack(kind.defined_at)] or fitting
        if len(fitting) == 1:
            return fitting[0]
        hint = f"add log: and one of {', '.join(kind.name for kind in fitting) or 'the log kinds'}"
        self.errors.append(node.error("the example does not say of which log kind it is", hint))
        return None

    def log(self, name: str, node: Node) -> LogKind | None:
        if name not in self.logs:
            hint = suggestion(name, self.logs) or f"the policy knows {', '.join(self.logs)}"
            self.errors.append(node.error(f"no log kind is called {name!r}", hint))
        return self.logs.get(name)

    def like(self, node: Node, kind: LogKind | None) -> _Made | None:
        """Return the example of a log kind that another is like."""
        name = str(node.value)
        if name not in self.made:
            hint = suggestion(name, self.made) or "name an example that stands before it in this file"
            self.errors.append(node.error(f"no example before this one is called {name!r}", hint))
            return None
        made = self.made[name]
        if made and kind and made[0] is not kind:
            fact = f"{name!r} is of the log kind {made[0].name}, not {kind.name}"
            self.errors.append(node.error(fact, f"give an entry, or an example of {kind.name}"))
            return None
        return made

    def before(self, parent: Node) -> dict[str, tuple[dict[str, Any], ...]]:
        built = {}
        for name, node in parent.items():
            line, column = parent.keys.get(name, (node.line, node.column))
            kind = self.log(name, Node(name, node.path, line, column))
            if kind is not None:
                entries = [self.entry(item, kind) for item in node.value]
                built[name] = tuple(entry for entry in entries if entry is not None)
        return built

    def entry(self, node: Node, kind: LogKind) -> dict[str, Any] | None:
        """Return the entry that a node gives: whole, or like another with members set and left out."""
        whole, like = node.get("entry"), node.get("like")
        if (whole is None) == (like is None):
            self.errors.append(
                node.error("an example has an entry, or is like another", "give one of the two")
            )
            return None
        if whole is not None:
            for key in ("set", "unset"):
                if node.get(key):
                    hint = "write it into the entry, or make the example like another"
                    self.errors.append(node.value[key].error(f"{key} stands beside entry", hint))
            made: dict[str, Any] = whole.plain()
            return made
        base = self.like(like, kind) if like else None
        if base is None:
            return None
        entry = copy.deepcopy(base[1])
        changed, left_out = node.get("set"), node.get("unset")
        for text, value in changed.items() if changed else ():
            fault = _put(entry, absolute(text, kind.run), value)
            if fault and changed:
                line, column = changed.keys.get(text, (value.line, value.column))
                hint = "set the members one by one, or the whole object above them"
                self.errors.append(GateError(f"{text!r} {fault}", hint, value.path, line, column))
        for item in left_out.value if left_out else ():
            fault = _take(entry, absolute(str(item.value), kind.run))
            if fault:
                self.errors.append(item.error(f"{item.value!r} {fault}", "take it out of unset"))
        return entry


_WHOLE = "is the whole entry, not a member of it"


def _put(entry: dict[str, Any], path: Path, value: Node) -> str:
    """Set a member, with the objects that lead to it; return what is wrong with the path."""
    holder: Any = entry
    for member in path[:-1]:
        inner = holder.get(member)
        if inner is None:
            inner = holder[member] = {}
        if not isinstance(inner, dict):
            return f"leads through {member}, which is no object"
        holder = inner
    if not path:
        return _WHOLE
    holder[path[-1]] = value.plain()
    return ""


def _take(entry: dict[str, Any], path: Path) -> str:
    """Leave a member out; return what is wrong with the path."""
    holder: Any = entry
    for member in path[:-1]:
        holder = holder.get(member) if isinstance(holder, dict) else None
    if not path:
        return _WHOLE
    if not isinstance(holder, dict) or path[-1] not in holder:
        return "is not there in the example that it is like"
    del holder[path[-1]]
    return ""


def _of_pack(place: str) -> bool:
    """Return whether a display path is one of a pack: `nsm:rules/x.yaml`."""
    return ":" in place.partition("/")[0]

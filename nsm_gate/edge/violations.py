"""Each thing that a repository says against what its pack enforces, at its place.

Pure: nodes in, mistakes out.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.edge.enforcement import EXCLUDE, MAPS, Enforced, Files, members
from nsm_gate.errors import GateError
from nsm_gate.model import Severity
from nsm_gate.strict_yaml import Node


def violations(enforced: Enforced, own: Files, config: Node | None) -> Iterator[GateError]:
    """Yield every breach, those of the rules files first.

    Args:
        enforced: What the pack enforces.
        own: The repository's rules files, before they are merged with the pack's.
        config: The repository's configuration.
    """
    for kind, roots in own.items():
        for name, root in roots.items():
            yield from _file(enforced, kind, name, root)
    if config is not None:
        yield from _severities(enforced, config)
        yield from _waivers(enforced, config)
        yield from _exclusions(enforced, config)


def _file(enforced: Enforced, kind: str, name: str, root: Node) -> Iterator[GateError]:
    base = enforced.base[kind].get(name)
    whole = enforced.files.get((kind, name))
    for key, node in root.items():
        place = root.keys[key]
        if key == "severity":
            for rule, leaf in node.items():
                yield from _severity(enforced, rule, leaf, node.keys[rule], name)
        elif key in MAPS:
            theirs = members(base, key)
            for member, inner in node.items():
                entry = enforced.holder(kind, name, key, member)
                if entry is not None:
                    fact = _fact(
                        enforced, f"{key}.{member} of {name}", entry, key == "criteria" or entry == whole
                    )
                    hint = _remedy(theirs[member]) if member in theirs else "choose another name"
                    yield GateError(fact, hint, inner.path, *node.keys[member])
        elif base is not None and key == "replace":
            entry = next(enforced.of_file(kind, name), None) if node.value is True else None
            if entry is not None:
                fact = f"{name} is replaced, but {enforced.pack} enforces {entry!r}"
                yield GateError(fact, "remove replace: the file is then merged", root.path, *place)
        elif base is not None:
            entry = enforced.setting(kind, name, key)
            if entry is not None:
                fact = _fact(enforced, f"{key} of {name}", entry, entry in (whole, EXCLUDE))
                yield GateError(fact, _remedy(base.get(key)), root.path, *place)


def _fact(enforced: Enforced, what: str, entry: str, itself: bool) -> str:
    because = "" if itself else ", which reads it"
    return f"{what} is set, but {enforced.pack} enforces {entry!r}{because}"


def _remedy(theirs: Node | None) -> str:
    return f"remove it: {theirs.path}:{theirs.line} holds" if theirs is not None else "remove it"


def _severities(enforced: Enforced, config: Node) -> Iterator[GateError]:
    parent = config.get("severity")
    for rule, node in parent.items() if parent else ():
        if parent is not None and isinstance(node.value, str):
            yield from _severity(enforced, rule, node, parent.keys[rule])
        for log, inner in node.items():
            if isinstance(inner.value, str):
                yield from _severity(enforced, rule, inner, node.keys[log], log)
            for kind, leaf in inner.items():
                yield from _severity(enforced, rule, leaf, inner.keys[kind], log, kind)


def _severity(
    enforced: Enforced,
    rule: str,
    node: Node,
    place: tuple[int, int],
    log: str | None = None,
    kind: str | None = None,
) -> Iterator[GateError]:
    for entry, where in enforced.floors(rule, log):
        floor = enforced.floor(rule, where, kind)
        if Severity.of(str(node.value)) < floor:
            because = "" if entry == rule else f" with {entry!r}"
            fact = f"rule {rule!r} is lowered to {node.value}, but {enforced.pack} enforces {floor.word}"
            yield GateError(fact + because, "remove it; raising it is allowed", node.path, *place)
            return


def _waivers(enforced: Enforced, config: Node) -> Iterator[GateError]:
    waivers = config.get("waivers")
    for waiver in waivers.value if waivers else ():
        rule = waiver.value["rule"]
        if rule.value in enforced.rules:
            hint = "remove the waiver: mend the finding, or append a correction"
            yield rule.error(f"rule {rule.value!r} is waived, but {enforced.pack} enforces it", hint)


def _exclusions(enforced: Enforced, config: Node) -> Iterator[GateError]:
    exclude = config.get("exclude")
    if enforced.excluding and exclude is not None and exclude.value:
        fact = f"logs are excluded, but {enforced.pack} enforces {EXCLUDE!r}"
        hint = "remove exclude: every log is judged"
        yield GateError(fact, hint, exclude.path, *config.keys["exclude"])

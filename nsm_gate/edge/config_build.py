"""A repository's configuration -> severities, waivers and limits, with every mistake collected."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from nsm_gate.errors import GateError
from nsm_gate.model import Severity
from nsm_gate.names import suggestion
from nsm_gate.policy import Limits, Policy, SeverityRule, Waiver
from nsm_gate.strict_yaml import Node

_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def _known(
    word: str,
    options: Collection[str],
    what: str,
    node: Node,
    place: tuple[int, int],
    errors: list[GateError],
) -> bool:
    if word in options:
        return True
    hint = suggestion(word, options) or f"nsm-gate knows {', '.join(sorted(options)) or 'none'}"
    errors.append(GateError(f"no {what} is called {word!r}", hint, node.path, *place))
    return False


def check_log_severities(
    logs: Mapping[str, Node], rule_ids: Collection[str], errors: list[GateError]
) -> None:
    """Collect the rules that log kinds set a severity of and that do not exist."""
    for root in logs.values():
        parent = root.get("severity")
        for rule in parent.value if parent else ():
            _known(rule, rule_ids, "rule", root, parent.keys[rule], errors)  # type: ignore[union-attr]


def severities(
    config: Node | None,
    rule_ids: Collection[str],
    logs: Collection[str],
    types: Collection[str],
    errors: list[GateError],
) -> tuple[SeverityRule, ...]:
    """Return the severities that a configuration sets, most general first for each rule."""
    parent = config.get("severity") if config else None
    built: list[SeverityRule] = []
    for rule, node in parent.items() if parent else ():
        if not _known(rule, rule_ids, "rule", node, parent.keys[rule], errors):  # type: ignore[union-attr]
            continue
        if isinstance(node.value, str):
            built.append(SeverityRule(rule, Severity.of(node.value), None, None, _place(node)))
        for log, inner in node.items():
            if not _known(log, logs, "log kind", inner, node.keys[log], errors):
                continue
            if isinstance(inner.value, str):
                built.append(SeverityRule(rule, Severity.of(inner.value), log, None, _place(inner)))
            for kind, leaf in inner.items():
                if _known(kind, types, "experiment type", leaf, inner.keys[kind], errors):
                    built.append(SeverityRule(rule, Severity.of(str(leaf.value)), log, kind, _place(leaf)))
    return tuple(built)


def _place(node: Node) -> str:
    return f"{node.path}:{node.line}"


def places(config: Node | None) -> dict[str, str]:
    """Return where the configuration sets what: `limits.line` -> `file:line`."""
    found: dict[str, str] = {}
    for name, node in config.items() if config else ():
        found[name] = _place(node)
        if name == "limits":
            found |= {f"limits.{key}": _place(inner) for key, inner in node.items()}
        elif isinstance(node.value, list):
            found |= {f"{name}.{index}": _place(inner) for index, inner in enumerate(node.value)}
    return found


def layered(pack: tuple[SeverityRule, ...], own: tuple[SeverityRule, ...]) -> tuple[SeverityRule, ...]:
    """Return a pack's severities under a repository's, whose word counts for all that it covers."""
    kept = [
        entry
        for entry in pack
        if not any(
            word.rule == entry.rule
            and word.log in (None, entry.log)
            and word.experiment_type in (None, entry.experiment_type)
            for word in own
        )
    ]
    return (*kept, *own)


def waivers(config: Node | None, rule_ids: Collection[str], errors: list[GateError]) -> tuple[Waiver, ...]:
    """Return the waivers that a configuration grants."""
    parent = config.get("waivers") if config else None
    built: list[Waiver] = []
    for node in parent.value if parent else ():
        member = node.plain()
        rule = node.value["rule"]
        _known(str(rule.value), rule_ids, "rule", rule, (rule.line, rule.column), errors)
        if ("run" in member) == ("path" in member and "line" in member):
            errors.append(node.error("a waiver names a run, or a path and a line", "give one of the two"))
        expires = node.value["expires"]
        try:
            until = date.fromisoformat(str(expires.value))
        except ValueError:
            errors.append(expires.error(f"{expires.value!r} is no date", "write YYYY-MM-DD"))
            continue
        built.append(
            Waiver(
                member["rule"],
                member.get("run"),
                member.get("path"),
                member.get("line"),
                member["owner"],
                member["reason"],
                until,
                f"{node.path}:{node.line}",
            )
        )
    return tuple(built)


def _seconds(config: Node | None, default: float) -> float:
    sizes = config.get("limits") if config else None
    node = sizes.get("seconds") if sizes else None
    return float(node.value) if node else default


def _size(config: Node | None, key: str, default: int, errors: list[GateError]) -> int:
    sizes = config.get("limits") if config else None
    node = sizes.get(key) if sizes else None
    if node is None:
        return default
    if isinstance(node.value, float):
        errors.append(node.error("a size is a whole number of bytes", "write 1048576, or 1MiB"))
        return default
    if isinstance(node.value, int):
        return node.value
    unit = _UNITS.get(node.value[-3:], 1)
    return int(node.value[:-3] if unit > 1 else node.value) * unit


def limits(config: Node | None, errors: list[GateError]) -> Limits:
    """Return the limits that a configuration sets, the usual ones elsewhere."""
    usual = Limits()
    return Limits(
        _size(config, "line", usual.line, errors),
        _size(config, "file", usual.file, errors),
        _seconds(config, usual.seconds),
    )


def applied(
    policy: Policy,
    config: Node | None,
    rule_ids: Collection[str],
    logs: Collection[str],
    types: Collection[str],
    errors: list[GateError],
) -> Policy:
    """Return a policy with all that a configuration sets beside the rules.

    Args:
        policy: What the rules make.
        config: The configuration.
        rule_ids: Every rule that it may name.
        logs: Every log kind that it may name.
        types: Every experiment type that it may name.
        errors: Mistakes are added to them.
    """
    if config is None:
        return policy
    return policy._replace(
        # A folder means all that is in it.
        exclude=tuple(f"{glob}**" if glob.endswith("/") else glob for glob in _texts(config, "exclude")),
        severities=severities(config, rule_ids, logs, types, errors),
        waivers=waivers(config, rule_ids, errors),
        limits=limits(config, errors),
        folders=tuple(text.rstrip("/") for text in _texts(config, "rules")),
        places=places(config),
        pinned=str(config.value["pack"].value) if "pack" in config.value else "",
    )


def _texts(config: Node, key: str) -> list[str]:
    node = config.get(key)
    return [str(item.value) for item in node.value] if node else []

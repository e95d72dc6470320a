"""Every setting that is in force, with the place that it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nsm_gate.model import Json, Severity
from nsm_gate.nouns import dataclass
from nsm_gate.policy import Policy
from nsm_gate.sources import Sources
from nsm_gate.strict_yaml import Node

_MEMBERS = {"criteria", "references", "assertions", "names", "rates", "times", "hyperparameters"}
"""Members of a rules file that are a setting each member."""
_SILENT = {"examples", "description", "replace", "severity"}
"""Those that decide nothing, or are told with the severities."""
_WORDS = {"source", "description", "message", "hint"}
"""Members of a criterion, reference or assertion that decide nothing."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: Dotted, as the YAML nests: `limits.line`, `log.training_log.key`.
        value: As JSON.
        shown: As a person reads it.
        path: The file that sets it; None where it is the default.
        line: Its line there.
    """

    name: str
    value: Json
    shown: str
    path: str | None = None
    line: int | None = None

    @property
    def place(self) -> str:
        """Return `file:line`, or `default`."""
        return f"{self.path}:{self.line}" if self.path else "default"


def settings(policy: Policy, sources: Sources, defaults: Mapping[str, Severity]) -> Iterator[Setting]:
    """Yield every setting: of the configuration first, then of log kinds, experiment types and domains.

    Args:
        policy: What is in force.
        sources: What it was made of.
        defaults: Rule -> the severity that it has where nobody sets one.
    """
    yield from _of_config(policy, sources)
    yield from severities(policy, sources, defaults)
    for group, roots in sources.merged.items():
        for name in roots:
            yield from of_file(sources, group, name)


def _of_config(policy: Policy, sources: Sources) -> Iterator[Setting]:
    extends = sources.config.get("extends") if sources.config else None
    yield _set("extends", extends) if extends is not None else Setting("extends", "nsm", "nsm")
    built = any(sources.packs.values())
    yield Setting("pack", policy.fingerprint if built else None, policy.fingerprint if built else "none")
    pinned = policy.pinned or None
    agrees = pinned is not None and policy.fingerprint.startswith(pinned)
    said = f"{pinned}{'' if agrees else ', which is another one'}" if pinned else "no"
    yield _placed("pack.pinned", pinned, said, policy.places.get("pack", ""))
    for word, held in (("rules", policy.folders), ("exclude", policy.exclude)):
        if not held:
            yield Setting(word, [], "none")
        for index, text in enumerate(held):
            yield _placed(f"{word}.{index}", text, text, policy.places.get(f"{word}.{index}", ""))
    for name in ("line", "file", "seconds"):
        value = getattr(policy.limits, name)
        said = f"{value:g} seconds" if name == "seconds" else f"{value:,} bytes"
        yield _placed(f"limits.{name}", value, said, policy.places.get(f"limits.{name}", ""))
    waivers = sources.config.get("waivers") if sources.config else None
    if waivers is None or not waivers.value:
        yield Setting("waivers", [], "none")
    for index, node in enumerate(waivers.value if waivers is not None else ()):
        yield _set(f"waivers.{index}", node)
    enforce = sources.package.get("enforce") if sources.package is not None else None
    for index, node in enumerate(enforce.value if enforce is not None else ()):
        yield _set(f"enforce.{index}", node)


def severities(policy: Policy, sources: Sources, defaults: Mapping[str, Severity]) -> Iterator[Setting]:
    """Yield the severity of each rule, and where it differs by log kind and experiment type."""
    for rule, default in defaults.items():
        yield from severity(rule, policy, sources, default)


def severity(rule: str, policy: Policy, sources: Sources, default: Severity) -> Iterator[Setting]:
    """Yield the severity of one rule: for all, then by log kind, then by experiment type of a log kind."""
    said = {(item.log, item.experiment_type): item for item in policy.severities if item.rule == rule}
    overall = said.get((None, None))
    word = overall.severity.word if overall else default.word
    yield _placed(f"severity.{rule}", word, word, overall.defined_at if overall else "")
    for name, kind in policy.logs.items():
        own = said.get((name, None))
        node = sources.at("log", name, "severity", rule)
        if own is not None:
            yield _placed(f"severity.{rule}.{name}", own.severity.word, own.severity.word, own.defined_at)
        elif overall is None and node is not None and rule in kind.severity:
            yield _set(f"severity.{rule}.{name}", node)
        for (log, experiment), item in said.items():
            if log == name and experiment is not None:
                where = f"severity.{rule}.{name}.{experiment}"
                yield _placed(where, item.severity.word, item.severity.word, item.defined_at)


def of_file(sources: Sources, group: str, name: str) -> Iterator[Setting]:
    """Yield the settings of one log kind, experiment type or domain."""
    for key, node in sources.merged[group][name].items():
        where = f"{group}.{name}.{key}"
        if key == group or key in _SILENT:
            continue
        if key == "schema" and name in sources.schemas:
            path = sources.schemas[name][0]
            yield Setting(where, path, path, node.path, node.line)
        elif key in _MEMBERS:
            for member, inner in node.items():
                yield _set(f"{where}.{member}", inner)
        else:
            yield _set(where, node)


def _set(name: str, node: Node) -> Setting:
    return Setting(name, node.plain(), flow(node), node.path, node.line)


def _placed(name: str, value: Json, shown: str, place: str) -> Setting:
    path, _, line = place.rpartition(":")
    return Setting(name, value, shown, path or None, int(line) if path else None)


def flow(node: Node, *, inside: bool = False) -> str:
    """Return what a value decides in one line, as YAML writes it, without the outermost brackets."""
    if isinstance(node.value, dict):
        parts = {key: inner for key, inner in node.items() if inside or key not in _WORDS}
        text = ", ".join(f"{key}: {flow(inner, inside=True)}" for key, inner in parts.items())
        return f"{{{text}}}" if inside else text
    if isinstance(node.value, list):
        text = ", ".join(flow(inner, inside=True) for inner in node.value)
        return f"[{text}]" if inside else text
    if isinstance(node.value, str):
        return " ".join(node.value.split())
    return node.text or ("null" if node.value is None else str(node.value).lower())

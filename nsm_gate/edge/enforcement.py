"""What a pack's `enforce:` list means. Pure: nodes in, look-ups out.

An entry also holds what it reads. That accuracy exceeds 0.55 is no law where a repository may say that
accuracy stands at another place, and findings are not asked for where it may say that the run's name is
the findings.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from nsm_gate.checks import BY_ID
from nsm_gate.errors import GateError
from nsm_gate.model import Severity
from nsm_gate.names import suggestion
from nsm_gate.nouns import Any, dataclass, field
from nsm_gate.policy import LogKind, Policy, SeverityRule
from nsm_gate.strict_yaml import Node

Files = Mapping[str, Mapping[str, Node]]
"""`log`, `experiment_type` and `domain` -> name -> root of the file."""

EXCLUDE = "exclude"
MAPS = ("criteria", "names", "references", "assertions", "rates")
_ALL = "every setting"
# The schema too: what it refuses is judged by nothing else.
_RUN = ("run", "schema", "status", "experiment_type", "domain")
_VERDICT = (*_RUN, "times", "key", "corrects", "reason")
_READS: dict[str, tuple[str, ...]] = {
    # Settings of log kinds, `requires` of types and `metrics` of domains that a rule reads. A rule that is
    # not listed counts as reading all of them.
    "history-rewritten": (),
    "inserted-line": (),
    "not-a-log": ("schema",),
    "invalid-json": (),
    "duplicate-member": (),
    "blank-line": (),
    "line-ending": (),
    "schema": ("metrics", *_RUN),
    "unknown-field": ("metrics", *_RUN),
    "duplicate-run": ("key", "corrects", "reason", *_RUN),
    "timestamp-invalid": ("times", *_RUN),
    "timestamp-not-utc": ("times", *_RUN),
    "timestamp-naive": ("times", *_RUN),
    "timestamp-future": ("times", *_RUN),
    "timestamp-order": ("times", *_RUN),
    "time-span": ("times", *_RUN),
    "duration-mismatch": ("times", *_RUN),
    "missing-findings": ("findings", *_RUN),
    "missing-hyperparameter": ("hyperparameters", *_RUN),
    "missing-architecture": ("architecture", "requires", *_RUN),
    "missing-error-message": ("error_message", *_RUN),
    "missing-domain-metric": ("requires", "metrics", *_RUN),
    "foreign-domain-metric": ("metrics", *_RUN),
    "missing-experiment-type": _RUN,
    "unknown-experiment-type": _RUN,
    "assertion": ("assertions", *_RUN),
    "class-collapse": ("class_accuracies", *_RUN),
    "zero-task-loss": ("task_loss", *_RUN),
    "criterion-missed": _VERDICT,
    "criterion-unknown": _VERDICT,
}


@dataclass(slots=True)
class Enforced:
    """What is enforced, each thing with the entry that says so.

    Attributes:
        pack: The pack's name.
        base: The pack's files, merged with those that it builds on.
        severities: What the pack's own configuration says of severities.
        rules: Rule ids.
        excluding: Whether no log may be left out.
        files: (kind, name) of whole files.
        criteria: (kind, name, criterion).
        settings: Settings that something enforced reads.
        texts: What enforced tests say: the names in them keep their meaning.
    """

    pack: str
    base: Files
    severities: tuple[SeverityRule, ...]
    rules: set[str] = field(default_factory=set)
    excluding: bool = False
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    criteria: dict[tuple[str, str, str], str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    texts: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def read(
        cls,
        pack: str,
        entries: Node | None,
        base: Files,
        severities: tuple[SeverityRule, ...],
        errors: list[GateError],
    ) -> Enforced:
        """Return what a pack enforces; a name that it does not know is a mistake in `errors`."""
        made = cls(pack, base, severities)
        for node in entries.value if entries else ():
            entry = str(node.value)
            if not made._add(entry):
                errors.append(made._unknown(node, entry))
        made._add_references()
        made._add_uses()
        return made

    # --- what holds -----------------------------------------------------------------------------

    def holder(self, kind: str, name: str, key: str, member: str) -> str | None:
        """Return the entry that holds a member of one of the `MAPS` of a file, or None."""
        if key == "criteria":
            return self.criteria.get((kind, name, member))
        base = self.base[kind].get(name)
        if key == "references" or (key in ("names", "rates") and base is not None):
            # New ones too: they would take a name's meaning away.
            entry = self._reader(member)
            if entry is not None:
                return entry
        if member not in members(base, key):
            return None
        return self.files.get((kind, name)) or self.settings.get(key) or self.settings.get(_ALL)

    def setting(self, kind: str, name: str, key: str) -> str | None:
        """Return the entry that holds any other member of one of the pack's files, or None."""
        if key in (kind, "examples"):
            return None
        whole = self.files.get((kind, name))
        if whole is not None or key == "description":
            return whole
        if key == "files":
            # To claim other files leaves logs out.
            return EXCLUDE if self.excluding else None
        return self.settings.get(key) or self.settings.get(_ALL)

    def of_file(self, kind: str, name: str) -> Iterator[str]:
        """Yield the entries that hold something of one of the pack's files."""
        root = self.base[kind][name]
        for key in root.value:
            held = [self.holder(kind, name, key, member) for member in members(root, key)]
            held = held if key in MAPS else [self.setting(kind, name, key)]
            yield from (entry for entry in held if entry is not None)

    def floors(self, rule: str, log: str | None) -> Iterator[tuple[str, str | None]]:
        """Yield the entries that hold a rule's severity in a log kind or in all, and the log kind of each."""
        if rule in self.rules:
            yield rule, log
        for (kind, name), entry in self.files.items():
            if kind == "log" and log in (None, name) and rule in members(self.base[kind][name], "severity"):
                yield entry, name

    def floor(self, rule: str, log: str | None, kind: str | None) -> Severity:
        """Return the gravest severity that the pack gives a rule: anywhere, in a log kind, or to a type."""
        logs = {
            name: LogKind(
                name, "", (), "", {},
                severity={r: Severity.of(str(node.value)) for r, node in members(root, "severity").items()},
            )
            for name, root in self.base["log"].items()
        }  # fmt: skip
        policy = Policy(logs, {}, {}, severities=self.severities)
        usual = BY_ID[rule].severity if rule in BY_ID else Severity.ERROR
        return max(
            policy.severity(rule, one, other, usual)
            # An empty name stands for a log kind of the repository's own.
            for one in ((log,) if log else (*logs, ""))
            for other in ((kind,) if kind else (None, *self.base["experiment_type"]))
        )

    # --- reading the list -----------------------------------------------------------------------

    def _all_criteria(self) -> Iterator[tuple[str, str, str, Node]]:
        for kind, roots in self.base.items():
            for name, root in roots.items():
                for criterion, node in members(root, "criteria").items():
                    yield kind, name, criterion, node

    def _add(self, entry: str) -> bool:
        """Add everything that an entry names; return whether it names anything."""
        known = entry in BY_ID or entry == EXCLUDE
        self.excluding = self.excluding or entry == EXCLUDE
        if entry in BY_ID:
            self.rules.add(entry)
            self._hold(_READS.get(entry, (_ALL,)), entry)
        for kind, roots in self.base.items():
            if entry in roots:
                known = True
                self.files[kind, entry] = entry
        for kind, name, criterion, node in self._all_criteria():
            if entry in (name, f"{name}.{criterion}"):
                known = True
                self.criteria[kind, name, criterion] = entry
                self.texts.append((f"{criterion}\n{_said(node.plain())}", entry))
                # Types ask domain criteria strictly with `requires: [domain_metrics]`.
                self._hold((*_VERDICT, "requires") if kind == "domain" else _VERDICT, entry)
        for name, root in self.base["log"].items():
            laws = members(root, "assertions").values() if entry in (name, "assertion") else ()
            self.texts += [(_said(node.plain()), entry) for node in laws]
        return known

    def _unknown(self, node: Node, entry: str) -> GateError:
        known = {*BY_ID, EXCLUDE, *(name for roots in self.base.values() for name in roots)}
        known |= {f"{name}.{criterion}" for _, name, criterion, _ in self._all_criteria()}
        # A criterion of the very thing that is named comes before one of the same name elsewhere.
        beside = {word for word in known if word.startswith(f"{entry.partition('.')[0]}.")}
        hint = "enforce a rule id, NAME.CRITERION, an experiment type, a domain, a log kind or exclude"
        near = suggestion(entry, beside) or suggestion(entry, known)
        return node.error(f"the pack knows no {entry!r} to enforce", near or hint)

    def _hold(self, settings: Collection[str], entry: str) -> None:
        for setting in settings:
            self.settings.setdefault(setting, entry)

    def _add_references(self) -> None:
        """Add what the references say that enforced tests compare with, and those that these name."""
        pending = [
            (name, node)
            for roots in self.base.values()
            for root in roots.values()
            for name, node in members(root, "references").items()
        ]
        while True:
            read = [(name, node) for name, node in pending if self._reader(name) is not None]
            if not read:
                return
            pending = [item for item in pending if item not in read]
            self.texts += [(_said(node.plain()), self._reader(name) or "") for name, node in read]

    def _add_uses(self) -> None:
        """Hold the places where types take in domains, where a domain's criterion is enforced."""
        held = next((entry for (kind, *_), entry in self.criteria.items() if kind == "domain"), None)
        for kind, name, criterion, node in self._all_criteria() if held else ():
            if held and node.get("use") is not None:
                self.criteria.setdefault((kind, name, criterion), held)

    def _reader(self, name: str) -> str | None:
        """Return the entry of which a test mentions a name, or None."""
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        return next((entry for text, entry in self.texts if word.search(text)), None)


def members(root: Node | None, key: str) -> dict[str, Node]:
    """Return the members of a mapping of a file; none where it has no such mapping."""
    node = root.get(key) if root is not None else None
    return dict(node.items()) if node is not None else {}


def _said(plain: Any) -> str:
    """Return every text of a value that decides something, one a line."""
    if isinstance(plain, dict):
        free = ("source", "message", "hint", "description")
        return "\n".join(_said(value) for key, value in plain.items() if key not in free)
    if isinstance(plain, list):
        return "\n".join(_said(value) for value in plain)
    return str(plain)

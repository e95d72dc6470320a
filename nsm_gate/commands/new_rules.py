"""The rules files of a new experiment type and a new domain, with examples that hold."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from nsm_gate.checks import BY_ID
from nsm_gate.commands.judging import errors_of
from nsm_gate.commands.rules_texts import Wanted, domain_file, entry, metric_of, type_file
from nsm_gate.commands.setup_texts import config
from nsm_gate.commands.steps import Leave, Step, Write
from nsm_gate.commands.workspace import Workspace
from nsm_gate.edge.configs import CONFIG, configured
from nsm_gate.edge.policies import read_policy
from nsm_gate.edge.trees import Item, Tree
from nsm_gate.edge.writing import Taken, standing
from nsm_gate.errors import GateError
from nsm_gate.nouns import dataclass
from nsm_gate.policy import Domain, ExperimentType, LogKind, Policy

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}", re.ASCII)
"""The name of rules.schema.json."""

_FOLDER = "rules"
_MEASURES = ("accuracy", "balance_delta", "cycle_loss")


_SEED = "nsm-gate-init"
"""Name of a domain that nobody sees."""


@dataclass(frozen=True, slots=True)
class _Sown:
    """A tree with one file more: the configuration may name a folder of rules that is still empty."""

    tree: Tree
    path: str

    @property
    def label(self) -> str:
        return self.tree.label

    def paths(self) -> Collection[str]:
        return {*self.tree.paths(), self.path}

    def item(self, path: str) -> Item | None:
        return Item("100644") if path == self.path else self.tree.item(path)

    def read(self, path: str) -> bytes | None:
        return f"domain: {_SEED}\n".encode() if path == self.path else self.tree.read(path)


def steps(space: Workspace, new_type: str | None, new_domain: str | None, now: datetime) -> Iterator[Step]:
    """Yield a step for each file.

    Args:
        space: The repository.
        new_type: Name of the experiment type, or None.
        new_domain: Name of the domain, or None.
        now: The current time, in UTC.

    Raises:
        GateError: A name cannot be one, or is taken; a file is there.
    """
    source, folders = configured(space.work)
    folder = (folders[0] if folders else _FOLDER).removeprefix("./").rstrip("/")
    if folder.startswith("/") or ".." in folder.split("/"):
        raise GateError(
            f"the folder {folder!r} of rules lies outside", "name one inside the repository", source
        )
    prefix = "" if folder in ("", ".") else f"{folder}/"
    policy = _policy(space.work, folders, prefix)
    for what, name, known in (
        ("an experiment type", new_type, policy.experiment_types),
        ("a domain", new_domain, policy.domains),
    ):
        if name is not None:
            _free(what, name, known, prefix)
    files = dict(_files(policy, new_type, new_domain, prefix, now))
    for path in files:
        found = standing(space.root, path)
        if found is not None:
            why = found.reason if isinstance(found, Taken) else "the file is there already"
            raise GateError(why, "choose another name, or write to it by hand", path)
    if not source:
        yield Write(CONFIG, config(rules=True))
    yield from (Write(path, text) for path, text in files.items())
    if source and not folders:
        row = f'rules = ["{folder}/"]' if source != CONFIG else f"rules: [{folder}/]"
        yield Leave(source, "it names no folder of rules, so that none are read", f"{row}\n")


def _policy(tree: Tree, folders: list[str], prefix: str) -> Policy:
    empty = folders and not any(
        path.startswith(prefix) and path.endswith((".yaml", ".yml")) and path != CONFIG
        for path in tree.paths()
    )
    if not empty:
        return read_policy(tree, None, BY_ID)
    policy = read_policy(_Sown(tree, f"{prefix}{_SEED}.yaml"), None, BY_ID)
    return policy._replace(domains={name: d for name, d in policy.domains.items() if name != _SEED})


def _free(
    what: str, name: str, known: Mapping[str, ExperimentType] | Mapping[str, Domain], prefix: str
) -> None:
    """Raise a GateError where a name cannot be given to something new."""
    if not _NAME.fullmatch(name):
        raise GateError(f"{name[:100]!r} cannot name {what}", "write 1 to 80 letters, digits, _, - and dots")
    if name in known:
        place = known[name].defined_at
        file = place.rpartition(":")[0]
        hint = f"edit {file}, or choose another name"
        if ":" in file:  # a file of a pack, not of the repository
            word = what.partition(" ")[2].replace(" ", "_")
            hint = f"choose another name; a file in {prefix} with `{word}: {name}` changes that of the pack"
        raise GateError(f"{what} called {name!r} is already defined at {place}", hint)


def _files(
    policy: Policy,
    new_type: str | None,
    new_domain: str | None,
    prefix: str,
    now: datetime,
) -> Iterator[tuple[str, str]]:
    kind = _kind(policy)
    if new_domain is not None:
        metrics: tuple[str, ...] = (metric_of(new_domain),)
        domain = new_domain
    else:
        domain = "planning" if "planning" in policy.domains else next(iter(policy.domains), "planning")
        metrics = ()
    # An example of a domain is a run of some type, best of one that asks for the domain's metrics.
    asking = [name for name, known in policy.experiment_types.items() if known.asks_domain_metrics]
    experiment_type = new_type or next(iter((*asking, *policy.experiment_types)), None)
    asks = new_domain is not None and (new_type is not None or bool(asking))
    wanted = Wanted(
        experiment_type, domain, metrics, asks, kind.required_hyperparameters if kind else (), False,
        kind.name if kind else next(iter(policy.logs)),
    )  # fmt: skip
    if kind is not None and _accepted(policy, kind, wanted, now):
        wanted = Wanted(wanted.experiment_type, domain, metrics, asks, wanted.required, True, wanted.log)
    if new_type is not None:
        yield f"{prefix}{new_type}.yaml", type_file(new_type, wanted)
    if new_domain is not None:
        name = f"{new_domain}-domain" if new_domain == new_type else new_domain
        yield f"{prefix}{name}.yaml", domain_file(new_domain, wanted)


def _kind(policy: Policy) -> LogKind | None:
    """Return the one log kind that has experiment types, or None."""
    typed = [kind for kind in policy.logs.values() if kind.experiment_type]
    return typed[0] if len(typed) == 1 else None


def _accepted(policy: Policy, kind: LogKind, wanted: Wanted, now: datetime) -> bool:
    """Return whether the log kind takes the entry of our examples, names still to be defined aside."""
    if not set(_MEASURES) <= set(kind.names):
        return False
    new = {"/" + "/".join(path) for path in (kind.domain, kind.experiment_type) if path}
    new |= {"/" + "/".join((*kind.run, metric)) for metric in wanted.metrics}
    return all(found.pointer in new for found in errors_of(policy, kind, entry(wanted), now))

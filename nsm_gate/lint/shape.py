"""Files and criteria that no run meets, and types that say or show nothing."""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.lint.remark import Remark, error, warning
from nsm_gate.policy import Policy, UseDomain
from nsm_gate.sources import Sources

_SAID = {"log": "log kind", "experiment_type": "experiment type", "domain": "domain"}


def idle(policy: Policy, sources: Sources) -> Iterator[Remark]:
    """Yield a remark for each file that nothing applies, and each that adds nothing."""
    for group in ("experiment_type", "domain"):
        if any(getattr(kind, group) for kind in policy.logs.values()):
            continue
        for name, root in sources.merged[group].items():
            hint = f"say in a log kind where its runs name theirs: {group}: PATH"
            fact = f"no log kind has {_SAID[group]}s, so that {name} applies to no run"
            yield error(root.get(group) or root, fact, hint)
    for group, roots in sources.own.items():
        for name, root in roots.items():
            replace = root.get("replace")
            if replace is not None and replace.value is True and name not in sources.packs[group]:
                fact = f"no pack has the {_SAID[group]} {name}, so that nothing is replaced"
                yield warning(replace, fact, "take replace: out, or mend the name")
    shown = {example.owner for example in policy.examples}
    for name, experiment in policy.experiment_types.items():
        own = sources.own["experiment_type"].get(name)
        if own is None:
            continue
        place = own.get("experiment_type") or own
        if not experiment.criteria:
            hint = "add criteria:, or say with use: domain that the domain's hold"
            yield warning(place, f"the experiment type {name} has no criteria", hint)
        if ("experiment_type", name) not in shown:
            hint = "add examples: of a run that meets its criteria, and of one that misses them"
            yield warning(place, f"the experiment type {name} has no examples", hint)


def doubled(policy: Policy, sources: Sources) -> Iterator[Remark]:
    """Yield a remark for each place that takes in a domain's criteria once more, or where none can be."""
    in_logs: dict[str, str] = {}
    for kind in policy.logs.values():
        uses = [item.name for item in kind.criteria if isinstance(item, UseDomain)]
        yield from _again(sources, "log", kind.name, uses[1:], kind.name)
        if uses and kind.experiment_type:
            in_logs[kind.name] = uses[0]
    for experiment in policy.experiment_types.values():
        uses = [item.name for item in experiment.criteria if isinstance(item, UseDomain)]
        again = uses if in_logs else uses[1:]
        yield from _again(sources, "experiment_type", experiment.name, again, *in_logs or (experiment.name,))
    for domain in policy.domains.values():
        for item in domain.criteria:
            node = sources.at("domain", domain.name, "criteria", item.name)
            if isinstance(item, UseDomain) and node is not None:
                hint = "take it out: a domain's criteria are its own"
                yield error(node, f"{item.name} of the domain {domain.name} takes in itself", hint)


def _again(sources: Sources, group: str, owner: str, names: list[str], *first: str) -> Iterator[Remark]:
    for name in names:
        node = sources.at(group, owner, "criteria", name)
        if node is not None:
            fact = f"{name} of {owner} takes in the domain's criteria, which {first[0]} has already taken in"
            yield error(node, fact, "take it out: each criterion would be judged twice")

"""The policy of a tree, by the shortest way that gives it.

Where a repository says nothing of its own about rules, they are those of the bundled pack, which come with
the package compiled already; what its configuration sets is laid over them. Else, and wherever there is a
mistake to report, everything is read from the YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from nsm_gate.edge import configs, packs
from nsm_gate.edge.trees import Tree
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.nouns import TYPE_CHECKING
from nsm_gate.policy import Policy

if TYPE_CHECKING:
    from nsm_gate.strict_yaml import Node


def read_policy(
    tree: Tree,
    config_path: str | None,
    rule_ids: Collection[str],
    *,
    untrusted: Collection[str] = (),
    examples: bool = False,
    begin: Callable[[float], None] = lambda _seconds: None,
) -> Policy:
    """Return the policy that a tree's configuration and the packs make together.

    Args:
        tree: Where the configuration and the repository's rules are read from.
        config_path: Another configuration file than the default ones.
        rule_ids: Every rule that a configuration may name.
        untrusted: Folders that the judged change may write to: no installed pack is taken from there.
        examples: Whether the examples of the rules are wanted, too.
        begin: Called with `limits.seconds` before the rules and schemas are read.

    Raises:
        GateErrors: All mistakes of all files.
    """
    if not examples and config_path is None:
        found = _of_pack(tree, rule_ids)
        if found is not None:
            return found
    from nsm_gate.edge.policy_files import read_rules

    return read_rules(tree, config_path, rule_ids, untrusted=untrusted, examples=examples, begin=begin)[0]


def _of_pack(tree: Tree, rule_ids: Collection[str]) -> Policy | None:
    """Return the policy of a tree that has no rules of its own, None where it has some, or mistakes."""
    policy = packs.compiled()
    if policy is None or not configs.present(tree):
        return policy
    try:
        config, name = configs.read(tree, None)
    except GateErrors:
        return None
    if config is None:
        return policy
    extends = config.get("extends")
    if config.get("rules") is not None or (extends is not None and extends.value != "nsm"):
        return None
    return _set(policy, config, name, rule_ids)


def _set(policy: Policy, config: Node, name: str, rule_ids: Collection[str]) -> Policy | None:
    from nsm_gate.edge.config_build import applied
    from nsm_gate.edge.shapes import check_shape, own_schema
    from nsm_gate.schema import Validator

    if check_shape(config, Validator(own_schema("config.schema.json"), configs.CONFIG)):
        return None
    mistakes: list[GateError] = []
    made = applied(policy, config, rule_ids, policy.logs, policy.experiment_types, mistakes)
    if mistakes:
        return None
    fingerprint = packs.fingerprint(packs.files()) if made.pinned else ""
    return made._replace(source=f"{policy.source} and {name}", fingerprint=fingerprint)

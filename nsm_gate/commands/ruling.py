"""Whose rules judge: the head's, or those of the base with what only the head knows beside them."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from nsm_gate.checks import DEFAULTS
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace
from nsm_gate.edge import ci
from nsm_gate.edge.bases import Comparison, resolve
from nsm_gate.edge.configs import CONFIG
from nsm_gate.edge.files import CommitTree
from nsm_gate.edge.registrations import Registrations
from nsm_gate.edge.trees import Recording, Tree
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.governance import Governance
from nsm_gate.lines import Lines
from nsm_gate.overlay import overlay
from nsm_gate.policy import Policy

_MEND = "a maintainer mends them on the base branch; --rules-from head judges by the head's rules"


def ruling(
    space: Workspace, comparison: Comparison, wish: str | None, config: str | None, world: Surroundings
) -> tuple[Policy, Governance]:
    """Return the rules that judge, and how those of the base and of the head differ.

    Args:
        space: Where the rules lie.
        comparison: Base and head of the judgement.
        wish: `base` or `head`; None for the base on a CI pull request, else the head.
        config: `--config`.
        world: Where the command runs.

    Raises:
        GateErrors: The rules that judge cannot be read, or the head's cannot.
    """
    recording = Recording(comparison.head)
    head = space.policy(recording, config)
    file = next(iter(head.places.values()), f"{CONFIG}:1").rpartition(":")[0]
    proposed = ci.proposes(world.environ)
    from_base = wish == "base" or (wish is None and proposed)
    bases, why = comparison.bases, "--rules-from base"
    if from_base and not bases and space.git is not None:
        bases = resolve(space.git, space.work, world.environ).bases  # --all has none of its own
    if wish is None and proposed:
        why = "a CI pull request"
    git = space.git

    def at(tree: Tree) -> Policy:
        return space.policy(tree, config)

    told = Governance(
        config=file,
        pack="" if head.fingerprint.startswith(head.pinned) else head.fingerprint,
        # A proposal may bring a history of its own, with dates to its liking: the base's counts.
        registered=Registrations(git, at, bases[0] if from_base and bases else "HEAD") if git else None,
    )
    if not bases or git is None:
        if wish == "base":
            hint = "name one with --base, or judge by the rules of the head"
            raise GateError("there is no base to read the rules from", hint)
        return head, told
    short = bases[0][:7]
    if from_base:
        told = told._replace(said=f"the rules of the base {short} ({why})")
    trees = [CommitTree(git, base, head.limits.file) for base in bases]
    if any(recording.same_in(tree, head.folders) for tree in trees):
        return (overlay(head, head, DEFAULTS) if from_base else head), told
    try:
        base = at(trees[0])
    except (GateError, GateErrors) as error:
        if from_base:
            raise unreadable(error, short, _MEND) from None
        return head, told._replace(unreadable=str(error).split("\n")[0])
    told = told._replace(old=base, new=head)
    if not comparison.bases:

        @cache
        def logged(path: str) -> Collection[bytes]:
            return frozenset(Lines(trees[0].read(path) or b""))

        told = told._replace(logged=logged)
    return (overlay(base, head, DEFAULTS) if from_base else head), told


def unreadable(error: GateError | GateErrors, short: str, hint: str) -> GateErrors:
    """Return the error for rules of the base that cannot be read, at the place of their first mistake."""
    inner = error.errors if isinstance(error, GateErrors) else (error,)
    fact = f"the rules of the base {short} cannot be read, so nothing is judged"
    return GateErrors((GateError(fact, hint, inner[0].path, inner[0].line, inner[0].column), *inner))

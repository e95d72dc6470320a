"""Where a command works: the root, the repository around it, and the policy of one of its trees."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nsm_gate.checks import BY_ID
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.watch import Watch
from nsm_gate.edge.discovery import discover
from nsm_gate.edge.files import WorkTree
from nsm_gate.edge.git import Git
from nsm_gate.edge.logs import relative
from nsm_gate.edge.policies import read_policy
from nsm_gate.edge.trees import Tree
from nsm_gate.errors import GateError
from nsm_gate.nouns import TYPE_CHECKING, NamedTuple
from nsm_gate.policy import Limits, Policy

if TYPE_CHECKING:
    from nsm_gate.sources import Sources


class Workspace(NamedTuple):
    """A folder of logs.

    Attributes:
        root: The repository's root; outside of one, the current folder.
        git: The repository, or None outside of one.
        paths: What the command line names, from the root; None where it names nothing.
        work: The files on disk.
        watch: Is told how long the reading of the rules may take.
    """

    root: str
    git: Git | None
    paths: list[str] | None
    work: WorkTree
    cwd: str
    watch: Watch

    def policy(self, tree: Tree, config: str | None, *, examples: bool = False) -> Policy:
        """Return the policy of a tree.

        Args:
            tree: Where the configuration and the rules are read from.
            config: `--config`: another configuration file, which may lie outside of the root.
            examples: Whether the examples of the rules are wanted, too.

        Raises:
            GateErrors: All mistakes of all files.
        """
        tree, name = self._where(tree, config)
        return read_policy(
            tree, name, BY_ID, untrusted=(self.root, self.cwd), examples=examples, begin=self.watch.hurry
        )  # fmt: skip

    def rules(self, tree: Tree, config: str | None, *, examples: bool = False) -> tuple[Policy, Sources]:
        """Return the policy of a tree, and the YAML that it is made of; see `policy`."""
        # Imported here: the hook needs no YAML where a repository has no rules of its own.
        from nsm_gate.edge.policy_files import read_rules

        tree, name = self._where(tree, config)
        return read_rules(
            tree, name, BY_ID, untrusted=(self.root, self.cwd), examples=examples, begin=self.watch.hurry
        )  # fmt: skip

    def _where(self, tree: Tree, config: str | None) -> tuple[Tree, str | None]:
        """Return the tree that holds the configuration, and its path there where it is not the usual one."""
        name = config
        if config is not None:
            name = relative(config, self.root, self.cwd)
            if name is None:
                folder, name = os.path.split(os.path.join(self.cwd, config))
                tree = WorkTree(folder, None)
        return tree, name


@contextmanager
def opened(world: Surroundings, given: Sequence[str] = (), *, needs_git: bool = False) -> Iterator[Workspace]:
    """Open the workspace around the current folder, or around the logs that the command line names.

    Args:
        world: Where the command runs.
        given: Paths of the command line.
        needs_git: Whether a missing git is an error where there is a repository.

    Raises:
        GateError: git refuses the repository, or a path lies outside of it.
    """
    root, git, paths = _place(given, world, needs_git)
    try:
        yield Workspace(root, git, paths, WorkTree(root, git, Limits().file), world.cwd, world.watch)
    finally:
        if git is not None:
            git.close()


def _place(
    given: Sequence[str], world: Surroundings, needs_git: bool
) -> tuple[str, Git | None, list[str] | None]:
    if "" in given:
        raise GateError("an empty PATH", "name a log or a folder; . is the current one")
    start = world.cwd
    if given:
        # Logs may lie elsewhere: then the repository around them counts.
        first = os.path.join(world.cwd, given[0])
        start = os.path.realpath(first if os.path.isdir(first) else os.path.dirname(first))
        if not os.path.isdir(start):
            start = world.cwd
    git = discover(start, world.environ, needed=needs_git, ahead=world.ahead)
    root = git.root if git else start
    if git is None and relative(start, world.cwd, world.cwd) is not None:
        root = world.cwd
    if not given:
        return root, git, None
    paths = [relative(path, root, world.cwd) for path in given]
    if git is None and None in paths:
        places = [os.path.realpath(os.path.join(world.cwd, path)) for path in given]
        root = os.path.commonpath([os.path.dirname(place) for place in places])
        paths = [relative(path, root, world.cwd) for path in given]
    for path, said in zip(paths, given, strict=True):
        if path is None:
            raise GateError(f"it lies outside of {root}", "check one repository at a time", said)
    return root, git, [path for path in paths if path is not None]

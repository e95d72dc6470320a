"""What a repository needs for the gate: configuration, hooks, workflow, attributes, a word to agents."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from nsm_gate.commands import setup_texts
from nsm_gate.commands.kinds import kind_at
from nsm_gate.commands.steps import Keep, Step, marked, whole
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace
from nsm_gate.edge.configs import CONFIG, configured
from nsm_gate.edge.files import IndexTree
from nsm_gate.edge.git import Git
from nsm_gate.errors import GateError
from nsm_gate.policy import Policy
from nsm_gate.render.untrusted import plain

_WORKFLOW = ".github/workflows/nsm-gate.yml"
_HOOKS = ".pre-commit-config.yaml"


def steps(space: Workspace, git: Git, gate: setup_texts.Source) -> Iterator[Step]:
    """Yield a step for each file.

    Args:
        space: The repository.
        git: Its git.
        gate: From where hooks and CI install the gate.
    """
    policy = space.policy(space.work, None)
    source, _ = configured(space.work)
    if source and source != CONFIG:
        yield Keep(CONFIG, f"{source} configures the gate")
    else:
        yield whole(space.root, CONFIG, setup_texts.config(rules=False), lambda _: "")
    yield whole(space.root, _HOOKS, setup_texts.pre_commit(gate), _lacks_hooks)
    yield whole(space.root, _WORKFLOW, setup_texts.workflow(gate), _lacks_the_gate)
    attributes = setup_texts.attributes(policy.logs.values(), _with_carriage_returns(git, policy))
    yield marked(space.root, ".gitattributes", attributes)
    yield marked(space.root, "AGENTS.md", setup_texts.agents(policy))


def _lacks_hooks(content: str) -> str:
    if setup_texts.PLACEHOLDER in content:
        return f"still says {setup_texts.PLACEHOLDER}"
    rows = "\n".join(row for row in content.split("\n") if not row.lstrip().startswith("#"))
    missing = [
        hook
        for hook in ("nsm-gate", "nsm-gate-history")
        if not re.search(rf"\bid:\s*[\"']?{hook}[\"']?(?![\w-])", rows)
    ]
    return f"has no hook {' and no hook '.join(missing)}" if missing else ""


def _lacks_the_gate(content: str) -> str:
    if setup_texts.PLACEHOLDER in content:
        return f"still says {setup_texts.PLACEHOLDER}"
    return "" if "nsm-gate check" in content else "does not run nsm-gate check"


def _with_carriage_returns(git: Git, policy: Policy) -> set[str]:
    """Return the log kinds that have a log with CRLF in the index: text=... would rewrite its lines."""
    index, found = IndexTree(git, policy.limits.file), set()
    for path in index.paths():
        kind = kind_at(policy, path)
        if kind is None or kind.name in found:
            continue
        try:
            data = index.read(path)
        except GateError:
            data = b"\r\n"  # too large, or in conflict: then git had better change nothing
        if data and b"\r\n" in data:
            found.add(kind.name)
    return found


def register(git: Git, wanted: bool, dry: bool, world: Surroundings) -> bool:
    """Show the commands that register merge driver and textconv in this clone, or carry them out.

    Returns:
        Whether there is something that they change, and it is wanted.
    """
    rows, settings = [], []
    for name, value in setup_texts.DRIVER:
        found = git.setting(name)
        if found is None:
            settings.append((name, value))
        elif found != value:
            rows.append(f"left alone: git config {name} is {plain(found)}, not {value}")
    commands = [f"git config {name} {shlex.quote(value)}" for name, value in settings]
    if not settings:
        rows.append("unchanged: git config has a merge driver and a textconv for logs")
    elif wanted and not dry:
        for name, value in settings:
            git.set(name, value)
        rows += [f"set: {command}" for command in commands]
    elif wanted:
        rows += [f"would run {command}" for command in commands]
    else:
        rows.append(
            "a commit cannot carry git's configuration. In each clone, run nsm-gate init --git-config, or:"
        )
        rows += ["", *(f"    {command}" for command in commands)]
    world.stdout.write("".join(f"{row}\n" for row in rows))
    return bool(settings) and wanted

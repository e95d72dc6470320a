"""`nsm-gate textconv`: a log for human eyes, as `git diff` shows it."""

from __future__ import annotations

import argparse
import hashlib
import os

from nsm_gate.commands.kinds import kind_at, kind_by_members
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace, opened
from nsm_gate.edge.files import read_file
from nsm_gate.edge.logs import relative
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.jsonl import decode, split
from nsm_gate.model import Entry, Line
from nsm_gate.policy import Limits, LogKind, Policy
from nsm_gate.render.blocks import block

_EPILOG = """\
Git calls it for git diff, git show and git log -p, where .gitattributes gives a log diff=nsm-gate and the
clone's configuration names it as diff.nsm-gate.textconv; nsm-gate init prints the commands. --no-textconv
shows the bytes. Whatever is in the file is shown, so that a diff never fails: exit code 0, or 2 where the
file cannot be read.
"""
_HEARTBEAT = 500  # lines between two signs of life to the watch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the argument."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="the log, or git's copy of one of its versions")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Print the blocks of a file."""
    place = os.path.join(world.cwd, args.file)
    policy: Policy | None = None
    inside: str | None = None
    try:
        with opened(world) as space:
            inside = _from_root(args.file, space)
            policy = space.policy(space.work, None)
    except (GateError, GateErrors):
        # A diff is shown all the same, without the names that the rules know.
        pass
    limits = policy.limits if policy else Limits()
    if os.path.islink(place) or not os.path.isfile(place):
        raise GateError("not a regular file", "name a log", args.file)
    size = os.path.getsize(place)
    if size > limits.file:
        said = f"{size:,} bytes, over the limit of {limits.file:,} (limits.file)"
        world.stdout.write(f"{said} · sha256 {_digest(place)}\n")
        return 0
    world.watch.tell(seconds=limits.seconds, at=args.file)
    lines, terminated = split(read_file(place, args.file, None))
    kind = _kind(policy, inside, os.path.basename(place), lines)
    for number, raw in enumerate(lines, 1):
        if number % _HEARTBEAT == 0:
            world.watch.tell()
        world.stdout.write(block(raw, kind, terminated or number < len(lines)))
    return 0


def _from_root(file: str, space: Workspace) -> str | None:
    return relative(file, space.root, space.cwd)


def _kind(policy: Policy | None, inside: str | None, name: str, lines: list[bytes]) -> LogKind | None:
    """Return the log kind of a file: by its path, by the name of git's copy of it, by its members."""
    if policy is None:
        return None
    found = (kind_at(policy, inside) if inside else None) or kind_at(policy, name)
    if found is not None:
        return found
    decoded = (decode(Line(1, raw), len(raw)) for raw in lines)
    return kind_by_members(policy, (entry.value for entry in decoded if isinstance(entry, Entry)))


def _digest(place: str) -> str:
    found = hashlib.sha256()
    with open(place, "rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()[:12]

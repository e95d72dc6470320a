"""`nsm-gate merge-driver`: what git calls to join the lines that two branches appended to a log."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator

from nsm_gate.commands.kinds import kind_at
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.edge.files import read_file
from nsm_gate.edge.writing import replace
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.jsonl import decode, split
from nsm_gate.merging import OURS, THEIRS, Reading, Refused, join, marked
from nsm_gate.model import Entry, Line
from nsm_gate.pointers import show
from nsm_gate.policy import Limits, LogKind, Policy
from nsm_gate.records import Record
from nsm_gate.render.untrusted import plain

_HEARTBEAT = 500  # lines between two signs of life to the watch
_LEFT = "both sides stand between conflict markers: keep the lines that each side logged, then git add"

_EPILOG = """\
Git calls it where .gitattributes gives a log merge=nsm-gate and the clone's configuration names it as
merge.nsm-gate.driver; nsm-gate init prints the commands. In a merge, the lines that both sides appended are
joined by the time at which they were logged, each side's own in their order. In a rebase, a cherry-pick or a
stash, what is replayed goes behind what is there, because new lines go to the end of a log. A line that both
sides appended is kept once. Anything else is left as a conflict, with both sides between markers: a changed
or dropped line, a torn line, one run logged differently on both sides. Exit codes: 0 joined, 1 left as a
conflict, 2 the files cannot be read or written. A merge driver is local: GitHub's merge, squash and rebase
buttons and its web editor do not run it, and show a conflict there. Merge the default branch into yours
locally, and push that.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments, in the order of git's placeholders."""
    parser.epilog = _EPILOG
    parser.add_argument("base", metavar="BASE", help="%%O: the common ancestor's version")
    parser.add_argument("ours", metavar="OURS", help="%%A: our version, which the result replaces")
    parser.add_argument("theirs", metavar="THEIRS", help="%%B: their version")
    parser.add_argument("path", metavar="PATH", help="%%P: the log's path in the repository")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Join the two sides into OURS; return 0, or 1 where they are left as a conflict."""
    files = [os.path.join(world.cwd, name) for name in (args.base, args.ours, args.theirs)]
    for name, file in zip((args.base, args.ours, args.theirs), files, strict=True):
        if os.path.islink(file) or not os.path.isfile(file):
            raise GateError("not a regular file", "give what git gives: %O %A %B %P", name)
    try:
        outcome = _outcome(files, args.path, world)
    except OSError as error:
        raise GateError(f"cannot be merged: {error.strerror}", "merge it by hand", args.path) from None
    if isinstance(outcome, Refused):
        world.stderr.write(f"nsm-gate: {plain(f'{args.path} is not joined: {outcome.reason}', 2000)}\n")
        world.stderr.write(f"  {_LEFT}\n")
        return 1
    return 0


def _outcome(files: list[str], path: str, world: Surroundings) -> Refused | None:
    _, ours, theirs = files
    policy, merging = _situation(world)
    limit = policy.limits.file if isinstance(policy, Policy) else Limits().file
    over = next((size for size in map(os.path.getsize, files) if size > limit), None)
    data = [b""] * 3 if over else [read_file(file, path, None) for file in files]
    # First, so that nothing is lost whatever happens to this process: git takes every other end for a
    # conflict, and would leave nothing but our side in the file.
    replace(ours, _marked(ours, theirs))
    if over is not None:
        return Refused(f"{over:,} bytes, over the limit of {limit:,}: raise limits.file")
    if isinstance(policy, Refused):
        return policy
    joined = _joined(data, path, policy, merging, world)
    if isinstance(joined, Refused):
        return joined
    replace(ours, (line + b"\n" for line in joined))
    return None


def _marked(ours: str, theirs: str) -> Iterator[bytes]:
    with open(ours, "rb") as one, open(theirs, "rb") as two:
        yield from marked(one, two)


def _situation(world: Surroundings) -> tuple[Policy | Refused, bool]:
    """Return the policy of the work tree, and whether this is a merge and not a commit that is replayed.

    The policy knows where a line's time and key stand. By hand, outside of git, it counts as a merge.
    """
    try:
        with opened(world) as space:
            merging = space.git is None or bool(space.git.merge_heads())
            return space.policy(space.work, None), merging
    except GateError as error:
        return Refused(f"the rules cannot be read: {error}"), True
    except GateErrors as errors:
        return Refused(f"the rules cannot be read: {errors.errors[0]}"), True


def _joined(
    data: list[bytes], path: str, policy: Policy, merging: bool, world: Surroundings
) -> list[bytes] | Refused:
    versions = []
    for side, content in zip(("", OURS, THEIRS), data, strict=True):
        lines, terminated = split(content)
        # A base without its last newline is none: its line must be whole on both sides.
        if side and not terminated:
            return Refused(f"the last line of {side} is torn: no newline ends it")
        versions.append(lines)
    world.watch.tell(seconds=policy.limits.seconds, at=path)
    base, ours, theirs = versions
    return join(base, ours, theirs, _reader(policy, kind_at(policy, path), path, world), by_time=merging)


def _reader(
    policy: Policy, kind: LogKind | None, path: str, world: Surroundings
) -> Callable[[bytes], Reading]:
    count = 0

    def read(raw: bytes) -> Reading:
        nonlocal count
        count += 1
        if count % _HEARTBEAT == 0:
            world.watch.tell()
        decoded = decode(Line(1, raw), policy.limits.line)
        if not isinstance(decoded, Entry):
            return Reading(fault="" if decoded.rule == "blank-line" else decoded.reason)
        if kind is None:
            return Reading()
        record = Record(decoded, kind, path)
        instant = record.instant
        key = record.key if kind.key else None
        name = show(record.name or " ".join(map(str, key or ())))
        return Reading(instant.utc if instant else None, key, name)

    return read

"""`python -m tests.fuzzing.driver --seconds 60`: replay the seeds, then make new inputs until the time is over.

The same seed makes the same inputs in the same order, however many of them there is time for. An input that
breaks the law is made as small as it will go and saved among the seeds, where the tests find it ever after.
The work is done in a child, so that an input that takes the interpreter down, or never ends, is saved too.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzzing.targets import SEEDS, TARGETS, Target, seeds_of

PATIENCE = 45
"""Seconds that one input may take, by the clock."""


class Pending:
    """The input that is being tried, kept where the parent of the process finds it."""

    def __init__(self, place: Path) -> None:
        """Keep it in a file."""
        self.place = place
        self.handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)

    def put(self, target: str, data: bytes) -> None:
        """Note an input before it is tried."""
        raw = target.encode() + b"\0" + data
        os.pwrite(self.handle, raw, 0)
        os.ftruncate(self.handle, len(raw))

    def clear(self) -> None:
        """Note that no input is being tried."""
        os.ftruncate(self.handle, 0)

    def get(self) -> tuple[str, bytes] | None:
        """Return the input that was being tried, or None."""
        name, mark, data = self.place.read_bytes().partition(b"\0")
        return (name.decode(), data) if mark else None


def save(folder: Path, target: str, data: bytes, why: str) -> Path:
    """Save an input that breaks the law among the seeds."""
    place = folder / target / f"{why}-{hashlib.sha256(data).hexdigest()[:12]}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return place


def attempt(target: Target, data: bytes, pending: Pending) -> None:
    """Check one input."""
    pending.put(target.name, data)
    target.check(data)
    pending.clear()


def explore(
    target: Target, bases: list[bytes], number: int, pending: Pending
) -> tuple[int, bytes | None, str]:
    """Try a batch of new inputs; return how many, and the smallest that breaks the law with what it broke."""
    count = 0
    failing: bytes | None = None

    @seed(number)
    @settings(
        max_examples=target.batch, deadline=None, database=None, derandomize=False, print_blob=False,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    @given(target.inputs(bases))
    def try_one(data: bytes) -> None:
        nonlocal count, failing
        count += 1
        try:
            attempt(target, data, pending)
        except Exception:
            failing = data  # the last of them is the smallest
            raise

    try:
        try_one()
    except Exception as error:  # whatever the gate raises is the finding
        return count, failing, f"{type(error).__name__}: {error}"[:2000]
    return count, None, ""


def work(
    targets: Sequence[Target], folder: Path, first: int, seconds: float, rounds: int | None, pending: Pending
) -> int:
    """Replay the seeds, then explore; return 1 where an input broke the law."""
    end = time.monotonic() + seconds
    bad = 0
    for target in targets:
        for name, data in seeds_of(target.name, folder).items():
            try:
                attempt(target, data, pending)
            except Exception as error:
                print(
                    f"{target.name}: the seed {name} breaks the law: {type(error).__name__}: {error}"[:2000]
                )
                bad = 1
    counts = dict.fromkeys((target.name for target in targets), 0)
    left = {target.name: target for target in targets}
    bases = {target.name: [*seeds_of(target.name, folder).values()] or [b""] for target in targets}
    for number in itertools.count() if rounds is None else range(rounds):
        for target in list(left.values()):
            if not left or (rounds is None and time.monotonic() >= end):
                break
            count, failing, why = explore(target, bases[target.name], first * 1_000_003 + number, pending)
            counts[target.name] += count
            if failing is not None:
                del left[target.name]
                print(
                    f"{target.name}: {failing!r:.2000}\n  {why}\n  saved as {save(folder, target.name, failing, 'found')}"
                )
                bad = 1
        if not left or (rounds is None and time.monotonic() >= end):
            break
    print(f"seed {first}: tried " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    return bad


def watched(folder: Path, pending: Pending, child: int) -> int:
    """Wait for the child; save the input that it died of, or that it does not come to an end with."""
    before, since = b"", time.monotonic()
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        now = pending.place.read_bytes()
        if done:
            code = os.waitstatus_to_exitcode(status)
            if code >= 0:
                return code
            why = f"died of signal {-code}"
            break
        if now != before or not now:
            before, since = now, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            why = f"no end within {PATIENCE} seconds"
            break
        time.sleep(0.2)
    left = pending.get()
    if left is None:
        print(why)
    else:
        print(f"{left[0]}: {why}\n  saved as {save(folder, *left, 'died')}")
    return 1


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz; return 0 where nothing was found."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long to make new inputs")
    parser.add_argument(
        "--rounds", type=int, help="how many batches of each target to make, instead of a time"
    )
    parser.add_argument("--seed", type=int, default=1, help="where to begin")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="fuzz only this; repeatable")
    parser.add_argument("--seeds", type=Path, default=SEEDS, help="folder of saved inputs")
    args = parser.parse_args(argv)
    targets = [target for name, target in TARGETS.items() if not args.target or name in args.target]
    args.seeds.mkdir(parents=True, exist_ok=True)
    scratch = tempfile.TemporaryDirectory(prefix="nsm-gate-fuzz-")
    pending = Pending(Path(scratch.name) / "pending")
    sys.stdout.flush()
    with scratch:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = work(targets, args.seeds, args.seed, args.seconds, args.rounds, pending)
                sys.stdout.flush()
            finally:
                os._exit(code)
        return watched(args.seeds, pending, child)


if __name__ == "__main__":
    sys.exit(main())

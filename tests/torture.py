"""Kill writers of a log at random points, or let many write at once, and look for what is torn, lost or doubled.

    python -m tests.torture kills 10000 --seed 1      # forked writers, each killed with SIGKILL
    python -m tests.torture writers 64 500            # writers, and entries of each

`--bare` leaves the judgement out: then nearly all of the time is spent where a kill could do harm. `make torture`
runs all of it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nsm_gate
from nsm_gate.edge.appending import Target, append_lines
from nsm_gate.edge.locks import Patience
from nsm_gate.jsonable import dumped

LOG = "jobs.jsonl"
_CONFIG = "extends: none\nrules: [rules/]\n"
_KIND = """\
log: jobs
description: One line a job.
files: ["**/jobs.jsonl"]
schema: jobs.schema.json
key: [id]
run_id: id
times: {logged: at}
"""
_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["id", "at"],
    "additionalProperties": False, "properties": {"id": {"type": "string"}, "at": {"type": "string"}, "pad": {}},
}  # fmt: skip
_ROTATE = 400  # lines, so that reading the log does not become the work

Entry = dict[str, Any]
Append = Callable[[list[Entry]], object]


def judged(entries: list[Entry]) -> object:
    """Append as users do."""
    return nsm_gate.append(LOG, entries, lock_timeout=600)


def bare(entries: list[Entry]) -> object:
    """Append without a judgement: an entry that stands there is not written again."""

    def decide(lines: Sequence[bytes]) -> list[bytes]:
        # The id comes first. Decoding all lines for each entry would be nearly all of the work.
        there = {line.split(b'"', 4)[3].decode() for line in lines}
        return [dumped({**entry, "at": "-"}) for entry in entries if entry["id"] not in there]

    return append_lines(Target(os.path.abspath(LOG), LOG, 1 << 30, 1 << 20), decide, Patience(600))


def identity(line: bytes) -> str:
    """Return an entry's id."""
    return str(json.loads(line)["id"])


def entry(name: str, chance: random.Random) -> Entry:
    """Return an entry: mostly small, at times larger than a page of memory."""
    return {"id": f"{name}_20251101", "pad": "x" * chance.choice((0, 10, 200, 200, 9_000, 60_000))}


@dataclass
class Tally:
    """What was found.

    Attributes:
        torn: Lines that are no entry.
        lost: Entries that were acknowledged, and are not there.
        doubled: Entries that are there twice.
        halves: Entries appended together of which some are there and some are not.
    """

    kills: int = 0
    acknowledged: int = 0
    retried: int = 0
    moved: int = 0
    torn: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Return whether nothing is wrong."""
        return not (self.torn or self.lost or self.doubled or self.halves)

    def __str__(self) -> str:
        wrong = f"{len(self.torn)} torn, {len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.halves)} in part"
        done = f"{self.kills:,} kills, {self.acknowledged:,} entries acknowledged, {self.retried:,} retried"
        return f"{done}, {self.moved:,} torn tails moved aside: {wrong}"


def prepared(folder: Path) -> None:
    """Make a folder a project whose log is cheap to judge, and go there."""
    (folder / "rules").mkdir(parents=True)
    (folder / "nsm-gate.yaml").write_text(_CONFIG)
    (folder / "rules/jobs.yaml").write_text(_KIND)
    (folder / "rules/jobs.schema.json").write_text(json.dumps(_SCHEMA))
    os.chdir(folder)


# --- kills ------------------------------------------------------------------------------------------------


def kills(
    count: int, append: Append, seed: int, writers: int = 4, say: Callable[[str], None] = lambda _t: None
) -> Tally:
    """Kill writers until `count` are killed; after each round, what they were at is tried again."""
    chance, tally, number = random.Random(seed), Tally(), 0
    Path(LOG).unlink(missing_ok=True)
    acknowledged: dict[str, None] = {}
    batches: list[list[str]] = []
    pace = _pace(append)
    while tally.kills < count:
        number += 1
        children = [_writer(f"k{number}w{child}", append, chance.random()) for child in range(writers)]
        # They wait for each other: each comes to about three appends, the first is killed early.
        delays = sorted(chance.random() * pace * 3 * writers for _ in children)
        for (pid, _), delay, before in zip(children, delays, [0.0, *delays], strict=False):
            time.sleep(delay - before)
            os.kill(pid, signal.SIGKILL)
        open_: list[list[Entry]] = []
        for pid, pipe in children:
            os.waitpid(pid, 0)
            begun, done = _told(pipe)
            tally.kills += 1
            tally.acknowledged += sum(map(len, done))
            acknowledged |= dict.fromkeys(item["id"] for batch in done for item in batch)
            batches += [[item["id"] for item in batch] for batch in (*done, *begun)]
            open_ += begun
        # Some of what was interrupted is tried again, as a user would; the rest is left as it is.
        for batch in open_:
            if chance.random() < 0.5:
                append(batch)
                tally.retried += 1
                acknowledged |= dict.fromkeys(item["id"] for item in batch)
        if number % 5 == 0 or tally.kills >= count:
            append([entry(f"mend{number}", chance)])
            lines = _audit(acknowledged, batches, tally)
            say(str(tally))
            if lines > _ROTATE:
                tally.moved += _moved()
                for name in (LOG, f"{LOG}.torn"):
                    Path(name).unlink(missing_ok=True)
                acknowledged, batches = {}, []
    tally.moved += _moved()
    return tally


def _pace(append: Append) -> float:
    """Return how many seconds a writer takes for an append here."""
    pid, pipe = _writer("pace", append, 0)
    began = time.monotonic()
    seen = b""
    while seen.count(b"done") < 5:
        seen += os.read(pipe, 1 << 16)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pipe)
    return (time.monotonic() - began) / 5


def _writer(name: str, append: Append, seed: float) -> tuple[int, int]:
    """Fork a writer that appends until it is killed, and tells what it begins and what is done."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    try:
        os.close(reader)
        chance, number = random.Random(seed), 0
        while True:
            number += 1
            batch = [entry(f"{name}n{number}i{i}", chance) for i in range(chance.choice((1, 1, 2, 5)))]
            sizes = [[item["id"], len(item["pad"])] for item in batch]
            os.write(writer, json.dumps(["begun", sizes]).encode() + b"\n")
            append(batch)
            os.write(writer, json.dumps(["done", sizes]).encode() + b"\n")
    finally:
        os._exit(1)


def _told(pipe: int) -> tuple[list[list[Entry]], list[list[Entry]]]:
    """Return the batch that a writer was at, if any, and those that it had done."""
    with open(pipe, "rb") as file:
        rows = [json.loads(row) for row in file.read().split(b"\n")[:-1]]
    batches = {
        word: [
            [{"id": name, "pad": "x" * size} for name, size in sizes] for what, sizes in rows if what == word
        ]
        for word in ("begun", "done")
    }
    return batches["begun"][len(batches["done"]) :], batches["done"]


def _audit(acknowledged: dict[str, None], batches: Sequence[Sequence[str]], tally: Tally) -> int:
    """Compare the log with what was acknowledged; return how many lines it has."""
    names: Counter[str] = Counter()
    data = Path(LOG).read_bytes()
    for line in data.split(b"\n")[:-1]:
        try:
            names[identity(line)] += 1
        except ValueError:
            tally.torn.append(repr(line[:80]))
    if not data.endswith(b"\n"):
        tally.torn.append("the last line")
    tally.lost += [name for name in acknowledged if not names[name]]
    tally.doubled += [name for name, count in names.items() if count > 1]
    tally.halves += [batch[0] for batch in batches if 0 < sum(name in names for name in batch) < len(batch)]
    return sum(names.values())


def _moved() -> int:
    """Return how many torn tails were moved aside."""
    side = Path(f"{LOG}.torn")
    return side.read_bytes().count(b"\n") if side.exists() else 0


# --- many writers -------------------------------------------------------------------------------------------


def writers(count: int, entries: int, append: Append, together: int = 1) -> Tally:
    """Let `count` processes append `entries` each at once, `together` of them a call."""
    Path(LOG).unlink(missing_ok=True)
    tally = Tally()
    children = []
    for writer in range(count):
        pid = os.fork()
        if not pid:
            code = 1
            try:
                chance = random.Random(writer)
                for first in range(0, entries, together):
                    last = min(first + together, entries)
                    append(
                        [
                            {**entry(f"w{writer}n{n}", chance), "pad": "x" * chance.randrange(60)}
                            for n in range(first, last)
                        ]
                    )
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    tally.lost += [f"writer {writer} ended with {code}" for writer, code in enumerate(ended) if code]
    names = [f"w{writer}n{number}_20251101" for writer in range(count) for number in range(entries)]
    tally.acknowledged = len(names)
    lines = _audit(dict.fromkeys(names), [], tally)
    if lines != len(names):
        tally.lost.append(f"{lines} lines for {len(names)} entries")
    for writer, number in _order():
        tally.lost.append(f"writer {writer}: entry {number} stands before an earlier one")
    return tally


def _order() -> Iterator[tuple[str, int]]:
    """Yield what stands before an entry that its writer appended earlier."""
    last: dict[str, int] = {}
    for line in Path(LOG).read_bytes().split(b"\n")[:-1]:
        writer, _, number = identity(line).removesuffix("_20251101").partition("n")
        if last.get(writer, -1) >= int(number):
            yield writer, int(number)
        last[writer] = int(number)


def main(argv: Sequence[str]) -> int:
    """Run one of the two, and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("kills", "writers"))
    parser.add_argument("numbers", nargs="+", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--together", type=int, default=1, help="entries a call")
    args = parser.parse_args(argv)
    append = bare if args.bare else judged
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        prepared(Path(folder) / "lab")
        if args.what == "kills":
            tally = kills(args.numbers[0], append, args.seed)
        else:
            tally = writers(args.numbers[0], args.numbers[1], append, args.together)
        os.chdir("/")
    shown = " ".join([args.what, *map(str, args.numbers), *(["--bare"] if args.bare else [])])
    print(f"{shown}, seed {args.seed}: {tally} ({time.monotonic() - began:.0f} s)")
    for wrong in (*tally.torn[:5], *tally.lost[:5], *tally.doubled[:5], *tally.halves[:5]):
        print(f"  {wrong}")
    return 0 if tally.clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

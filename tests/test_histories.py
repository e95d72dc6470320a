"""Random git histories, judged by the gate and by a naive oracle that shares no code with it.

The oracle knows what the design says, and nothing else: it walks its own commit graph to find merge
bases, and compares lines by enumerating every longest common subsequence, since the design leaves open
which of several is kept where a line is lost. The gate's answer must be one of the oracle's.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import Result, check, environment

SEEDS = range(400)

Log = tuple[bytes, ...]
Files = dict[str, Log]
A, B = "runs/a.jsonl", "runs/b.jsonl"


# --- the world: a commit graph, a head and what is asked ----------------------------------------------


@dataclass(frozen=True)
class Commit:
    """A commit of the test's own graph; its number is its place in `World.commits`."""

    parents: tuple[int, ...]
    files: Files


@dataclass
class World:
    """A history, the files under judgement, others that are not, and how the gate is asked."""

    commits: list[Commit] = field(default_factory=list)
    head: int = 0
    files: Files = field(default_factory=dict)
    unstaged: Files = field(default_factory=dict)
    refs: dict[str, int] = field(default_factory=dict)
    upstream: str | None = None
    tracked: str | None = None
    asked: str = "nothing"
    ref: str = ""
    wanted: int = 0
    merging: int | None = None

    def commit(self, parents: Sequence[int], files: Files) -> int:
        self.commits.append(Commit(tuple(parents), dict(files)))
        return len(self.commits) - 1

    def ancestors(self, commit: int) -> set[int]:
        """Return a commit and all before it."""
        found, pending = set(), [commit]
        while pending:
            number = pending.pop()
            if number not in found:
                found.add(number)
                pending += self.commits[number].parents
        return found

    def merge_base(self, one: int, other: int) -> int:
        """Return the only best common ancestor; the histories made here never have two."""
        common = self.ancestors(one) & self.ancestors(other)
        best = [c for c in common if not any(c in self.ancestors(d) for d in common - {c})]
        assert len(best) == 1
        return best[0]


class Author:
    """Makes up histories from one random number generator."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0
        self.world = World()

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def entry(self, key: str, status: str, **more: str) -> bytes:
        self.number += 1
        return json.dumps({"id": key, "status": status, "score": self.number, **more}).encode()

    def new_line(self, files: Files) -> bytes:
        """Return a line: a new run, the end of a running one, a correction, or a key used before."""
        old = [json.loads(line) for log in files.values() for line in log]
        running = [entry["id"] for entry in old if entry["status"] == "running"]
        if running and self.chance(0.3):
            return self.entry(self.random.choice(running), self.random.choice(["completed", "failed"]))
        if old and self.chance(0.06):
            key = self.random.choice(old)["id"]
            return self.entry(key, "completed", corrects=key, reason="the score was of another run")
        if old and self.chance(0.06):
            return self.entry(self.random.choice(old)["id"], self.random.choice(["completed", "running"]))
        # Few names on purpose: two branches choose the same one now and then.
        key = f"r{self.number}" if self.chance(0.7) else f"same{self.random.randrange(4)}"
        return self.entry(key, self.random.choice(["completed", "completed", "running", "failed"]))

    def changed(self, files: Files, honest: float, times: int | None = None) -> Files:
        """Return files after a few changes, of which a share only appends."""
        made = dict(files)
        for _ in range(self.random.randrange(4) if times is None else times):
            path = A if self.chance(0.75) else B
            log = list(made.get(path, ()))
            if self.chance(honest) or not log:
                log.append(self.new_line(made))
            else:
                at = self.random.randrange(len(log))
                match self.random.choice(
                    ["copy", "copy", "insert", "insert", "edit", "edit", "drop", "swap", "delete log"]
                ):
                    case "copy":
                        at = len(log) - 1 if self.chance(0.5) else at
                        log.insert(len(log) if self.chance(0.7) else at, log[at])
                    case "insert":
                        log.insert(at, self.new_line(made))
                    case "edit":
                        entry = json.loads(log[at])
                        log[at] = self.entry(entry["id"], entry["status"])
                    case "drop":
                        del log[at]
                    case "swap":
                        other = self.random.randrange(len(log))
                        log[at], log[other] = log[other], log[at]
                    case "delete log":
                        if path == B:
                            del made[B]
                            continue
                        log = log[:-1]
            made[path] = tuple(log)
        return made

    def union(self, ours: int, theirs: int) -> Files:
        """Return what a union merge makes: what is common, then both sides' lines in some order."""
        world = self.world
        old = world.commits[world.merge_base(ours, theirs)].files
        made: Files = {}
        for path in (A, B):
            before, mine, other = (
                files.get(path, ()) for files in (old, world.commits[ours].files, world.commits[theirs].files)
            )
            added = list(other)
            for line in (*before, *(line for line in mine if line not in before)):
                if line in added:
                    added.remove(line)
            kept = [line for line in mine if line not in before or line in other]
            if self.chance(0.5):
                log = [*kept, *added]
            else:
                shared = sum(line in before for line in kept)
                log = [*kept[:shared], *added, *kept[shared:]]
            if log:
                made[path] = tuple(log)
        return made

    def line_of_commits(self, start: int, count: int, honest: float) -> int:
        for _ in range(count):
            start = self.world.commit([start], self.changed(self.world.commits[start].files, honest))
        return start

    def merged(self, ours: int, theirs: int) -> int:
        if theirs in self.world.ancestors(ours):
            return ours
        return self.world.commit([ours, theirs], self.changed(self.union(ours, theirs), 0.5, 0))

    def history(self) -> World:
        """Return a whole world: main, a topic merged into it, a branch, and what is asked of the gate."""
        pick, world = self.random, self.world
        main = world.commit([], self.changed({}, 1.0, pick.randrange(5)))
        main = self.line_of_commits(main, pick.randrange(3), 0.95)
        if self.chance(0.3):
            topic = self.line_of_commits(main, 1 + pick.randrange(2), 0.95)
            main = self.merged(self.line_of_commits(main, pick.randrange(2), 0.95), topic)
        work = self.line_of_commits(main, pick.randrange(4), 0.8)
        main = self.line_of_commits(main, pick.randrange(4), 0.95)
        if self.chance(0.35):
            work = self.merged(work, main)
            work = self.line_of_commits(work, pick.randrange(2), 0.8)
            main = self.line_of_commits(main, pick.randrange(2), 0.95)
        world.head = work
        self.publish(main)
        self.ask(main)
        return world

    def publish(self, main: int) -> None:
        """Say which branches others have."""
        world = self.world
        known = self.random.choice(["tracking", "tracking", "own branch", "origin/HEAD", "main", "nobody"])
        behind = self.random.choice(sorted(world.ancestors(main)))
        place = main if self.chance(0.7) else behind
        pushed = self.random.choice(sorted(world.ancestors(world.head)))
        match known:
            case "tracking":
                world.refs["refs/remotes/origin/trunk"] = place
                world.tracked = "trunk"
            case "own branch":
                world.refs["refs/remotes/origin/work"] = pushed
                world.refs["refs/remotes/origin/main"] = place
                world.tracked = "work"
            case "origin/HEAD":
                world.refs["refs/remotes/origin/other"] = place
                world.refs["refs/remotes/origin/HEAD"] = place
                world.refs["refs/heads/main"] = behind
            case "main":
                world.refs[self.random.choice(["refs/remotes/origin/main", "refs/heads/master"])] = place
        if world.tracked:
            world.upstream = f"refs/remotes/origin/{world.tracked}"
        elif known != "nobody":
            world.upstream = next(iter(world.refs))

    def ask(self, main: int) -> None:
        """Say what is staged or on disk, and how the gate is called."""
        world, pick = self.world, self.random
        here = world.commits[world.head].files
        world.asked = pick.choice(["nothing"] * 4 + ["base"] * 3 + ["staged"] * 4 + ["merge"] * 4 + ["all"])
        if world.asked == "merge" and main in world.ancestors(world.head):
            world.asked = "staged"
        if world.asked == "merge":
            world.merging = main
            world.files = self.changed(self.union(world.head, main), 0.5, pick.choice([0, 0, 0, 1, 2]))
            world.unstaged = self.changed(world.files, 0.5)
            return
        world.files = self.changed(here, 0.5)
        if world.asked == "base":
            world.wanted = pick.choice([main, pick.randrange(len(world.commits))])
            world.ref = pick.choice(["a-tag", "topic/branch"])
            world.refs[f"refs/tags/{world.ref}" if world.ref == "a-tag" else f"refs/heads/{world.ref}"] = (
                world.wanted
            )
        if world.asked == "staged" and world.files == here:
            world.files = {**here, A: (*here.get(A, ()), self.new_line(here))}
        if world.asked == "staged":
            world.unstaged = self.changed(world.files, 0.5)


def world_of(seed: int) -> World:
    return Author(seed).history()


# --- the oracle ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What a judgement says, in comparable form; places are (path, line from 1)."""

    judged: tuple[tuple[str, int], ...]
    rewritten: tuple[tuple[str, int], ...]
    inserted: tuple[tuple[str, int, str], ...]
    duplicates: tuple[tuple[str, int], ...]


Alignment = tuple[int, ...]
"""For each base line, the head index that keeps it, or -1."""


def alignments(base: Log, head: Log) -> list[Alignment]:
    """Return every way to keep the most lines in order; the earliest one where all are kept."""

    @cache
    def ways(i: int, j: int) -> tuple[int, frozenset[Alignment]]:
        if i == len(base):
            return 0, frozenset([()])
        size, rest = ways(i + 1, j)
        found = {(-1, *way) for way in rest}
        for place in range(j, len(head)):
            if head[place] == base[i]:
                length, rest = ways(i + 1, place + 1)
                kept = {(place, *way) for way in rest}
                if length + 1 > size:
                    size, found = length + 1, kept
                elif length + 1 == size:
                    found |= kept
        return size, frozenset(found)

    size, found = ways(0, 0)
    return [min(found)] if size == len(base) else sorted(found)


def replacing(way: Alignment, size: int) -> set[int]:
    """Return the head lines that stand in the place of lost ones: in each gap, the first for the first."""
    found = set()
    slot = 0
    for index, place in enumerate(way):
        if place >= 0:
            slot = place + 1
            continue
        end = next((later for later in way[index:] if later >= 0), size)
        if slot < end:
            found.add(slot)
        slot += 1
    return found


@dataclass(frozen=True)
class Question:
    """Head, bases and published histories, as the design's table gives them."""

    bases: tuple[int, ...]
    published: tuple[int, ...]
    merges: bool


def question(world: World) -> Question:
    """Apply the design's table of bases and heads, and its word `published`."""

    def since(commit: int) -> int:
        if world.upstream is None:
            return commit
        return world.merge_base(world.refs[world.upstream], commit)

    def published(commit: int) -> tuple[int, ...]:
        # What the remote's default branch has stays published on a branch with an upstream of its own.
        defaults = [f"refs/remotes/origin/{name}" for name in ("HEAD", "main", "master")]
        default = next((name for name in defaults if name in world.refs), None)
        tips = [world.refs[name] for name in (world.upstream, default) if name is not None]
        return tuple(dict.fromkeys(world.merge_base(tip, commit) for tip in tips)) or (commit,)

    head = world.head
    if world.asked == "all":
        return Question((), (), False)
    if world.merging is not None:
        parents = (head, world.merging)
        both = dict.fromkeys(commit for parent in parents for commit in published(parent))
        return Question(parents, tuple(both), True)
    if world.asked == "staged":
        return Question((head,), published(head), False)
    base = world.merge_base(world.wanted, head) if world.asked == "base" else since(head)
    others = published(head)
    if not any(other in world.ancestors(base) for other in others):
        # Whoever names an older base, or one beside, asks for its lines too.
        others = (*others, base)
    between = world.ancestors(head) - world.ancestors(base)
    return Question((base,), others, any(len(world.commits[c].parents) > 1 for c in between))


def answers(world: World) -> Iterator[Answer]:
    """Return every answer that the design allows."""
    asked = question(world)
    bases = [world.commits[c].files for c in asked.bases]
    published = [world.commits[c].files for c in asked.published]
    pairs = sorted({(p, files.get(p, ())) for p in world.files for files in (*bases, *published)})
    for chosen in itertools.product(*(alignments(old, world.files[path]) for path, old in pairs)):
        found = answer(world.files, bases, published, asked.merges, dict(zip(pairs, chosen, strict=True)))
        if world.asked == "all":
            # A log that the index has and the disk has not is gone, though nothing is compared.
            tracked = world.commits[world.head].files
            gone = {(path, 1) for path, log in tracked.items() if log and path not in world.files}
            found = replace(found, rewritten=tuple(sorted({*found.rewritten, *gone})))
        yield found


def answer(
    head: Files,
    bases: Sequence[Files],
    published: Sequence[Files],
    merges: bool,
    ways: dict[tuple[str, Log], Alignment],
) -> Answer:
    """Return what follows from one choice of the lines that are kept."""
    judged, rewritten, inserted = [], set(), []
    holders: dict[tuple[str, int], set[int]] = {}
    for path, log in sorted(head.items()):
        kept = [{place for place in ways[path, files.get(path, ())] if place >= 0} for files in bases]
        lost = {
            (number, line): None
            for files in published
            for number, line in enumerate(files.get(path, ()))
            if ways[path, files.get(path, ())][number] < 0
        }
        rewritten |= {(path, number + 1, line) for number, line in lost}
        new = [index for index in range(len(log)) if not any(index in places for places in kept)]
        # A published line that is there, but out of its order, is no new line: it was moved.
        for _, line in lost:
            moved = next((index for index in new if log[index] == line), None)
            if moved is not None:
                new.remove(moved)
        last = max((place for places in kept for place in places), default=-1)
        replaced = set()
        for files in (*bases, *published):
            replaced |= replacing(ways[path, files.get(path, ())], len(log))
        for index in range(len(log)):
            holders[path, index] = {number for number, places in enumerate(kept) if index in places}
            if index in new:
                judged.append((path, index + 1))
                if index < last and index not in replaced:
                    inserted.append((path, index + 1, "warning" if merges else "error"))
            elif not holders[path, index]:
                holders[path, index] = set(range(len(bases)))
    rewritten |= {(path, 1, b"") for files in published for path in files if files[path] and path not in head}
    return Answer(
        tuple(judged),
        tuple(sorted((path, line) for path, line, _ in rewritten)),
        tuple(inserted),
        tuple(duplicates(head, len(bases), holders)),
    )


def duplicates(
    head: Files, bases: int, holders: dict[tuple[str, int], set[int]]
) -> Iterator[tuple[str, int]]:
    """Return the lines that use a key again: new ones, and those that one side of a merge lacked."""
    order = [(path, index) for path in sorted(head) for index in range(len(head[path]))]
    old = [place for place in order if bases and len(holders[place]) == bases]
    seen: list[tuple[dict[str, Any], set[int]]] = []
    for place in (*old, *(place for place in order if place not in old)):
        path, index = place
        entry = json.loads(head[path][index])
        # What one history already held side by side is no news.
        earlier = [e for e, held in seen if e["id"] == entry["id"] and not held & holders[place]]
        seen.append((entry, holders[place]))
        if place in old or not earlier:
            continue
        ends = earlier[-1]["status"] == "running" and entry["status"] != "running"
        corrects = entry.get("corrects") == entry["id"] and entry.get("reason")
        if not ends and not corrects:
            yield path, index + 1


# --- the gate, on a real repository -------------------------------------------------------------------

_RULES = """\
log: runs
files: ["runs/*.jsonl"]
schema: runs.schema.json
key: [id]
run_id: id
status: status
corrects: corrects
reason: reason
criteria: {score: "> 0"}
"""
_SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log kind of short lines, whose one criterion gives every judged line a verdict."""
    place = tmp_path_factory.mktemp("config")
    (place / "rules").mkdir()
    (place / "nsm-gate.yaml").write_text("extends: none\nrules: [rules/]\n")
    (place / "rules/runs.yaml").write_text(_RULES)
    (place / "rules/runs.schema.json").write_text(json.dumps(_SCHEMA))
    return place / "nsm-gate.yaml"


def data(log: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in log)


def stream(world: World) -> bytes:
    """Return the commits, and one more that holds what is staged, as git fast-import reads them."""
    rows: list[bytes] = []
    staged = world.files if world.asked in ("staged", "merge") else world.commits[world.head].files
    for number, commit in enumerate([*world.commits, Commit((), staged)], 1):
        rows.append(b"commit refs/all/%d\nmark :%d\n" % (number, number))
        rows.append(b"committer C <c@example.org> %d +0000\ndata 0\n" % (1_700_000_000 + number))
        for word, parent in zip([b"from", b"merge"], commit.parents, strict=False):
            rows.append(b"%s :%d\n" % (word, parent + 1))
        rows.append(b"deleteall\n")
        for path, log in commit.files.items():
            content = data(log)
            rows.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content))
    for name, commit in {**world.refs, "refs/heads/work": world.head}.items():
        rows.append(b"reset %s\nfrom :%d\n\n" % (name.encode(), commit + 1))
    return b"".join(rows)


def build(world: World, place: Path, env: dict[str, str]) -> list[str]:
    """Make the repository with two calls of git; return the commits' ids."""
    git = place / ".git"
    for folder in ("objects", "refs"):
        (git / folder).mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/work\n")
    settings = "[core]\nrepositoryformatversion = 0\nbare = false\n"
    if world.tracked:
        settings += '[remote "origin"]\nurl = nowhere\nfetch = +refs/heads/*:refs/remotes/origin/*\n'
        settings += f'[branch "work"]\nremote = origin\nmerge = refs/heads/{world.tracked}\n'
    (git / "config").write_text(settings)

    def run(*args: str, given: bytes = b"") -> None:
        subprocess.run(["git", *args], cwd=place, env=env, input=given, check=True, capture_output=True)

    quick = ("-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--export-marks=.git/marks")
    run(*quick, given=stream(world))
    run("read-tree", f"refs/all/{len(world.commits) + 1}")
    marks = dict(row.split() for row in (git / "marks").read_text().splitlines())
    ids = [marks[f":{number + 1}"] for number in range(len(world.commits))]
    if world.merging is not None:
        (git / "MERGE_HEAD").write_text(ids[world.merging] + "\n")
    on_disk = world.unstaged if world.asked in ("staged", "merge") else world.files
    for path, log in on_disk.items():
        (place / path).parent.mkdir(exist_ok=True)
        (place / path).write_bytes(data(log))
    return ids


def judge(world: World, place: Path, config: Path) -> tuple[Result, list[str]]:
    env = environment(place.parent)
    ids = build(world, place, env)
    asked = {"staged": ["--staged"], "all": ["--all"], "base": [f"--base={world.ref}"]}.get(world.asked, [])
    if world.asked == "merge":
        asked = [["--staged"], []][len(world.commits) % 2]
    rules = "--select=history-rewritten,inserted-line,duplicate-run"
    return check(f"--config={config}", rules, *asked, cwd=place, env=env), ids


def answer_of(result: Result) -> Answer:
    """Read the gate's JSON."""
    found: dict[str, list[Any]] = {"history-rewritten": [], "inserted-line": [], "duplicate-run": []}
    for finding in result.findings:
        found[finding["rule"]].append((finding["path"], finding["line"], finding["severity"]))
    verdicts = {(verdict["path"], verdict["line"]) for verdict in result.json["verdicts"]}
    assert all(severity == "error" for _, _, severity in found["history-rewritten"])
    assert all(severity == "error" for _, _, severity in found["duplicate-run"])
    return Answer(
        tuple(sorted(verdicts)),
        tuple(sorted((path, line) for path, line, _ in found["history-rewritten"])),
        tuple(sorted(found["inserted-line"])),
        tuple(sorted((path, line) for path, line, _ in found["duplicate-run"])),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gate_agrees_with_the_oracle(seed: int, tmp_path: Path, config: Path) -> None:
    world = world_of(seed)
    result, ids = judge(world, tmp_path / "r", config)
    assert result.err == ""
    given, allowed = answer_of(result), set(answers(world))
    assert given in allowed, f"seed {seed}: {world.asked} {question(world)}, {describe(world)}"
    judged = Counter(path for path, _ in given.judged)
    assert {log["path"]: log["appended"] for log in result.json["logs"] if log["lines"]} == {
        path: judged[path] for path, log in world.files.items() if log
    }
    errors = given.rewritten or given.duplicates or any(row[2] == "error" for row in given.inserted)
    assert result.code == bool(errors)
    for log in result.json["logs"]:
        assert all(ids[base][:7] in log["base"] for base in question(world).bases), log["base"]


def describe(world: World) -> str:
    """Return a history in few words, for a failure: `r3 running 7` is run, status and score."""

    def row(path: str, log: Log) -> str:
        entries = [json.loads(line) for line in log]
        said = [f"{e['id']} {e['status']} {e['score']}{' corrects' * ('corrects' in e)}" for e in entries]
        return f"    {path}: {', '.join(said)}"

    rows = [f"upstream {world.upstream}, --base {world.ref}, merging {world.merging}, judged:"]
    rows += [row(path, log) for path, log in world.files.items()]
    for number, commit in enumerate(world.commits):
        names = [name for name, at in world.refs.items() if at == number] + ["HEAD"] * (number == world.head)
        rows.append(f"commit {number} <- {commit.parents} {names}")
        rows += [row(path, log) for path, log in commit.files.items()]
    return "\n".join(rows)


def test_the_histories_show_every_sort_of_change() -> None:
    count: Counter[str] = Counter()
    for seed in SEEDS:
        world = world_of(seed)
        one = next(answers(world))
        asked = question(world)
        count[world.asked] += 1
        count["upstream" if world.upstream else "no upstream"] += 1
        count["merged"] += asked.merges and world.merging is None
        count["clean"] += bool(one.judged) and not (one.rewritten or one.inserted or one.duplicates)
        count["rewritten"] += bool(one.rewritten)
        count["inserted"] += any(row[2] == "error" for row in one.inserted)
        count["inserted in a merge"] += any(row[2] == "warning" for row in one.inserted)
        count["duplicate"] += bool(one.duplicates)
        count["duplicate of two parents"] += world.merging is not None and any(
            place not in one.judged for place in one.duplicates
        )
        old = [world.commits[base].files for base in asked.bases]
        lines = {line for files in old for log in files.values() for line in log}
        now = {line for log in world.files.values() for line in log}
        count["local lines amended or dropped"] += bool(lines - now) and not one.rewritten
        count["nothing new"] += not one.judged
        count["several answers"] += len(set(answers(world))) > 1
    assert len(count) == 17
    assert {name: number for name, number in count.items() if number < 8} == {}

"""A few lines behind a long history are judged as behind a short one: by reading all of it strictly.

Of a long log only some members of the older lines are read, past all the others, and git does not unpack what stands
in the work tree as well. What is found so is held against the judgement that reads everything.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generate import baselines, encode, entries
from nsm_gate import candidates, history
from nsm_gate.edge import git
from tests.support import Repo, Result
from tests.test_many import changed

LOG = "training_log.jsonl"
LINES = history.LONG + 60


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return [encode(entry) for entry in entries(LINES + 40)]


def judged(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Judge what the work tree appends, with the history read quickly and in full; both say the same."""
    quick = repo.check()
    with monkeypatch.context() as patch:
        patch.setattr(history, "LONG", 10**9)
        patch.setattr(candidates, "LONG", 10**9)
        strict = repo.check()
    assert (quick.code, quick.out) == (strict.code, strict.out)
    return quick


def lab(folder: Path, old: list[bytes], *options: str) -> Repo:
    repo = Repo.init(folder, *options)
    (repo.path / "baselines.jsonl").write_bytes(b"".join(map(encode, baselines())))
    (repo.path / LOG).write_bytes(b"".join(old))
    repo.commit("the history")
    return repo


def append(repo: Repo, new: list[bytes]) -> None:
    with (repo.path / LOG).open("ab") as file:
        file.writelines(new)


def run_of(line: bytes) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(line)["run_data"]
    return run


def comparing(lines: list[bytes]) -> list[bytes]:
    """Return a completed run of each experiment type: they compare with runs of the history, and with baselines."""
    found = {run_of(line)["experiment_type"]: line for line in lines if run_of(line)["status"] == "completed"}
    assert len(found) == 4
    return sorted(found.values(), key=lines.index)


def test_runs_compare_with_the_strongest_of_a_long_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[bytes]
) -> None:
    repo = lab(tmp_path / "lab", lines[:LINES])
    append(repo, comparing(lines[LINES:]))
    result = judged(repo, monkeypatch)
    assert (result.code, result.findings) == (0, [])
    picked = [v["reference"] for v in result.json["verdicts"] if v.get("reference")]
    assert {reference["path"] for reference in picked} == {LOG, "baselines.jsonl"}


def test_keys_and_results_of_a_long_history_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[bytes]
) -> None:
    repo = lab(tmp_path / "lab", lines[:LINES])
    ended = [line for line in lines[:LINES] if run_of(line)["status"] == "completed"]
    copy = json.loads(ended[7])
    copy["run_data"]["run_id"] = "another_name_of_a_run_20230301"
    append(repo, [ended[3], encode(copy)])
    result = judged(repo, monkeypatch)
    assert {"duplicate-run", "duplicate-record"} <= {rule for rule, _ in result.rules()}


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_history_says_the_same(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[bytes]
) -> None:
    chance = random.Random(seed)
    old = list(changed(lines[:LINES], chance, share=0.3))
    repo = lab(tmp_path / "lab", [line if line.endswith(b"\n") else line + b"\n" for line in old])
    append(repo, [*comparing(lines[LINES:]), *chance.sample(old, 5)])
    result = judged(repo, monkeypatch)
    assert result.code == 1


@pytest.mark.parametrize("ids", ["sha1", "sha256"])
def test_what_git_holds_of_a_large_log_is_known_by_its_id(
    ids: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[bytes]
) -> None:
    large = [line.replace(b"_t0", b"_t%d_0" % n) for n in range(3) for line in lines[:LINES]]
    assert sum(map(len, large)) > git._HASHED
    repo = lab(tmp_path / "lab", large, f"--object-format={ids}")
    unpacked: list[int] = []
    content = git._content

    def unpack(pipe: Any, size: int, other: bytes | None) -> bytes | None:
        unpacked.append(size)
        return content(pipe, size, other)

    monkeypatch.setattr(git, "_content", unpack)

    def said(made: list[bytes]) -> tuple[list[tuple[str, int]], bool]:
        """Judge a log; return what is found, and whether git had to unpack the old one."""
        (repo.path / LOG).write_bytes(b"".join(made))
        unpacked.clear()
        quick = repo.check()
        was_unpacked = any(size > git._HASHED for size in unpacked)
        with monkeypatch.context() as patch:
            patch.setattr(git, "_HASHED", 1 << 40)
            assert quick.out == repo.check().out
        return quick.rules("timestamp-order"), was_unpacked

    assert said(large) == ([], False)
    assert said([*large, lines[-1]]) == ([], False)
    edited = large[5].replace(b'"findings": "', b'"findings": "~')
    found, was_unpacked = said([*large[:5], edited, *large[6:], lines[-1]])
    assert (("history-rewritten", 6) in found, was_unpacked) == (True, True)
    found, was_unpacked = said(large[:-1])
    assert ([rule for rule, _ in found], was_unpacked) == (["history-rewritten"], True)


KIND = """\
log: sweep
files: [sweep.jsonl]
schema: sweep.schema.json
{more}
criteria:
  better: score >= best.score
references:
  best: {{from: sweep, where: '{where}', same: [{same}], pick: max(score), none: unknown}}
"""
KINDS = {
    "plain": ("key: [id]", "known(score)", "data"),
    "two-keys": ("key: [id, part]\nstatus: state", "score >= 0", "data, flag"),
    "nothing-agrees": ("key: [id]", "flag", ""),
    "results": ("key: [id]\nrun_id: id\nresults: out\nconfiguration: [data]", "note == \"kept\"", "data.name"),
    "several-places": ("key: [id]\nnames: {score: [score, out.score]}", "known(score)", "data"),
    "one-in-the-other": ("key: [id]", "known(data.name)", "data"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_kind_of_ones_own_compares_the_same(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more, where, same = KINDS[kind]
    repo = Repo.init(tmp_path / "lab")
    repo.write("nsm-gate.yaml", "extends: none\nrules: [rules/]\n")
    repo.write("rules/sweep.yaml", KIND.format(more=more, where=where, same=same))
    members = ("id", "part", "score", "state", "data", "flag", "note", "out")
    repo.write(
        "rules/sweep.schema.json",
        json.dumps({"type": "object", "properties": {name: {} for name in members}}),
    )
    chance = random.Random(kind)
    made = list(map(encode, swept(chance, LINES)))
    repo.write("sweep.jsonl", b"".join(made).decode())
    repo.commit("the history")
    with (repo.path / "sweep.jsonl").open("ab") as file:
        file.writelines([*map(encode, swept(chance, 20)), *chance.sample(made, 5)])
    result = judged(repo, monkeypatch)
    assert "verdicts" in result.json, result.err
    assert {"met", "missed"} <= {verdict["outcome"] for verdict in result.json["verdicts"]}


def swept(chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
    """Yield runs of a log kind without types: members come and go, and hold anything."""
    values: dict[str, tuple[Any, ...]] = {
        "part": (1, 2, "1", 10**20),
        "score": (0.5, 0.25, 1, 1.0, 7, "high", None, -3, 10**25),
        "state": ("completed", "completed", "failed", None, 3),
        "data": ({"name": "a"}, {"name": "b"}, {"name": "a", "size": 1}, "a", None, [1]),
        "flag": (True, True, False, 1),
        "note": ("kept", "kept", "left", None),
        "out": ({"score": 0.75}, {"score": 0.5, "loss": 1}, {}, None, "none"),
    }
    for number in range(count):
        entry = {"id": f"run-{chance.randrange(10 * count)}" if number % 9 else number}
        yield entry | {name: chance.choice(of) for name, of in values.items() if chance.random() < 0.9}

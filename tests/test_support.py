"""The records that other tests start from pass the gate."""

from __future__ import annotations

from pathlib import Path

from tests.support import Repo, a_baseline, a_run


def test_the_shared_records_are_clean(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("experiments/training_log.jsonl", [a_run(), a_run("planning_other_20251101", 1)])
    repo.write("baselines.jsonl", [a_baseline()])
    result = repo.check("--all")
    assert result.findings == []
    assert {v["outcome"] for v in result.json["verdicts"]} == {"met", "not-applicable"}
    assert (result.code, result.err) == (0, "")

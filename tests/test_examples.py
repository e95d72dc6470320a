"""The sample project passes the gate, and the broken one breaks every rule once, as its README says."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, Repo, Result, check, environment, gate

EXAMPLES = ROOT / "examples"
HISTORY = "history/after.jsonl"
GOVERNANCE = "governance/after/"
_ROW = re.compile(r"\| `([a-z-]+)` \| `([^`]+):(\d+)` \| (.+) \|")

Place = tuple[str, str, int]
"""Rule, path in examples/broken, line."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Return the report on a copy of the sample project, every line judged."""
    return check("--all", cwd=_copy("nsm", tmp_path_factory.mktemp("sample")))


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    """Return the lines of the sample training log."""
    text = (EXAMPLES / "nsm/experiments/training_log.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["run_data"] for line in text.splitlines()]


def _copy(name: str, place: Path) -> Path:
    """Copy an example out of this repository, so that it stands alone."""
    return Path(shutil.copytree(EXAMPLES / name, place / name))


def _table() -> list[Place]:
    """Return the rows of the table in the README of the broken project."""
    text = (EXAMPLES / "broken/README.md").read_text(encoding="utf-8")
    return [(rule, path, int(line)) for rule, path, line, _ in _ROW.findall(text)]


def _places(result: Result) -> list[Place]:
    return sorted((f["rule"], f["path"], f["line"]) for f in result.findings)


# --- examples/nsm -------------------------------------------------------------------------------


def test_the_sample_project_passes_with_warnings_only(sample: Result) -> None:
    assert (sample.code, sample.err) == (0, "")
    severities = {f["severity"] for f in sample.findings}
    assert severities == {"warning"}
    assert {log["path"] for log in sample.json["logs"]} == {
        "baselines.jsonl",
        "experiments/training_log.jsonl",
    }


def test_the_sample_project_warns_of_what_runs_missed_and_little_else(sample: Result) -> None:
    rules = Counter(f["rule"] for f in sample.findings)
    assert rules.pop("criterion-missed") >= 20
    assert rules == {"criterion-unknown": 3, "class-collapse": 1}


def test_the_sample_project_passes_where_it_stands() -> None:
    result = gate("check", "--all", ".", cwd=EXAMPLES / "nsm")
    assert (result.code, result.err) == (0, "")
    assert "experiments/training_log.jsonl" in result.out


def test_make_gate_judges_the_sample_project_and_nothing_else() -> None:
    recipe = re.search(
        r"^gate:.*\n\tcd (\S+) && \S+nsm-gate (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    assert recipe is not None
    result = gate(*recipe[2].split(), cwd=ROOT / recipe[1])
    assert "examples/broken" not in result.out
    assert result.code == 0


def test_the_sample_project_passes_as_the_first_commit_of_a_repository(tmp_path: Path) -> None:
    repo = Repo(_copy("nsm", tmp_path))
    repo.git("init", "-q", "-b", "main")
    repo.git("add", "-A")
    result = repo.check("--staged")
    assert (result.code, result.json["summary"]["errors"]) == (0, 0)


def test_the_sample_log_covers_types_domains_and_statuses(runs: list[dict[str, Any]]) -> None:
    count = len({run["run_id"] for run in runs})
    assert count >= 30
    assert f"with {count} runs" in (EXAMPLES / "nsm/README.md").read_text(encoding="utf-8")
    assert {run["experiment_type"] for run in runs} == {
        "domain_exploration", "dual_pass_validation", "hyperparam_search", "physics_validation",
    }  # fmt: skip
    assert {run["domain"] for run in runs} == {"planning", "causal", "knowledge_graph"}
    assert {run["status"] for run in runs} == {"completed", "failed", "running"}
    modes = {run["hyperparameters"]["fusion_mode"] for run in runs}
    assert modes == {None, "equal", "learned", "attention"}


def test_the_sample_baselines_cover_the_variants() -> None:
    text = (EXAMPLES / "nsm/baselines.jsonl").read_text(encoding="utf-8")
    baselines = [json.loads(line) for line in text.splitlines()]
    assert len(baselines) >= 6
    assert {b["config"]["variant"] for b in baselines} == {
        "6level_full", "3level_fusion", "3level_attention", "baseline_single_pass",
    }  # fmt: skip


def test_every_type_and_the_baselines_have_met_missed_and_unsure_examples(sample: Result) -> None:
    outcomes: dict[str, set[str]] = defaultdict(set)
    for verdict in sample.json["verdicts"]:
        outcomes[verdict["experiment_type"] or verdict["path"]].add(verdict["outcome"])
    assert len(outcomes) == 5
    for name, found in outcomes.items():
        assert found >= {"met", "missed", "not-applicable"}, name
    unknown = {v["criterion"] for v in sample.json["verdicts"] if v["outcome"] == "unknown"}
    assert unknown == {"fusion_effectiveness", "convergence", "temperature_gradient"}


def test_criteria_that_need_references_and_series_go_both_ways(sample: Result) -> None:
    outcomes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for verdict in sample.json["verdicts"]:
        outcomes[verdict["experiment_type"], verdict["criterion"]].add(verdict["outcome"])
    both = {"met", "missed"}
    assert outcomes["hyperparam_search", "accuracy"] >= both
    assert outcomes["hyperparam_search", "convergence"] >= both
    assert outcomes["dual_pass_validation", "fusion_effectiveness"] >= both
    assert outcomes["physics_validation", "temperature_gradient"] >= both


def test_the_sample_log_completes_running_runs_and_corrects_one(runs: list[dict[str, Any]]) -> None:
    lines = defaultdict(list)
    for run in runs:
        lines[run["run_id"]].append(run)
    lives = Counter(tuple(run["status"] for run in life) for life in lines.values())
    assert lives["running", "completed"] >= 1
    assert lives["running",] >= 1
    corrections = [run for run in runs if "corrects" in run]
    assert [run["corrects"] for run in corrections] == [run["run_id"] for run in corrections]
    assert len(corrections) == 1
    assert corrections[0]["reason"]


def test_sample_numbers_agree_with_each_other(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        if run["status"] != "completed":
            continue
        final, weight = run["final_metrics"], run["hyperparameters"]["cycle_loss_weight"]
        history = run["metrics_history"]
        distance = abs(final["accuracy_class_0"] - final["accuracy_class_1"])
        assert final["class_balance_delta"] == pytest.approx(distance, abs=1e-9), run["run_id"]
        assert run["best_val_accuracy"] >= final["accuracy"], run["run_id"]
        if history:
            assert run["best_val_loss"] == min(epoch["val_loss"] for epoch in history), run["run_id"]
            assert run["current_epoch"] == len(history), run["run_id"]
            accuracies = {epoch["epoch"]: epoch["val_accuracy"] for epoch in history}
            total = final["task_loss"] + weight * final["cycle_loss"]
            # One line was scored at the last epoch, which its correction says.
            scored = [e["epoch"] for e in history if abs(e["val_loss"] - total) < 1e-4]
            assert final["accuracy"] in {accuracies[epoch] for epoch in scored}, run["run_id"]


# --- examples/broken ----------------------------------------------------------------------------


def test_the_table_names_every_rule_once(tmp_path: Path) -> None:
    listed = gate("rules", "list", cwd=tmp_path).out.splitlines()
    assert [rule for rule, _, _ in _table()] == [line.split()[0] for line in listed]


def test_the_broken_logs_break_what_the_table_says_and_nothing_else(tmp_path: Path) -> None:
    result = check("--all", cwd=_copy("broken", tmp_path))
    assert result.code == 1
    assert _places(result) == sorted(
        row for row in _table() if row[1] != HISTORY and not row[1].startswith(GOVERNANCE)
    )


def test_the_broken_history_breaks_what_the_table_says_and_nothing_else(tmp_path: Path) -> None:
    pages = EXAMPLES / "broken/history"
    repo = Repo.init(tmp_path / "r")
    repo.write("training_log.jsonl", (pages / "before.jsonl").read_bytes())
    repo.commit("publish three runs")
    assert repo.check("--all").findings == []
    repo.write("training_log.jsonl", (pages / "after.jsonl").read_bytes())
    result = repo.check()
    assert result.code == 1
    found = [(rule, HISTORY, line) for rule, _, line in _places(result)]
    assert found == sorted(row for row in _table() if row[1] == HISTORY)


def test_the_broken_rules_break_what_the_table_says(tmp_path: Path) -> None:
    date = "2025-10-01T00:00:00Z"  # before the runs began
    env = environment(tmp_path, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
    repo = Repo.init(tmp_path / "r", env=env)
    for page in ("before", "after"):
        shutil.copytree(EXAMPLES / "broken/governance" / page, repo.path, dirs_exist_ok=True)
        if page == "before":
            repo.commit("agree on the rules")
            assert repo.check("--all").rules() == [("waiver-expired", 5), ("waiver-unused", 10)]
    result = repo.check()
    assert result.code == 1
    found = {(rule, GOVERNANCE + path, line) for rule, path, line in _places(result)}
    rows = {row for row in _table() if row[1].startswith(GOVERNANCE)}
    assert rows <= found
    assert {rule for rule, _, _ in found - rows} == {"rules-changed"}


def test_a_broken_assertion_says_which_field_has_which_value(tmp_path: Path) -> None:
    result = check("--all", "--select", "assertion", cwd=_copy("broken", tmp_path))
    message = result.findings[0]["message"]
    assert "domain 'planning'" in message
    assert "dataset_config.domain 'causal'" in message

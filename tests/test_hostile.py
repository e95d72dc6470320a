"""What a mistake or an enemy may try: outputs over evidence, odd git states, numbers beyond floats."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import Repo, a_run, check, edited, gate, gate_process, lines

LOG = "experiments/training_log.jsonl"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a repository with two logged runs."""
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, [a_run("planning_one_20251101", 0), a_run("planning_two_20251101", 1)])
    repo.write("notes.txt", "x")
    repo.commit("log")
    return repo


# --- outputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [LOG, "notes.txt", "nsm-gate.yaml", "new/training_log.jsonl", "link.json"])
def test_no_output_overwrites_a_log_a_link_or_a_file_of_the_repository(repo: Repo, path: str) -> None:
    (repo.path / "new").mkdir()
    (repo.path / "link.json").symlink_to(LOG)
    before = (repo.path / LOG).read_bytes()
    for form in ("json", "text"):
        result = gate("check", "--all", "--output-format", f"{form}:{path}", cwd=repo.path, env=repo.env)
        assert result.code == 2
        assert "would overwrite" in result.err
    assert (repo.path / LOG).read_bytes() == before
    assert (repo.path / "notes.txt").read_text() == "x"
    assert not (repo.path / "nsm-gate.yaml").exists()


@pytest.mark.parametrize("path", [".git/config", "rules/new.yaml", "hard.json"])
def test_no_output_goes_where_the_repository_keeps_itself(repo: Repo, path: str) -> None:
    (repo.path / "rules").mkdir()
    os.link(repo.path / LOG, repo.path / "hard.json")
    before = (repo.path / LOG).read_bytes()
    assert gate("check", "--all", "--output-format", f"json:{path}", cwd=repo.path, env=repo.env).code == 2
    assert (repo.path / LOG).read_bytes() == before
    assert repo.git("status", "--porcelain", "--", LOG) == ""


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_error_before_anything_is_judged_overwrites_no_evidence(repo: Repo, form: str) -> None:
    before = (repo.path / LOG).read_bytes()
    (repo.path / "link.json").symlink_to(LOG)
    for path in (LOG, "link.json"):
        args = ("check", "--base", "nosuch", "--output-format", f"{form}:{path}")
        assert gate(*args, cwd=repo.path, env=repo.env).code == 2
    assert (repo.path / LOG).read_bytes() == before


def test_an_earlier_json_report_is_replaced_by_the_error(repo: Repo) -> None:
    args = ("--output-format", "json:report.json")
    assert gate("check", "--all", *args, cwd=repo.path, env=repo.env).code == 0
    assert gate("check", "--base", "nosuch", *args, cwd=repo.path, env=repo.env).code == 2
    assert set(json.loads((repo.path / "report.json").read_text())) == {"error"}


def test_a_closed_standard_input_is_not_needed(repo: Repo) -> None:
    script = f"{sys.executable} -m nsm_gate check --all > out <&-"
    code = os.system(f"cd {repo.path} && PYTHONPATH={repo.env['PYTHONPATH']} {script}")
    assert os.waitstatus_to_exitcode(code) == 0
    assert "2 lines" in (repo.path / "out").read_text()


def test_a_refused_output_leaves_nothing_but_the_error_on_standard_output(repo: Repo) -> None:
    (repo.path / "taken").mkdir()
    result = repo.check("--all", "--output-format", "text:taken")
    assert result.code == 2
    assert result.json["error"]["path"] == "taken"


def test_an_output_to_a_pipe_that_nobody_reads_is_exit_2_and_no_hang(repo: Repo) -> None:
    os.mkfifo(repo.path / "pipe")
    result = gate_process("check", "--all", "--output-format", "json:pipe", cwd=repo.path, env=repo.env)
    assert result.code == 2
    assert "pipe: cannot be written" in result.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_on_standard_output_is_exit_2_without_a_traceback(repo: Repo) -> None:
    script = f"{sys.executable} -m nsm_gate check --all > /dev/full"
    code = os.waitstatus_to_exitcode(
        os.system(f"cd {repo.path} && PYTHONPATH={repo.env['PYTHONPATH']} {script} 2> err")
    )
    assert code == 2
    assert "Traceback" not in (repo.path / "err").read_text()


@pytest.mark.parametrize("args", [("--nonsense",), ("--fail-on", "x"), ("--base", "main", "--all")])
def test_a_usage_error_is_an_error_object_where_json_is_asked_for(repo: Repo, args: tuple[str, ...]) -> None:
    result = repo.check(*args)
    assert (result.code, set(result.json)) == (2, {"error"})
    assert result.json["error"]["message"]


@pytest.mark.parametrize(
    "args", [("--select", ""), ("--select", "schema", "--ignore", "schema"), ("",), ("--bas", "x")]
)
def test_nothing_to_judge_by_is_wrong_usage(repo: Repo, args: tuple[str, ...]) -> None:
    assert repo.check(*args).code == 2


# --- records --------------------------------------------------------------------------------------

HUGE = int("9" * 400)


@pytest.mark.parametrize(
    "path",
    [
        "training_time_seconds", "dataset_config__val_size", "dataset_config__total_size", "best_epoch",
        "final_metrics__accuracy", "final_metrics__cycle_loss", "final_metrics__accuracy_class_0",
        "hyperparameters__epochs", "hyperparameters__seed", "best_val_accuracy", "goal_achievement_rate",
    ],
)  # fmt: skip
def test_a_whole_number_beyond_any_float_is_judged(tmp_path: Path, path: str) -> None:
    for number in (HUGE, -HUGE):
        result = check("-", cwd=tmp_path, stdin=lines(edited(a_run(), **{path: number})))
        assert result.code in (0, 1)
        assert result.err == ""


@pytest.mark.parametrize("place", ["run_data", "hyperparameters", "final_metrics"])
def test_a_line_of_very_many_unknown_members_is_judged_soon(tmp_path: Path, place: str) -> None:
    entry = a_run()
    holder = entry["run_data"] if place == "run_data" else entry["run_data"][place]
    holder.update({f"k{number}": number for number in range(60_000)})
    result = check("-", cwd=tmp_path, stdin=lines(entry))
    assert result.err == ""
    found = [f for f in result.findings if f["rule"] == "unknown-field"]
    assert len(found) == (20 if place == "run_data" else 0)


def test_a_correction_names_its_own_run(repo: Repo) -> None:
    repo.append(
        LOG,
        edited(a_run("planning_new_20251101", 2), corrects="planning_nosuch_20251101", reason="it was wrong"),
    )
    assert repo.check().rules() == [("assertion", 3)]


def test_a_metric_of_an_own_domain_is_a_number(repo: Repo) -> None:
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    repo.write("rules/vision.yaml", "domain: vision\nmetrics: [top5]\ncriteria: {top5: '>= 0.9'}\n")
    vision = edited(
        a_run("vision_new_20251101", 2), domain="vision", dataset_config__domain="vision",
        goal_achievement_rate=..., temporal_ordering_acc=..., top5=0.95,
    )  # fmt: skip
    repo.append(LOG, vision)
    assert repo.check().rules("rules-changed") == []
    repo.append(LOG, edited(vision, run_id="vision_text_20251101", top5="0.95"))
    assert repo.check().rules("duplicate-record", "rules-changed") == [("schema", 4)]


# --- git ------------------------------------------------------------------------------------------


def test_a_tracked_log_that_is_gone_is_seen_where_every_line_is_judged(repo: Repo) -> None:
    (repo.path / LOG).unlink()
    for replacement in (False, True):
        if replacement:
            (repo.path / LOG).mkdir()
        result = repo.check("--all")
        assert (result.code, result.rules()) == (1, [("history-rewritten", 1)])


def test_what_the_default_branch_published_stays_published_on_a_pushed_branch(
    repo: Repo, tmp_path: Path
) -> None:
    clone = Repo.clone(repo, tmp_path / "clone")
    clone.git("checkout", "-q", "-b", "feature")
    clone.append(LOG, a_run("planning_mine_20251101", 5))
    clone.commit("mine")
    clone.git("push", "-q", "-u", "origin", "feature")
    # The main line goes on, and the branch is rebased onto it.
    repo.append(LOG, a_run("planning_three_20251101", 2))
    repo.commit("main goes on")
    clone.git("fetch", "-q")
    clone.git("reset", "-q", "--hard", "origin/main")
    clone.append(LOG, a_run("planning_mine_20251101", 5))
    clone.commit("mine, rebased")
    assert clone.check("--base", "HEAD").rules() == []
    text = (clone.path / LOG).read_text().replace('"planning_three_20251101"', '"planning_3_20251101"')
    clone.write(LOG, text)
    clone.git("add", "-A")
    assert clone.check("--staged").rules() == [("history-rewritten", 3)]


def hostile_repository(repo: Repo, marker: Path) -> None:
    """Configure everything that git could be made to run, each leaving a mark."""
    script = repo.path.parent / "evil.sh"
    script.write_text(f"#!/bin/sh\necho ran >> {marker}\ncat\n")
    script.chmod(0o755)
    for name in (
        "core.fsmonitor",
        "core.sshCommand",
        "diff.external",
        "core.pager",
        "core.editor",
        "core.askPass",
    ):
        repo.git("config", name, str(script))
    for name in (
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "credential.helper",
    ):
        repo.git("config", name, str(script))
    hooks = repo.path.parent / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (hooks / name).write_bytes(script.read_bytes())
        (hooks / name).chmod(0o755)
    repo.git("config", "core.hooksPath", str(hooks))
    repo.write(".git/info/attributes", "*.jsonl filter=evil diff=evil\n")


@pytest.mark.parametrize("args", [(), ("--staged",), ("--base", "HEAD~1"), ("--all",)])
def test_a_hostile_repository_configuration_runs_nothing(
    repo: Repo, tmp_path: Path, args: tuple[str, ...]
) -> None:
    repo.append(LOG, a_run("planning_three_20251101", 2))
    repo.commit("third")
    repo.append(LOG, a_run("planning_four_20251101", 3))
    repo.git("add", "-A")
    repo.append(LOG, a_run("planning_five_20251101", 4))
    marker = tmp_path / "marker"
    hostile_repository(repo, marker)
    marker.unlink(missing_ok=True)
    result = repo.check(*args)
    assert result.code == 0
    assert not marker.exists()


def test_replaced_objects_and_grafts_hide_nothing(repo: Repo) -> None:
    first = repo.git("rev-parse", "HEAD")
    old = repo.git("rev-parse", f"HEAD:{LOG}")
    text = (repo.path / LOG).read_text().replace("0.61", "0.71")
    repo.write(LOG, text)
    repo.git("add", "-A")
    repo.git("replace", old, repo.git("rev-parse", f":{LOG}"))
    assert {rule for rule, _ in repo.check("--staged").rules()} >= {"history-rewritten"}
    repo.git("replace", "-d", old)
    rewritten = repo.commit("rewrite")
    repo.git("branch", "-f", "other", first)
    repo.write(".git/info/grafts", f"{first} {rewritten}\n")
    assert {rule for rule, _ in repo.check("--base", first).rules()} >= {"history-rewritten"}


def test_a_log_behind_a_linked_folder_is_not_read(repo: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "training_log.jsonl").write_bytes(lines(edited(a_run(), findings="SECRET")))
    (repo.path / LOG).unlink()
    (repo.path / "experiments").rmdir()
    (repo.path / "experiments").symlink_to(outside)
    for args in ((), ("--all",)):
        result = repo.check(*args)
        assert result.code == 1
        assert "SECRET" not in result.out
        assert {rule for rule, _ in result.rules()} <= {"not-a-log", "history-rewritten"}


def test_a_pipe_in_the_place_of_a_log_is_no_log_and_no_hang(repo: Repo) -> None:
    (repo.path / LOG).unlink()
    os.mkfifo(repo.path / LOG)
    result = gate_process("check", "--output-format", "json", cwd=repo.path, env=repo.env)
    assert (result.code, {rule for rule, _ in result.rules()}) == (1, {"not-a-log"})


def test_a_checkout_of_the_base_is_no_pull_request(repo: Repo, tmp_path: Path) -> None:
    # pull_request_target checks out the base unless it is told otherwise: nothing of the change is there.
    head = repo.git("rev-parse", "HEAD")
    event: dict[str, Any] = {"pull_request": {"base": {"sha": head}, "head": {"sha": "1" * 40}}}
    payload = tmp_path / "event.json"
    payload.write_text(json.dumps(event))
    env = {
        **repo.env, "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request_target",
        "GITHUB_EVENT_PATH": str(payload), "GITHUB_REF": "refs/heads/main",
    }  # fmt: skip
    result = repo.check(env=env)
    assert result.code == 2
    assert "not its head" in result.json["error"]["message"]


def test_a_partial_clone_fetches_nothing(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.append(LOG, a_run("planning_three_20251101", 2))
    repo.commit("third")
    clone = Repo.clone(repo, tmp_path / "partial", "--filter=blob:none")
    result = clone.check("--base", "HEAD~1")
    assert result.code == 2
    assert "partial clone" in result.json["error"]["hint"]

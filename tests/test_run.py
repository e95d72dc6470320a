"""`nsm_gate.run` logs how a run ended, whatever ended it, and loses no result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import nsm_gate
from tests.support import ROOT, Repo, Result, a_baseline, a_run, check

LOG = "experiments/training_log.jsonl"
METRICS = {
    "accuracy": 0.61, "accuracy_class_0": 0.58, "accuracy_class_1": 0.64, "class_balance_delta": 0.06,
    "task_loss": 0.6, "cycle_loss": 0.5,
}  # fmt: skip
FINDINGS = "Beats the random baseline by six points with balanced classes."


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """Work in a repository with one logged run."""
    repo = Repo.init(tmp_path / "lab")
    for name, value in repo.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(repo.path)
    repo.write(LOG, [a_run("planning_one_20251101")])
    repo.commit("Log a run")
    return repo


def members(run_id: str = "planning_two_20251101", **changes: Any) -> dict[str, Any]:
    """Return what is known of a run before it begins."""
    run = a_run()["run_data"]
    known = {name: run[name] for name in ("domain", "dataset_config", "hyperparameters", "experiment_type")}
    return {"run_id": run_id, **known, **changes}


def finished(run: nsm_gate.Run) -> None:
    """Give a run its results."""
    run.metrics(**METRICS)
    run.update(best_val_accuracy=0.61, goal_achievement_rate=0.9, temporal_ordering_acc=0.85)
    run.findings = FINDINGS


def logged() -> list[dict[str, Any]]:
    """Return the runs of the log behind the first."""
    return [json.loads(line)["run_data"] for line in Path(LOG).read_bytes().split(b"\n")[1:-1]]


def checked(repo: Repo) -> Result:
    """Judge what was logged just now."""
    return check(cwd=repo.path, env=repo.env, now=datetime.now(timezone.utc))


# --- a run that ends well --------------------------------------------------------------------------------


def test_a_completed_run_is_logged_with_its_metrics_and_times(lab: Repo) -> None:
    with nsm_gate.run(LOG, **members()) as run:
        assert len(Path(LOG).read_bytes().splitlines()) == 1
        for epoch in range(1, 4):
            run.epoch(epoch, train_loss=1 / epoch, val_loss=1.5 / epoch)
        finished(run)
    (entry,) = logged()
    assert run.appended is not None
    assert run.appended.lines == (2,)
    assert (entry["status"], entry["findings"], entry["final_metrics"]) == ("completed", FINDINGS, METRICS)
    assert entry["metrics_history"][2] == {"epoch": 3, "train_loss": 1 / 3, "val_loss": 0.5}
    assert entry["start_time"] <= entry["end_time"]
    assert entry["start_time"].endswith("Z")
    assert 0 < entry["training_time_seconds"] < 60
    assert "last_successful_epoch" not in entry
    assert checked(lab).rules() == []


def test_members_may_be_given_as_a_mapping_and_changed_until_the_end(lab: Repo) -> None:
    with nsm_gate.run(LOG, members(), run_id="planning_three_20251101") as run:
        finished(run)
        run.members["pid"] = 17
        run.metrics(accuracy=0.615)
        assert run.findings == FINDINGS
    assert [(entry["run_id"], entry["pid"], entry["final_metrics"]["accuracy"]) for entry in logged()] == [
        ("planning_three_20251101", 17, 0.615)
    ]


def test_given_times_are_left_alone(lab: Repo) -> None:
    times = {
        "start_time": "2025-11-01T00:00:00Z",
        "end_time": "2025-11-01T00:00:30Z",
        "training_time_seconds": 30.0,
    }
    with nsm_gate.run(LOG, **members(), **times) as run:
        finished(run)
    assert {name: logged()[0][name] for name in times} == times


def test_values_are_taken_as_they_are_when_they_are_given(lab: Repo) -> None:
    np = pytest.importorskip("numpy")
    loss = np.array(0.5)
    with nsm_gate.run(LOG, **members()) as run:
        run.epoch(np.int64(1), val_loss=loss)
        loss += 1
        run.epoch(2, val_loss=loss)
        finished(run)
    assert [epoch["val_loss"] for epoch in logged()[0]["metrics_history"]] == [0.5, 1.5]


def test_a_running_line_is_written_first_where_it_is_asked_for(lab: Repo) -> None:
    with nsm_gate.run(LOG, **members(), running=True) as run:
        assert [entry["status"] for entry in logged()] == ["running"]
        finished(run)
    first, last = logged()
    assert (first["start_time"], last["status"]) == (last["start_time"], "completed")
    assert "end_time" not in first
    assert checked(lab).code == 0


def test_a_run_that_was_killed_may_begin_again(lab: Repo) -> None:
    for running in (True, False):
        code = f"""
import os, nsm_gate, tests.test_run as t
with nsm_gate.run(t.LOG, **t.members("planning_r{running:d}_20251101"), running=True) as run:
    os.kill(os.getpid(), 9)
"""
        done = subprocess.run([sys.executable, "-c", code], check=False)
        assert done.returncode == -signal.SIGKILL
        with nsm_gate.run(LOG, **members(f"planning_r{running:d}_20251101"), running=running) as run:
            finished(run)
            run.metrics(task_loss=0.5 + running / 10)
    assert [entry["status"] for entry in logged()] == ["running", "completed"] * 2


# --- a run that fails --------------------------------------------------------------------------------------


def test_a_failed_run_is_logged_with_its_error_and_the_error_goes_on(lab: Repo) -> None:
    error = RuntimeError("CUDA out of memory at epoch 7, batch 42")
    with pytest.raises(RuntimeError) as caught:
        with nsm_gate.run(LOG, **members()) as run:
            run.epoch(6, val_loss=0.7)
            raise error
    assert caught.value is error
    (entry,) = logged()
    place = f"test_run.py:{error.__traceback__.tb_lineno if error.__traceback__ else 0}"
    assert entry["status"] == "failed"
    assert entry["error_message"] == f"RuntimeError: CUDA out of memory at epoch 7, batch 42 ({place})"
    assert entry["last_successful_epoch"] == 6
    assert entry["findings"] == f"Failed after epoch 6: {entry['error_message']}."
    assert entry["metrics_history"] == [{"epoch": 6, "val_loss": 0.7}]
    assert "final_metrics" not in entry
    assert checked(lab).rules() == []


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyboardInterrupt(), "KeyboardInterrupt: interrupted"),
        (SystemExit(3), "SystemExit: the program ended itself, with exit code 3"),
        (SystemExit(), "SystemExit: the program ended itself, with exit code None"),
        (ValueError(), "ValueError"),
        (OSError(28, "No space \ud800left"), "OSError: [Errno 28] No space \\ud800left"),
        (Exception("long " * 1000), "Exception: long long"),
        (GeneratorExit(), "GeneratorExit"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_ends_a_run_is_logged_and_goes_on(lab: Repo, error: BaseException, message: str) -> None:
    with pytest.raises(type(error)) as caught, nsm_gate.run(LOG, **members()):
        raise error
    assert caught.value is error
    (entry,) = logged()
    assert (entry["status"], entry["last_successful_epoch"]) == ("failed", None)
    assert entry["error_message"].startswith(message)
    assert len(entry["error_message"]) < 1100
    assert entry["findings"].startswith("Failed before an epoch was finished: ")


def test_an_exception_that_cannot_say_what_it_is(lab: Repo) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    with pytest.raises(Mute), nsm_gate.run(LOG, **members()):
        raise Mute
    assert logged()[0]["error_message"].startswith("Mute (test_run.py:")


def test_what_a_failed_run_has_given_is_kept(lab: Repo) -> None:
    with pytest.raises(ValueError), nsm_gate.run(LOG, **members()) as run:
        run.metrics(accuracy=0.58)
        run.update(error_message="the disk was full", last_successful_epoch=3)
        run.findings = "Converges until epoch 3."
        raise ValueError("later")
    (entry,) = logged()
    assert entry["final_metrics"] == {"accuracy": 0.58}
    assert (entry["error_message"], entry["last_successful_epoch"]) == ("the disk was full", 3)
    assert entry["findings"].endswith(". Noted before that: Converges until epoch 3.")


def test_a_loss_that_became_nan_does_not_keep_a_failure_out_of_the_log(lab: Repo) -> None:
    with pytest.raises(ArithmeticError), nsm_gate.run(LOG, **members()) as run:
        run.epoch(1, val_loss=0.7)
        with pytest.warns(
            UserWarning, match="/run_data/metrics_history/1/val_loss is NaN, which is not JSON"
        ):
            run.epoch(2, val_loss=float("nan"))
        raise ArithmeticError("the loss diverged")
    (entry,) = logged()
    assert [epoch["val_loss"] for epoch in entry["metrics_history"]] == [0.7, None]
    assert entry["findings"].endswith("Logged as null: /run_data/metrics_history/1/val_loss is NaN.")


def test_ctrl_c_of_a_real_program_is_logged(lab: Repo) -> None:
    code = """
import sys, time, nsm_gate, tests.test_run as t
with nsm_gate.run(t.LOG, **t.members()) as run:
    run.epoch(2)
    print("begun", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # Who starts the tests in the background has Ctrl-C ignored, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"begun\n"
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=60)
    assert b"KeyboardInterrupt" in err
    assert [(entry["status"], entry["last_successful_epoch"]) for entry in logged()] == [("failed", 2)]


def test_a_failed_run_is_run_again_where_it_says_why(lab: Repo) -> None:
    with pytest.raises(KeyboardInterrupt), nsm_gate.run(LOG, **members()):
        raise KeyboardInterrupt
    with pytest.raises(nsm_gate.EntryRefused, match="already used on line 2"), nsm_gate.run(LOG, **members()):
        raise AssertionError("it should not begin")
    again = members(corrects="planning_two_20251101", reason="the first attempt was interrupted")
    with nsm_gate.run(LOG, **again) as run:
        finished(run)
    assert [entry["status"] for entry in logged()] == ["failed", "completed"]


# --- what is said before it begins ---------------------------------------------------------------------------


def test_what_is_wrong_is_said_before_the_run_begins(lab: Repo) -> None:
    for changes, message in (
        ({"run_id": "planning_one_20251101"}, "already used on line 1"),
        ({"experiment_type": "domain_exploratio"}, "domain_exploration"),
        ({"hyperparameters": {"epochs": "ten"}}, "hyperparameters.epochs"),
        ({"pid": float("nan")}, "/run_data/pid is NaN, which is not JSON"),
    ):
        with pytest.raises(nsm_gate.EntryRefused, match=message), nsm_gate.run(LOG, {**members(), **changes}):
            raise AssertionError("it should not begin")
    assert logged() == []


def test_what_is_missing_yet_is_a_warning_before_the_run_begins(lab: Repo) -> None:
    known = members()
    parameters = known.pop("hyperparameters")
    with pytest.warns(UserWarning, match="hyperparameters"), nsm_gate.run(LOG, **known) as run:
        run.update(hyperparameters=parameters)
        finished(run)
    assert logged()[0]["status"] == "completed"


def test_a_running_line_lacks_nothing(lab: Repo) -> None:
    known = members()
    del known["hyperparameters"]
    with (
        pytest.raises(nsm_gate.EntryRefused, match="hyperparameters"),
        nsm_gate.run(LOG, **known, running=True),
    ):
        raise AssertionError("it should not begin")
    assert logged() == []


def test_a_log_kind_without_a_status_is_an_error(lab: Repo) -> None:
    lab.write("baselines.jsonl", [a_baseline()])
    with pytest.raises(nsm_gate.GateError, match="runs of baselines have no status"):
        nsm_gate.run("baselines.jsonl", branch="main").__enter__()
    with pytest.raises(nsm_gate.GateError, match="its folder does not exist"):
        nsm_gate.run("nowhere/training_log.jsonl", **members()).__enter__()
    with pytest.raises(RuntimeError, match="with statement"):
        nsm_gate.run(LOG, **members()).findings = "too early"


# --- nothing is lost -----------------------------------------------------------------------------------------


def test_a_completed_run_that_is_refused_is_kept_beside_the_log(lab: Repo) -> None:
    with pytest.raises(nsm_gate.EntryRefused, match="findings is absent") as caught:
        with nsm_gate.run(LOG, **members()) as run:
            finished(run)
            del run.members["findings"]
    assert logged() == []
    kept = Path(LOG + ".refused")
    assert caught.value.kept == str(kept.resolve())
    assert f"kept in {kept.resolve()}" in str(caught.value)
    entry = json.loads(kept.read_bytes())
    assert entry["run_data"]["final_metrics"] == METRICS
    entry["run_data"]["findings"] = FINDINGS
    assert nsm_gate.append(LOG, entry).lines == (2,)


def test_a_completed_run_whose_log_cannot_be_written_is_kept(lab: Repo, tmp_path: Path) -> None:
    with (
        pytest.raises(nsm_gate.GateError, match="is a folder") as caught,
        nsm_gate.run(LOG, **members()) as run,
    ):
        finished(run)
        Path(LOG).rename(tmp_path / "moved")
        Path(LOG).mkdir()
    place = Path(LOG + ".refused").resolve()
    assert caught.value.hint == f"the entry is kept in {place}: append it from there"
    assert json.loads(place.read_bytes())["run_data"]["findings"] == FINDINGS


def test_a_run_whose_folder_is_gone_is_kept_among_the_temporary_files(
    lab: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    with (
        pytest.raises(nsm_gate.GateError, match="its folder does not exist"),
        nsm_gate.run(LOG, **members()) as run,
    ):
        finished(run)
        Path("experiments").rename(tmp_path / "moved")
    assert (
        json.loads((tmp_path / "tmp/training_log.jsonl.refused").read_bytes())["run_data"]["status"]
        == "completed"
    )


def test_a_failure_that_cannot_be_logged_does_not_hide_the_error(lab: Repo, tmp_path: Path) -> None:
    with pytest.warns(RuntimeWarning, match="the failed run is not in the log"):
        with pytest.raises(ZeroDivisionError) as caught, nsm_gate.run(LOG, **members()):
            Path(LOG).rename(tmp_path / "moved")
            Path(LOG).mkdir()
            raise ZeroDivisionError
    assert json.loads(Path(LOG + ".refused").read_bytes())["run_data"]["status"] == "failed"
    if sys.version_info >= (3, 11):
        assert "is a folder" in caught.value.__notes__[0]


def test_the_run_is_logged_where_it_began_whatever_folder_the_program_is_in(
    lab: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nsm_gate.run(LOG, **members()) as run:
        finished(run)
        monkeypatch.chdir(tmp_path)
    assert len((lab.path / LOG).read_bytes().splitlines()) == 2


def test_two_runs_may_overlap(lab: Repo) -> None:
    with nsm_gate.run(LOG, **members("planning_outer_20251101")) as outer:
        with nsm_gate.run(LOG, **members("planning_inner_20251101")) as inner:
            finished(inner)
        finished(outer)
        outer.metrics(task_loss=0.7)
    assert [entry["run_id"] for entry in logged()] == ["planning_inner_20251101", "planning_outer_20251101"]


def test_a_log_kind_of_ones_own(lab: Repo) -> None:
    lab.write("nsm-gate.yaml", "extends: none\nrules: [rules/]\n")
    lab.write(
        "rules/jobs.yaml",
        """
log: jobs
description: One line a job.
files: ["**/jobs.jsonl"]
schema: jobs.schema.json
key: [id]
run_id: id
status: state
times: {logged: at}
findings: summary
error_message: error
results: scores
""",
    )
    properties = {name: {} for name in ("id", "state", "at", "summary", "error", "scores")}
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
              "additionalProperties": False, "properties": properties}  # fmt: skip
    lab.write("rules/jobs.schema.json", json.dumps(schema))
    with nsm_gate.run("jobs.jsonl", id="job_a_20251101") as run:
        run.epoch(1)
        run.metrics(f1=0.5)
        run.findings = "The first job of its kind, for comparison."
    with pytest.raises(ValueError), nsm_gate.run("jobs.jsonl", id="job_b_20251101"):
        raise ValueError("no")
    first, second = (json.loads(line) for line in Path("jobs.jsonl").read_bytes().splitlines())
    assert set(first) == {"id", "state", "at", "summary", "scores"}
    assert (second["state"], set(second)) == ("failed", {"id", "state", "at", "summary", "error"})

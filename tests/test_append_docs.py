"""Every command and every program of docs/append.md does what the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, Repo, a_run, edited, lines, with_command

LOG = "experiments/training_log.jsonl"
DOC = (ROOT / "docs/append.md").read_text("utf-8")
CONSOLE = re.findall(r"```console\n(.*?)```", DOC, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)

MODAL = '''
"""What the page uses of Modal: a volume is a folder, of which each container has a copy until it commits."""

import os
import shutil

MOUNT, REMOTE = os.environ["FAKE_MOUNT"], os.environ["FAKE_REMOTE"]


class Image:
    @staticmethod
    def debian_slim():
        return Image()

    def pip_install(self, *_names):
        return self


class Volume:
    @staticmethod
    def from_name(_name):
        return Volume()

    def commit(self):
        # Of two versions of one file, the last one committed wins.
        shutil.copytree(MOUNT, REMOTE, dirs_exist_ok=True)


class App:
    def __init__(self, _name, image):
        pass

    def function(self, volumes):
        assert list(volumes) == [MOUNT]
        shutil.copytree(REMOTE, MOUNT, dirs_exist_ok=True)
        return lambda function: function
'''
GET = """#!/bin/sh
test "$1 $2 $3 $4" = "volume get nsm-checkpoints runs" && mkdir -p "$5" && cp -r "$FAKE_REMOTE/runs" "$5"
"""
METRICS = {
    "accuracy": 0.61, "accuracy_class_0": 0.58, "accuracy_class_1": 0.64, "class_balance_delta": 0.06,
    "task_loss": 0.6, "cycle_loss": 0.5,
}  # fmt: skip


@pytest.fixture
def lab(tmp_path: Path) -> Repo:
    """Return a repository with one logged run, and what the page's commands need in it."""
    repo = Repo(tmp_path / "lab")
    repo = Repo.init(
        tmp_path / "lab", env={**with_command(repo.env, tmp_path / "bin"), "PYTHONPATH": str(ROOT)}
    )
    repo.write(LOG, [a_run("planning_one_20251101")])
    repo.commit("Log a run")
    repo.write("run.json", json.dumps(a_run("planning_two_20251102", 1), indent=2))
    repo.write("bad.json", [edited(a_run("planning_deep_20251103", 1), findings="TODO")])
    repo.write("train.py", f"print({json.dumps(json.dumps(a_run('planning_three_20251102', 2)))})")
    for number, name in ((4, "five"), (3, "four")):
        repo.write(f"runs/{name}.json", json.dumps(a_run(f"planning_{name}_20251102", number)))
    return repo


def shell(repo: Repo, command: str, **more: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}"
    env = {**repo.env, "PATH": repo.env["PATH"].replace(os.pathsep, os.pathsep + path, 1), **more}
    return subprocess.run(
        ["sh", "-c", command], cwd=repo.path, env=env, capture_output=True, text=True, check=False
    )


def runs(repo: Repo) -> list[dict[str, Any]]:
    return [json.loads(line)["run_data"] for line in (repo.path / LOG).read_bytes().splitlines()]


def python(code: str, **names: Any) -> str:
    """Return a program of the page, with what it takes for granted before it."""
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    functions = f"""
def train_one_epoch(epoch):
    return {{"train_loss": 1 / epoch, "val_loss": 1.5 / epoch}}

def evaluate():
    return {METRICS!r}

def train(run):
    for epoch in (1, 2):
        run.epoch(epoch, **train_one_epoch(epoch))
    return evaluate()
"""
    return f"{given}{functions}\n{code}"


def test_the_page_has_the_blocks_that_are_tried_here() -> None:
    assert (len(CONSOLE), len(PYTHON)) == (3, 3)
    assert DOC.count("```") == 2 * (len(CONSOLE) + len(PYTHON))


def test_the_commands_append(lab: Repo) -> None:
    for command in CONSOLE[0].splitlines():
        done = shell(lab, command.removeprefix("$ "))
        assert (done.returncode, done.stderr) == (0, ""), done
    names = [run["run_id"].split("_")[1] for run in runs(lab)]
    assert names == ["one", "two", "three", "four", "five"]


def test_a_refusal_looks_as_the_page_shows_it(lab: Repo) -> None:
    command, _, shown = CONSOLE[1].partition("\n")
    done = shell(lab, command.removeprefix("$ "))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == shown


def test_the_programs_append_and_log_a_run(lab: Repo) -> None:
    entry = a_run("planning_two_20251102", 1)
    run = a_run()["run_data"]
    done = subprocess.run(
        [sys.executable, "-c", python(PYTHON[0], entry=entry)],
        cwd=lab.path,
        env=lab.env,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"(2,) met\n", b"")
    code = python(
        PYTHON[1],
        dataset_config=run["dataset_config"],
        hyperparameters={**run["hyperparameters"], "epochs": 3},
    )
    subprocess.run([sys.executable, "-c", code], cwd=lab.path, env=lab.env, check=True)
    logged = runs(lab)[2]
    assert (logged["run_id"], logged["status"], logged["final_metrics"]) == (
        "planning_deep_20251103",
        "completed",
        METRICS,
    )
    assert [epoch["epoch"] for epoch in logged["metrics_history"]] == [1, 2, 3]


def test_runs_on_a_volume_are_merged_into_the_log(lab: Repo, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    remote.mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/modal.py").write_text(MODAL)
    (tmp_path / "bin/modal").write_text(GET)
    (tmp_path / "bin/modal").chmod(0o755)
    known = {
        name: value
        for name, value in a_run()["run_data"].items()
        if name in ("domain", "experiment_type", "dataset_config", "hyperparameters")
    }
    programs = []
    for number in range(4):
        # A container of its own: no repository, its own copy of the volume.
        mount = tmp_path / f"container{number}/checkpoints"
        mount.mkdir(parents=True)
        config = {"run_id": f"planning_m{number}_20251103", **known}
        code = python(PYTHON[2].replace("/checkpoints", str(mount)))
        code = code.replace(
            "return evaluate()", "return {**evaluate(), 'task_loss': %f}" % (0.6 + number / 100)
        )
        call = f"{code}\ntrain_and_log({config!r})\n"
        if number == 3:
            call = call.replace("for epoch in (1, 2):", "for epoch in (1, 0):")
        env = {
            **lab.env,
            "PYTHONPATH": f"{tmp_path / 'lib'}{os.pathsep}{ROOT}",
            "FAKE_MOUNT": str(mount),
            "FAKE_REMOTE": str(remote),
        }
        programs.append(
            subprocess.Popen([sys.executable, "-c", call], cwd=mount.parent, env=env, stderr=subprocess.PIPE)
        )
    ended = [(program.communicate()[1], program.returncode) for program in programs]
    assert [code for _, code in ended] == [0, 0, 0, 1]
    assert b"ZeroDivisionError" in ended[3][0]
    assert len(list(remote.glob("runs/*/training_log.jsonl"))) == 4
    get, merge = (
        command.removeprefix("$ ").replace("/tmp/", f"{tmp_path}/") for command in CONSOLE[2].splitlines()
    )
    assert shell(lab, get, FAKE_REMOTE=str(remote)).returncode == 0
    done = shell(lab, merge)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    merged = runs(lab)[1:]
    assert {run["run_id"]: run["status"] for run in merged} == {
        "planning_m0_20251103": "completed", "planning_m1_20251103": "completed", "planning_m2_20251103": "completed",
        "planning_m3_20251103": "failed",
    }  # fmt: skip
    stamps = [json.loads(line)["timestamp"] for line in (lab.path / LOG).read_bytes().splitlines()]
    assert stamps == sorted(stamps)
    before = (lab.path / LOG).read_bytes()
    assert shell(lab, merge).returncode == 0
    assert (lab.path / LOG).read_bytes() == before


def test_what_the_page_says_of_a_refused_run_works(lab: Repo) -> None:
    bad = edited(a_run("planning_two_20251102", 1), findings="TODO")
    (lab.path / f"{LOG}.refused").write_bytes(lines(bad))
    assert shell(lab, f"nsm-gate append {LOG} {LOG}.refused").returncode == 1
    (lab.path / f"{LOG}.refused").write_bytes(
        lines(edited(bad, findings="Twice as fast, as accurate as before."))
    )
    assert shell(lab, f"nsm-gate append {LOG} {LOG}.refused").returncode == 0

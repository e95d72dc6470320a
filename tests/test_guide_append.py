"""Sections of docs/from-the-guide.md that write into a log or fetch one: the guide's code beside our commands, on the real logs."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.guide import PAGE, Section, run_snippet, sections
from tests.guide_formats import LOG, entries, members
from tests.support import ROOT, SHARED, Repo, a_run, gate, with_command
from tests.test_append_docs import GET, MODAL

REAL = SHARED / "logs/training_log.jsonl"
TEXT = PAGE.read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(
    not REAL.exists(), reason="the project's real logs are not beside this checkout"
)

LOOKUP = '''

class Fetched(Volume):
    """What the guide calls to fetch a file of a volume."""

    def get_file(self, name, path):
        shutil.copy(os.path.join(REMOTE, name), path)


Volume.lookup = staticmethod(lambda _name: Fetched())
'''
GET_FILE = """#!/bin/sh
test "$1 $2 $3" = "volume get nsm-checkpoints" && cp -r "$FAKE_REMOTE/$4" "$5"
"""


def section(title: str) -> Section:
    """Return a section of the page."""
    (found,) = [one for one in sections() if one.title == title]
    return found


@pytest.fixture
def lab(tmp_path: Path) -> Repo:
    """A repository with the real logs published."""
    repo = Repo.init(tmp_path / "lab")
    repo = Repo(repo.path, {**with_command(repo.env, tmp_path / "bin"), "PYTHONPATH": str(ROOT)})
    repo.write(LOG, REAL.read_bytes())
    repo.write("baselines.jsonl", (SHARED / "logs/baselines.jsonl").read_bytes())
    repo.commit()
    return repo


def shell(repo: Repo, command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the page as it is typed."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=repo.path,
        env={**repo.env, **more},
        capture_output=True,
        text=True,
        check=False,
    )


def filled(entry: Any) -> dict[str, Any]:
    """Return a skeleton with what its list asks for, as a person would write it in."""
    made = a_run(entry["run_data"]["run_id"])
    made["timestamp"] = entry["timestamp"]
    return made


# --- appending ---------------------------------------------------------------------------------


def test_the_guide_s_entry_is_refused_and_a_filled_skeleton_is_appended(lab: Repo) -> None:
    part = section("Adding a New Experiment")
    theirs = run_snippet(part, lab.path)
    assert not theirs.error
    assert len(entries(lab.path)) == 8
    written = (lab.path / LOG).read_bytes().splitlines()[-1]
    said = shell(lab, "nsm-gate check --output-format json")  # by the clock that the snippet went by
    errors = [finding for finding in json.loads(said.stdout)["findings"] if finding["severity"] == "error"]
    assert (said.returncode, {finding["line"] for finding in errors}, len(errors)) == (1, {8}, 4)
    assert "is refused with four errors" in TEXT
    # The same entry, by our own command.
    lab.write(LOG, REAL.read_bytes())
    skeleton, append = part.commands
    lab.write("entry.json", written)
    refused = shell(lab, append)
    assert (refused.returncode, (lab.path / LOG).read_bytes()) == (1, REAL.read_bytes())
    assert "4 errors" in refused.stdout
    done = shell(lab, skeleton)
    assert (done.returncode, "to fill in before it passes" in done.stderr) == (0, True)
    entry = json.loads((lab.path / "entry.json").read_bytes())
    assert shell(lab, append).returncode == 1
    lab.write("entry.json", [filled(entry)])
    assert shell(lab, append).returncode == 0
    assert (lab.path / LOG).read_bytes().startswith(REAL.read_bytes())
    assert [e["run_data"]["run_id"] for e in entries(lab.path)][7:] == [entry["run_data"]["run_id"]]


def test_append_in_python_refuses_what_the_guide_writes(lab: Repo) -> None:
    theirs = run_snippet(section("Adding a New Experiment"), lab.path)
    lab.write(LOG, REAL.read_bytes())
    code = f"""
import nsm_gate
log = {LOG!r}
experiment_entry = {theirs.names["experiment_entry"]!r}
try:
    nsm_gate.append(log, experiment_entry)
except nsm_gate.EntryRefused as refused:
    print(len([f for f in refused.report.findings if f.severity.word == "error"]))
"""
    assert "`nsm_gate.append(log, experiment_entry)`" in TEXT
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=lab.path, env=lab.env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "4\n"
    assert (lab.path / LOG).read_bytes() == REAL.read_bytes()


def test_what_is_refused_is_not_written_where_the_guide_writes_it(lab: Repo) -> None:
    part = section("7. Validate Before Appending")
    dry, append = part.commands
    # As it stands, the snippet's entry is a set, which it says, and then writes nevertheless.
    theirs = run_snippet(part, lab.path)
    assert theirs.out == "Invalid JSON: Object of type set is not JSON serializable\n"
    assert theirs.error == "TypeError: Object of type set is not JSON serializable"
    nan = a_run("planning_nan_20251102")
    nan["run_data"]["best_val_loss"] = float("nan")
    block = part.block.replace("{...}", repr(nan).replace(": nan", ": float('nan')"))
    theirs = run_snippet(Section(part.title, part.language, block, ()), lab.path)
    assert (theirs.out, theirs.error) == ("", "")
    assert b"NaN" in (lab.path / "experiments/training_log.jsonl").read_bytes()
    lab.write(LOG, REAL.read_bytes())
    (lab.path / "entry.json").write_text(json.dumps(nan))
    for command in (dry, append):
        refused = shell(lab, command)
        assert (refused.returncode, "invalid-json" in refused.stdout) == (1, True)
        assert (lab.path / LOG).read_bytes() == REAL.read_bytes()
    piping = "nsm-gate check --stdin-log training_log -"
    assert f"`{piping}`" in TEXT
    piped = shell(lab, f"{piping} < entry.json")
    assert (piped.returncode, "invalid-json" in piped.stdout) == (1, True)
    lab.write("entry.json", [a_run("planning_fine_20251102")])
    assert shell(lab, dry).returncode == 0
    assert (lab.path / LOG).read_bytes() == REAL.read_bytes()
    assert shell(lab, append).returncode == 0
    assert [e["run_data"]["run_id"] for e in entries(lab.path)][7:] == ["planning_fine_20251102"]


# --- Modal -------------------------------------------------------------------------------------


def containers(lab: Repo, tmp_path: Path, program: str, configs: list[dict[str, Any]]) -> list[int]:
    """Run a Modal function once for each configuration, all at the same time: each has a copy of the volume.

    The copies are taken before anything is committed, as those of containers that run at once are.
    """
    (tmp_path / "lib").mkdir(exist_ok=True)
    (tmp_path / "lib/modal.py").write_text(
        MODAL.replace("def __init__(self, _name, image)", "def __init__(self, _name, image=None)")
    )
    running = []
    for number, config in enumerate(configs):
        mount = tmp_path / f"container{len(list(tmp_path.glob('container*')))}/checkpoints"
        mount.mkdir(parents=True)
        code = program.replace("/checkpoints", str(mount))
        code = f"{code}\nprint('ready', flush=True)\ninput()\ntrain_and_log({config!r})\n"
        env = {
            **lab.env, "PYTHONPATH": f"{tmp_path / 'lib'}{os.pathsep}{ROOT}", "PYTHONWARNINGS": "ignore",
            "FAKE_MOUNT": str(mount), "FAKE_REMOTE": str(tmp_path / "remote"), "NUMBER": str(number),
        }  # fmt: skip
        one = subprocess.Popen(
            [sys.executable, "-c", code], cwd=mount.parent, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        running.append(one)
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in running:
        one.communicate("\n")
    return [one.returncode for one in running]


def test_containers_lose_lines_by_the_guide_s_function_and_none_by_ours(lab: Repo, tmp_path: Path) -> None:
    run = a_run()["run_data"]
    part = section("Logging from Modal Experiments")
    (tmp_path / "remote").mkdir()
    (tmp_path / "remote/training_log.jsonl").write_bytes(REAL.read_bytes())
    theirs = part.block.replace("{...}", repr(run["dataset_config"])).replace(
        "# ... training code ...",
        f"results, elapsed_time = {run['final_metrics']!r}, 1.5\n    generate_findings = lambda results: 'It ran.'",
    )
    configs = [
        {**run["hyperparameters"], "experiment_type": kind, "domain": "planning"}
        for kind in ("domain_exploration", "hyperparam_search")
    ]
    assert containers(lab, tmp_path, theirs, configs) == [0, 0]
    logged = (tmp_path / "remote/training_log.jsonl").read_bytes()
    assert logged.startswith(REAL.read_bytes())
    assert len(logged.splitlines()) == 7 + 2 - 1
    (tmp_path / "remote/training_log.jsonl").unlink()

    ours = (ROOT / "docs/append.md").read_text("utf-8").partition("## On Modal")[2]
    ours = ours.partition("```python\n")[2].partition("```")[0]
    known = {name: run[name] for name in ("domain", "experiment_type", "dataset_config", "hyperparameters")}
    train = f"""
import os
def train(run):
    run.epoch(1, train_loss=1.0, val_loss=1.5)
    if os.environ["NUMBER"] == "2":
        raise RuntimeError("CUDA out of memory at epoch 2, batch 42")
    metrics = {run["final_metrics"]!r}
    return {{**metrics, "task_loss": 0.5 + int(os.environ["NUMBER"]) / 100}}
"""
    configs = [{"run_id": f"planning_m{number}_20251103", **known} for number in range(3)]
    assert containers(lab, tmp_path, train + ours, configs) == [0, 0, 1]
    (tmp_path / "bin/modal").write_text(GET)
    (tmp_path / "bin/modal").chmod(0o755)
    for command in part.commands:
        done = shell(lab, command.replace("/tmp/", f"{tmp_path}/"), FAKE_REMOTE=str(tmp_path / "remote"))
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert (lab.path / LOG).read_bytes().startswith(REAL.read_bytes())
    assert sorted((e["run_data"]["run_id"], e["run_data"]["status"]) for e in entries(lab.path)[7:]) == [
        ("planning_m0_20251103", "completed"), ("planning_m1_20251103", "completed"), ("planning_m2_20251103", "failed"),
    ]  # fmt: skip
    (failed,) = (e["run_data"] for e in entries(lab.path) if e["run_data"]["status"] == "failed")
    asked = members(section("5. Capture Error States").block)
    assert failed["error_message"].startswith(f"RuntimeError: {asked['error_message'].replace('7', '2')}")
    assert failed["last_successful_epoch"] == 1
    assert asked["final_metrics"] is failed.get("final_metrics") is None
    assert "epoch" in failed["findings"]


def test_a_fetched_log_is_read_whatever_it_is_called(
    lab: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = section("Reading Logs Locally")
    remote = tmp_path / "remote"
    remote.mkdir()
    (remote / "training_log.jsonl").write_bytes(REAL.read_bytes())
    monkeypatch.setenv("FAKE_REMOTE", str(remote))
    monkeypatch.setenv("FAKE_MOUNT", str(tmp_path))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/modal.py").write_text(MODAL + LOOKUP)
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    theirs = run_snippet(part, lab.path)
    sys.modules.pop("modal")
    assert (theirs.error, theirs.out) == ("", "Total experiments: 7\n")
    (lab.path / "local_training_log.jsonl").unlink()
    (tmp_path / "bin/modal").write_text(GET_FILE)
    (tmp_path / "bin/modal").chmod(0o755)
    get, runs = part.commands
    assert shell(lab, get, FAKE_REMOTE=str(remote)).returncode == 0
    done = shell(lab, f"{runs} --output-format json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["runs"] == theirs.names["experiments"]
    for command in ("check", "report -o report.md"):
        refused = gate(*shlex.split(command), "local_training_log.jsonl", cwd=lab.path, env=lab.env)
        assert (refused.code, "is not claimed by any log kind" in refused.err) == (2, True)

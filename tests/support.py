"""What the tests share: the gate as a command, real git repositories, and records that pass."""

from __future__ import annotations

import copy
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nsm_gate.cli import main

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Result:
    """What a run of the gate gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return standard output as JSON."""
        return json.loads(self.out)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Return the findings of a JSON report."""
        return list(self.json["findings"])

    def rules(self, *but: str) -> list[tuple[str, int]]:
        """Return (rule, line) of the findings, sorted, without the rules named."""
        return sorted((f["rule"], f["line"]) for f in self.findings if f["rule"] not in but)

    def outcomes(self, line: int) -> dict[str, str]:
        """Return criterion -> outcome of one line."""
        return {v["criterion"]: v["outcome"] for v in self.json["verdicts"] if v["line"] == line}


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Return an environment that owes nothing to the machine: no CI, no git settings."""
    # The last is how `make coverage` has the processes measured that tests start.
    kept = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "COVERAGE_PROCESS_CONFIG")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env |= {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
    }  # fmt: skip
    return {**env, **extra}


def gate(
    *args: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    now: datetime = NOW,
) -> Result:
    """Run the command in this process: streams, environment, folder and clock are handed in."""
    out, err = io.StringIO(), io.StringIO()
    environ = environment(cwd) if env is None else env
    code = main(args, io.BytesIO(stdin), out, err, environ, str(cwd), lambda: now)
    return Result(code, out.getvalue(), err.getvalue())


def check(*args: str, cwd: Path, **options: Any) -> Result:
    """Run `nsm-gate check` with JSON output."""
    return gate("check", "--output-format", "json", *args, cwd=cwd, **options)


def gate_process(*args: str, cwd: Path, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Result:
    """Run the command as a process of its own, with the real clock."""
    environ = environment(cwd) if env is None else env
    done = subprocess.run(
        [sys.executable, "-m", "nsm_gate", *args],
        cwd=cwd, env=dict(environ), input=stdin, capture_output=True, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def with_command(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return an environment in which git finds the command `nsm-gate`: this checkout's."""
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "nsm-gate"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nsm_gate "$@"\n')
    command.chmod(0o755)
    return {**env, "PATH": f"{folder}{os.pathsep}{env['PATH']}"}


class Repo:
    """A real git repository."""

    def __init__(self, path: Path, env: Mapping[str, str] | None = None) -> None:
        """Use the repository at `path`; `init` makes one."""
        self.path = path
        self.env = dict(env) if env is not None else environment(path.parent)

    @classmethod
    def init(cls, path: Path, *options: str, env: Mapping[str, str] | None = None) -> Repo:
        """Make a repository with the branch main."""
        path.mkdir(parents=True, exist_ok=True)
        repo = cls(path, env)
        # Git's own template is a dozen examples of hooks.
        repo.git("init", "-q", "-b", "main", "--template=", *options)
        git = path if "--bare" in options else path / ".git"
        for folder in ("hooks", "info"):
            (git / folder).mkdir(exist_ok=True)
        return repo

    @classmethod
    def clone(cls, source: Repo, path: Path, *options: str) -> Repo:
        """Clone another repository, by the file protocol so that --depth works."""
        subprocess.run(
            ["git", "clone", "-q", *options, f"file://{source.path}", str(path)],
            env=source.env, check=True, capture_output=True,
        )  # fmt: skip
        return cls(path, source.env)

    def git(self, *args: str, check: bool = True, **extra: str) -> str:
        """Run git; return what it prints."""
        done = subprocess.run(
            ["git", *args], cwd=self.path, env={**self.env, **extra}, capture_output=True, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(f"git {args}: {done.stdout.decode()}{done.stderr.decode()}")
        return done.stdout.decode().strip()

    def write(self, name: str, data: bytes | str | Sequence[Any]) -> Path:
        """Write a file: bytes, text, or entries as JSON Lines."""
        place = self.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content(data))
        return place

    def append(self, name: str, *entries: Any) -> None:
        """Append entries to a log."""
        place = self.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "ab") as file:
            file.write(lines(*entries))

    def commit(self, message: str = "change", *options: str) -> str:
        """Stage everything and commit; return the commit's id."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, *options)
        return self.git("rev-parse", "HEAD")

    def check(self, *args: str, env: Mapping[str, str] | None = None, **options: Any) -> Result:
        """Run `nsm-gate check` here, with JSON output."""
        return check(*args, cwd=self.path, env=env or self.env, **options)


def lines(*entries: Any) -> bytes:
    """Return entries as JSON Lines."""
    return b"".join(json.dumps(entry, ensure_ascii=False).encode() + b"\n" for entry in entries)


def content(data: bytes | str | Sequence[Any]) -> bytes:
    """Return what a test writes into a file as bytes."""
    if isinstance(data, bytes):
        return data
    return data.encode() if isinstance(data, str) else lines(*data)


def exploding() -> dict[str, Any]:
    """Return a schema that takes 2^60 steps to refuse anything but a 0."""
    parts: dict[str, Any] = {"a0": {"const": 0}}
    for number in range(1, 61):
        parts[f"a{number}"] = {
            "anyOf": [{"$ref": f"#/$defs/a{number - 1}"}, {"$ref": f"#/$defs/a{number - 1}"}]
        }
    return {"$defs": parts, "type": "object", "properties": {"x": {"$ref": "#/$defs/a60"}}}


Change = Callable[[dict[str, Any]], object]


def a_run(
    run_id: str = "planning_plain_20251101", minute: int = 0, change: Change | None = None
) -> dict[str, Any]:
    """Return a completed domain_exploration run that meets every criterion; `change` may edit run_data."""
    run: dict[str, Any] = {
        "run_id": run_id,
        "domain": "planning",
        "status": "completed",
        "dataset_config": {
            "domain": "planning", "split": "train", "total_size": 2858, "train_size": 2000, "val_size": 400,
            "label_balance_class_0": 0.5, "label_balance_class_1": 0.5, "domain_params": {}, "is_balanced": True,
        },
        "hyperparameters": {
            "epochs": 10, "batch_size": 64, "learning_rate": 0.0001, "seed": 42, "cycle_loss_weight": 0.01,
            "patience": 20, "min_delta": 0.001, "pool_ratio": 0.5,
        },
        "best_val_accuracy": 0.61,
        # `minute` keeps the results of two runs apart: they are not copies of one experiment.
        "final_metrics": {
            "accuracy": 0.61, "accuracy_class_0": 0.58, "accuracy_class_1": 0.64,
            "class_balance_delta": 0.06, "task_loss": round(0.61 + minute / 10000, 4), "cycle_loss": 0.5,
        },
        "training_time_seconds": 30.0,
        "start_time": f"2025-11-01T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z",
        "end_time": f"2025-11-01T{minute // 60 % 24:02d}:{minute % 60:02d}:30Z",
        "error_message": None,
        "experiment_type": "domain_exploration",
        "findings": "Beats the random baseline by six points with balanced classes.",
        "goal_achievement_rate": 0.9,
        "temporal_ordering_acc": 0.85,
    }  # fmt: skip
    if change is not None:
        change(run)
    return {"timestamp": f"2025-11-01T{minute // 60 % 24:02d}:{minute % 60:02d}:31Z", "run_data": run}


def edited(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a copy of an entry with members set; `a__b` is a path, `...` removes the member.

    Paths start at run_data where the entry has one; `entry__x` starts at the entry.
    """
    made = copy.deepcopy(entry)
    for path, value in changes.items():
        steps = path.split("__")
        holder = made if steps[0] == "entry" or "run_data" not in made else made["run_data"]
        steps = steps[1:] if steps[0] == "entry" else steps
        for step in steps[:-1]:
            holder = holder.setdefault(step, {})
        if value is ...:
            holder.pop(steps[-1], None)
        else:
            holder[steps[-1]] = value
    return made


def a_baseline(experiment: str = "3level_fusion", day: int = 20, **changes: Any) -> dict[str, Any]:
    """Return a baseline that meets every target."""
    entry = {
        "branch": "main", "commit": "b77f986", "timestamp": f"2025-10-{day:02d}T00:00:00Z",
        "experiment": experiment,
        "metrics": {"accuracy": 0.58, "balance_delta": 0.2, "cycle_loss": 0.1},
        "config": {
            "variant": experiment, "epochs": 10, "batch_size": 64, "learning_rate": 0.0001,
            "cycle_weight": 0.01, "pool_ratio": 0.5, "dropout": 0.1,
        },
        "notes": "A baseline that meets its three targets.",
    }  # fmt: skip
    return edited(entry, **changes)

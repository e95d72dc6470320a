"""The gate's own command lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.places import program
from benchmarks.processes import Command, environment


def knows_jobs() -> bool:
    """Return whether the installed gate judges with several workers."""
    text = subprocess.run(
        [program("nsm-gate"), "check", "--help"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return "--jobs" in text


def everything(root: Path, jobs: int | None = None, *, code: int = 0, json: bool = False) -> Command:
    """Return the command that judges every line of a repository's logs; without `jobs`, by its default."""
    more = ["--jobs", str(jobs)] if jobs is not None else []
    more += ["--output-format", "json"] if json else []
    return Command([program("nsm-gate"), "check", "--all", *more], root, code)


def staged(root: Path) -> Command:
    """Return the command of the hook."""
    return Command([program("nsm-gate"), "check", "--staged"], root)

"""On what and of what the figures are."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.places import ROOT
from benchmarks.processes import environment

_PEERS = ("orjson", "sourcemeta-jsonschema", "jsonschema", "check-jsonschema")


def describe() -> str:
    """Return the date, the machine and the versions, in two sentences of Markdown."""
    now = datetime.now(timezone.utc)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    busy = os.getloadavg()[0]
    peers = ", ".join(f"{name} {_version(name)}" for name in _PEERS)
    return (
        f"{now:%Y-%m-%d %H:%M} UTC, nsm-gate {_version('nsm-gate')} at {_commit()}. {cores} cores of {_processor()}, "
        f"{memory:.0f} GiB, load {busy:.1f} at the start; {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {_run('git', '--version')}. Peers: {peers}."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _commit() -> str:
    commit = _run("git", "rev-parse", "--short", "HEAD")
    return (
        f"{commit}, changed"
        if _run("git", "status", "--porcelain", "--", "nsm_gate", "rules", "schemas")
        else commit
    )


def _run(*argv: str) -> str:
    done = subprocess.run(argv, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    return done.stdout.strip()

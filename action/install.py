"""Installs the gate into an environment of its own below RUNNER_TEMP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from runner import Refused, output

_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*((a|b|rc)[0-9]+)?(\.post[0-9]+)?(\.dev[0-9]+)?", re.ASCII)


def run(environ: Mapping[str, str]) -> int:
    """Install the action's own checkout, or the released version that is asked for.

    Raises:
        Refused: The version is none, or the environment cannot be made.
    """
    version = environ.get("NSM_GATE_VERSION", "").strip()
    if version and not _VERSION.fullmatch(version):
        raise Refused(f"the input version is no version: {version}", "write it as in 0.1.0")
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folder = tempfile.mkdtemp(prefix="nsm-gate-", dir=environ.get("RUNNER_TEMP") or None)
    place = os.path.join(folder, "env")
    # Not the workflow's settings of Python, which may lead into the workspace; pip's own settings stay.
    clean = {name: value for name, value in environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    clean["PIP_USER"] = "0"
    if _fails([sys.executable, "-I", "-m", "venv", place], folder, clean):
        raise Refused(
            "this Python makes no virtual environment",
            "install python3-venv, or let actions/setup-python run first",
        )
    name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    python = os.path.join(place, *name)
    wanted = f"nsm-gate=={version}" if version else own
    pip = [python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    if _fails([*pip, wanted], folder, clean):
        raise Refused("nsm-gate cannot be installed", "pip says why in the log of this step")
    output(environ, "python", python)
    return int(_fails([python, "-I", "-m", "nsm_gate", "--version"], folder, clean))


def _fails(command: list[str], folder: str, environ: Mapping[str, str]) -> bool:
    sys.stdout.flush()
    done = subprocess.run(command, cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, check=False)
    return done.returncode != 0

"""docs/runs.md says what is true: its commands run, its Python runs, its tables name what there is."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nsm_gate.commands import runs
from nsm_gate.render.listing import FORMATS
from tests.support import ROOT, environment, with_command

PAGE = (ROOT / "docs/runs.md").read_text(encoding="utf-8")
COMMANDS = [row for row in re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE) if "acuracy" not in row]
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    place = tmp_path / "lab"
    shutil.copytree(ROOT / "examples" / "nsm", place)
    return place


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_answers(command: str, lab: Path, tmp_path: Path) -> None:
    if "jq" in command and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    env = with_command(environment(tmp_path), tmp_path / "bin")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=lab, env=env, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    files = [lab / path for path in re.findall(r"--output-format \w+:(\S+)", command)]
    assert all(file.stat().st_size for file in files)
    assert done.stdout or files


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_every_program_of_the_page_runs(program: str, lab: Path, tmp_path: Path) -> None:
    for library in ("pandas", "polars"):
        if f"import {library}" in program:
            pytest.importorskip(library)
    env = environment(tmp_path)
    done = subprocess.run([sys.executable, "-c", program], cwd=lab, env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout


def test_the_page_has_what_it_is_about() -> None:
    assert len(COMMANDS) >= 16
    assert len(PROGRAMS) >= 4


def test_every_option_and_format_is_on_the_page() -> None:
    parser = argparse.ArgumentParser()
    runs.add_arguments(parser)
    options = [
        option for action in parser._actions for option in action.option_strings if option.startswith("--")
    ]
    left_out = {"--help", "--color", "--verbose", "--config"}
    assert [option for option in options if option not in left_out and f"{option}" not in PAGE] == []
    table = PAGE.partition("| format | holds |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(FORMATS) == set(runs._FORMATS)

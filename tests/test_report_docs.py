"""docs/report.md: its commands print what it says, on the sample project; its pictures are there."""

from __future__ import annotations

import re
import shlex
import shutil
import struct
from pathlib import Path

from tests.report_screenshots import PICTURES
from tests.support import ROOT, Repo, gate

DOC = (ROOT / "docs/report.md").read_text("utf-8")


def test_every_command_prints_what_the_page_says(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "nsm")
    shutil.copytree(ROOT / "examples/nsm", repo.path, dirs_exist_ok=True)
    repo.commit()
    said = "".join(re.findall(r"```console\n(.*?)```", DOC, re.DOTALL))
    commands = re.findall(r"^\$ nsm-gate (.*)\n((?:(?!\$ ).*\n)*)", said, re.MULTILINE)
    assert len(commands) == said.count("$ nsm-gate") == 5
    for command, printed in commands:
        result = gate(*shlex.split(command), cwd=repo.path, env=repo.env)
        assert result.out + result.err == printed
        assert result.code == (2 if "error" in printed else 0)
    assert (repo.path / "report.md").read_text("utf-8").startswith("# Hierarchies, winter term\n")
    # What the page says of the size.
    runs = 54
    rest = (repo.path / "report.html").stat().st_size - 900_000
    assert 2_000 < rest / runs < 8_000


def test_every_picture_is_there_and_small() -> None:
    named = re.findall(r"\(images/([\w-]+)\.png\)", DOC)
    assert sorted(named) == sorted(PICTURES)
    for name, (window, *_) in PICTURES.items():
        data = (ROOT / f"docs/images/{name}.png").read_bytes()
        assert data.startswith(b"\x89PNG")
        assert struct.unpack(">II", data[16:24]) == window
        assert len(data) < 250_000

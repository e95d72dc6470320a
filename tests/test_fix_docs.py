"""docs/fix.md says what is true: its commands run, and its hook does what it says under both runners."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.support import ROOT, Repo, a_run, edited, gate, lines
from tests.test_hooks import LOG, OLD, Project, project, runner

__all__ = ["project", "runner"]  # fixtures

PAGE = (ROOT / "docs/fix.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ nsm-gate (.*?)\s+#", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_does_something(command: str, tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, [a_run()])
    repo.commit()
    late = edited(a_run("planning_late_20251101", 5), start_time="2025-11-01T02:05:00+02:00")
    repo.append(LOG, late)
    with open(repo.path / LOG, "ab") as file:
        file.write(b"\n")
    result = gate(*command.split(), cwd=repo.path, env=repo.env)
    assert result.code == 1
    assert "blank-line" in result.out + result.err


def test_there_are_commands_on_the_page() -> None:
    assert len(COMMANDS) == 8


def test_the_hook_of_the_page_fails_once_and_then_lets_the_commit_through(project: Project) -> None:
    config = yaml.safe_load((project.path / ".pre-commit-config.yaml").read_text())
    stanza = yaml.safe_load(next(b for b in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)))
    config["repos"][0]["hooks"] = stanza["repos"][0]["hooks"]
    project.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    project.git("add", "-A")
    project.git("commit", "-q", "--no-verify", "-m", "use the fixing hook")
    whole = lines(a_run(OLD), a_run("planning_new_20251101", 1))
    project.write(LOG, whole.removesuffix(b"\n").replace(b'01:31Z"', b'01:31"'))
    first = project.try_commit()
    assert not first.passed
    assert "2 fixes made in 1 line: 1 line-ending, 1 timestamp-naive" in first.said
    assert (project.path / LOG).read_bytes() == whole
    assert project.git("diff", "--cached", "--name-only") == LOG
    assert project.git("diff", "--name-only") == LOG
    second = project.try_commit()
    assert second.passed, second.said
    assert project.git("show", f"HEAD:{LOG}").encode() + b"\n" == whole


def test_the_hook_mends_what_is_staged_and_brings_unstaged_lines_back(project: Project) -> None:
    """The runner takes unstaged changes away while hooks run, as for any fixing hook."""
    config = (project.path / ".pre-commit-config.yaml").read_text()
    fixing = "  - {id: nsm-gate, alias: fixing, entry: nsm-gate fix, stages: [pre-commit]}\n"
    project.write(".pre-commit-config.yaml", config.replace("  - id: nsm-gate\n", fixing, 1))
    project.past_hooks()
    other = project.write("notes.txt", "staged\n")
    project.append(LOG, a_run("planning_new_20251101", 1))
    place = project.path / LOG
    place.write_bytes(place.read_bytes().replace(b'01:31Z"', b'01:31"'))
    project.git("add", "-A")
    other.write_text("staged\nand not staged\n")
    attempt = project.attempt("commit", "-q", "-m", "a change")
    assert not attempt.passed
    assert b'01:31Z"' in place.read_bytes()
    assert other.read_text() == "staged\nand not staged\n"

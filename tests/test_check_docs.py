"""docs/check.md says what is true: its commands run, the base is the one that the table names, every format is told of."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from nsm_gate.render import FORMATS
from tests.support import ROOT, Repo, Result, a_run, edited, gate

LOG = "experiments/training_log.jsonl"
PAGE = (ROOT / "docs/check.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ nsm-gate (check.*?)(?:\s+#.*)?$", PAGE, re.MULTILINE)
WAYS = re.findall(r"^\| (.*) \| (.*) \| `(.*)` \|$", PAGE, re.MULTILINE)
BASES = {
    "none": "every line", "HEAD": "HEAD: ", "the merge base": "merge base of main", "as with": "merge base of main",
}  # fmt: skip
"""Beginning of a cell of the table -> what the report calls that base."""


@pytest.fixture
def lab(tmp_path: Path) -> Repo:
    """A repository on a branch, with a line that main does not have."""
    repo = Repo.init(tmp_path / "lab")
    repo.write(LOG, [a_run("planning_one_20251101")])
    repo.commit()
    repo.git("switch", "-q", "-c", "work")
    repo.append(LOG, edited(a_run("planning_two_20251102", 1), entry__timestamp="2025-11-02T00:01:31"))
    repo.commit()
    return repo


def run(repo: Repo, command: str) -> Result:
    """Run a command of the page, which may read a log from standard input."""
    typed, _, piped = command.partition(" < ")
    stdin = (repo.path / piped).read_bytes() if piped else b""
    return gate(*shlex.split(typed), cwd=repo.path, env=repo.env, stdin=stdin)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_judges(command: str, lab: Repo) -> None:
    result = run(lab, command)
    # The new line has one warning, a time without an offset.
    assert (result.code, result.err) == (1 if "--fail-on warning" in command else 0, "")
    assert ("timestamp-naive" in result.out) == ("--select" not in command)


def test_there_are_commands_on_the_page() -> None:
    assert len(COMMANDS) == 9


def test_the_base_is_the_one_that_the_table_names(lab: Repo, tmp_path: Path) -> None:
    tried = {}
    for asked, base, said in WAYS:
        args, env = ("check",), dict(lab.env)
        where = lab.path
        match asked:
            case "`--all`":
                args = ("check", "--all")
            case "`--base REF`":
                args, said = ("check", "--base", "main"), said.replace("REF", "main")
            case "`NSM_GATE_BASE=REF`":
                env["NSM_GATE_BASE"] = "main"
            case "`--staged`" | "something is staged":
                lab.append(LOG, a_run(f"planning_{len(tried)}_20251103", 3 + len(tried)))
                lab.git("add", "-A")
                args = ("check", "--staged") if "staged`" in asked else ("check",)
            case "outside git":
                where = tmp_path / "elsewhere"
                (where / "experiments").mkdir(parents=True)
                (where / LOG).write_bytes((lab.path / LOG).read_bytes())
        first = gate(*args, cwd=where, env=env).out.splitlines()[0]
        tried[asked] = first
        if "--staged" in args or asked == "something is staged":
            lab.git("commit", "-q", "-m", "more")
        assert said in first, asked
        assert next(words for start, words in BASES.items() if base.startswith(start)) in first, asked
    assert len(tried) == 7


def test_every_format_is_told_of_and_printed(lab: Repo) -> None:
    table = PAGE.partition("| format | for |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(FORMATS)
    for name in FORMATS:
        result = gate("check", "--output-format", name, cwd=lab.path, env=lab.env)
        assert (result.code, result.err) == (0, "")
        assert "timestamp-naive" in result.out


def test_a_base_that_is_not_there_names_the_command_that_fetches_it(lab: Repo) -> None:
    result = gate("check", "--base", "origin/main", cwd=lab.path, env=lab.env)
    assert (result.code, result.out) == (2, "")
    assert "git fetch" in result.err

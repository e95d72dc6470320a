"""Golden cases: folders of logs, each with exactly the findings that they give.

`cases/<rule>/<case>/` holds the head; `base/` in it, what was committed before (without it, every line is
judged). With NSM_GATE_WRITE_CASES=1 a run writes `expected.json` again instead of comparing: read the diff.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from nsm_gate.checks import BY_ID, CHECKS
from nsm_gate.checks.check import Check
from tests.support import Repo, Result, check, environment

CASES = Path(__file__).resolve().parent / "cases"
FOLDERS = sorted(folder for folder in CASES.glob("*/*") if folder.is_dir())
SHOWN = ("rule", "severity", "path", "line", "column", "end_column", "pointer", "message", "hint")
COMMIT = "1a2b3c4"
WRITE = os.environ.get("NSM_GATE_WRITE_CASES") == "1"


def judge(case: Path, root: Path) -> Result:
    """Judge a case in a folder of its own: against git where it has a base, else every line."""
    base = case / "base"
    if not base.is_dir():
        copy(case, root)
        return check("--all", cwd=root)
    date = "2025-10-15T00:00:00Z"
    repo = Repo.init(root, env=environment(root, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date))
    copy(base, root)
    commit = repo.commit("base")
    for place in root.iterdir():
        if place.name != ".git":
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    copy(case, root)
    result = repo.check()
    # The commit's id depends on the time of day.
    return Result(result.code, result.out.replace(commit[:7], COMMIT), result.err)


def copy(source: Path, target: Path) -> None:
    """Copy a case's files, links as links."""
    ignored = shutil.ignore_patterns("base", "expected.json")
    shutil.copytree(source, target, symlinks=True, ignore=ignored, dirs_exist_ok=True)


def findings(result: Result) -> list[dict[str, Any]]:
    """Return what a case's expected.json holds."""
    several = len(result.json["logs"]) > 1
    return [{k: f[k] for k in SHOWN if k != "path" or several} for f in result.findings]


def expected(case: Path) -> list[dict[str, Any]]:
    return list(json.loads((case / "expected.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_case_gives_these_findings_and_no_others(case: Path, tmp_path: Path) -> None:
    result = judge(case, tmp_path / "repository")
    assert result.err == ""
    found = findings(result)
    if WRITE:
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        (case / "expected.json").write_text(text, encoding="utf-8")
        pytest.skip("expected.json was written, not compared")
    assert found == expected(case)
    assert result.code == any(f["severity"] == "error" and f["waived"] is None for f in result.findings)
    for finding in result.findings:
        assert points_well(case, finding), finding


def points_well(case: Path, finding: dict[str, Any]) -> bool:
    """Return whether a finding's columns hold the value of its pointer, or a name on the way to it.

    An oracle of its own: Python's json, and the line as text.
    """
    if finding["pointer"] is None:
        return 1 <= finding["column"] < finding["end_column"]
    # A lost line carries its number in the base.
    folder = case / "base" if finding["rule"] == "history-rewritten" else case
    raw = (folder / finding["path"]).read_bytes().split(b"\n")[finding["line"] - 1]
    text = raw.decode("utf-8")
    value, name = json.loads(text), None
    steps = [s.replace("~1", "/").replace("~0", "~") for s in finding["pointer"].split("/")[1:]]
    for number, step in enumerate(steps, start=1):
        inner = value.get(step, ...) if isinstance(value, dict) else ...
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            inner = value[int(step)]
        if inner is ...:
            break
        value, name, depth = inner, step, number
    shown = text[finding["column"] - 1 : finding["end_column"] - 1]
    if name is None:
        return (finding["column"], shown) == (1, "{")
    if finding["rule"] == "unknown-field" or depth < len(steps):
        return bool(json.loads(shown) == name and text[finding["end_column"] - 1 :].lstrip(" :") != "")
    if isinstance(value, dict) and json.loads(shown) == name:
        return True  # a fault of a whole object is shown at its name
    return bool(json.loads(shown) == value)


@pytest.mark.parametrize("rule", sorted(BY_ID))
def test_every_finding_is_a_fact_and_a_remedy_in_lower_case_without_a_full_stop(rule: str) -> None:
    for case in (folder for folder in FOLDERS if folder.parent.name == rule):
        for finding in expected(case):
            for text in (finding["message"], finding["hint"]):
                assert text, (case.name, finding)
                assert not text[0].isupper(), (case.name, text)
                assert not text.endswith("."), (case.name, text)


def test_the_cases_are_folders_of_known_rules() -> None:
    assert {folder.name for folder in CASES.iterdir() if folder.is_dir()} == set(BY_ID)


@pytest.mark.parametrize("rule", CHECKS, ids=lambda check: check.id)
def test_every_check_has_a_clean_and_a_failing_case(rule: Check) -> None:
    clean, failing = 0, 0
    for case in (folder for folder in FOLDERS if folder.parent.name == rule.id):
        rules = {finding["rule"] for finding in expected(case)}
        if case.name.startswith("clean"):
            assert rule.id not in rules, case.name
            clean += 1
        else:
            assert rule.id in rules, case.name
            failing += 1
    assert (clean > 0, failing > 0) == (True, True)


@pytest.mark.parametrize("rule", CHECKS, ids=lambda check: check.id)
def test_every_check_documents_its_law_why_how_to_mend_it_and_an_example(rule: Check) -> None:
    module = importlib.import_module(f"nsm_gate.checks.{rule.id.replace('-', '_')}")
    assert rule.doc == module.__doc__
    law, _, rest = (module.__doc__ or "").partition("\n")
    assert re.fullmatch(r"[A-Z].+\.", law)
    assert re.fullmatch(r"\nWhy: .+\nFix: .+\nExample: .+\n?", rest, re.DOTALL)

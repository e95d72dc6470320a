"""The reference of the rule language says what is true: its file loads, its examples pass, its forms are judged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nsm_gate.functions import FUNCTIONS, STATES
from tests.support import ROOT, Repo, gate

PAGE = (ROOT / "docs/rule-language.md").read_text(encoding="utf-8")


def rules_file() -> str:
    found = re.search(r"```yaml\n(# rules/ablation_study\.yaml\n.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def repository(root: Path, rules: str) -> Path:
    repo = Repo(root)
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    repo.write("rules/mine.yaml", rules)
    return root


def test_the_file_of_the_page_loads_and_its_examples_pass(tmp_path: Path) -> None:
    result = gate("rules", "test", "ablation_study", cwd=repository(tmp_path, rules_file()))
    assert (result.code, result.err) == (0, "")
    assert "2 examples: 2 passed" in result.out


def test_every_function_and_state_is_on_the_page() -> None:
    table = PAGE.partition("functions:begin")[2].partition("functions:end")[0]
    for name in FUNCTIONS:
        assert f"`{name}(" in table
    for state in STATES:
        assert f"`{state}`" in PAGE


@pytest.mark.parametrize(
    "test",
    [
        '"> 0.55"', '">= 0.5"', '"< 1"', '"<= 1"', '"== true"', '"!= 0"', '"0.2 .. 0.4"', *sorted(STATES),
        "{above: 0.5}", "{below: 0.5}", "{at_least: 0.5}", "{at_most: 0.5}", "{above: 0.5, by: 0.01}",
        "{above: 0.5, by: 5%}", "{above: 0.5, standard_errors: 2}", '"> best_baseline"',
        '"> best_baseline + 0.01"', "{above: best_baseline, by: 5%}",
    ],
)  # fmt: skip
def test_every_short_form_of_the_page_is_accepted(test: str, tmp_path: Path) -> None:
    rules = f"experiment_type: short\ncriteria: {{accuracy: {test}}}\n"
    result = gate("rules", "test", "short", cwd=repository(tmp_path, rules))
    assert (result.code, result.err) == (0, "")

"""Command lines are read alike, whether argparse is needed or not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm_gate import cli
from nsm_gate.commands import check
from nsm_gate.commands.quick import Declared
from nsm_gate.errors import Misread
from tests.support import ROOT

FLAGS = ("--staged", "--all", "--no-ci", "-q", "--quiet", "-v", "--verbose")
VALUED = (
    "--base", "--output-format", "--fail-on", "--select", "--ignore", "--rules-from", "--config",
    "--stdin-log", "--color", "--jobs",
)  # fmt: skip
VALUES = (
    "text",
    "error",
    "never",
    "base",
    "auto",
    "json:a b",
    "",
    "-",
    "-x",
    "--",
    "a=b",
    "schema,time-span",
)
OTHERS = (
    "-",
    "--",
    "logs",
    "-qv",
    "-h",
    "--stage",
    "--base=",
    "--staged=yes",
    "-q=x",
    "--never",
    "",
    "--help",
)


def plainly(words: list[str]) -> Any:
    declared = Declared()
    check.add_arguments(declared)  # type: ignore[arg-type]
    return declared.read(words, command="check")


def words() -> st.SearchStrategy[list[str]]:
    one = st.sampled_from(FLAGS).map(lambda flag: [flag])
    pair = st.tuples(st.sampled_from(VALUED), st.sampled_from(VALUES))
    apart, joined = pair.map(list), pair.map(lambda both: ["=".join(both)])
    odd = st.sampled_from((*OTHERS, *VALUED)).map(lambda word: [word])
    parts = st.one_of(one, one, apart, apart, joined, joined, odd)
    return st.lists(parts, max_size=5).map(lambda lists: [word for part in lists for word in part])


@settings(deadline=None)
@given(words())
def test_what_is_read_without_argparse_is_what_argparse_reads(line):
    plain = plainly(line)
    if plain is not None:
        assert vars(plain) == vars(cli._parsed(["check", *line]))


HOOKS = [
    hook["entry"].split() for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
]
CHECKS = [entry[2:] for entry in HOOKS if entry[1] == "check"]


@pytest.mark.parametrize(
    "line",
    (
        *CHECKS, [], ["--all"], ["--base", "main"], ["--base=main", "-v"],
        ["--staged", "--output-format", "text", "--output-format=sarif:a.sarif", "--fail-on", "warning"],
    ),
    ids=" ".join,
)  # fmt: skip
def test_the_command_lines_of_hooks_need_no_argparse(line):
    assert plainly(line) is not None


def test_there_are_hooks_to_look_at():
    assert len(CHECKS) == 2


@pytest.mark.parametrize(
    "line",
    (
        ["logs"], ["-"], ["--staged", "--all"], ["--base", "a", "--staged"], ["--fail-on", "nothing"], ["-qv"],
        ["--help"], ["--stage"], ["--base"], ["--base="], ["--base", "-x"], ["--base", ""], ["--staged=yes"],
        ["--", "--staged"], ["--color", "red"], ["--jobs", "2"], ["--staged", "--jobs=2"],
    ),
    ids=" ".join,
)  # fmt: skip
def test_any_other_is_left_to_argparse(line):
    assert plainly(line) is None


@pytest.mark.parametrize(
    "said",
    ({"nargs": "?"}, {"action": "count"}, {"dest": "other"}, {"required": True}, {"const": 1}),
    ids=str,
)
def test_a_declaration_that_is_not_understood_is_left_to_argparse(said):
    declared = Declared()
    declared.add_argument("--known")
    assert declared.read(["--known", "x"]) is not None
    declared.add_argument("--odd", **said)
    assert declared.read(["--known", "x"]) is None


def test_arguments_that_do_not_parse_are_refused():
    with pytest.raises(Misread, match="not allowed with argument"):
        cli._parsed(["check", "--staged", "--all"])

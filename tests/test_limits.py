"""No judgement hangs: each is named with the file that is at fault and the remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from nsm_gate import parser, scanner, schema, strict_yaml
from nsm_gate.edge import ci, policy_build, writing
from nsm_gate.policy import Limits
from nsm_gate.render import github, markdown, sarif, style
from tests.support import ROOT, Repo, a_run, exploding, gate, gate_process, lines

KIND = """\
log: mine
files: ["**/mine.jsonl"]
schema: mine.schema.json
key: [id]
run_id: id
"""
WIDE = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "z": {"type": "number", "maximum": 1},
        "loss": {"type": "array", "items": {"type": "number", "minimum": 0}},
        **{f"a{number:02}": {"type": "integer"} for number in range(30)},
    },
}


@pytest.fixture
def slow(tmp_path: Path) -> Repo:
    """Return a repository whose schema explodes on its log."""
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "rules: [rules]\nlimits: {seconds: 1}\n")
    repo.write("rules/mine.yaml", KIND)
    repo.write("rules/mine.schema.json", json.dumps(exploding()))
    repo.write("mine.jsonl", lines({"id": "a", "x": 1}))
    return repo


def test_a_schema_that_explodes_is_exit_2_and_names_the_log(slow: Repo) -> None:
    result = gate_process("check", "--all", cwd=slow.path, env=slow.env)
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "nsm-gate: error: mine.jsonl:1: not judged within 1 second: "
        "it was at rule schema, by rules/mine.schema.json\n"
        "  look for a schema or a line that explodes, or raise limits.seconds\n"
    )


def test_a_time_out_is_told_in_every_output_and_nothing_in_it_acts(slow: Repo) -> None:
    folder = "a\n::error::forged##[error]x"
    slow.write(f"{folder}/mine.jsonl", lines({"id": "b", "x": 1}))
    (slow.path / "mine.jsonl").unlink()
    slow.write("old.json", '{\n "version": 1,\n "findings": []}\n')
    wanted = ("--output-format", "json", "--output-format", "json:old.json")
    result = gate_process("check", "--all", *wanted, cwd=slow.path, env=slow.env)
    assert result.code == 2
    assert "not judged within" in result.json["error"]["message"]
    assert json.loads((slow.path / "old.json").read_text()) == result.json
    assert not any(row.lstrip().startswith("::") for row in result.err.split("\n"))
    assert "##[" not in result.err + result.out


# --- each limit -------------------------------------------------------------------------------------


class Beyond(NamedTuple):
    """What is one step beyond a limit, and what is said of it.

    Attributes:
        shown: The limit as docs/limits.md writes it, from the constant that holds it.
        files: What a repository holds, beside what is usual.
        path: The file that is named.
        said: The fact.
        hint: The remedy.
        rule: The rule of the finding; empty where it is exit 2.
        args: The command.
    """

    shown: str
    files: Mapping[str, str | bytes]
    path: str
    said: str
    hint: str
    rule: str = ""
    args: tuple[str, ...] = ("check", "--all", "--output-format", "json")


def mine(value: str) -> bytes:
    """Return a log of one line."""
    return f'{{"id": "a", "x": {value}}}\n'.encode()


def rules(criterion: str) -> str:
    return f"{KIND}criteria:\n  x: {criterion}\n"


USUAL: Mapping[str, str | bytes] = {
    "nsm-gate.yaml": "rules: [rules]\n",
    "rules/mine.yaml": KIND,
    "rules/mine.schema.json": json.dumps(
        {"type": "object", "properties": {"id": {"type": "string"}, "x": {}}}
    ),
    "mine.jsonl": mine("1"),
}
MANY = "\n".join(f"  k{number}: 1" for number in range(strict_yaml.MAX_EVENTS // 2))
LIMITS = {
    "a line of a log": Beyond(
        f"{Limits().line >> 20} MiB",
        {"mine.jsonl": mine("1".ljust(Limits().line))},
        "mine.jsonl", "line is 1,048,594 bytes long, over the limit of 1,048,576",
        "keep large arrays in a file of their own and log its path, or raise limits.line", "invalid-json",
    ),
    "a log": Beyond(
        f"{Limits().file >> 20} MiB",
        {"nsm-gate.yaml": "rules: [rules]\nlimits: {file: 10}\n"},
        "mine.jsonl", "20 bytes, over the limit of 10", "raise limits.file in nsm-gate.yaml",
    ),
    "standing still": Beyond(
        f"{Limits().seconds:g} seconds",
        {"nsm-gate.yaml": "rules: [rules]\nlimits: {seconds: 1}\n", "rules/mine.schema.json": json.dumps(exploding())},
        "mine.jsonl", "not judged within 1 second: it was at rule schema, by rules/mine.schema.json",
        "look for a schema or a line that explodes, or raise limits.seconds",
    ),
    "depth of an entry": Beyond(
        f"{scanner.MAX_DEPTH} levels",
        {"mine.jsonl": mine("[" * 64 + "]" * 64)},
        "mine.jsonl", "nested deeper than 64 levels",
        "flatten the entry, or keep the structure in a file of its own", "invalid-json",
    ),
    "digits of a whole number": Beyond(
        f"{scanner._MAX_DIGITS:,}",
        {"mine.jsonl": mine("1" * 4301)},
        "mine.jsonl", "number of 4,301 digits", "log a float", "invalid-json",
    ),
    "breaks of the schema that are listed for a line": Beyond(
        str(schema.MAX_ERRORS),
        {"rules/mine.schema.json": json.dumps(WIDE), "mine.jsonl": lines({f"a{n:02}": "x" for n in range(21)})},
        "mine.jsonl", "more breaks the schema than is listed", "mend what is listed first", "schema",
    ),
    "unknown members that are listed for an object": Beyond(
        str(schema.MAX_ERRORS),
        {
            "rules/mine.schema.json": json.dumps({**WIDE, "additionalProperties": False}),
            "mine.jsonl": lines({"id": "a", **{f"b{n:03}": 1 for n in range(120)}}),
        },
        "mine.jsonl", "the entry has no member 'b019', nor 100 more", "remove it, or add it to the schema",
        "unknown-field",
    ),
    "a YAML file": Beyond(
        f"{strict_yaml.MAX_BYTES >> 10} KiB",
        {"rules/mine.yaml": KIND + "#" * strict_yaml.MAX_BYTES},
        "rules/mine.yaml", "file is over 256 KiB", "split it",
    ),
    "values of a YAML file": Beyond(
        f"{strict_yaml.MAX_EVENTS:,}",
        {"rules/mine.yaml": f"{KIND}names:\n{MANY}\n"},
        "rules/mine.yaml:9997:10", "over 20,000 values", "split the file",
    ),
    "depth of a YAML file": Beyond(
        f"{strict_yaml.MAX_DEPTH} levels",
        {"rules/mine.yaml": f"{KIND}names: {'[' * 32}{']' * 32}\n"},
        "rules/mine.yaml:6:39", "nested deeper than 32", "flatten it",
    ),
    "a text in a YAML file": Beyond(
        f"{strict_yaml.MAX_SCALAR:,} characters",
        {"rules/mine.yaml": f"{KIND}description: {'x' * 10_001}\n"},
        "rules/mine.yaml:6:14", "text over 10,000 characters", "shorten it",
    ),
    "a `pyproject.toml` that configures the gate": Beyond(
        f"{strict_yaml.MAX_BYTES >> 10} KiB",
        {"pyproject.toml": f"[tool.nsm-gate]\nrules = ['rules']\n{'#' * strict_yaml.MAX_BYTES}\n"},
        "pyproject.toml", "file is over 256 KiB", "configure the gate in nsm-gate.yaml",
    ),
    "an expression": Beyond(
        f"{parser.MAX_LENGTH:,} characters",
        {"rules/mine.yaml": rules("'> " + "1" * 1000 + "'")},
        "rules/mine.yaml:7:7", f"expression is longer than 1000 characters in '> {'1' * 197}…'", "make several criteria of it",
    ),
    "depth of an expression": Beyond(
        f"{parser.MAX_DEPTH} levels",
        {"rules/mine.yaml": rules("'> " + "(" * 40 + "1" + ")" * 40 + "'")},
        "rules/mine.yaml:7:41", f"nested deeper than 32 in '> {'(' * 40}1{')' * 40}'", "make several criteria of it",
    ),
    "a JSON Schema": Beyond(
        f"{policy_build._MOST >> 20} MiB",
        {"rules/mine.schema.json": json.dumps({"description": "x" * policy_build._MOST})},
        "rules/mine.schema.json", "file is over 4 MiB", "say it with less, or with patterns",
    ),
    "a pattern of a schema, compiled": Beyond(
        f"{schema._REGEX_BYTES >> 20} MiB",
        {"rules/mine.schema.json": json.dumps({"properties": {"x": {"pattern": "(a{100}){1000}"}}})},
        "rules/mine.schema.json:1:34",
        "not a usable JSON Schema: the pattern '(a{100}){1000}' takes over 1 MiB when it is compiled",
        "repeat less in it: a{1,1000} stands for a thousand times a",
    ),
    "a file that `init` adds to": Beyond(
        f"{writing._MOST >> 20} MiB",
        {"AGENTS.md": "x" * (writing._MOST + 1)},
        "AGENTS.md", "AGENTS.md is over 8,388,608 bytes", "", "", ("init", "--dry-run"),
    ),
}  # fmt: skip
ELSEWHERE = {
    "the event file of GitHub": f"{ci._EVENT_LIMIT >> 20} MiB",
    "GitHub's annotations of each kind": str(github.MOST),
    "GitHub's job summary": f"{markdown.LIMIT >> 10} KiB",
    "a Markdown report in a file": f"{style.COMMENT:,} bytes",
    "results of a SARIF file": f"{sarif.RESULTS:,}",
}
"""Those that tests of CI and of the formats go beyond."""


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_beyond_a_limit_is_named_with_its_file_and_the_remedy(tmp_path: Path, name: str) -> None:
    beyond = LIMITS[name]
    repo = Repo.init(tmp_path / "r")
    for path, content in {**USUAL, **beyond.files}.items():
        if path != "nsm-gate.yaml" or "pyproject.toml" not in beyond.files:
            repo.write(path, content)
    result = gate_process(*beyond.args, cwd=repo.path, env=repo.env)
    if beyond.rule:
        assert result.code == (1 if beyond.rule != "unknown-field" else 0)
        found = [
            (f["rule"], f["path"], f["line"], f["hint"])
            for f in result.findings
            if f["message"] == beyond.said
        ]
        assert found == [(beyond.rule, beyond.path, 1, beyond.hint)]
    elif beyond.args[0] == "check":
        assert result.code == 2
        error = result.json["error"]
        place = [beyond.path, *([1] if name == "standing still" else [])]
        assert [str(p) for p in (error["path"], error["line"], error["column"]) if p] == ":".join(
            map(str, place)
        ).split(":")
        assert (error["message"], error["hint"]) == (beyond.said, beyond.hint)
    else:
        assert f"left alone: {beyond.path}: {beyond.said}." in result.out


@pytest.mark.parametrize("name", [name for name in LIMITS if name not in ("standing still", "a log")])
def test_what_is_usual_is_within_every_limit(tmp_path: Path, name: str) -> None:
    """Where the same test passes the limit, what was said of it is said for another reason."""
    repo = Repo.init(tmp_path / "r")
    for path, content in USUAL.items():
        repo.write(path, content)
    assert LIMITS[name].said not in gate_process(*LIMITS[name].args, cwd=repo.path, env=repo.env).out


def test_every_limit_is_in_the_documentation_as_it_is_in_the_code() -> None:
    rows = (ROOT / "docs/limits.md").read_text(encoding="utf-8").split("\n")
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows if row.startswith("| ")]
    said = {name: limit for name, limit, *_ in cells if name != "what"}
    assert said == {**{name: beyond.shown for name, beyond in LIMITS.items()}, **ELSEWHERE}


def test_the_limits_that_can_be_set_are_shown_described_and_documented(tmp_path: Path) -> None:
    result = gate("config", "show", "limits", "--output-format", "json", cwd=tmp_path)
    shown = {row["name"].removeprefix("limits."): row["value"] for row in result.json["settings"]}
    assert shown == Limits()._asdict()
    described = json.loads((ROOT / "schemas/config.schema.json").read_text())["properties"]["limits"]
    assert set(described["properties"]) == set(shown)
    text = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`limits\.(\w+)` \|", text)) == set(shown)


@pytest.mark.parametrize("name, value", [("line", 500), ("file", 500), ("line", "1KiB"), ("file", "1KiB")])
def test_a_limit_that_is_set_counts_at_every_base(tmp_path: Path, name: str, value: int | str) -> None:
    repo = Repo.init(tmp_path / "r")
    long = a_run(change=lambda run: run.update(findings="Beats the baseline by six points. " * 60))
    repo.write("training_log.jsonl", [long])
    repo.commit()
    repo.write("nsm-gate.yaml", f"limits: {{{name}: {value}}}\n")
    for args in (("--all",), ("--base", "HEAD"), ("--base", "HEAD", "--rules-from", "base"), ()):
        result = repo.check(*args)
        if name == "line":
            rules = [rule for rule, _ in result.rules("rules-changed")]
            assert rules == (["invalid-json"] if args == ("--all",) else [])
        elif "base" in args:
            assert result.code == 0  # what the change sets counts from the next one on
        else:
            assert result.code == 2
            assert result.json["error"]["path"] == "training_log.jsonl"
            assert "over the limit of" in result.json["error"]["message"]


# --- more flaws than are listed ---------------------------------------------------------------------

JUDGED = KIND + "criteria: {z: '> 0.5', loss: {series: loss, is: decreasing}}\n"


@pytest.fixture
def wide(tmp_path: Path) -> Repo:
    """Return a repository whose schema has many members and only warns."""
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "rules: [rules]\nseverity: {schema: warning}\n")
    repo.write("rules/mine.yaml", JUDGED)
    repo.write("rules/mine.schema.json", json.dumps(WIDE))
    return repo


@pytest.mark.parametrize("count", [19, 20, 21, 30])
def test_where_more_is_wrong_than_is_listed_that_is_said_and_no_criterion_is_met(
    wide: Repo, count: int
) -> None:
    wrong = {f"a{number:02}": "x" for number in range(count)}
    wide.write("mine.jsonl", lines({"id": "a", "z": 2, "loss": [3, 2, 1], **wrong}))
    result = wide.check("--all")
    said = [finding["message"] for finding in result.findings if finding["rule"] == "schema"]
    assert ("more breaks the schema than is listed" in said) is (count >= 20)
    assert len(said) == min(count + 1, 21)
    # z is refused, and of the others nobody knows once the list is cut.
    assert result.outcomes(1) == {"z": "unknown", "loss": "met" if count < 20 else "unknown"}


def test_a_series_with_a_refused_value_meets_nothing(wide: Repo) -> None:
    wide.write("mine.jsonl", lines({"id": "a", "z": 0.9, "loss": [3, 2, -1]}))
    assert wide.check("--all").outcomes(1) == {"z": "met", "loss": "unknown"}


def test_members_that_are_not_listed_are_counted(wide: Repo) -> None:
    wide.write("rules/mine.schema.json", json.dumps({**WIDE, "additionalProperties": False}))
    wide.write("mine.jsonl", lines({"id": "a", **{f"b{number:03}": 1 for number in range(120)}}))
    said = [f["message"] for f in wide.check("--all").findings if f["rule"] == "unknown-field"]
    assert len(said) == 20
    assert said[18:] == ["the entry has no member 'b018'", "the entry has no member 'b019', nor 100 more"]

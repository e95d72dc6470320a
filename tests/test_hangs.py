"""No input hangs: schemas and lines that explode, and pipes and devices in the place of files.

Each case runs the command as a process of its own, which the test kills after two minutes; the limit is three seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nsm_gate.cli import _COMMANDS
from tests.support import Repo, exploding, lines

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

KIND = """\
log: mine
files: ["**/*mine.jsonl"]
schema: mine.schema.json
key: [id]
run_id: id
criteria: {x: '> 0'}
examples:
  - name: one run
    entry: {id: a_20250101, x: 1}
    expect: {}
"""
RUN = {"id": "a_20250101", "x": 1}
LATEST = "https://json-schema.org/draft/2020-12/schema"
LINE = (1 << 20) - 100  # bytes for a value, within the limit of a line


def run(
    repo: Repo, *args: str, stdin: bytes = b"", before_it_is_told: float | None = None, **env: str
) -> tuple[int, str, str]:
    """Run the command; return exit code, standard output and standard error."""
    program = "import sys; from nsm_gate.__main__ import program; "
    if before_it_is_told is not None:
        program += f"import nsm_gate.commands.watch as w; w._BEFORE_IT_IS_TOLD = {before_it_is_told}; "
    done = subprocess.run(
        [sys.executable, "-c", f"{program}sys.exit(program())", *args],
        cwd=repo.path, env={**repo.env, **env}, input=stdin, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def lab(folder: Path, schema: Mapping[str, Any], *entries: Any) -> Repo:
    """Return a repository with a log kind of its own, with everything committed."""
    repo = Repo.init(folder / "r")
    repo.write("nsm-gate.yaml", "rules: [rules]\nlimits: {seconds: 3}\n")
    repo.write("rules/mine.yaml", KIND)
    repo.write("rules/mine.schema.json", json.dumps(schema))
    repo.write("mine.jsonl", lines(*entries))
    repo.commit()
    return repo


# --- commands ---------------------------------------------------------------------------------------

BY = "it was at rule schema, by rules/mine.schema.json"
JUDGES = {
    ("check", "--all"): f"mine.jsonl:1: not judged within 3 seconds: {BY}",
    ("check", "-", "--stdin-log", "mine"): f"<stdin>:1: not judged within 3 seconds: {BY}",
    ("rules", "lint"): "rules/mine.yaml:8: not judged within 3 seconds: it was at the example 'one run', by "
    "rules/mine.schema.json",
    ("rules", "test"): f"rules/mine.yaml:8: not judged within 3 seconds: {BY}",
    ("rules", "impact", "--base", "HEAD"): f"mine.jsonl:1: not judged within 3 seconds: {BY}",
    ("explain", "a_20250101"): f"mine.jsonl:1: not judged within 3 seconds: {BY}",
    ("append", "mine.jsonl", "more.jsonl"): f"mine.jsonl:2: not judged within 3 seconds: {BY}",
    ("fix", "--diff"): f"mine.jsonl:2: not judged within 3 seconds: {BY}",
    ("migrate", "--map", "map.yaml", "more.jsonl", "new.mine.jsonl"): f"more.jsonl:1: not judged within "
    f"3 seconds: {BY}",
    ("report", "-o", "report.md"): f"mine.jsonl:1: not judged within 3 seconds: {BY}",
    ("show", "a_20250101"): f"mine.jsonl:1: not judged within 3 seconds: {BY}",
    ("new", "--log", "mine"): f"rules/mine.schema.json:1: not judged within 3 seconds: {BY}",
}
DOES_NOT = [
    ("check",), ("check", "--staged"), ("config", "show"), ("runs", "--log", "mine"), ("fix",), ("rules", "show", "mine"), ("rules", "list"),
    ("init", "--dry-run"), ("textconv", "mine.jsonl"),
    ("merge-driver", "base.jsonl", "ours.jsonl", "theirs.jsonl", "mine.jsonl"),
]  # fmt: skip


@pytest.mark.parametrize("args", JUDGES, ids=" ".join)
def test_a_command_that_judges_ends_by_the_limit_and_names_line_and_rule(
    tmp_path: Path, args: tuple[str, ...]
) -> None:
    repo = lab(tmp_path, exploding(), RUN)
    repo.write("more.jsonl", lines({**RUN, "id": "b_20250101"}))
    repo.write("map.yaml", "to: mine\nfields: {id: id, x: x}\n")
    if args[0] == "fix":
        repo.append("mine.jsonl", {**RUN, "id": "b_20250101"})
    code, out, err = run(repo, *args, stdin=lines(RUN))
    assert (code, out) == (2, "")
    assert err == (
        f"nsm-gate: error: {JUDGES[args]}\n  look for a schema or a line that explodes, or raise limits.seconds\n"
    )


def test_every_command_is_tried() -> None:
    assert {args[0] for args in (*JUDGES, *DOES_NOT)} == set(_COMMANDS)


@pytest.mark.parametrize("args", DOES_NOT, ids=" ".join)
def test_a_command_that_judges_nothing_does_not_meet_the_schema(
    tmp_path: Path, args: tuple[str, ...]
) -> None:
    repo = lab(tmp_path, exploding(), RUN)
    repo.write("base.jsonl", lines(RUN))
    repo.write("ours.jsonl", lines(RUN, {**RUN, "id": "b_20250101"}))
    repo.write("theirs.jsonl", lines(RUN, {**RUN, "id": "c_20250101"}))
    code, _, err = run(repo, *args)
    assert (code, err) == (1 if args[0] == "init" else 0, "")


# --- schemas and lines ------------------------------------------------------------------------------


def fan(keyword: str, leaf: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema of which 2^60 parts hold a leaf."""
    parts: dict[str, Any] = {"a0": leaf}
    for number in range(1, 61):
        parts[f"a{number}"] = {keyword: [{"$ref": f"#/$defs/a{number - 1}"}] * 2}
    return {"$defs": parts, "properties": {"x": {"$ref": "#/$defs/a60"}}}


HANGS = {
    "any of 2^60": (fan("anyOf", {"const": 0}), 1),
    "all of 2^60": (fan("allOf", {"const": 1}), 1),
    # The first part refuses at once, and every other one is an error to tell.
    "all of 2^60, refused": (fan("allOf", {"const": 0}), 1),
    "one of 2^60": (fan("oneOf", {"const": 0}), 1),
    "not, 2^60 times": (fan("allOf", {"not": {"not": {"const": 1}}}), 1),
    "if, 2^60 times": (fan("allOf", {"if": {"const": 1}, "then": {"minimum": 0}}), 1),
    "items that are unique": ({"properties": {"x": {"uniqueItems": True}}}, [[n] for n in range(100_000)]),
    "patterns of names": (
        {"properties": {"x": {"patternProperties": {f"^a*{n}b": {} for n in range(3000)}}}},
        {f"a{n}": 1 for n in range(60_000)},
    ),
    "members that are not evaluated": (
        {"properties": {"x": {
            "allOf": [{"anyOf": [{"properties": {f"k{n}": True}} for n in range(400)]}] * 40,
            "unevaluatedProperties": False,
        }}},
        {f"k{n}": 1 for n in range(20_000)},
    ),
    "a reference to itself": ({"$ref": "#"}, 1),
    "two references to itself": ({"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "properties": {"x": {"$ref": "#"}}}, {}),
    "a dynamic reference to itself": (
        {"$schema": LATEST, "$dynamicAnchor": "n", "allOf": [{"$dynamicRef": "#n"}] * 2}, 1,
    ),
    "a recursive reference to itself": (
        {
            "$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveAnchor": True,
            "allOf": [{"$recursiveRef": "#"}] * 2,
        },
        1,
    ),
    "a long chain of references": (
        {
            "$defs": {**{f"r{n}": {"$ref": f"#/$defs/r{n + 1}"} for n in range(3000)}, "r3000": {"type": "null"}},
            "properties": {"x": {"$ref": "#/$defs/r0"}},
        },
        1,
    ),
    "a long enumeration": ({"properties": {"x": {"enum": list(range(200_000))}}}, -1),
    "many flaws": ({"properties": {"x": {"items": {"type": "string", "pattern": "z"}}}}, list(range(150_000))),
    "a pattern that backtracks": ({"properties": {"x": {"pattern": "^(a+)+$"}}}, "a" * 1_000_000 + "!"),
    "a pattern that is long": ({"properties": {"x": {"pattern": "[a-z]*[0-9a-z]{0,900}[A-Z]"}}}, "a" * 1_000_000),
    "many patterns": ({"properties": {f"k{n}": {"pattern": f"(a{{1,200}}b{n}){{1,40}}"} for n in range(700)}}, 1),
    "a format": ({"properties": {"x": {"format": "idn-email"}}}, "a." * 400_000 + "@x"),
    "a depth of schema": ({"properties": {"x": json.loads('{"items":' * 150 + "{}" + "}" * 150)}}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", HANGS)
def test_a_schema_that_explodes_is_judged_or_named(tmp_path: Path, name: str) -> None:
    schema, value = HANGS[name]
    repo = lab(tmp_path, schema, {**RUN, "x": value})
    code, out, err = run(repo, "check", "--all", "--output-format", "json")
    # What takes 2^60 steps is never judged.
    assert code in ((2,) if "2^60" in name else (0, 1, 2))
    if code == 2:
        error = json.loads(out)["error"]
        assert error["path"] in ("mine.jsonl", "rules/mine.schema.json")
        assert "not judged within 3 seconds: it was at " in error["message"]
        # What passes the schema just in time may take its time elsewhere.
        assert error["message"].endswith(("rules/mine.schema.json", "at rule criterion-missed"))
        assert (error["line"] == 1) is (error["path"] == "mine.jsonl")
        assert "2^60" not in name or error["path"] == "mine.jsonl"
    else:
        assert err == ""
        assert json.loads(out)["summary"]["checked"] == (0 if code and "not-a-log" in out else 1)


CIRCLES = {
    "conditions in circles": {
        "if": {"not": {"$ref": "#"}},
        "then": {"required": ["id"]},
        "else": {"$ref": "#"},
    },
    "conditions in conditions": {
        "allOf": [json.loads('{"if": ' * 60 + "{}" + ', "then": {"required": ["id"]}}' * 60)]
    },
    "negations": {"allOf": [json.loads('{"not": ' * 90 + "{}" + "}" * 90)]},
}


@pytest.mark.parametrize("name", [*HANGS, *CIRCLES])
def test_many_lines_are_judged_or_named_as_few_are(tmp_path: Path, name: str) -> None:
    """Many lines are proven clean together, by code that is made of the schema."""
    schema, value = HANGS.get(name) or (CIRCLES[name], 1)
    value = value if len(json.dumps(value)) < 1000 else 1
    entries = [{"id": f"a{n}_20250101", "x": 0} for n in range(1, 500)]
    # An object says what it is, or no proof is tried.
    repo = lab(tmp_path, {"type": "object", **schema}, *entries, {**RUN, "x": value})
    code, out, err = run(repo, "check", "--all", "--output-format", "json")
    said = json.loads(out)
    if code == 2:
        assert "not judged within 3 seconds: it was at " in said["error"]["message"]
        assert said["error"]["path"] in ("mine.jsonl", "rules/mine.schema.json")
    else:
        assert (code in (0, 1), err) == (True, "")
        assert said["logs"][0]["lines"] in (0, 500)


def filled(before: bytes, unit: bytes, after: bytes) -> bytes:
    """Return a line of nearly the longest length."""
    return before + unit * ((LINE - len(before) - len(after)) // len(unit)) + after


LINES = {
    "brackets": filled(b'{"id": "a", "x": ', b"[", b""),
    "brackets that close": b'{"id": "a", "x": ' + b"[" * 500_000 + b"]" * 500_000 + b"}",
    "objects": filled(b"", b'{"a":', b""),
    "names twice": filled(b'{"id": "a"', b', "k": 1', b"}"),
    "names": b'{"id": "a", ' + b", ".join(b'"k%d": 1' % n for n in range(80_000)) + b"}",
    "a name": filled(b'{"id": "a", "', b"k", b'": 1}'),
    "slips of names": b'{"id": "a", '
    + b", ".join(b'"%s%d": 1' % (b"x" * 40_000, n) for n in range(25))
    + b"}",
    "digits": filled(b'{"id": "a", "x": ', b"9", b"}"),
    "runs of digits": filled(b'{"id": "a", "x": [0', b"," + b"9" * 199, b"]}"),
    "infinities": filled(b'{"id": "a", "x": [0', b",1e999", b"]}"),
    "spaces": filled(b'{"id": "a", "x": ', b" ", b"z}"),
    "escapes": filled(b'{"id": "a", "x": "', b"\\u0041", b'"}'),
    "half a pair": filled(b'{"id": "a", "x": "', b"\\ud800", b'"}'),
    "backslashes": filled(b'{"id": "a", "x": "', b"\\", b'"}'),
    "lists": b'{"id": "a", "x": [0' + b",[1]" * 60_000 + b"]}",
    "a name of a run": filled(b'{"id": "', b"a_", b'"}'),
    "nothing": b"\0" * LINE,
    "no text": b"\xff" * LINE,
    "a conflict": filled(b"<<<<<<< ", b"a", b""),
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_of_the_longest_length_is_judged_or_named(tmp_path: Path, name: str) -> None:
    closed = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "x": {}, "xx": {}},
        "additionalProperties": False,
    }
    repo = lab(tmp_path, closed)
    # A slow machine may take some seconds for one of these.
    repo.write("nsm-gate.yaml", "rules: [rules]\nlimits: {seconds: 60}\n")
    repo.write("mine.jsonl", LINES[name] + b"\n")
    code, out, err = run(repo, "check", "--all", "--output-format", "json")
    assert (code in (0, 1), err) == (True, "")
    assert json.loads(out)["summary"]["checked"] in (0, 1)


# --- pipes and devices ------------------------------------------------------------------------------

PIPES: dict[str, tuple[tuple[str, ...], int, str]] = {
    "mine.jsonl": (("check", "--all"), 1, "not-a-log"),
    "nsm-gate.yaml": (("check", "--all"), 2, "nsm-gate.yaml: it is not a regular file"),
    "pyproject.toml": (("check", "--all"), 2, "pyproject.toml: it is not a regular file"),
    "rules/mine.yaml": (("check", "--all"), 2, "rules/mine.yaml: it is not a regular file"),
    "rules/mine.schema.json": (
        ("check", "--all"),
        2,
        "rules/mine.yaml:3:9: schema 'mine.schema.json' is not there",
    ),
    "other.yaml": (
        ("check", "--all", "--config", "other.yaml"),
        2,
        "other.yaml: it is not a regular file",
    ),
    ".git/MERGE_HEAD": (("check",), 0, "mine.jsonl"),
    ".gitignore": (("check", "--all"), 2, "not judged within 3 seconds: it was at git ls-files"),
    "out.json": (("check", "--all", "--output-format", "json:out.json"), 2, "out.json: cannot be written"),
    "a.jsonl": (("textconv", "a.jsonl"), 2, "a.jsonl: not a regular file"),
    "b.jsonl": (
        ("merge-driver", "b.jsonl", "mine.jsonl", "mine.jsonl", "mine.jsonl"),
        2,
        "b.jsonl: not a regular",
    ),
    "c.jsonl": (
        ("merge-driver", "mine.jsonl", "mine.jsonl", "c.jsonl", "mine.jsonl"),
        2,
        "c.jsonl: not a regular",
    ),
    "AGENTS.md": (("init", "--dry-run"), 1, "left alone: AGENTS.md: AGENTS.md is not a regular file"),
    ".pre-commit-config.yaml": (("init", "--dry-run"), 1, "is not a regular file"),
}


@pytest.mark.parametrize("place", PIPES)
def test_a_pipe_that_nobody_writes_to_is_no_file(tmp_path: Path, place: str) -> None:
    args, expected, said = PIPES[place]
    repo = lab(tmp_path, {}, RUN)
    (repo.path / place).unlink(missing_ok=True)
    os.mkfifo(repo.path / place)
    code, out, err = run(repo, *args)
    assert code == expected
    assert said in out + err


@pytest.mark.parametrize(
    "place, asked", [("HEAD", "rev-parse"), ("config", "rev-parse"), ("index", "ls-files")]
)
def test_a_pipe_in_the_place_of_what_git_reads_first_ends_before_anything_is_told(
    tmp_path: Path, place: str, asked: str
) -> None:
    repo = lab(tmp_path, {}, RUN)
    (repo.path / ".git" / place).unlink()
    os.mkfifo(repo.path / ".git" / place)
    code, out, err = run(repo, "check", before_it_is_told=3)
    assert (code, out) == (2, "")
    assert err == (
        f"nsm-gate: error: the set-up: not judged within 3 seconds: it was at git {asked}\n"
        "  see whether git hangs here by itself\n"
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the devices of Linux")
@pytest.mark.parametrize(
    ("args", "expected", "said"),
    [
        (("check", "/dev/zero"), 2, "zero: is not claimed by any log kind"),
        (("check", "--all", "--config", "/dev/zero"), 2, "zero: it is not a regular file"),
        (
            ("check", "--all", "--output-format", "json:/dev/full"),
            2,
            "/dev/full: cannot be written: No space",
        ),
        (("check", "--all", "--output-format", "json:/dev/null"), 0, ""),
        (("textconv", "/dev/zero"), 2, "/dev/zero: not a regular file"),
        (("merge-driver", "/dev/zero", "mine.jsonl", "mine.jsonl", "x"), 2, "/dev/zero: not a regular file"),
    ],
)
def test_a_device_is_no_file(tmp_path: Path, args: tuple[str, ...], expected: int, said: str) -> None:
    code, out, err = run(lab(tmp_path, {}, RUN), *args)
    assert (code, out) == (expected, "")
    assert said in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the devices of Linux")
@pytest.mark.parametrize("place", ["pipe", "/dev/full", "/dev/zero"])
@pytest.mark.parametrize("name", ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_EVENT_PATH"])
def test_what_a_runner_names_may_be_a_pipe_or_a_device(tmp_path: Path, name: str, place: str) -> None:
    repo = lab(tmp_path, {}, RUN)
    os.mkfifo(repo.path / "pipe")
    place = str(repo.path / place)
    env = {name: place}
    if name == "GITHUB_EVENT_PATH":
        env |= {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
    code, _, err = run(repo, "check", "--output-format", "text", **env)
    if place == "/dev/zero" and name != "GITHUB_EVENT_PATH":
        assert (code, err) == (0, "")  # it takes everything
    else:
        assert code == 2
        assert f"nsm-gate: error: {place}: " in err


def test_standard_input_that_nobody_ends_is_named(tmp_path: Path) -> None:
    repo = lab(tmp_path, {}, RUN)
    reader, writer = os.pipe()
    os.write(writer, lines(RUN))
    done = subprocess.run(
        [sys.executable, "-m", "nsm_gate", "check", "-", "--stdin-log", "mine"],
        cwd=repo.path, env=repo.env, stdin=reader, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    os.close(reader)
    os.close(writer)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "nsm-gate: error: <stdin>: not judged within 3 seconds: it was at the reading of"
    )


# --- workers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", ["1", "2", "3"])
@pytest.mark.parametrize("at", [5, 2500, 4600])
def test_with_workers_the_line_is_named_that_explodes(tmp_path: Path, jobs: str, at: int) -> None:
    # An x of 0 is accepted at once. The ids are so long that a pipe does not take all that a worker gives back.
    entries = [{"id": f"{'a' * 99}{n}_20250101", "x": int(n == at)} for n in range(1, 5001)]
    repo = lab(tmp_path, exploding(), *entries)
    code, out, err = run(repo, "check", "--all", "--jobs", jobs)
    assert (code, out) == (2, "")
    assert err.startswith(f"nsm-gate: error: mine.jsonl:{at}: not judged within 3 seconds: {BY}\n")

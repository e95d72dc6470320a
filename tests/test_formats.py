"""The formats of other programs: each has the shape that its reader documents, also for hostile text.

The readers' own schemas are written down here as far as they are documented; SARIF's official one is read
where it is at hand.
"""

from __future__ import annotations

import gzip
import html
import json
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator

from nsm_gate import HOME
from nsm_gate.checks import CHECKS
from nsm_gate.model import Finding, JudgedLog, Report, Run, Severity
from nsm_gate.nouns import replace
from nsm_gate.render import FORMATS
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import joined, plain
from tests.runner_grammar import azure_commands, github_commands, gitlab_sections
from tests.support import ROOT, SHARED, Repo, a_run, edited, gate, lines
from tests.test_render import LOG, REPORT, finding, verdict

SARIF_SCHEMA = SHARED / "suites" / "sarif-schema-2.1.0.json"


def made(name: str, report: Report = REPORT, **style: Any) -> str:
    return FORMATS[name](report, Style(**style))


def with_findings(*findings: Finding, **members: Any) -> Report:
    """Return a report of these findings, each on a line with a run of its own."""
    runs = {(f.path, f.line): Run(f.path, f.line, f.run, None, None, "completed") for f in findings}
    return replace(REPORT, findings=findings, runs=tuple(runs.values()), verdicts=(), **members)


# --- JSON Lines -----------------------------------------------------------------------------------


def test_jsonl_holds_what_json_holds_an_object_a_line_and_a_summary_last() -> None:
    rows = [json.loads(row) for row in made("jsonl").removesuffix("\n").split("\n")]
    whole = json.loads(made("json"))
    kinds = [row.pop("kind") for row in rows]
    assert kinds == ["finding"] * 7 + ["verdict"] * 5 + ["summary"]
    assert rows[:7] == whole["findings"]
    assert rows[7:-1] == whole["verdicts"]
    told = {name: whole[name] for name in ("version", "tool", "logs")}
    assert rows[-1] == {**told, **whole["summary"]}


@pytest.mark.parametrize("args", [("--base", "nosuch"), ("--nonsense",)])
def test_jsonl_says_in_one_line_that_nothing_could_be_judged(args: tuple[str, ...], tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.commit()
    result = gate("check", "--output-format", "jsonl", *args, cwd=repo.path, env=repo.env)
    assert result.code == 2
    (row,) = result.out.splitlines()
    assert json.loads(row)["kind"] == "error"
    assert json.loads(row)["message"]


# --- GitLab ---------------------------------------------------------------------------------------

CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def test_gitlab_gets_a_code_quality_report_without_what_is_waived() -> None:
    issues = json.loads(made("gitlab"))
    Draft202012Validator(CODE_QUALITY).validate(issues)
    assert [(i["check_name"], i["severity"], i["location"]["lines"]["begin"]) for i in issues] == [
        ("history-rewritten", "major", 2), ("duplicate-run", "major", 8), ("criterion-missed", "minor", 8),
        ("missing-findings", "major", 9), ("invalid-json", "major", 10), ("blank-line", "minor", 11),
    ]  # fmt: skip


def names_of(form: str, report: Report) -> list[str]:
    """Return the fingerprints of a format's findings."""
    document = json.loads(made(form, report))
    if form == "gitlab":
        return [issue["fingerprint"] for issue in document]
    return [
        result["partialFingerprints"]["primaryLocationLineHash"] for result in document["runs"][0]["results"]
    ]


ONE_LINE = (
    finding("criterion-missed", Severity.WARNING, criterion="accuracy", pointer="/a"),
    finding("criterion-missed", Severity.WARNING, criterion="loss", pointer="/a"),
    finding("criterion-missed", Severity.WARNING, criterion="loss", pointer="/b"),
    finding("criterion-unknown", Severity.WARNING, criterion="loss", pointer="/b"),
    finding("unknown-field", Severity.WARNING),
    finding("unknown-field", Severity.WARNING, message="another of the same place"),
)


@pytest.mark.parametrize("form", ["gitlab", "sarif"])
def test_findings_of_one_line_are_told_apart_and_repeats_are_numbered(form: str) -> None:
    names = names_of(form, with_findings(*ONE_LINE))
    assert len(set(names)) == len(ONE_LINE)
    assert names[-2].removesuffix(":1") == names[-1].removesuffix(":2")


@pytest.mark.parametrize("form", ["gitlab", "sarif"])
def test_a_finding_whose_line_moves_or_whose_words_change_stays_the_same_one(form: str) -> None:
    before = names_of(form, with_findings(*ONE_LINE))
    moved = [f._replace(line=f.line + 7, column=3, message="otherwise", hint="else") for f in ONE_LINE]
    assert names_of(form, with_findings(*moved)) == before
    assert names_of(form, with_findings(*(f._replace(run="another") for f in ONE_LINE))) != before
    assert names_of(form, with_findings(*(f._replace(path="other.jsonl") for f in ONE_LINE))) != before


def test_a_waiver_renames_no_other_finding() -> None:
    both = names_of("gitlab", with_findings(*ONE_LINE[-2:]))
    waived = with_findings(ONE_LINE[-2]._replace(waived="agreed"), ONE_LINE[-1])
    assert names_of("gitlab", waived) == both[1:]


# --- SARIF ----------------------------------------------------------------------------------------


def sarif(report: Report = REPORT) -> dict[str, Any]:
    """Return the only run of a SARIF log, which the official schema accepts where it is at hand."""
    document = json.loads(made("sarif", report))
    if SARIF_SCHEMA.exists():
        assert Draft4Validator(json.loads(SARIF_SCHEMA.read_bytes())).is_valid(document)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    return dict(run)


@pytest.mark.skipif(not SARIF_SCHEMA.exists(), reason="the official SARIF schema is not at hand")
def test_sarif_satisfies_the_official_schema_for_every_rule_that_there_is() -> None:
    every = [finding(check.id, Severity.ERROR, n) for n, check in enumerate(CHECKS, 1)]
    document = json.loads(made("sarif", with_findings(*every)))
    errors = Draft4Validator(json.loads(SARIF_SCHEMA.read_bytes())).iter_errors(document)
    assert [error.message for error in errors] == []


def test_sarif_describes_each_rule_that_is_broken_and_no_other() -> None:
    every = [finding(check.id, Severity.ERROR, n) for n, check in enumerate(CHECKS, 1)]
    rules = sarif(with_findings(*every))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [check.id for check in CHECKS]
    for rule, check in zip(rules, CHECKS, strict=True):
        assert rule["shortDescription"]["text"] == check.doc.strip().split("\n")[0]
        assert rule["fullDescription"]["text"].startswith(rule["shortDescription"]["text"])
        # GitHub refuses longer ones.
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert re.findall(r"^- \*\*(\w+):\*\* \S", rule["help"]["markdown"], re.MULTILINE) == [
            "Why", "Fix", "Example",
        ]  # fmt: skip
        assert "Fix: " in rule["help"]["text"]
        assert rule["helpUri"].startswith(f"{HOME}#")
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert "security" not in json.dumps(rules).lower()
    assert HOME in (ROOT / "README.md").read_text(encoding="utf-8")
    used = sarif()
    assert {rule["id"] for rule in used["tool"]["driver"]["rules"]} == {f.rule for f in REPORT.findings}


def test_sarif_results_point_into_the_line_in_code_points() -> None:
    run = sarif()
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["automationDetails"]["id"] == "nsm-gate/"
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result, found in zip(run["results"], REPORT.findings, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == found.rule
        assert (
            result["level"] == {"error": "error", "warning": "warning", "notice": "note"}[found.severity.word]
        )
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert location["physicalLocation"]["region"] == {
            "startLine": found.line, "startColumn": found.column,
            "endLine": found.line, "endColumn": found.end_column,
        }  # fmt: skip


def test_sarif_shows_a_waived_finding_as_suppressed_and_the_others_as_not() -> None:
    results = sarif()["results"]
    (waived,) = [result["suppressions"] for result in results if result["suppressions"]]
    assert [(s["kind"], s["justification"]) for s in waived] == [
        ("external", "agreed (lab, until 2026-12-31)")
    ]
    assert not any("suppressions" in result for result in sarif(with_findings(*ONE_LINE))["results"])


@pytest.mark.parametrize(
    "path, uri",
    [
        ("a b#c%d.jsonl", "a%20b%23c%25d.jsonl"),
        ("ä/漢.jsonl", "%C3%A4/%E6%BC%A2.jsonl"),
        ("bad\udcff.jsonl", "bad%FF.jsonl"),
        ("c:d?e[f].jsonl", "c%3Ad%3Fe%5Bf%5D.jsonl"),
        ("<stdin>", "%3Cstdin%3E"),
    ],
)
def test_sarif_names_a_file_byte_for_byte(path: str, uri: str) -> None:
    (result,) = sarif(with_findings(finding("schema", Severity.ERROR, path=path)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert unquote_to_bytes(uri) == path.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "text", ["[x](http://evil.example.com)", "\\[x](1)", "[x\\](1)", "[x\\\\](1)", "[a][b](1)", "{0} of {12}"]
)
def test_sarif_messages_hold_no_link_and_no_argument(text: str) -> None:
    (result,) = sarif(with_findings(finding("schema", Severity.ERROR, message=text)))["results"]
    said = result["message"]["text"]
    # A link's text holds brackets only behind a backslash, and a backslash only behind another.
    assert not re.search(r"\[(?:[^\[\]\\]|\\.)*\]\(", said)
    assert not re.search(r"(?<!\{)\{\d+\}(?!\})", said)


def test_sarif_keeps_to_githubs_limits_errors_first_and_counts_what_it_leaves_out() -> None:
    words = random.Random(1)
    noise = [chr(words.randrange(0x4E00, 0x9FFF)) for _ in range(4000)]

    def text(number: int) -> str:
        return "".join(words.choices(noise, k=480)) if number < 9000 else "short"

    many = [
        finding(
            "schema", Severity.ERROR if n % 10 == 0 else Severity.WARNING, n + 1, run=f"r{n}",
            message=text(n), hint="", waived="agreed" if n % 10 == 1 else None,
        )
        for n in range(30_000)
    ]  # fmt: skip
    out = made("sarif", with_findings(*many))
    assert len(gzip.compress(out.encode(), 6)) < 10_000_000
    (run,) = json.loads(out)["runs"]
    assert len(run["results"]) <= 25_000
    kept = Counter(r["level"] if not r["suppressions"] else "waived" for r in run["results"])
    assert kept["error"] == 3000
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    left = 30_000 - len(run["results"])
    assert told["message"]["text"].startswith(f"{left:,} results left out")
    assert f"{27_000 - 3000 - kept['warning']:,} warning" in told["message"]["text"]


def test_sarif_of_many_short_findings_is_cut_at_the_number_of_results_alone() -> None:
    many = [finding("schema", Severity.WARNING, n + 1) for n in range(25_001)]
    run = json.loads(made("sarif", with_findings(*many)))["runs"][0]
    assert len(run["results"]) == 25_000
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith(
        "1 result left out"
    )


# --- JUnit ----------------------------------------------------------------------------------------

CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "property": set(),
    "testcase": {"properties", "failure", "error", "system-out"},
    "failure": set(),
    "error": set(),
    "system-out": set(),
}
NEEDED = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"name", "classname"},
    "property": {"name", "value"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
}


def junit(report: Report = REPORT) -> ET.Element:
    """Return the root of a JUnit file of the shape that its readers agree on."""
    root = ET.fromstring(made("junit", report).encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        assert {child.tag for child in element} <= CHILDREN[element.tag]
        assert NEEDED.get(element.tag, set()) <= set(element.keys())
        if element.tag == "testcase":
            assert len(element.findall("failure")) + len(element.findall("error")) <= 1
        if element.tag in ("testsuites", "testsuite"):
            cases = list(element.iter("testcase"))
            assert int(element.get("tests", "")) == len(cases)
            for kind in ("failure", "error"):
                assert int(element.get(f"{kind}s", "")) == sum(c.find(kind) is not None for c in cases)
    return root


def cases_of(report: Report = REPORT) -> dict[str, ET.Element]:
    found = list(junit(report).iter("testcase"))
    named = {case.get("name", ""): case for case in found}
    assert len(named) == len(found)
    return named


def test_junit_is_a_suite_a_log_a_case_a_run_with_its_verdicts() -> None:
    assert [suite.get("name") for suite in junit()] == [log.path for log in REPORT.logs]
    case = cases_of()["dual_pass_20251103"]
    assert case.get("classname") == LOG
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert list(properties) == ["accuracy", "balance_delta", "fusion_effectiveness", "cycle_loss"]
    assert properties["balance_delta"] == "missed: balance_delta 0.341 is not < 0.30 (over by 0.041)"
    assert case.find("failure").get("type") == "duplicate-run"  # type: ignore[union-attr]
    assert "criterion-missed" in (case.findtext("system-out") or "")


def test_junit_calls_a_line_that_holds_no_entry_an_error() -> None:
    runs = (*REPORT.runs[:2], REPORT.runs[2]._replace(entry=False))
    case = cases_of(replace(REPORT, runs=runs))["line 10"]
    assert case.find("failure") is None
    assert "'NaN' is not JSON" in (case.findtext("error") or "")


@pytest.mark.parametrize("fail_on", [*(s for s in Severity if s is not Severity.IGNORE), None])
def test_junit_fails_where_the_gate_fails_and_nowhere_else(fail_on: Severity | None) -> None:
    for findings in (REPORT.findings, REPORT.findings[2:3], REPORT.findings[4:5], ()):
        report = replace(REPORT, findings=findings, fail_on=fail_on)
        root = junit(report)
        failed = int(root.get("failures", "")) + int(root.get("errors", ""))
        assert bool(failed) == bool(report.exit_code)
        told = "".join(root.itertext())
        assert all(f.rule in told for f in findings)


def test_junit_gives_what_is_about_no_judged_line_a_case_of_its_own() -> None:
    lost = finding("history-rewritten", Severity.ERROR, 9, run="old_20251001", message="line is gone")
    rules = finding("rules-changed", Severity.ERROR, 4, run=None, path="nsm-gate.yaml")
    named = cases_of(replace(REPORT, findings=(lost, rules)))
    assert "line is gone" in (named["the log itself"].findtext("failure") or "")
    assert named["the rules"].get("classname") == "nsm-gate.yaml"
    assert sum(case.find("failure") is not None for case in named.values()) == 2


def test_junit_tells_two_lines_of_one_run_apart() -> None:
    runs = tuple(Run(LOG, line, "a_20251101", None, None, "completed") for line in (3, 4))
    assert list(cases_of(replace(REPORT, runs=runs, findings=(), verdicts=()))) == [
        "a_20251101 (line 3)", "a_20251101 (line 4)",
    ]  # fmt: skip


# --- reviewdog ------------------------------------------------------------------------------------

POSITION = {
    "type": "object", "required": ["line", "column"], "additionalProperties": False,
    "properties": {name: {"type": "integer", "minimum": 1} for name in ("line", "column")},
}  # fmt: skip
RDJSON = {
    "type": "object",
    "additionalProperties": False,
    "required": ["source", "severity", "diagnostics"],
    "properties": {
        "source": {"type": "object", "required": ["name"], "properties": {"name": {"const": "nsm-gate"}}},
        "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["message", "location", "severity", "code", "original_output"],
                "properties": {
                    "message": {"type": "string"},
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "code": {"type": "object", "required": ["value"]},
                    "original_output": {"type": "string"},
                    "location": {
                        "type": "object",
                        "required": ["path", "range"],
                        "properties": {
                            "path": {"type": "string"},
                            "range": {
                                "type": "object",
                                "required": ["start", "end"],
                                "properties": {"start": POSITION, "end": POSITION},
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_rdjson_has_the_shape_that_reviewdog_reads() -> None:
    document = json.loads(made("rdjson"))
    Draft202012Validator(RDJSON).validate(document)
    assert document["severity"] == "ERROR"
    assert [d["code"]["value"] for d in document["diagnostics"]] == [
        f.rule for f in REPORT.findings if f.waived is None
    ]


@pytest.mark.parametrize("before", ["", "é", "漢字", "😀😀", "plain"])
def test_rdjson_counts_columns_in_bytes(before: str, tmp_path: Path) -> None:
    entry = edited(a_run(), domain=f"{before}x", findings=f"{before} TODO")
    entry = {"note": before, **entry}
    raw = lines(entry).removesuffix(b"\n")
    (tmp_path / "training_log.jsonl").write_bytes(raw + b"\n")
    args = ("check", "--all", "--output-format", "rdjson", "--output-format", "json:points.json")
    out = json.loads(gate(*args, cwd=tmp_path).out)
    points = json.loads((tmp_path / "points.json").read_text(encoding="utf-8"))["findings"]
    assert {d["code"]["value"] for d in out["diagnostics"]} >= {"schema", "missing-findings"}
    for diagnostic, point in zip(out["diagnostics"], points, strict=True):
        start, end = (diagnostic["location"]["range"][edge]["column"] for edge in ("start", "end"))
        shown = raw[start - 1 : end - 1].decode()
        assert shown == raw.decode()[point["column"] - 1 : point["end_column"] - 1]
        if diagnostic["code"]["value"] == "schema":
            assert json.loads(shown) == f"{before}x"


@pytest.mark.parametrize(
    "raw, start, shown",
    [
        ('{"é": "漢", "x": NaN}'.encode(), 20, b"NaN"),
        (b'{"\xc3\xa9": "\xff"}', 9, b"\xff"),
        ('{"é": 1}'.encode()[:-1], 8, b"1"),
    ],
)
def test_rdjson_counts_bytes_where_a_line_is_no_entry(
    raw: bytes, start: int, shown: bytes, tmp_path: Path
) -> None:
    (tmp_path / "training_log.jsonl").write_bytes(raw + b"\n")
    (diagnostic,) = json.loads(gate("check", "--all", "--output-format", "rdjson", cwd=tmp_path).out)[
        "diagnostics"
    ]
    edges = diagnostic["location"]["range"]
    assert (edges["start"]["column"], edges["end"]["column"]) == (start, start + len(shown))
    assert raw[start - 1 : edges["end"]["column"] - 1] == shown


def test_rdjson_points_behind_a_line_that_lacks_its_newline(tmp_path: Path) -> None:
    raw = lines(edited(a_run(), findings="é" * 30)).removesuffix(b"\n")
    (tmp_path / "training_log.jsonl").write_bytes(raw)
    out = json.loads(gate("check", "--all", "--output-format", "rdjson", cwd=tmp_path).out)
    (place,) = [d["location"]["range"] for d in out["diagnostics"] if d["code"]["value"] == "line-ending"]
    assert (place["start"]["column"], place["end"]["column"]) == (len(raw) + 1, len(raw) + 2)


def test_rdjson_puts_each_text_into_a_code_span_that_it_cannot_leave() -> None:
    # reviewdog puts the message into a comment, where @ would mention and ![]() would load.
    for text in ("@octocat ![x](http://e)", "`@a`", "``` @a ``", "`", "@a`", "\n\n@a"):
        report = with_findings(finding("schema", Severity.ERROR, message=text, hint=text))
        (diagnostic,) = json.loads(made("rdjson", report))["diagnostics"]
        # As CommonMark reads it: a run of backticks begins a span that the next run of that length ends.
        free = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", diagnostic["message"])
        assert free == " ()"


# --- Azure ----------------------------------------------------------------------------------------


def test_azure_gets_an_issue_for_each_error_and_warning_errors_first() -> None:
    notice = finding("rules-changed", Severity.NOTICE, path="nsm-gate.yaml", run=None)
    out = made("azure", replace(REPORT, findings=(*REPORT.findings, notice)))
    issues = azure_commands(out)
    assert {issue.name for issue in issues} == {"task.logissue"}
    assert [issue.properties["type"] for issue in issues] == ["error"] * 4 + ["warning"] * 2
    assert issues[1].properties == {
        "type": "error", "sourcepath": LOG, "linenumber": "8", "columnnumber": "72", "code": "duplicate-run",
    }  # fmt: skip
    assert issues[1].data.startswith("dual_pass_20251103: run_id 'dual_pass_20251103' already used on line 3")
    assert "nsm-gate.yaml:8:72: notice rules-changed" in out
    assert "4 errors, 2 warnings" in out.splitlines()[-1]


@pytest.mark.parametrize("text", ["a;b]c%d", "%3B%5D%AZP25", "100 %", "];type=x;"])
def test_azure_reads_back_what_was_written(text: str) -> None:
    report = with_findings(finding("schema", Severity.ERROR, path=text, message=text, hint="", run=None))
    (issue,) = azure_commands(made("azure", report))
    assert (issue.properties["sourcepath"], issue.data) == (text, text)
    assert set(issue.properties) == {"type", "sourcepath", "linenumber", "columnnumber", "code"}


# --- GitHub ---------------------------------------------------------------------------------------


def kinds(out: str) -> Counter[str]:
    return Counter(command.name for command in github_commands(out))


def test_github_gets_one_annotation_a_run_and_severity() -> None:
    out = made("github", with_findings(*ONE_LINE, finding("duplicate-run", Severity.ERROR)))
    error, warning = github_commands(out)
    assert (error.name, warning.name) == ("error", "warning")
    assert error.properties == {
        "file": LOG, "line": "8", "endLine": "8", "col": "72", "endColumn": "84",
        "title": "duplicate-run · dual_pass_20251103",
    }  # fmt: skip
    assert error.data == "run_id 'dual_pass_20251103' already used on line 3\nchoose a new id"
    assert warning.properties["title"] == "6 warnings · dual_pass_20251103"
    assert [row.split(":")[0] for row in warning.data.split("\n")] == [f.rule for f in ONE_LINE]


def test_github_gets_one_annotation_a_file_of_the_rules() -> None:
    changed = [
        finding("rules-changed", Severity.NOTICE, n, path=path, run=None, message=f"changed {n}", hint="")
        for path in ("nsm-gate.yaml", "rules/a.yaml")
        for n in range(1, 31)
    ]
    one, two = github_commands(made("github", replace(REPORT, findings=tuple(changed))))
    assert [c.properties["file"] for c in (one, two)] == ["nsm-gate.yaml", "rules/a.yaml"]
    assert one.properties["title"] == "30 notices"
    assert one.data.startswith("line 1: rules-changed: changed 1\nline 2: ")


def test_github_stays_within_its_limits_and_says_what_it_leaves_out() -> None:
    severities = (Severity.ERROR, Severity.WARNING, Severity.NOTICE)
    many = [
        finding("schema", severities[n % 3], n // 50 + 1, run=f"run_{n // 50}", message=f"fact {n} 😀" * 20)
        for n in range(5000)
    ]
    out = made("github", with_findings(*many))
    assert kinds(out) == {"error": 10, "warning": 10, "notice": 10}
    commands = github_commands(out)
    assert [c.name for c in commands] == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10
    # Some of the tenth run, and all of 90 others.
    for last in commands[9::10]:
        (left,) = re.findall(
            rf"… and ([\d,]+) more {last.name}s elsewhere: see the log of this step", last.data
        )
        assert int(left.replace(",", "")) == sum(f.line > 10 and f.severity.word == last.name for f in many)
    assert all(len(c.data.encode("utf-16-le")) // 2 <= 4096 for c in commands)
    told = sum(c.data.count("schema: ") for c in commands)
    listed = len(re.findall(r"^  \S+: \w+ schema ", out, re.MULTILINE))
    (beyond,) = re.findall(r"^  … and ([\d,]+) more", out, re.MULTILINE)
    assert told + listed + int(beyond.replace(",", "")) == 5000
    assert len(out) < 1 << 20


def test_github_shows_a_message_that_is_too_long_in_part() -> None:
    (command,) = github_commands(
        made("github", with_findings(finding("schema", Severity.ERROR, message="\U000e0001" * 5000)))
    )
    assert 3900 < len(command.data) <= 4096
    assert command.data.endswith("…")


@pytest.mark.parametrize("text", ["a,b:c%d=e", "x,line=1", "%2C%3A%0A", "100 %"])
def test_github_reads_back_what_was_written(text: str) -> None:
    report = with_findings(finding("schema", Severity.ERROR, path=text, run=text, message=text, hint=""))
    (command,) = github_commands(made("github", report))
    assert (command.properties["file"], command.data) == (text, text)
    assert command.properties["title"] == f"schema · {text}"
    assert command.properties["line"] == "8"


# --- hostile text ---------------------------------------------------------------------------------

FRAGMENTS = [
    "::", ":", "#", "##", "##[", "[", "]", "error", "::error::x", "::stop-commands::x", "##vso[task.complete result=x]",
    "##teamcity[x]", "\n", "\r", "\r\n", "\t", " ", "\x1b[31m", "\x1b[0K", "section_start:1:x\r\x1b[0K", "\x00",
    "\x85", "\xa0", "\u2028", "\u202e", "\u200b", "\xad", "\ufe0f", "\ufe00", "\u034f", "\u3164", "\U000e0001",
    "\U000e0101", "<b>", "</code>", "&", "&lt;", '"', "'", "]]>", "<!--", "-->", "<?", "|", "`", "``", "@octocat", "%",
    "%0A", "%3A%3A", "%25", "%AZP25", ";", ",", "=", "{0}", "{{", "](http://e)", "[x](1)", "\\", "\\u003a", "\ud800",
    "\udcff", "\ufffe", "\uffff", "\ufdd0", "漢", "é", "⚠\ufe0f", "😀", "a", "1", "/", "..", "~", "-", "::add-mask::",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=10).map("".join) | st.text(max_size=20)


def hostile_report(one: str, other: str) -> Report:
    """Return a report in which every text is one of two."""
    bad = finding(
        "schema", Severity.ERROR, path=one, run=other, message=one, hint=other, pointer=other, criterion=one
    )
    return replace(
        REPORT,
        base=one, why=other, rules=one,
        logs=(JudgedLog(one, other, one, 3, 1),),
        runs=(Run(one, 8, other, one, other, one),),
        findings=(bad, bad._replace(severity=Severity.WARNING, message=other, hint=one, waived=one)),
        verdicts=(
            verdict(one, REPORT.verdicts[2].outcome)._replace(
                path=one, run=other, experiment_type=one, domain=other,
                explanation=other, expected=one, observed={one: other}, pointer=other, defined_at=one,
            ),
        ),
    )  # fmt: skip


def valid_json(out: str) -> None:
    json.loads(out)


def valid_rows(out: str) -> None:
    assert out.endswith("\n")
    assert all(json.loads(row)["kind"] for row in out[:-1].split("\n"))


def valid_xml(out: str) -> None:
    ET.fromstring(out.encode())


VALID: dict[str, Callable[[str], None]] = {
    "json": valid_json, "jsonl": valid_rows, "gitlab": valid_json, "sarif": valid_json, "rdjson": valid_json,
    "junit": valid_xml,
}  # fmt: skip
INTENDED = {"github": (["error"], []), "azure": ([], ["task.logissue"])}


def nothing_acts(name: str, out: str) -> None:
    """Check that what is printed holds the commands of its format and no others, and is valid."""
    github, azure = INTENDED.get(name, ([], []))
    assert [command.name for command in github_commands(out)] == github
    assert [command.name for command in azure_commands(out)] == azure
    assert gitlab_sections(out) == []
    assert "##teamcity[" not in out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff]", out)
    VALID.get(name, str)(out)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS)
def test_hostile_text_forges_nothing_in_any_format(one: str, other: str) -> None:
    report = hostile_report(one, other)
    for name in FORMATS:
        nothing_acts(name, made(name, report))


@settings(max_examples=80, deadline=None)
@given(TEXTS.filter(bool), TEXTS.filter(bool))
def test_hostile_text_keeps_every_shape(one: str, other: str) -> None:
    report = hostile_report(one, other)
    Draft202012Validator(CODE_QUALITY).validate(json.loads(made("gitlab", report)))
    Draft202012Validator(RDJSON).validate(json.loads(made("rdjson", report)))
    junit(report)
    (annotation,) = github_commands(made("github", report))
    assert set(annotation.properties) <= {"file", "line", "endLine", "col", "endColumn", "title"}
    assert annotation.properties["line"] == "8"
    (issue,) = azure_commands(made("azure", report))
    assert set(issue.properties) <= {"type", "sourcepath", "linenumber", "columnnumber", "code"}
    assert issue.properties["code"] == "schema"
    uri = json.loads(made("sarif", report))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert re.fullmatch(r"(?:[A-Za-z0-9_.~/-]|%[0-9A-F]{2})*", uri["artifactLocation"]["uri"])


@pytest.mark.skipif(not SARIF_SCHEMA.exists(), reason="the official SARIF schema is not at hand")
def test_hostile_text_stays_within_the_official_sarif_schema() -> None:
    chance = random.Random(2)
    for _ in range(20):
        one, other = ("".join(chance.choices(FRAGMENTS, k=8)) for _ in range(2))
        assert sarif(hostile_report(one, other))["results"]


def test_a_hundred_thousand_strings_pass_the_sink_and_none_acts() -> None:
    chance = random.Random(3)
    for _ in range(50_000):
        one, other = ("".join(chance.choices(FRAGMENTS, k=chance.randrange(1, 9))) for _ in range(2))
        row = "".join(joined(one, other))
        # Where a text stands at the start of a line, behind our words, and beside another.
        printed = f"{plain(one)}\n  {plain(other)}\nwords {plain(one)} {plain(other)}\n{row}\n"
        assert github_commands(printed) == []
        assert azure_commands(printed) == []
        assert "::" not in printed
        assert not re.search(r"##[\[a-z]", printed)


def test_an_emoji_stays_an_emoji() -> None:
    assert plain("⚠️ loss rose") == "⚠️ loss rose"
    assert plain("#\ufe0f") == "#\\ufe0f"


def test_markdown_holds_no_name_where_a_mention_is_made() -> None:
    """GitHub makes mentions and references after it has read the entities, everywhere but in code."""
    report = replace(
        REPORT,
        base="x#12",
        why="--base @octocat",
        rules="@octocat",
        logs=(JudgedLog("@octocat/a", "x#12", "@octocat", 3, 1),),
    )
    bare = html.unescape(re.sub("<code>.*?</code>", "", made("markdown", report)))
    assert "octocat" not in bare
    assert "x#12" not in bare


@pytest.mark.parametrize("name", list(FORMATS))
def test_ten_megabytes_of_text_stay_valid_and_small_where_people_read(name: str) -> None:
    text = "::error::x\r##[x]<&`" * 500_000
    out = made(name, with_findings(finding("schema", Severity.ERROR, message=text, hint=text, run=text)))
    nothing_acts(name, out)
    assert len(out) < 20_000 or name in ("json", "jsonl")


# --- the command ----------------------------------------------------------------------------------


def a_repo(path: Path) -> Repo:
    repo = Repo.init(path / "lab")
    repo.write(LOG, [a_run("planning_one_20251101", 0)])
    repo.commit()
    repo.append(
        LOG,
        a_run("planning_two_20251101", 1),
        edited(a_run("planning_three_20251101", 2), findings="TODO"),
        edited(a_run("planning_four_20251101", 3), final_metrics__accuracy=0.5, best_val_accuracy=0.5),
    )
    return repo


def test_one_run_gives_text_sarif_and_junit(tmp_path: Path) -> None:
    repo = a_repo(tmp_path)
    formats = (
        "--output-format",
        "text",
        "--output-format",
        "sarif:gate.sarif",
        "--output-format",
        "junit:gate.xml",
    )
    result = gate("check", *formats, cwd=repo.path, env=repo.env)
    assert (result.code, result.err) == (1, "")
    assert "✗ missing-findings" in result.out
    document = json.loads((repo.path / "gate.sarif").read_text(encoding="utf-8"))
    if SARIF_SCHEMA.exists():
        Draft4Validator(json.loads(SARIF_SCHEMA.read_bytes())).validate(document)
    results = document["runs"][0]["results"]
    assert [(r["ruleId"], r["locations"][0]["physicalLocation"]["region"]["startLine"]) for r in results] == [
        ("missing-findings", 3), ("criterion-missed", 4),
    ]  # fmt: skip
    cases = {case.get("name"): case for case in ET.parse(repo.path / "gate.xml").iter("testcase")}
    assert list(cases) == ["planning_two_20251101", "planning_three_20251101", "planning_four_20251101"]
    assert [name for name, case in cases.items() if case.find("failure") is not None] == [
        "planning_three_20251101"
    ]
    properties = {p.get("name"): p.get("value", "") for p in cases["planning_four_20251101"].iter("property")}
    assert properties["accuracy"].startswith("missed: ")


def test_an_output_in_a_folder_that_does_not_exist_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    repo = a_repo(tmp_path)
    formats = ("text", "junit:kept.xml", "sarif:nowhere/gate.sarif")
    args = [part for form in formats for part in ("--output-format", form)]
    result = gate("check", *args, cwd=repo.path, env=repo.env)
    assert result.code == 2
    assert "nowhere/gate.sarif: the folder of the output does not exist" in result.err
    assert "missing-findings" in result.out
    assert "missing-findings" in (repo.path / "kept.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("kept", ["json", "jsonl", "sarif", "junit", "gitlab", "rdjson", "azure", "github"])
def test_what_can_be_written_is_written_and_stays(kept: str, tmp_path: Path) -> None:
    repo = a_repo(tmp_path)
    (repo.path / "taken").mkdir()
    formats = ("--output-format", f"{kept}:kept.out", "--output-format", "sarif:taken")
    result = gate("check", *formats, cwd=repo.path, env=repo.env)
    assert result.code == 2
    assert "taken: cannot be written" in result.err
    written = (repo.path / "kept.out").read_text(encoding="utf-8")
    assert "missing-findings" in written
    VALID.get(kept, str)(written)


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_renders_a_clean_report(name: str, tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write(LOG, [a_run()])
    result = gate("check", "--all", "--output-format", name, cwd=repo.path, env=repo.env)
    assert (result.code, result.err) == (0, "")
    VALID.get(name, str)(result.out)
    if name == "gitlab":
        assert json.loads(result.out) == []


def test_a_format_that_nobody_asked_for_is_not_imported(tmp_path: Path) -> None:
    repo = a_repo(tmp_path)
    script = (
        "import io, os, sys\n"
        "from nsm_gate.cli import main\n"
        "args = ['check', '--no-ci', '--output-format', 'text']\n"
        "code = main(args, io.BytesIO(), sys.stdout, sys.stderr, os.environ, os.getcwd())\n"
        "print(*sys.modules, file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=repo.path, env=repo.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "missing-findings" in done.stdout
    imported = set(done.stderr.split())
    assert "nsm_gate.render.text" in imported
    late = {"sarif", "junit", "gitlab", "rdjson", "azure", "jsonl", "markdown", "github", "fingerprints"}
    assert not imported & {f"nsm_gate.render.{name}" for name in late}

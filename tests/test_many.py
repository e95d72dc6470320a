"""Many lines together give what each of them gives alone, for any number of processes.

The proofs are held against the judgement that does without them: on clean, mixed and failing logs, and on
logs of which every line was changed at random.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generate import KINDS, baselines, encode, entries
from nsm_gate import engine, many
from nsm_gate.cli import main
from nsm_gate.commands import check as commands_check
from nsm_gate.lots import Lots
from nsm_gate.model import Report
from nsm_gate.proofs import special
from nsm_gate.tallies import row_of

LINES = 240
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SEEDS = range(4)


def check(folder: Path, *args: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    argv = ["check", "--all", "--no-ci", *args]
    code = main(argv, io.BytesIO(), out, err, {}, str(folder), now=lambda: NOW)
    return code, out.getvalue(), err.getvalue()


def both(folder: Path, monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[int, str, str]:
    """Judge a folder line by line and together; return what both gave."""
    with monkeypatch.context() as patch:
        patch.setattr(engine, "MANY", 10**9)
        alone = check(folder, *args)
    reports: list[Report] = []
    with monkeypatch.context() as patch:
        patch.setattr(engine, "MANY", 1)
        run = commands_check.run
        patch.setattr(commands_check, "run", lambda task: reports.append(run(task)) or reports[-1])
        together = check(folder, *args, "--jobs", "1")
    assert together[1] == alone[1]
    assert together == alone
    assert reports, alone
    lots = reports[0].lots
    assert isinstance(lots, Lots)
    # What a line comes to is what its findings and verdicts add up to, line by line.
    for lot in lots._lots:
        for index, row in lot.first(len(lot.lines)):
            made = lots._details(lot.path, index)
            assert (index, row) == (index, row_of(made.run.entry, made.findings, made.verdicts))
    return alone


def write(folder: Path, lines: list[bytes]) -> None:
    (folder / "baselines.jsonl").write_bytes(b"".join(map(encode, baselines())))
    (folder / "training_log.jsonl").write_bytes(b"".join(lines))


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_is_the_same_however_the_lines_are_judged(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, [encode(entry) for entry in entries(LINES, kind)])
    code, text, _ = both(tmp_path, monkeypatch)
    assert code == (kind == "failing")
    assert f"{LINES + 6:,} runs" in text
    code, report, _ = both(tmp_path, monkeypatch, "--output-format", "json")
    counts = json.loads(report)["summary"]
    assert counts["checked"] == LINES + 6
    assert (counts["errors"] >= LINES) == (kind == "failing")


@pytest.mark.parametrize("seed", SEEDS)
def test_no_change_of_a_line_is_proven_clean_that_is_not(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:  # every shape of a line gets code of its own, not those alone that are frequent
        monkeypatch.setattr(special, "_FREQUENT", 1)
    chance = random.Random(seed)
    lines = list(changed([encode(entry) for entry in entries(LINES, seed=seed)], chance))
    write(tmp_path, lines)
    _, report, _ = both(tmp_path, monkeypatch, "--output-format", "json")
    assert json.loads(report)["summary"]["errors"] > LINES // 10
    both(tmp_path, monkeypatch)


def test_waivers_and_severities_count_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = list(changed([encode(entry) for entry in entries(LINES, "mixed")], random.Random(99)))
    write(tmp_path, lines)
    runs = [json.loads(line)["run_data"]["run_id"] for line in lines[:200:9] if _is_run(line)]
    waivers = [
        {"rule": rule, "run": run, "owner": "lab", "reason": "known since long", "expires": "2099-01-01"}
        for run in runs
        for rule in ("criterion-missed", "missing-findings", "duplicate-run", "schema")
    ]
    waivers += [
        {"rule": "criterion-missed", "path": "training_log.jsonl", "line": line, "owner": "lab",
         "reason": "known since long", "expires": "2099-01-01"}
        for line in range(1, LINES, 3)
    ]  # fmt: skip
    severity = {
        "criterion-missed": {"training_log": {"domain_exploration": "error", "hyperparam_search": "ignore"}},
        "missing-findings": "notice",
        "timestamp-order": "error",
    }
    (tmp_path / "nsm-gate.yaml").write_text(json.dumps({"severity": severity, "waivers": waivers}))
    both(tmp_path, monkeypatch, "--output-format", "json")
    both(tmp_path, monkeypatch, "--fail-on", "warning", "--ignore", "run-id-format,time-span")
    both(tmp_path, monkeypatch, "--select", "criterion-missed")


OWED = """\
log: sweep
files: [sweep.jsonl]
schema: sweep.schema.json
key: [id]
run_id: id
status: status
findings: findings
error_message: error
experiment_type: type
corrects: corrects
reason: reason
results: results
assertions:
  below: {assert: loss <= bound, at: loss, message: loss exceeds the bound, hint: look at it}
  positive: {assert: loss >= 0, at: loss, message: loss is negative, hint: look at it}
  right: {assert: corrects == id, at: corrects, message: corrects names another run, hint: look at it}
criteria:
  low-loss: results.loss < 0.5
  telling: findings != "nothing"
  grounded: reason != "none"
"""
SENTENCE = "The loss fell for the whole sweep."
TEXT = {"type": "string", "minLength": 20}
ASKED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "then": {"if": {"properties": {"status": {"const": "completed"}}},
             "then": {"required": ["findings"], "properties": {"findings": TEXT}},
             "else": {"properties": {"error": TEXT}}},
    "if": {"if": {"properties": {"findings": TEXT}}, "then": {"required": ["bound"]}, "else": {"required": ["loss"]}},
    "anyOf": {"anyOf": [{"properties": {"findings": TEXT}}, {"required": ["bound"]}]},
    "oneOf": {"oneOf": [{"required": ["findings"]}, {"required": ["error"]}]},
    "not": {"not": {"required": ["findings", "loss"]}},
    "allOf": {"allOf": [{"required": ["findings"]}, {"properties": {"findings": TEXT, "error": TEXT}}]},
    "dependentRequired": {"dependentRequired": {"loss": ["findings"]}},
    "nested": {"not": {"if": {"required": ["bound"]}, "then": {"properties": {"findings": TEXT}}, "else": False}},
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_texts_that_a_run_owes_are_reported_once_whatever_the_schema_says_of_them(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = {"type": ["string", "null"]}
    members: dict[str, Any] = dict.fromkeys(("findings", "error", "type", "corrects", "reason"), text)
    members |= {"id": {"type": "string"}, "status": {"enum": ["completed", "failed", "running"]}}
    members |= {"loss": {"type": "number"}, "bound": {"type": "number"}}
    members["results"] = {"type": "object", "properties": {"loss": {"type": "number"}}}
    schema = {"type": "object", "required": ["id", "status"], "properties": members, **ASKED[asked]}
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/sweep.yaml").write_text(OWED)
    (tmp_path / "rules/short.yaml").write_text(
        "experiment_type: short\ncriteria: {fast: results.loss < 0.3}\n"
    )
    (tmp_path / "rules/sweep.schema.json").write_text(json.dumps(schema))
    (tmp_path / "nsm-gate.yaml").write_text("extends: none\nrules: [rules/]\n")
    chance = random.Random(asked)
    given: dict[str, tuple[Any, ...]] = {
        "findings": (SENTENCE, SENTENCE, None, "", "TODO", "too short"),
        "error": (SENTENCE, None, " ", "x"),
        "type": ("short", "short", "shrot", "", None),
        "corrects": ("run_1_20250101", "run_2_20250101", None, None),
        "reason": ("It was wrong.", None, None, None),
        "loss": (0.1, 0.5, -1, 3),
        "bound": (1, 2, -3),
        "results": ({"loss": 0.2}, {"loss": 0.25}, {"loss": 0.7}, {"loss": chance.random()}),
    }
    lines = []
    for number in range(240):
        entry = {
            "id": f"run_{number if chance.random() < 0.9 else 1}_20250101",
            "status": chance.choice(members["status"]["enum"]),
        }
        entry |= {name: chance.choice(values) for name, values in given.items() if chance.random() < 0.85}
        lines.append(encode(entry))
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(lines))
    code, report, _ = both(tmp_path, monkeypatch, "--output-format", "json")
    rules = {finding["rule"] for finding in json.loads(report)["findings"]}
    assert code == 1
    assert rules >= {
        "missing-findings",
        "missing-error-message",
        "unknown-experiment-type",
        "duplicate-run",
        "assertion",
    }
    assert ("schema" in rules) is (asked != "nothing")


def describe(folder: Path, kind: str, schema: dict[str, Any]) -> None:
    """Write the rules of a log kind of its own."""
    (folder / "rules").mkdir()
    (folder / "rules/sweep.yaml").write_text(kind)
    (folder / "rules/sweep.schema.json").write_text(json.dumps(schema))
    (folder / "nsm-gate.yaml").write_text("extends: none\nrules: [rules/]\n")


SWEEP = "log: sweep\nfiles: [sweep.jsonl]\nschema: sweep.schema.json\nkey: [id]\n"
NUMBERS = (0, 1, 2, -1, 0.5, 0.1, 0.30000000000000004, 0.3, 1.5, 2.0, 10**17, 1e300)
OF_MEMBERS: dict[str, tuple[Any, ...]] = {
    "a": NUMBERS,
    "b": NUMBERS,
    "n": (0, 1, 2, 3, 7),
    "s": ("low", "high", "stable", "achieved", "", None),
    "t": ("low", "high", "other"),
    "f": (True, False, None),
    "g": (True, False),
    "any": (1, 0.5, "low", True, None, [1, 2], {"c": 1}),
    "mixed": (1, 0.5, "low", True, None),
    "xs": (
        [1, 2, 3], [3, 2.5, 2], [1, 1, 1, 1.01], [5], [], [0.1, 0.2, 0.30000000000000004], [9, 1, 8, 2, 7, 3], [9, 1, 1, 1],
        [1.1, 0.99], [3.3, 2.97], [0.27, 0.3], [-1.1, -0.99], [0, 0],
    ),
    "history": (
        [{"e": 1, "v": 0.5}, {"e": 2, "v": 0.25}], [{"e": 1, "v": 0.5}, {"e": 2}], [{"e": 1, "v": 0.5}, {"e": 1, "v": 3}],
        [], [{"e": 3, "v": 1}, {"e": 2, "v": 2}, {"e": 1, "v": 3}],
    ),
    "odd": ([None], [{"v": 1}], [1, None], [2, 1], "word", 3),
    "empty": ([],),
    "o": ({"c": 1}, {"c": 0.5, "d": "low"}, {}),
}  # fmt: skip
OF_TYPES: dict[str, dict[str, Any]] = {
    "a": {"type": "number"}, "b": {"type": "number"}, "n": {"type": "integer"}, "s": {"type": ["string", "null"]},
    "t": {"type": "string"}, "f": {"type": ["boolean", "null"]}, "g": {"type": "boolean"},
    "xs": {"type": "array", "items": {"type": "number"}}, "o": {"type": "object"},
    "history": {"type": "array", "items": {"type": "object", "properties": {"e": {"type": "integer"}, "v": {"type": "number"}}}},
}  # fmt: skip
SAID = [
    "a < b", "a <= 0.1", "a >= 0.30000000000000004", "a == 0.3", "a != b", "0 <= a < b <= 2", "a + b > 1", "a - b <= 0",
    "a * b == 0", "abs(a - b) < 0.5", "abs(n - 2) >= 1", "n + 1 == 2", "n * n > 4", "a == 0.30000000000000000001",
    "a >= 0.10000000000000000001", "b <= 0.29999999999999999999", "a / b > 1", "-a < b",
    "close(a, b)", "close(a, b, tolerance=0.1)", "close(a + b, 1, tolerance=0.001)", "close(a, b, tolerance=n)",
    "f", "not f", "f == g", "f != g", "(a < b) == g", "f == true", "f or g", "f and not g", "f or true", "known(a) and f",
    's == "low"', 's != "low"', "s == t", "t != s", '"low" == t', 's in ["low", "high"]', 't not in ["low"]',
    "known(s)", "not known(f)", "known(missing)", "known(xs)", "known(history.v)", "missing > 1", "missing == s",
    "mixed > 0.7", 'mixed == "low"', "any > 0", "any.c > 0", "known(any)", "known(mixed)", "any == any",
    "last(xs) < 2", "min(xs) >= 1", "max(xs) == 3", "last(history.v) < 0.5", "min(history.v) < max(history.e)",
    "n in xs", "n not in xs", "n in history.e", "a in odd", "n in empty",
    "decreasing(xs)", "increasing(xs)", "decreasing(history.v)", "decreasing(xs, tolerance=0.1)", "increasing(odd)",
    "stable(xs)", "stable(xs, last=3)", "stable(xs, last=1)", "stable(xs, tolerance=0.5)", "stable(s)", "stable(mixed)",
    "stable(history.v)", "stable(odd)", "converged(xs, last=2)", "achieved(s)", "achieved(mixed)", "no_nan(xs)", "no_nan(a)", "no_nan(mixed)", "not no_nan(mixed)",
    "lookup(history.e, n, history.v) == 0.5", "lookup(history.e, n, xs) > 0", "lookup(history.e, n, history.v) == min(history.v)",
    "o.c > 0.7", 'o.d == "low"', "known(o)", "len(xs) > 2", "first(xs) > last(xs)", "any in xs", "odd.v > 1",
    "close(last(xs), 3)", "entry.a < 1", "max(empty) > 1", "mean(xs) > 2", "history.v == xs",
]  # fmt: skip


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("typed", [True, False])
def test_whatever_rules_may_say_comes_to_the_same(
    typed: bool, half: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = SAID[half::2]
    kind = SWEEP + "assertions:\n"
    for number, law in enumerate(said):
        when = f"when: {json.dumps(said[(7 * number + 3) % len(said)])}, " if number % 3 else ""
        kind += f"  law-{number}: {{assert: {json.dumps(law)}, {when}at: a, message: no, hint: no}}\n"
    kind += "criteria:\n"
    for number, law in enumerate(said):
        kind += f"  criterion-{number}: {json.dumps(law)}\n"
    members = {name: OF_TYPES.get(name, {}) if typed else {} for name in OF_MEMBERS}
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, **members}}
    describe(tmp_path, kind, schema)
    chance = random.Random(5)
    lines = []
    for number in range(120):
        entry = {name: chance.choice(values) for name, values in OF_MEMBERS.items() if chance.random() < 0.9}
        lines.append(encode({"id": f"run-{number}", **entry}))
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(lines))
    code, report, errors = both(tmp_path, monkeypatch, "--output-format", "json")
    assert (code, errors) == (1, "")
    assert {verdict["outcome"] for verdict in json.loads(report)["verdicts"]} == {"met", "missed", "unknown"}


TEXT_LIST = {"type": "array", "items": {"type": "string"}}
SCHEMAS: dict[str, dict[str, Any]] = {
    "types": {"properties": {"a": {"type": "integer"}, "any": {"type": ["array", "object"]}, "mixed": {"type": ["number", "null"]}}},
    "both-types": {"properties": {"a": {"type": ["integer", "null"], "$ref": "#/$defs/number"}}, "$defs": {"number": {"type": "number"}}},
    "no-such-type": {"properties": {"a": {"type": "string", "$ref": "#/$defs/number"}}, "$defs": {"number": {"type": "number"}}},
    "bounds": {"properties": {"a": {"minimum": 0.1, "exclusiveMaximum": 2}, "b": {"exclusiveMinimum": 0, "maximum": 1e17}, "n": {"minimum": 1, "exclusiveMinimum": 0}}},
    "texts": {"properties": {"s": {"minLength": 1, "maxLength": 4}, "t": {"pattern": "^(low|other)$"}, "mixed": {"format": "date", "minLength": 4}}},
    "words": {"properties": {"s": {"enum": ["low", None, 3]}, "t": {"const": "low"}, "mixed": {"enum": [1, "low", True, None]}, "f": {"const": True}}},
    "lists": {"properties": {"xs": {"minItems": 1, "maxItems": 3, "contains": {"type": "integer"}}, "odd": {"items": {"type": ["integer", "null"]}}}},
    "empty-lists": {"properties": {"empty": {"minItems": 1, "contains": {"const": 1}, "items": {"const": 1}}}},
    "items-refused": {"properties": {"xs": {"items": {"type": "number", "minimum": 1}}, "history": {"items": {"required": ["v"]}}}},
    "no-items": {"properties": {"xs": {"items": False}}},
    "contains-none": {"properties": {"xs": {"contains": False}}},
    "if-items": {"if": {"properties": {"odd": {"items": {"type": "null"}}}}, "then": {"required": ["a"]}},
    "prefix-items": {"properties": {"xs": {"prefixItems": [{"type": "integer"}]}}},
    "multiple-of": {"properties": {"n": {"multipleOf": 2}}},
    "closed": {"properties": {name: {} for name in OF_MEMBERS}, "additionalProperties": False},
    "closed-twice": {"properties": {"a": {}, "n": {}}, "additionalProperties": False, "allOf": [{"properties": {"b": {}}}]},
    "others-by-schema": {"properties": {"a": {}}, "additionalProperties": {"type": ["number", "string"]}},
    "others-nested": {"properties": {"o": {"properties": {"c": {"type": "integer"}}, "additionalProperties": False}}},
    "by-pattern": {"patternProperties": {"^a": {"type": "integer"}}},
    "named-so": {"propertyNames": {"maxLength": 4}},
    "how-many": {"minProperties": 12},
    "needs": {"required": ["a", "b"], "dependentRequired": {"f": ["g"]}},
    "needs-nothing-seen": {"required": ["never"]},
    "may-be-object": {"properties": {"any": {"type": ["object", "number", "null"], "required": ["c"], "properties": {"c": {"const": 1}}}}},
    "if-object": {"properties": {"any": {"if": {"type": "object"}, "then": {"required": ["d"]}}}},
    "if-in-object": {"properties": {"o": {"if": {"required": ["d"]}, "then": {"properties": {"c": {"const": 0.5}}}, "else": {"required": ["c"]}}}},
    "combined": {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "oneOf": [{"required": ["s"]}, {"required": ["t"]}], "not": {"required": ["f", "g"]}},
    "combined-values": {"properties": {"mixed": {"oneOf": [{"type": "number"}, {"type": "string"}, {"const": 1}]}, "n": {"not": {"const": 2}}}},
    "integers-of-numbers": {"properties": {"a": {"type": "number"}, "b": {"anyOf": [{"type": "integer"}, {"minimum": 0.2}]}}, "if": {"properties": {"a": {"type": "integer"}}}, "then": {"required": ["b"]}},
    "constants": {"anyOf": [{"properties": {"xs": {"const": [1, 2, 3]}}}, {"properties": {"n": {"const": 1}}}]},
    "round-and-round": {"properties": {"o": {"$ref": "#/$defs/o"}}, "$defs": {"o": {"properties": {"in": {"$ref": "#/$defs/o"}, "c": {"type": "number"}}}}},
    "refers-away": {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"$ref": "#/$defs/y"}, "y": {"maximum": 1}}},
    "refers-in-circles": {"if": {"$ref": "#/$defs/x"}, "then": {"required": ["a"]}, "$defs": {"x": {"properties": {"o": {"$ref": "#/$defs/x"}}}}},
    "no-object": {"type": ["object", "array"]},
    "nothing-goes": {"properties": {"a": False}},
    "colons": {"properties": {"a:b": {}, "o": {"properties": {"c:d": {"type": "integer"}}}}},
    "lists-of-texts": {"properties": {"odd": TEXT_LIST}},
}  # fmt: skip


@pytest.mark.parametrize("asked", SCHEMAS)
def test_whatever_a_schema_may_say_comes_to_the_same(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = SCHEMAS[asked]
    members = {"id": {"type": "string"}, **asks.get("properties", {})}
    required = {"required": ["id", *asks.get("required", ())]}
    describe(
        tmp_path,
        SWEEP + "criteria: {few: n < 3}\n",
        {"type": "object", **asks, "properties": members, **required},
    )
    chance = random.Random(asked)
    lines = []
    for number in range(90):
        entry = {name: chance.choice(values) for name, values in OF_MEMBERS.items() if chance.random() < 0.9}
        if asked == "colons":
            entry |= {"a:b": number, "o": {"c:d": "x:y"}}
        lines.append(encode({"id": f"run-{number}", **entry}))
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(lines))
    code, report, errors = both(tmp_path, monkeypatch, "--output-format", "json")
    assert (code in (0, 1), errors) == (True, "")
    rules = {finding["rule"] for finding in json.loads(report)["findings"]}
    assert ("schema" in rules) or asked in (
        "closed",
        "round-and-round",
        "colons",
        "types",
        "closed-twice",
        "no-object",
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_any_number_of_processes_prints_the_same(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "PART", 200)
    lines = list(changed([encode(entry) for entry in entries(900)], random.Random(5), share=0.1))
    write(tmp_path, lines)
    said = {check(tmp_path, "--jobs", jobs, "--output-format", form) for jobs in ("1", "2", "3", "16")}
    assert len(said) == 1
    assert said.pop()[0] == 1


def _is_run(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line)["run_data"]["run_id"], str)
    except (ValueError, TypeError, KeyError):
        return False


VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 0.5, 1.0, 2, 1e308, -0.0, 10**19, 2**63, "", " ", "x", "TODO", "null", [], {},
    [1], [None], {"a": 1}, "2025-10-21T00:00:00Z", "2025-10-21T00:00:00+00:00", "2025-02-30T00:00:00Z",
    "2025-W43-2T00:00:00Z", "20251021T000000Z", "2025-10-21t00:00:00z", "2099-01-01T00:00:00Z",
    "2025-10-21T00:00:00.123Z", "2025-10-21T00:00:00,123Z", "planning", "causal", "completed", "running",
    "failed", "equal", 0.55, 0.5500000000000001, 0.3, 0.40000000000000002, 0.009, 0.991, "\u00e9: \u003a",
]  # fmt: skip


def changed(lines: list[bytes], chance: random.Random, share: float = 0.5) -> Iterator[bytes]:
    """Yield lines of which some are changed, in what they say or in how they are written."""
    for number, line in enumerate(lines):
        if chance.random() > share:
            yield line
        elif chance.random() < 0.75:
            yield spoiled(json.loads(line), chance)
        else:
            yield from rewritten(line, lines[chance.randrange(number + 1)], chance)


def spoiled(entry: dict[str, Any], chance: random.Random) -> bytes:
    """Return a line with one to three members changed."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        places = list(members(entry))
        holder, name = chance.choice(places)
        how = chance.random()
        if how < 0.55:
            holder[name] = chance.choice(VALUES)
        elif how < 0.7:
            del holder[name]
        elif how < 0.8:
            holder[name + chance.choice(("s", "_", "x"))] = holder.pop(name)
        elif how < 0.9 and isinstance(holder[name], (int, float)):
            holder[name] = holder[name] * chance.choice((1.001, 0.5, 2, -1))
        else:
            holder[chance.choice(("note", "lr", "dropout", "seed", "reason", "corrects"))] = chance.choice(
                VALUES
            )
    return (json.dumps(entry, ensure_ascii=chance.random() < 0.5) + "\n").encode()


def members(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield value, name
            yield from members(inner)
    elif isinstance(value, list):
        for item in value[:3]:
            yield from members(item)


def rewritten(line: bytes, other: bytes, chance: random.Random) -> Iterator[bytes]:
    """Yield a line written otherwise: doubled members, odd spaces, escapes, what is no JSON."""
    at = chance.choice([i for i in range(len(line)) if line[i : i + 3] == b'": '])
    yield chance.choice(
        [
            other,
            line + other,
            b"\n" + line,
            line[:-1] + b"\r\n",
            line[: chance.randrange(len(line))] + b"\n",
            line[:at] + b'" :' + line[at + 2 :],
            line.replace(b'"domain": ', b'"domain": "causal", "domain": ', 1),
            line.replace(b'"domain": ', b'"domain" : "causal", "domain": ', 1),
            line.replace(b'"status": "completed"', b'"status": "completed", "status" :"completed"'),
            line.replace(b'"findings": "', b'"findings": "a\\u003a b: ', 1),
            line.replace(b'"findings": "', b'"seed": 1, "findings": "', 1),
            line.replace(b'"epochs": ', b'"epochs" : 1, "epochs": ', 1).replace(b"No ", b"\\u003ano ", 1),
            line.replace(b'"epoch": 1', b'"epoch": 1, "epoch": 1', 1),
            line.replace(b": 0.", b': NaN, "x": 0.', 1),
            line.replace(b": 0.", b': 1e999, "x": 0.', 1),
            line.replace(b": 0.", b": 00.", 1),
            line.replace(b'"seed": ', b'"seed": ' + b"9" * 400 + b', "seed_": ', 1),
            line.replace(b"e", b"\xff", 1),
            line.replace(b'"findings": "', b'"findings": "\\ud800', 1),
            b"\xef\xbb\xbf" + line,
            b" " + line[:-1] + b" \n",
            line.replace(b", ", b",").replace(b": ", b":"),
            b"[" + line[:-1] + b"]\n",
            b"<<<<<<< ours\n",
        ]
    )

"""Log kinds of one's own: many lines together give what each of them gives alone, whatever rules and schemas say.

Each case is a log kind that is described for it, and lines that hold anything: a proof that cannot be made, or does
not hold, must leave them to the judgement that does without.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generate import encode
from nsm_gate import engine, weighing
from nsm_gate.proofs import outline
from tests.test_many import both, check

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


@pytest.mark.parametrize("last", ["odd name", "run_1_20250101"], ids=["open", "repeated"])
def test_a_bug_in_a_line_of_many_names_the_line(
    last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    describe(tmp_path, SWEEP + "run_id: id\n", schema)
    names = [*(f"run_{number}_20250101" for number in range(5)), last]
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(encode({"id": name}) for name in names))

    def broken(*_args: Any) -> Any:
        raise ValueError("a bug")

    monkeypatch.setattr(engine, "MANY", 1)
    monkeypatch.setattr(weighing, "defects", broken)
    code, _, errors = check(tmp_path)
    assert code == 2
    assert errors.startswith("nsm-gate: error: sweep.jsonl:6: internal error: ValueError: a bug\n")


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


AS_TEXT = """\
log: sweep
files: [sweep.jsonl]
schema: sweep.schema.json
key: [id]
run_id: id
status: status
times: {start: began, end: ended, seconds: took}
corrects: corrects
reason: reason
findings: findings
hyperparameters: {at: settings, required: [seed, rate]}
results: results
configuration: [settings]
class_accuracies: [results.zero, results.one]
task_loss: results.loss
names: {score: [results.score, best]}
assertions:
  fits: {assert: n <= total + 1, at: n, message: more than there are, hint: look at it}
  fits-then: {assert: then <= total + 1, at: then, message: more than there are, hint: look at it}
  scored: {assert: score <= 1, at: best, message: over one, hint: look at it}
  said: {assert: n < 7 or total < 3, when: known(rest.a), at: total, message: no, hint: look at it}
  close: {assert: "close(n, results.loss, tolerance=2)", at: rest.b, message: no, hint: look at it}
  known: {assert: not known(rest.c) or rest.c < 2.2, at: rest.c, message: no, hint: look at it}
criteria:
  low-loss: results.loss < 0.5
  counted: {assert: rest.d < 3, when: known(rest.d)}
  better: results.score >= best-before.score
references:
  best-before: {from: sweep, where: status == "completed", same: [rest.e], pick: max(score), none: pass}
"""
NUMBER, WHOLE = {"type": "number"}, {"type": "integer"}
OF_NUMBERS: dict[str, Any] = {
    "n": WHOLE, "total": {"type": ["integer", "null"], "minimum": 1}, "then": WHOLE, "best": NUMBER, "took": {"type": "number", "minimum": 1, "maximum": 1},
    "odd": {"type": "integer", "enum": [1, 2, 3]}, "even": {"$ref": "#/$defs/whole", "type": "number"},
    "settings": {"type": "object", "required": ["seed"], "properties": {"seed": WHOLE, "rate": NUMBER, "size": WHOLE}},
    "results": {"type": "object", "properties": dict.fromkeys(("loss", "zero", "one", "score"), NUMBER)},
    "rest": {"type": "object", "properties": dict.fromkeys("abcdefghijklmnopqrstuvwx", NUMBER)},
    "list": {"type": "array", "items": {"type": "object", "properties": {"v": NUMBER}}},
}  # fmt: skip


@pytest.mark.parametrize("asked", ["nothing", "a condition"])
@pytest.mark.parametrize("seed", range(3))
def test_a_number_written_as_text_is_one_flaw_and_nothing_is_computed_with_it(
    seed: int, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = {"type": ["string", "null"]}
    members = dict.fromkeys(("began", "ended", "corrects", "reason", "findings"), text)
    members |= {
        "id": {"type": "string"},
        "status": {"enum": ["completed", "failed", "running"]},
        **OF_NUMBERS,
    }
    schema: dict[str, Any] = {"type": "object", "required": ["id", "status"], "properties": members}
    schema["$defs"] = {"whole": WHOLE}
    if asked == "a condition":
        schema["if"] = {"properties": {"n": {"type": "integer"}}}
        schema["then"] = {"properties": {"took": {"type": "number"}}, "required": ["best"]}
    describe(tmp_path, AS_TEXT, schema)
    chance = random.Random(seed)

    def value(law: dict[str, Any], odds: float) -> Any:
        if law["type"] == "object":
            members = law["properties"].items()
            return {name: value(inner, odds) for name, inner in members if chance.random() < 0.99}
        if law["type"] == "array":
            return [value(law["items"], odds / 4)]
        made = chance.choice((1, 2, 2, 2, 3) if law != NUMBER else (0.5,) * 30 + (1, 0.995, 0.001, 2.5))
        made = law.get("maximum", made)
        return f"{made}" if chance.random() < odds else made

    lines = []
    for at in range(150):
        odds = chance.choice((0, 0.03, 0.03, 0.03, 0.1, 0.9))
        entry: dict[str, Any] = {
            "id": f"run_{at if chance.random() < 0.9 else chance.randrange(at + 1)}_20250101",
            "status": chance.choice(("completed", "completed", "failed", "running")),
            "findings": chance.choice((SENTENCE, SENTENCE, SENTENCE, "TODO")),
            "began": "2025-01-01T00:00:00Z", "ended": chance.choice(("2025-01-01T00:00:01Z",) * 30 + ("2025-01-01T00:00:01",)),
        }  # fmt: skip
        if chance.random() < 0.1:
            entry |= {"corrects": f"run_{chance.randrange(at + 1)}_20250101", "reason": "It was wrong."}
        entry |= {name: value(law, odds) for name, law in OF_NUMBERS.items() if chance.random() < 0.99}
        lines.append(encode(entry))
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(lines))
    code, report, errors = both(tmp_path, monkeypatch, "--output-format", "json")
    assert (code, errors) == (1, "")
    found = json.loads(report)["findings"]
    assert {finding["rule"] for finding in found} >= {
        "schema",
        "assertion",
        "missing-hyperparameter",
        "duplicate-run",
    }
    assert any("more breaks the schema" in finding["message"] for finding in found)
    assert any(finding["message"] == "n is '3', not a whole number" for finding in found)


LETTERS = [f"n{number}" for number in range(30)]
COMPUTED: dict[str, tuple[str, list[dict[str, Any]], int]] = {
    "one": ("", [{"n1": "1"}], 1),
    "eight": ("", [dict.fromkeys(LETTERS[:8], "1")], 8),
    "more than are listed": ("", [dict.fromkeys(LETTERS, "1")], 21),
    "a criterion asks whether it is known": ("criteria: {there: known(n1)}\n", [{"n1": "1"}], 1),
    "a reference compares it": (
        "criteria: {better: n2 >= other.n2}\nreferences: {other: {from: sweep, where: known(n1) and known(this.n3), pick: max(n2), none: fail}}\n",
        [{"n1": 1, "n2": 1, "n3": 1}, {"n1": "1", "n2": 9, "n3": "1"}, {"n1": 1, "n2": 2, "n3": 1}],
        2,
    ),
    "a law that is broken reads it": ("n1: {assert: not known(n1), at: n2, message: no, hint: no}", [{"n1": "1"}], 1),
    "a law that is broken speaks of it": ("n1: {assert: n2 < 1, at: n1, message: no, hint: no}", [{"n1": "1", "n2": 1}], 1),
    "a law that is broken speaks of a member of it": (
        "n1: {assert: n2 < 1, at: n1.x, message: no, hint: no}", [{"n1": "1", "n2": 1}], 1,
    ),
    "a law speaks of what is called then": ("n1: {assert: n2 < 1, at: then, message: no, hint: no}", [{"then": "1", "n2": 1}], 1),
    "it is a name": ("status: n1\nexperiment_type: n2\n", [{"n1": "completed", "n2": "x"}], 2),
}  # fmt: skip


@pytest.mark.parametrize("case", COMPUTED)
def test_a_number_written_as_text_counts_once_where_rules_read_it(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, lines, errors = COMPUTED[case]
    law = f"assertions:\n  {said}\n" if said.startswith("n1:") else said
    members = {"id": {"type": "string"}, "then": NUMBER, **dict.fromkeys(LETTERS, NUMBER)}
    describe(tmp_path, SWEEP + law, {"type": "object", "required": ["id"], "properties": members})
    told = [{"id": f"run-{number}", **lines[number % len(lines)]} for number in range(30)]
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(map(encode, told)))
    code, report, said = both(tmp_path, monkeypatch, "--output-format", "json")
    assert (code, said) == (1, "")
    assert json.loads(report)["summary"]["errors"] == errors * len(told) // len(lines)


def test_settings_that_are_absent_are_one_finding_not_one_for_each_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = SWEEP + "hyperparameters: {at: settings, required: [seed, rate]}\n"
    members = {"id": {"type": "string"}, "settings": OF_NUMBERS["settings"]}
    describe(tmp_path, kind, {"type": "object", "required": ["id"], "properties": members})
    settings = ({"seed": 1, "rate": 0.1}, {"seed": 1}, {}, None)
    lines = [{"id": f"run-{number}", "settings": settings[number % 4]} for number in range(40)]
    lines = [{name: value for name, value in line.items() if value is not None} for line in lines]
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(map(encode, lines)))
    code, report, _ = both(tmp_path, monkeypatch, "--output-format", "json")
    assert (code, json.loads(report)["summary"]["errors"]) == (1, 40)


COMPARED = """\
criteria: {better: results.score >= other.results.score}
references: {other: {from: sweep, where: results.known == true, pick: max(results.score), none: pass}}
"""


@pytest.mark.parametrize("change", ["proven later", "proven no longer"])
def test_what_a_log_looks_like_may_turn_out_otherwise_in_its_course(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    required = ["id", "seed"] if change == "proven later" else ["id"]
    schema = {"type": "object", "required": required, "properties": {"id": {"type": "string"}}}
    describe(tmp_path, SWEEP + COMPARED, schema)
    lines: list[dict[str, Any]] = []
    for number in range(600):
        entry = {"id": f"run-{number}", "results": {"score": number % 7, "known": number % 3 > 0}}
        # Every second line is learned from beforehand; the others bring what is new.
        lines.append(entry | {"seed": 1, f"m{number % 60}": 1} if number % 2 else entry)
    if change == "proven no longer":
        monkeypatch.setattr(outline, "_MOST_SLOTS", 20)
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(map(encode, lines)))
    code, report, errors = both(tmp_path, monkeypatch, "--output-format", "json")
    assert (code, errors) == (int(change == "proven later"), "")
    assert {v["outcome"] for v in json.loads(report)["verdicts"]} == {"met", "missed"}


def test_a_member_that_is_an_object_or_a_list_is_read_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = "assertions: {law: {assert: o.x != 1, at: b, message: no, hint: no}}\ncriteria: {low: o.x < 1}\n"
    describe(
        tmp_path,
        SWEEP + law,
        {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
    )
    values: tuple[Any, ...] = ([], {"x": 1}, [{"x": 1}], {"x": 0})
    lines = [{"id": f"run-{n}", "b": 2, "o": values[n % 4]} for n in range(40)]
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(map(encode, lines)))
    code, report, _ = both(tmp_path, monkeypatch, "--output-format", "json")
    assert (code, json.loads(report)["summary"]["errors"]) == (1, 10)


def test_a_measure_of_two_places_is_compared_at_one_where_nothing_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = SWEEP + "names: {score: [a, b]}\ncriteria: {better: score >= other.score}\n"
    kind += "references: {other: {from: sweep, pick: max(score), none: pass}}\n"
    members = {"id": {"type": "string"}, "a": NUMBER, "b": NUMBER, "bad": NUMBER}
    describe(tmp_path, kind, {"type": "object", "required": ["id"], "properties": members})
    lines = [{"id": f"run-{n}", ("a", "b", "a")[n % 3]: (3, 5, 4)[n % 3], "bad": True} for n in range(30)]
    (tmp_path / "sweep.jsonl").write_bytes(b"".join(map(encode, lines)))
    _, report, _ = both(tmp_path, monkeypatch, "--output-format", "json")
    assert {v["outcome"] for v in json.loads(report)["verdicts"]} >= {"met", "missed"}


@pytest.mark.parametrize("args", [("-q",), ()])
def test_a_verdict_that_is_unknown_and_not_reported_is_no_finding(
    args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = SWEEP.replace("[sweep.jsonl]", "['*/sweep.jsonl']") + "criteria: {low: a < 2}\n"
    describe(tmp_path, kind, {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}})
    (tmp_path / "nsm-gate.yaml").write_text(
        "extends: none\nrules: [rules/]\nseverity: {criterion-unknown: ignore}\n"
    )
    for name, entry in (("a", {"a": 1}), ("b", {})):
        (tmp_path / name).mkdir()
        lines = [encode({"id": f"{name}-{n}", **entry}) for n in range(30)]
        (tmp_path / name / "sweep.jsonl").write_bytes(b"".join(lines))
    code, text, _ = both(tmp_path, monkeypatch, *args)
    assert (code, bool(text)) == (0, not args)

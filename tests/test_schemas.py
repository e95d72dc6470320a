"""Our schemas, and the engine that judges with them, held against the reference implementation."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nsm_gate.errors import GateError
from nsm_gate.jsonl import decode
from nsm_gate.model import Entry, Line
from nsm_gate.pointers import pointer
from nsm_gate.schema import MAX_ERRORS, Validator
from nsm_gate.strict_yaml import load
from tests.support import ROOT, SHARED, Repo, a_baseline, a_run, edited

Json = Any

SCHEMAS = sorted((ROOT / "schemas").glob("*.schema.json"))
RECORDS = ("training_log", "baselines")


def schema_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_bytes())
    return found


def reference(schema: Mapping[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema)


def walk(node: Json, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """Yield every value below a value with its path."""
    yield where, node
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, inner in members:
        yield from walk(inner, (*where, name))


# --- the schemas themselves -----------------------------------------------------------------------


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_satisfies_the_meta_schema_and_names_itself(path: Path) -> None:
    schema = json.loads(path.read_bytes())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/{path.name}")
    assert schema["title"]
    assert schema["description"]
    jsonschema.Draft202012Validator.check_schema(schema)
    Validator(schema, path.name)


def test_there_are_the_schemas_of_records_and_of_our_own_yaml() -> None:
    assert [path.name.partition(".")[0] for path in SCHEMAS] == [
        "baselines",
        "config",
        "mapping",
        "pack",
        "rules",
        "training_log",
    ]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_refers_to_nothing_but_its_own_definitions(path: Path) -> None:
    schema = json.loads(path.read_bytes())
    used = {inner for where, inner in walk(schema) if where and where[-1] == "$ref"}
    assert used == {f"#/$defs/{name}" for name in schema["$defs"]}


def properties(node: Json, where: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the members that a record schema declares, without those of its conditions."""
    if not isinstance(node, dict):
        return
    for name, member in node.get("properties", {}).items():
        yield f"{where}/{name}", member
        yield from properties(member, f"{where}/{name}")
    yield from properties(node.get("items"), f"{where}[]")


@pytest.mark.parametrize("name", RECORDS)
def test_every_member_of_a_record_is_described(name: str) -> None:
    schema = schema_of(name)
    declared = dict(properties(schema))
    assert len(declared) > 20
    assert [where for where, member in declared.items() if len(member.get("description", "")) < 8] == []
    assert [n for n, member in schema["$defs"].items() if not member.get("description")] == []


@pytest.mark.parametrize("name", RECORDS)
def test_every_example_of_a_member_satisfies_it(name: str) -> None:
    schema = schema_of(name)
    shown = 0
    for where, member in properties(schema):
        for example in member.get("examples", ()):
            alone = {**member, "$defs": schema["$defs"]}
            assert reference(alone).is_valid(example), f"{where}: {example!r}"
            assert Validator(alone, where).accepts(example), f"{where}: {example!r}"
            shown += 1
    assert shown > 10


# --- our own YAML ---------------------------------------------------------------------------------

YAML_FILES = sorted((ROOT / "rules").rglob("*.yaml"))


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.stem)
def test_a_file_of_the_pack_satisfies_the_schema_of_rules(path: Path) -> None:
    schema = schema_of("rules")
    value = yaml.safe_load(path.read_bytes())
    assert [error.message for error in reference(schema).iter_errors(value)] == []
    root, errors = load(path.read_bytes(), path.name)
    assert errors == []
    assert root is not None
    assert root.plain() == value
    assert Validator(schema, "rules").accepts(value)
    assert value[path.parent.name.rstrip("s")] == path.stem


def test_the_configurations_of_the_examples_satisfy_the_schema_of_configurations() -> None:
    files = sorted((ROOT / "examples").rglob("nsm-gate.yaml"))
    for path in files:
        assert reference(schema_of("config")).is_valid(yaml.safe_load(path.read_bytes()) or {}), path


ODD: list[Json] = [None, True, False, 0, 1, -1, 2, 0.5, 1.0, -0.5, 1e300, 2**63, 2**64, 10**30, "", " ", "x", "\u00a0", "completed",
                   "2025-11-01T00:00:00Z", "2025-11-01T00:00:00+02:00", "stable", [], [1], [[]], {}, {"x": 1}, "a" * 300]  # fmt: skip


def mutated(value: Json, chance: random.Random) -> Json:
    """Return a copy with one to three members replaced, removed, added or renamed."""
    made = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        holders = [inner for _, inner in walk(made) if isinstance(inner, (dict, list)) and inner]
        holder = chance.choice(holders or [made])
        name: Any = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        act = chance.choice(("replace", "replace", "replace", "remove", "add", "rename", "swap"))
        if act == "replace":
            holder[name] = copy.deepcopy(chance.choice(ODD))
        elif act == "remove" and len(holder) > 1:
            del holder[name]
        elif act == "add" and isinstance(holder, dict):
            holder[chance.choice(("extra", "accurracy", "Status", "")) + str(chance.randrange(3))] = (
                chance.choice(ODD)
            )
        elif act == "add":
            holder.append(copy.deepcopy(chance.choice(ODD)))
        elif act == "rename" and isinstance(holder, dict):
            holder[f"{name}_"] = holder.pop(name)
        elif isinstance(holder, dict):
            other = chance.choice(list(holder))
            holder[name], holder[other] = holder[other], holder[name]
    return made


def agree(schema: Mapping[str, Any], validator: Validator, judge: Any, value: Json) -> bool:
    """Hold both implementations, and our flaws, against each other; return the verdict."""
    accepted = validator.accepts(value)
    assert accepted is judge.is_valid(value), json.dumps(value)[:500]
    flaws = list(validator.flaws(value))
    assert bool(flaws) is not accepted
    assert len(flaws) <= MAX_ERRORS * 4 + 1
    places = {pointer(*where) for where, _ in walk(value)}
    for flaw in flaws:
        assert flaw.message
        absent = flaw.pointer not in places
        assert not absent or (flaw.member is not None and flaw.pointer.rpartition("/")[0] in places)
    return accepted


@pytest.mark.parametrize("seed", range(3))
def test_both_implementations_agree_on_mutated_rules_and_configurations(seed: int) -> None:
    chance = random.Random(seed)
    rules, config = schema_of("rules"), schema_of("config")
    settings = {
        "extends": "nsm", "rules": ["rules/"], "exclude": ["a/**"], "limits": {"line": "1MiB", "file": 1000},
        "severity": {"schema": "error", "timestamp-naive": {"training_log": "error", "baselines": {"x": "ignore"}}},
        "waivers": [{"rule": "schema", "run": "x", "owner": "o", "reason": "r", "expires": "2026-12-31"}],
    }  # fmt: skip
    sources = [(rules, yaml.safe_load(path.read_bytes())) for path in YAML_FILES] + [(config, settings)] * 6
    engines = [(Validator(schema, "s"), reference(schema)) for schema, _ in sources]
    verdicts = []
    for _ in range(8):
        for (schema, value), (validator, judge) in zip(sources, engines, strict=True):
            assert agree(schema, validator, judge, value)
            verdicts.append(agree(schema, validator, judge, mutated(value, chance)))
    assert {True, False} == set(verdicts)


# --- records --------------------------------------------------------------------------------------


def _dual(run: dict[str, Any]) -> None:
    run["experiment_type"] = "dual_pass_validation"
    run["hyperparameters"] |= {"use_dual_pass": True, "fusion_mode": "learned", "grad_clip_norm": None}
    run["architecture"] = {
        "variant": "dual_pass_learned_fusion", "description": "two passes", "num_levels": 3, "passes": 2,
        "fusion_weights": {"abstract": 0.5, "concrete": 0.5}, "attention_heads": 8,
    }  # fmt: skip
    run["metrics_history"] = [
        {"epoch": 0, "val_loss": 0.7, "val_accuracy": 0.5},
        {"epoch": 1, "val_loss": 0.6},
    ]
    run["best_epoch"], run["best_val_loss"] = 1, 0.6


def records() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield records in the guide's shapes."""
    yield "training_log", a_run()
    yield "training_log", a_run(change=_dual)
    yield (
        "training_log",
        edited(a_run(), status="failed", error_message="CUDA out of memory at epoch 7", final_metrics=None,
               last_successful_epoch=6, best_val_accuracy=None),
    )  # fmt: skip
    yield (
        "training_log",
        edited(a_run(), status="running", findings=None, final_metrics=..., best_val_accuracy=...,
               end_time=None, training_time_seconds=None, current_epoch=3, is_stuck=False),
    )  # fmt: skip
    yield "training_log", edited(a_run(), corrects="planning_other_20251101", reason="the seed was wrong")
    physics = {
        "q_neural": 1.2,
        "lawson_criterion": "achieved",
        "temperature_gradient": [1.0, 1.01],
        "beta_limit": 0.8,
    }
    yield (
        "training_log",
        edited(a_run(), **{f"final_metrics__{name}": inner for name, inner in physics.items()}),
    )
    yield "baselines", a_baseline()
    yield (
        "baselines",
        a_baseline(metrics__q_neural=1.5, metrics__cycle_loss=None, config__diversity_weight=0.0),
    )


def logged(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the records of logs on disk."""
    for path in sorted(folder.rglob("*.jsonl")):
        if path.stem in RECORDS:
            for number, raw in enumerate(path.read_bytes().split(b"\n"), 1):
                decoded = decode(Line(number, raw))
                if isinstance(decoded, Entry):
                    yield path.stem, decoded.value


@pytest.mark.parametrize("case", list(records()), ids=lambda case: case[0])
def test_a_record_in_the_shape_of_the_guide_is_accepted(case: tuple[str, dict[str, Any]]) -> None:
    name, value = case
    schema = schema_of(name)
    assert [error.message for error in reference(schema).iter_errors(value)] == []
    assert agree(schema, Validator(schema, name), reference(schema), value)


@pytest.mark.parametrize("folder", [ROOT / "examples", SHARED / "logs"], ids=["examples", "real logs"])
def test_both_implementations_agree_on_every_logged_record(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("the logs are not at hand")
    engines = {
        name: (schema_of(name), Validator(schema_of(name), name), reference(schema_of(name)))
        for name in RECORDS
    }
    seen = [agree(*engines[name], value) for name, value in logged(folder)]
    assert len(seen) >= 10


@pytest.mark.parametrize("seed", range(4))
def test_both_implementations_agree_on_mutated_records(seed: int) -> None:
    chance = random.Random(seed)
    engines = {
        name: (schema_of(name), Validator(schema_of(name), name), reference(schema_of(name)))
        for name in RECORDS
    }
    base = list(records())
    verdicts = []
    for _ in range(80):
        name, value = chance.choice(base)
        verdicts.append(agree(*engines[name], mutated(value, chance)))
    assert verdicts.count(True) >= 5
    assert verdicts.count(False) >= 40


def test_whole_numbers_are_whole_whatever_their_notation_and_size() -> None:
    schema = schema_of("training_log")
    for good in (1.0, 10, 2**63, 2**64, 10**30):
        assert agree(
            schema, Validator(schema, "t"), reference(schema), edited(a_run(), hyperparameters__epochs=good)
        )
    for bad in (True, 1.5, 0, "10", -(10**30), 1e-300):
        assert not agree(
            schema, Validator(schema, "t"), reference(schema), edited(a_run(), hyperparameters__epochs=bad)
        )


# --- schemas that are no schemas ------------------------------------------------------------------


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5}, {"type": "nope"}, {"$id": 5}, {"required": "id"}, {"properties": []}, {"minimum": "1"},
        {"pattern": "("}, {"pattern": "(?=a)b"}, {"pattern": r"(a)\1"}, {"pattern": "(a{1000}){1000}{1000}"},
        {"patternProperties": {"[": {}}}, {"$ref": "http://127.0.0.1:9/x.json"}, {"$ref": "file:///etc/passwd"},
        {"properties": {"a": {"$ref": "other.json"}}}, {"$ref": "#/$defs/none"}, {"$dynamicRef": "#none"},
        {"$schema": "http://example.org/mine"}, {"$schema": "http://json-schema.org/draft-03/schema#"},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "https://example.org/a.json"},
    ],
    ids=lambda schema: json.dumps(schema)[:50],
)  # fmt: skip
def test_what_is_no_usable_schema_is_a_mistake_of_the_set_up(schema: dict[str, Any]) -> None:
    with pytest.raises(GateError) as caught:
        Validator(schema, "mine.json")
    assert caught.value.message.startswith("not a usable JSON Schema: ")
    assert caught.value.path == "mine.json"
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 300


def test_a_pattern_that_explodes_in_python_is_judged_at_once() -> None:
    validator = Validator({"pattern": "^(a+)+$"}, "s")
    assert not validator.accepts("a" * 20_000 + "!")
    assert validator.accepts("a" * 20_000)
    assert len(list(validator.flaws("a" * 20_000 + "!"))) == 1


# --- flaws ----------------------------------------------------------------------------------------

LONG = "x" * 3000 + "SECRET"
DEEP: Json = {"a": {"b": [LONG, {LONG[:50]: LONG}]}}

KEYWORDS: list[tuple[dict[str, Any], Json, str, str]] = [
    ({"type": "number"}, LONG, "", "type"),
    ({"type": ["null", "array"]}, DEEP, "", "type"),
    ({"enum": [1, "a", None]}, LONG, "", "enum"),
    ({"const": 1}, [LONG], "", "const"),
    ({"minLength": 10000}, LONG, "", "minLength"),
    ({"maxLength": 1}, LONG, "", "maxLength"),
    ({"pattern": "^y"}, LONG, "", "pattern"),
    ({"format": "date"}, LONG, "", "format"),
    ({"minimum": 3}, -(10**400), "", "minimum"),
    ({"maximum": 3}, 10**400, "", "maximum"),
    ({"exclusiveMinimum": 3}, 3, "", "exclusiveMinimum"),
    ({"exclusiveMaximum": 3}, 3.0, "", "exclusiveMaximum"),
    ({"multipleOf": 3}, 10**400, "", "multipleOf"),
    ({"minItems": 2}, [LONG], "", "minItems"),
    ({"maxItems": 1}, [LONG, LONG], "", "maxItems"),
    ({"uniqueItems": True}, [LONG, LONG], "", "uniqueItems"),
    ({"contains": {"const": 1}}, [LONG], "", "contains"),
    ({"items": {"type": "null"}}, [None, LONG], "/1", "type"),
    ({"minProperties": 2}, {"a": LONG}, "", "minProperties"),
    ({"maxProperties": 1}, {"a": LONG, "b": LONG}, "", "maxProperties"),
    ({"required": ["b"]}, DEEP, "/b", "required"),
    ({"properties": {"a": {"required": ["b~/c"]}}}, {"a": {"x": LONG}}, "/a/b~0~1c", "required"),
    ({"dependentRequired": {"a": ["c"]}}, DEEP, "/c", "required"),
    ({"properties": {"b": True}, "additionalProperties": False}, {"a": LONG}, "/a", "additionalProperties"),
    ({"properties": {"b": True}, "unevaluatedProperties": False}, {"a": LONG}, "/a", "unevaluatedProperties"),
    ({"additionalProperties": {"type": "null"}}, {"a/b": LONG}, "/a~1b", "type"),
    ({"properties": {"a": {"properties": {"b": {"items": {"type": "null"}}}}}}, {"a": {"b": [LONG]}}, "/a/b/0", "type"),
    ({"not": {}}, DEEP, "", "not"),
    ({"anyOf": [{"type": "null"}, {"const": 1}]}, DEEP, "", "anyOf"),
    ({"oneOf": [{}, {}]}, DEEP, "", "oneOf"),
    ({"oneOf": [{"const": 1}]}, LONG, "", "oneOf"),
    ({"if": {"type": "string"}, "then": {"maxLength": 1}}, LONG, "", "maxLength"),
    ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "null"}}}, LONG, "", "type"),
]  # fmt: skip


@pytest.mark.parametrize(
    "schema, value, where, keyword",
    KEYWORDS,
    ids=[f"{case[3]}-{number}" for number, case in enumerate(KEYWORDS)],
)
def test_a_flaw_names_its_place_and_quotes_little(
    schema: dict[str, Any], value: Json, where: str, keyword: str
) -> None:
    flaws = list(Validator(schema, "s").flaws(value))
    assert [(flaw.pointer, flaw.keyword) for flaw in flaws if flaw.pointer == where] != []
    first = flaws[0]
    assert first.pointer == where
    assert first.keyword == keyword or keyword == "required"
    for flaw in flaws:
        assert "SECRET" not in flaw.message + flaw.hint
        assert 5 < len(flaw.message) < 200
        assert len(flaw.hint) < 200


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"b": True}, "additionalProperties": False},
        {"properties": {"b": True}, "unevaluatedProperties": False},
        {"additionalProperties": {"type": "null"}},
        {"propertyNames": {"maxLength": 3}},
    ],
    ids=lambda schema: next(reversed(schema)),
)
def test_a_long_name_is_shortened_as_a_long_value_is(schema: dict[str, Any]) -> None:
    flaws = list(Validator(schema, "s").flaws({LONG: 1}))
    assert flaws
    for flaw in flaws:
        assert len(flaw.message) < 300
        assert "SECRET" not in flaw.message + flaw.hint


def test_of_a_long_enumeration_a_message_names_the_first_and_counts_the_others() -> None:
    (flaw,) = Validator({"enum": [f"set-{number}" for number in range(100_000)]}, "s").flaws("x")
    assert flaw.message.startswith("the entry is 'x', not one of 'set-0', 'set-1', ")
    assert flaw.message.endswith("'set-19' … and 99,980 more")
    assert flaw.hint.endswith("'set-19' … and 99,980 more")
    (flaw,) = Validator({"enum": list(range(2, 22))}, "s").flaws("x")
    assert flaw.message.endswith("20, 21")


def test_flaws_are_counted_off() -> None:
    flaws = list(Validator({"items": {"type": "null"}}, "s").flaws([LONG] * 1000))
    assert [flaw.pointer for flaw in flaws] == [*(f"/{number}" for number in range(MAX_ERRORS)), ""]
    assert [flaw.is_cut for flaw in flaws] == [False] * MAX_ERRORS + [True]


@pytest.mark.parametrize(
    "member", ["if", "then", "else", "type", "required", "properties", "additionalProperties", "$ref"]
)
def test_a_member_that_is_called_like_a_keyword_is_a_member(member: str) -> None:
    schema = {"properties": {member: {"type": "string"}}, "required": [member]}
    validator = Validator(schema, "s")
    assert validator.accepts({member: "x"})
    assert [(flaw.pointer, flaw.keyword) for flaw in validator.flaws({member: 1})] == [("/" + member, "type")]
    assert [(flaw.pointer, flaw.member) for flaw in validator.flaws({})] == [("/" + member, member)]
    forbidden = Validator({"properties": {member: False}}, "s")
    assert [
        flaw.keyword in ("additionalProperties", "required", "type") for flaw in forbidden.flaws({member: 1})
    ] == [False]


# --- no refused record without a finding ----------------------------------------------------------


def _gate(tmp_path: Path, schema: Mapping[str, Any], entry: Json) -> list[tuple[str, str | None]]:
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "extends: none\nrules: [rules]\n")
    repo.write("rules/mine.yaml", "log: mine\nfiles: [m.jsonl]\nkey: []\nschema: mine.json\n")
    repo.write("rules/mine.json", json.dumps(schema))
    repo.write("m.jsonl", [entry])
    result = repo.check("--all")
    assert result.err == ""
    return [(finding["rule"], finding["pointer"]) for finding in result.findings]


@pytest.mark.parametrize(
    "schema, entry",
    [
        ({"additionalProperties": False}, {"id": "a"}),
        ({"unevaluatedProperties": False}, {"id": "a"}),
        ({"properties": {"id": True}, "unevaluatedProperties": False}, {"id": "a", "x": 1}),
        ({"properties": {"id": True, "additionalProperties": False}}, {"id": "a", "additionalProperties": 1}),
        (
            {"properties": {"id": True}, "dependentSchemas": {"id": {"additionalProperties": False}}},
            {"id": "a"},
        ),
        ({"properties": {"id": True, "o": {"additionalProperties": False}}}, {"id": "a", "o": {"x": 1}}),
        (
            {"properties": {"id": True, "o": {"items": {"additionalProperties": False}}}},
            {"id": "a", "o": [{"x": 1}]},
        ),
        ({"properties": {"id": True}, "allOf": [{"additionalProperties": False}]}, {"id": "a"}),
        ({"patternProperties": {"^i": True}, "additionalProperties": False}, {"id": "a", "x": 1}),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_a_record_that_the_schema_refuses_has_a_finding(
    tmp_path: Path, schema: dict[str, Any], entry: Json
) -> None:
    assert not reference(schema).is_valid(entry)
    assert _gate(tmp_path, schema, entry) != []


def test_a_member_that_a_pattern_allows_is_not_unknown(tmp_path: Path) -> None:
    schema = {"properties": {"id": True}, "patternProperties": {"^x_": True}, "additionalProperties": False}
    assert reference(schema).is_valid({"id": "a", "x_b": 1})
    assert _gate(tmp_path, schema, {"id": "a", "x_b": 1}) == []


@pytest.mark.parametrize(
    "change, where",
    [
        (lambda run: run["final_metrics"].update(accuracy="0.61"), "/run_data/final_metrics/accuracy"),
        (lambda run: run["hyperparameters"].update(epochs=True), "/run_data/hyperparameters/epochs"),
        (lambda run: run["dataset_config"].pop("split"), "/run_data/dataset_config/split"),
        (lambda run: run.update(status="done"), "/run_data/status"),
    ],
)
def test_a_flaw_is_a_finding_at_the_columns_of_its_value(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], where: str
) -> None:
    entry = a_run(change=change)
    repo = Repo.init(tmp_path / "r")
    repo.write("training_log.jsonl", [entry])
    line = (repo.path / "training_log.jsonl").read_text()
    found = [f for f in repo.check("--all").findings if f["rule"] == "schema" and f["pointer"] == where]
    assert len(found) == 1
    text = line[found[0]["column"] - 1 : found[0]["end_column"] - 1]
    name = where.rpartition("/")[2]
    holder = entry["run_data"] if name == "status" else entry["run_data"][where.split("/")[2]]
    assert json.loads(text) == holder.get(name, "dataset_config")


def test_examples_are_the_last_member_of_each_file_of_the_pack() -> None:
    """The gate does not read them where it only judges: it stops at their key."""
    for file in (ROOT / "rules").rglob("*.yaml"):
        members = list(yaml.safe_load(file.read_bytes()))
        assert "examples" not in members[:-1], file.name

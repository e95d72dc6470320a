"""`rules lint`: what is wrong with rules that load, and what is not."""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, Repo, Result, check, environment, gate, gate_process

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "kind": {"type": "string"},
        "area": {"type": "string"},
        "score": {"$ref": "#/$defs/share"},
        "best": {"$ref": "#/$defs/share"},
        "loss": {"type": ["number", "null"], "minimum": 0},
        "epochs": {"type": "integer", "minimum": 1, "maximum": 3},
        "mode": {"enum": ["fast", "slow", None]},
        "paired": {"type": "boolean"},
        "solved": {"const": True},
        "size": {"type": "integer", "minimum": 1},
        "losses": {"type": "array", "items": {"type": "number", "minimum": 0}},
        "history": {"type": "array", "items": {"properties": {"loss": {"type": "number", "maximum": 9}}}},
        "inner": {"type": "object", "properties": {"depth": {"type": "number", "exclusiveMaximum": 5}}},
        "free": {},
    },
    "additionalProperties": False,
    "$defs": {"share": {"type": ["number", "null"], "minimum": 0, "maximum": 1}},
}  # fmt: skip
LOG = """\
log: probes
files: [probes.jsonl]
schema: probe.schema.json
key: [id]
run_id: id
experiment_type: kind
domain: area
"""
TYPE = "experiment_type: probe\n"
SHOWN = """\
examples:
  - name: one
    entry: {id: a, kind: probe, score: 0.5}
    expect: {}
"""

Files = Mapping[str, Any]


def lint(tmp_path: Path, files: Files, *args: str, schema: Any = SCHEMA) -> Result:
    """Lint a repository of its own rules: log kind probes with a schema, and what the test adds."""
    repo = Repo(tmp_path / "lab")
    made = {
        "nsm-gate.yaml": "extends: none\nrules: [rules]\n",
        "rules/probes.yaml": LOG,
        "rules/probe.schema.json": schema if isinstance(schema, bytes) else json.dumps(schema, indent=1),
        **files,
    }
    for name, data in made.items():
        repo.write(name, data)
    return gate("rules", "lint", *args, cwd=repo.path)


def remarks(result: Result) -> list[str]:
    """Return the remarks, each held to its form: path:line: severity  message (remedy)."""
    assert result.err == ""
    *rows, total = result.out.splitlines()
    assert total.startswith("read ")
    for row in rows:
        place, _, rest = row.partition(": ")
        assert place.rpartition(":")[2].isdigit(), row
        severity, message = rest.split("  ", 1)
        assert severity in ("error", "warning"), row
        assert message.endswith(")"), row
        assert "(" in message, row
    failed = any(": error  " in row for row in rows)
    assert result.code == int(failed)
    return rows


def criterion(tmp_path: Path, text: str, name: str = "score", **options: Any) -> list[str]:
    """Lint one criterion of a type; return the remarks."""
    return remarks(lint(tmp_path, {"rules/t.yaml": f"{TYPE}criteria:\n  {name}: {text}\n{SHOWN}"}, **options))


# --- what is clean --------------------------------------------------------------------------------


def test_the_bundled_pack_is_clean_down_to_its_last_word(tmp_path: Path) -> None:
    result = gate("rules", "lint", "--strict", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    (total,) = result.out.splitlines()
    count = len(list((ROOT / "rules").rglob("*.yaml")))
    assert f"read {count} YAML files and 5 schemas" in total
    assert total.endswith("no errors, no warnings")


@pytest.mark.parametrize("folder", ["nsm", "broken", "broken/governance/before", "broken/governance/after"])
def test_the_examples_of_this_repository_are_clean(tmp_path: Path, folder: str) -> None:
    place = shutil.copytree(ROOT / "examples" / folder, tmp_path / "copy")
    result = gate("rules", "lint", "--strict", cwd=place)
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == 1


def test_this_repository_is_clean() -> None:
    result = gate("rules", "lint", "--strict", cwd=ROOT)
    assert (result.code, result.out.count("\n")) == (0, 1)


def test_rules_of_ones_own_are_clean_and_every_file_is_counted(tmp_path: Path) -> None:
    files = {
        "rules/t.yaml": f'{TYPE}criteria: {{score: "> 0.5", top: {{use: domain}}}}\n{SHOWN}',
        "rules/d.yaml": 'domain: maps\nmetrics: [best]\ncriteria: {best: ">= 0.75"}\n',
    }
    result = lint(tmp_path, files, "--strict")
    assert remarks(result) == []
    assert result.out == (
        "read 4 YAML files and 4 schemas · both engines agree on 1 entry of examples · no errors, no warnings\n"
    )


def test_without_strict_warnings_do_not_fail(tmp_path: Path) -> None:
    files = {"rules/t.yaml": TYPE}
    plain, strict = lint(tmp_path, files), lint(tmp_path, files, "--strict")
    assert (plain.code, strict.code) == (0, 1)
    assert plain.out == strict.out
    assert plain.out.endswith("no errors, 2 warnings\n")


def test_mistakes_that_keep_rules_from_loading_are_exit_2_all_at_once(tmp_path: Path) -> None:
    files = {
        "rules/t.yaml": f"{TYPE}critera: {{}}\n",
        "rules/d.yaml": "domain: maps\ncriteria: {score: '> ('}\n",
    }
    result = lint(tmp_path, files)
    assert (result.code, result.out) == (2, "")
    assert "rules/t.yaml:2:1" in result.err
    assert "rules/d.yaml:2" in result.err


def test_another_configuration_may_lie_anywhere(tmp_path: Path) -> None:
    lint(tmp_path, {"rules/t.yaml": TYPE})
    (tmp_path / "else").mkdir()
    inside = gate("rules", "lint", "--config", "nsm-gate.yaml", cwd=tmp_path / "lab")
    outside = gate("rules", "lint", "--config", "../lab/nsm-gate.yaml", cwd=tmp_path / "else")
    assert inside.out == outside.out
    assert "rules/t.yaml:1: warning" in outside.out


def test_remarks_are_sorted_by_file_and_line(tmp_path: Path) -> None:
    files = {
        "rules/b.yaml": f'experiment_type: b\ncriteria:\n  score: "> 1"\n  best: "> 2"\n{SHOWN}',
        "rules/a.yaml": f'experiment_type: a\ncriteria:\n  best: "> 1"\n{SHOWN}',
    }
    rows = remarks(lint(tmp_path, files))
    assert [row.partition(": ")[0] for row in rows] == ["rules/a.yaml:3", "rules/b.yaml:3", "rules/b.yaml:4"]


def test_names_of_files_and_rules_cannot_act_on_a_terminal_or_a_runner(tmp_path: Path) -> None:
    files = {
        "nsm-gate.yaml": "extends: none\nrules: ['.']\n",
        "rules/probes.yaml": ...,
        "a\n::error::x/t.yaml": TYPE,
    }
    repo = Repo(tmp_path / "lab")
    for name, data in {
        **files,
        "rules/probes.yaml": LOG,
        "rules/probe.schema.json": json.dumps(SCHEMA),
    }.items():
        repo.write(name, data)
    result = gate("rules", "lint", cwd=repo.path)
    assert "warning" in result.out
    assert "::" not in result.out
    assert result.out.count("\n") == 3


# --- schemas --------------------------------------------------------------------------------------


def test_a_schema_that_breaks_its_meta_schema_does_not_load(tmp_path: Path) -> None:
    result = lint(tmp_path, {}, schema={**SCHEMA, "$defs": {"share": {"type": "nope"}}})
    assert result.code == 2
    assert "rules/probe.schema.json:84:12: not a usable JSON Schema" in result.err


def test_the_reference_implementation_judges_the_schema_too(tmp_path: Path) -> None:
    # The gate's engine takes a part with another $schema for a schema of its own; the reference does not.
    part = {
        "$id": "https://lab.invalid/x",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "items": [{}],
    }
    files = {"rules/t.yaml": f'{TYPE}criteria: {{score: "> 0.5"}}\n{SHOWN}'}
    rows = remarks(lint(tmp_path, files, schema={**SCHEMA, "$defs": {**SCHEMA["$defs"], "old": part}}))
    fault, silent = (next(row for row in rows if word in row) for word in ("meta-schema", "not compared"))
    assert fault.startswith("rules/probe.schema.json:")
    assert ": error  /$defs/old/items breaks the meta-schema: type" in fault
    row = (tmp_path / "lab/rules/probe.schema.json").read_text().splitlines()[int(fault.split(":")[1]) - 1]
    assert '"items"' in row
    assert "warning" in silent


@pytest.mark.parametrize(
    "part, fact",
    [
        ({"$ref": "#/$defs/nosuch"}, "$ref '#/$defs/nosuch' leads nowhere"),
        ({"pattern": "a(?=b)"}, "the pattern 'a(?=b)' cannot be used"),
        ({"patternProperties": {"(": {}}}, "the pattern '(' cannot be used"),
    ],
)
def test_what_the_engine_does_not_meet_is_looked_at_all_the_same(
    tmp_path: Path, part: dict[str, Any], fact: str
) -> None:
    (row,) = remarks(lint(tmp_path, {}, schema={**SCHEMA, "$defs": {**SCHEMA["$defs"], "unused": part}}))
    assert f": error  {fact}" in row
    line = int(row.split(":")[1])
    found = (tmp_path / "lab/rules/probe.schema.json").read_text().splitlines()[line - 1]
    assert next(iter(part)) in found or "(" in found


def test_what_looks_like_a_reference_in_a_value_is_none(tmp_path: Path) -> None:
    schema = {
        **SCHEMA,
        "examples": [{"$ref": "#/nosuch", "pattern": "("}],
        "default": {"$ref": "https://x.invalid/"},
    }
    assert remarks(lint(tmp_path, {}, schema=schema)) == []


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Refuse every socket; return the attempts."""
    tried: list[str] = []

    def refuse(*args: Any, **_options: Any) -> Any:
        tried.append(str(args))
        raise AssertionError("the network was asked")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    return tried


@pytest.mark.parametrize("place", ["properties", "$defs"])
@pytest.mark.parametrize(
    "address", ["https://schemas.invalid/x.json", "http://127.0.0.1:9/x", "file:///etc/hostname"]
)
def test_a_remote_reference_is_refused_and_fetched_by_nobody(
    tmp_path: Path, no_network: list[str], place: str, address: str
) -> None:
    schema = {**SCHEMA, place: {**SCHEMA[place], "far": {"$ref": address}}}
    result = lint(tmp_path, {"rules/t.yaml": f"{TYPE}{SHOWN}"}, schema=schema)
    assert result.code == 2
    assert (
        f"it refers to '{address}', and nothing is fetched\n  copy what it refers to into its $defs"
        in result.err
    )
    assert no_network == []


def test_a_relative_reference_to_another_file_is_not_read(tmp_path: Path, no_network: list[str]) -> None:
    # In a part that is not used the gate's engine does not look for it.
    schema = {**SCHEMA, "$defs": {**SCHEMA["$defs"], "far": {"$defs": {"deep": {"$ref": "other.json"}}}}}
    result = lint(tmp_path, {"rules/other.json": "{}"}, schema=schema)
    assert result.code in (1, 2)
    assert "nothing is fetched" in result.out + result.err
    assert no_network == []


def test_a_schema_may_refer_to_its_own_meta_schema(tmp_path: Path, no_network: list[str]) -> None:
    schema = {**SCHEMA, "$defs": {**SCHEMA["$defs"], "meta": {"$ref": SCHEMA["$schema"]}}}
    assert (
        remarks(lint(tmp_path, {"rules/t.yaml": f'{TYPE}criteria: {{score: "> 0"}}\n{SHOWN}'}, schema=schema))
        == []
    )


# --- both engines ---------------------------------------------------------------------------------

ONE = """\
experiment_type: probe
criteria: {score: "> 0.5"}
examples:
  - name: refused by both
    entry: {id: 1, kind: probe, score: 7, unknown: x, losses: [1, -1, x]}
    expect: {}
    findings: [schema]
"""


def test_both_engines_refuse_the_same_places_of_the_same_entries(tmp_path: Path) -> None:
    more = "    before: {probes: [{entry: {id: a}}, {entry: {}}, {entry: {id: a, epochs: 9, inner: {depth: 5}}}]}\n"
    result = lint(tmp_path, {"rules/t.yaml": ONE + more})
    assert remarks(result) == []
    assert "both engines agree on 4 entries of examples" in result.out


def test_draft_7_and_its_references_are_judged_as_draft_7_by_both(tmp_path: Path) -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        # What stands beside $ref counts for nothing in draft 7.
        "properties": {"score": {"$ref": "#/definitions/share", "maximum": 0}, "again": {"$ref": "#"}},
        "patternProperties": {"^x-": {"type": "number"}},
        "additionalProperties": {"type": ["string", "array"]},
        "definitions": {"share": {"type": "number", "maximum": 1}},
    }  # fmt: skip
    entries = (
        "[{entry: {score: 0.5}}, {entry: {score: 2, x-a: text, y: 1}}, {entry: {again: {again: {x-b: no}}}}]"
    )
    result = lint(tmp_path, {"rules/t.yaml": ONE + f"    before: {{probes: {entries}}}\n"}, schema=schema)
    assert remarks(result) == []
    assert "both engines agree on 4 entries" in result.out


@pytest.mark.parametrize("where", ["entry", "before"])
def test_an_entry_on_which_the_engines_differ_is_named(tmp_path: Path, where: str) -> None:
    # 2019-09: additionalProperties counts as evaluated, which the reference implementation overlooks.
    schema = {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "properties": {"id": {}, "kind": {}},
        "additionalProperties": {"type": "number"},
        "unevaluatedProperties": False,
    }
    odd, even = "{id: a, kind: probe, score: 1}", "{id: a, kind: probe}"
    entry, before = (odd, even) if where == "entry" else (even, odd)
    example = f"  - name: odd\n    entry: {entry}\n    before: {{probes: [{{entry: {before}}}]}}\n    expect: {{}}\n"
    files = {"rules/t.yaml": f'{TYPE}criteria: {{score: "> 0"}}\nexamples:\n{example}'}
    (row,) = remarks(lint(tmp_path, files, schema=schema))
    said = "its entry" if where == "entry" else "entry 1 of probes before it"
    assert row.startswith("rules/t.yaml:4: error  the engines differ on " + said)
    assert "the reference refuses the entry, the gate accepts it" in row


PATHOLOGICAL = "(a+)+$"
LONG = "a" * 40 + "!"


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"id": {"pattern": PATHOLOGICAL}}},
        {"patternProperties": {PATHOLOGICAL: {"type": "string"}}},
        {"patternProperties": {PATHOLOGICAL: {}}, "additionalProperties": {"type": "string"}},
        {"patternProperties": {PATHOLOGICAL: {}}, "unevaluatedProperties": False},
        {"properties": {"id": {"format": "regex"}}},
        # Behind a reference to the root, the reference implementation would look its class up again.
        {"$schema": SCHEMA["$schema"], "properties": {"inner": {"$ref": "#"}, "id": {"pattern": PATHOLOGICAL}}},
        {"properties": {"inner": {"$schema": SCHEMA["$schema"], "$id": "https://lab.invalid/i", "pattern": PATHOLOGICAL}}},
        {"$id": "https://lab.invalid/", "$dynamicAnchor": "meta", "anyOf": [{"$ref": SCHEMA["$schema"]}, {}],
         "properties": {"id": {"pattern": PATHOLOGICAL}}, "patternProperties": {PATHOLOGICAL: {}}},
    ],
)  # fmt: skip
def test_no_pattern_of_a_schema_reaches_pythons_own(
    tmp_path: Path, schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import re

    seen: list[str] = []
    for name in ("search", "match", "fullmatch", "compile"):
        usual = getattr(re, name)

        def watch(pattern: Any, *args: Any, usual: Any = usual, **options: Any) -> Any:
            if PATHOLOGICAL in str(getattr(pattern, "pattern", pattern)):
                seen.append(str(pattern))
                raise AssertionError(f"{pattern} reached re")
            return usual(pattern, *args, **options)

        monkeypatch.setattr(re, name, watch)
    entry = {"id": LONG, LONG: LONG, "kind": "probe", "inner": {"id": LONG, LONG: LONG}}
    shown = f"examples:\n  - {{name: long, entry: {json.dumps(entry)}, expect: {{}}}}\n"
    result = lint(tmp_path, {"rules/t.yaml": f'{TYPE}criteria: {{free: "> 0"}}\n{shown}'}, schema=schema)
    assert seen == []
    assert result.code in (0, 1), result.err
    assert (
        "agree on 1 entry" in result.out or "are not compared with the reference implementation" in result.out
    )


def test_a_pattern_that_explodes_elsewhere_does_not_hold_lint_up(tmp_path: Path) -> None:
    lint(tmp_path, {}, schema={"properties": {"id": {"pattern": PATHOLOGICAL}}})
    shown = f"examples:\n  - {{name: long, entry: {{id: '{LONG}', kind: probe}}, expect: {{}}, findings: [schema]}}\n"
    Repo(tmp_path / "lab").write("rules/t.yaml", f'{TYPE}criteria: {{free: "> 0"}}\n{shown}')
    result = gate_process("rules", "lint", cwd=tmp_path / "lab")
    assert (result.code, result.err) == (0, "")
    assert "agree on 1 entry" in result.out


def test_a_schema_that_explodes_ends_by_the_limit_and_names_the_example(tmp_path: Path) -> None:
    parts: dict[str, Any] = {"a0": {"const": 0}}
    for number in range(1, 41):
        parts[f"a{number}"] = {"anyOf": [{"$ref": f"#/$defs/a{number - 1}"}] * 2}
    schema = {"$defs": parts, "properties": {"free": {"$ref": "#/$defs/a40"}}}
    shown = "examples:\n  - {name: x, entry: {id: a, kind: probe, free: 1}, expect: {}}\n"
    lint(tmp_path, {"nsm-gate.yaml": "extends: none\nrules: [rules]\nlimits: {seconds: 1}\n"}, schema=schema)
    Repo(tmp_path / "lab").write("rules/t.yaml", f'{TYPE}criteria: {{score: "> 0"}}\n{shown}')
    result = gate_process("rules", "lint", cwd=tmp_path / "lab")
    assert result.code == 2
    assert (
        "rules/t.yaml:4: not judged within 1 second: it was at the example 'x', by rules/probe.schema.json"
        in result.err
    )


def test_a_schema_that_refers_to_itself_without_end_is_not_compared(tmp_path: Path) -> None:
    rows = remarks(
        lint(tmp_path, {"rules/t.yaml": f'{TYPE}criteria: {{free: "> 0"}}\n{SHOWN}'}, schema={"$ref": "#"})
    )
    assert [": warning  " in row and "refers to itself without end" in row for row in rows] == [True]


@pytest.mark.parametrize("key", ["allOf", "not", "items", "anyOf"])
def test_a_schema_that_is_very_deep_is_no_internal_error(tmp_path: Path, key: str) -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(90 if key.endswith("Of") else 180):
        schema = {key: [schema] if key.endswith("Of") else schema}
    rows = remarks(lint(tmp_path, {}, schema=schema))
    assert ["deeper than the reference implementation can follow" in row for row in rows] == [True]


def test_parts_of_a_schema_that_name_each_other_are_looked_at_once(tmp_path: Path) -> None:
    parts: dict[str, Any] = {"a0": {"const": 0}}
    for number in range(1, 41):
        parts[f"a{number}"] = {"anyOf": [{"$ref": f"#/$defs/a{number - 1}"}] * 2}
    schema = {"$defs": parts, "properties": {"free": {"$ref": "#/$defs/a40"}}}
    rows = criterion(tmp_path, '"> 1"', name="free", schema=schema)
    assert [row.split(": ")[1] for row in rows] == ["error  free of probe can never be met"]


def test_only_lint_imports_the_reference_implementation(tmp_path: Path) -> None:
    script = (
        "import sys; from nsm_gate.commands import check, config, rules; print('jsonschema' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(tmp_path), capture_output=True, check=True
    )
    assert done.stdout == b"False\n"


# --- what nothing reads -----------------------------------------------------------------------------


def test_a_name_that_nothing_reads_is_named_at_its_line(tmp_path: Path) -> None:
    names = "names:\n  points: [score]\n  spare: [best]\n"
    files = {
        "rules/probes.yaml": LOG + names,
        "rules/t.yaml": f'{TYPE}criteria: {{points: "> 0.5"}}\n{SHOWN}',
    }
    (row,) = remarks(lint(tmp_path, files))
    assert row.startswith("rules/probes.yaml:10: warning  nothing reads the name spare of probes")


READS = {
    "a criterion": ("", 'criteria: {points: "> 0.5"}\n'),
    "its when": ("", 'criteria: {score: {above: 0.5, when: known(points)}}\n'),
    "a branch": ("", 'criteria: {score: {first: [{if: points > 0.1, then: "> 0.5"}, {else: "> 0.6"}]}}\n'),
    "a rate": ("rates: {points: size}\n", 'criteria: {score: "> 0.5"}\n'),
    "an assertion": ("assertions: {a: {assert: points < best, at: score, message: m}}\n", 'criteria: {score: "> 0.5"}\n'),
    "a reference": (
        "references: {top: {from: probes, pick: max(points), none: unknown}}\n",
        'criteria: {score: "> top"}\n',
    ),
    "a where": (
        "references: {top: {from: probes, where: points > 0.1, pick: max(score), none: unknown}}\n",
        'criteria: {score: "> top"}\n',
    ),
    "this of a where": (
        "references: {top: {from: probes, where: score == this.points, pick: max(score), none: unknown}}\n",
        'criteria: {score: "> top"}\n',
    ),
    "what agrees": (
        "references: {top: {from: probes, same: [points], pick: max(score), none: unknown}}\n",
        'criteria: {score: "> top"}\n',
    ),
    "the reference's member": (
        "references: {top: {from: probes, pick: max(score), none: unknown}}\n",
        "criteria: {score: {assert: score > top.points}}\n",
    ),
    "a domain": ("", 'criteria: {score: "> 0.5"}\n', "criteria: {points: '> 0.5'}\n"),
}  # fmt: skip


@pytest.mark.parametrize("reader", READS)
def test_a_name_counts_as_read_by(tmp_path: Path, reader: str) -> None:
    log, rules, *domain = READS[reader]
    files = {
        "rules/probes.yaml": f"{LOG}names: {{points: [score, best]}}\n{log}",
        "rules/t.yaml": TYPE + rules + SHOWN,
        "rules/d.yaml": f"domain: maps\n{''.join(domain)}",
    }
    assert remarks(lint(tmp_path, files)) == []


def test_a_rate_of_what_is_no_number_is_read_by_nothing(tmp_path: Path) -> None:
    rates = "rates: {score: size, mode: size, typo: size}\n"
    open_ = {**SCHEMA, "additionalProperties": True}
    rows = remarks(lint(tmp_path, {"rules/probes.yaml": LOG + rates}, schema=open_))
    assert [row.split("  ")[1].split(" (")[0] for row in rows] == [
        "nothing reads the rate mode of probes", "nothing reads the rate typo of probes",
    ]  # fmt: skip


def test_a_reference_that_nothing_reads_is_named(tmp_path: Path) -> None:
    reference = "references:\n  top: {from: probes, pick: max(score), none: unknown}\n"
    files = {
        "rules/probes.yaml": LOG + reference,
        "rules/t.yaml": f'{TYPE}criteria: {{score: "> other"}}\n{reference.replace("top", "other")}{SHOWN}',
        "rules/u.yaml": f"experiment_type: u\ncriteria: {{score: '> 0.5'}}\n{reference.replace('top', 'mine')}{SHOWN}",
    }
    rows = remarks(lint(tmp_path, files))
    assert [row.split(" (")[0] for row in rows] == [
        "rules/probes.yaml:9: warning  nothing reads the reference top of probes",
        "rules/u.yaml:4: warning  nothing reads the reference mine of u",
    ]


def test_the_words_of_a_pack_may_be_unused_where_its_rules_are_replaced(tmp_path: Path) -> None:
    types = [path.stem for path in (ROOT / "rules/experiment_types").glob("*.yaml")]
    files = {
        f"rules/{name}.yaml": f"experiment_type: {name}\nreplace: true\ncriteria: {{accuracy: '> 0.5'}}\n"
        for name in types
    }
    result = lint(tmp_path, {**files, "nsm-gate.yaml": "rules: [rules]\n"})
    assert not [row for row in remarks(result) if "nothing reads" in row]


@pytest.mark.parametrize(
    "files, fact",
    [
        (
            {"rules/probes.yaml": LOG.replace("experiment_type: kind\n", ""), "rules/t.yaml": f'{TYPE}criteria: {{score: "> 0"}}\n'},
            "rules/t.yaml:1: error  no log kind has experiment types, so that probe applies to no run",
        ),
        (
            {"rules/probes.yaml": LOG.replace("domain: area\n", ""), "rules/d.yaml": "domain: maps\nmetrics: [score]\n"},
            "rules/d.yaml:1: error  no log kind has domains, so that maps applies to no run",
        ),
    ],
)  # fmt: skip
def test_a_file_that_no_log_kind_applies_is_an_error(tmp_path: Path, files: Files, fact: str) -> None:
    assert fact in [row.split(" (")[0] for row in remarks(lint(tmp_path, files))]


def test_own_types_have_criteria_and_examples_and_the_packs_need_not(tmp_path: Path) -> None:
    files = {"rules/t.yaml": TYPE, "rules/d.yaml": "domain: maps\nmetrics: [score]\n"}
    assert [row.split(" (")[0] for row in remarks(lint(tmp_path, files))] == [
        "rules/t.yaml:1: warning  the experiment type probe has no criteria",
        "rules/t.yaml:1: warning  the experiment type probe has no examples",
    ]
    overridden = "experiment_type: physics_validation\ncriteria: {q_neural: '> 2.0'}\n"
    result = lint(tmp_path / "2", {"nsm-gate.yaml": "rules: [rules]\n", "rules/t.yaml": overridden})
    assert "rules/t.yaml:1: warning  the experiment type physics_validation has no examples" in result.out
    assert "nsm:" not in result.out


def test_a_replacement_of_nothing_is_named(tmp_path: Path) -> None:
    text = f"experiment_type: physics_validtion\nreplace: true\ncriteria: {{q_neural: '> 2'}}\n{SHOWN}"
    shown = text.replace("{id: a", "{id: a").replace("    entry", "    log: probes\n    entry")
    result = lint(tmp_path, {"nsm-gate.yaml": "rules: [rules]\n", "rules/t.yaml": shown})
    assert "rules/t.yaml:2: warning  no pack has the experiment type physics_validtion" in result.out
    right = shown.replace("validtion", "validation")
    assert (
        "no pack has"
        not in lint(tmp_path / "2", {"nsm-gate.yaml": "rules: [rules]\n", "rules/t.yaml": right}).out
    )


def test_the_domains_criteria_are_taken_in_once(tmp_path: Path) -> None:
    text = f"{TYPE}criteria:\n  one: {{use: domain}}\n  two: {{use: domain}}\n{SHOWN}"
    (row,) = remarks(lint(tmp_path, {"rules/t.yaml": text}))
    assert row.startswith("rules/t.yaml:4: error  two of probe takes in the domain's criteria")
    once = text.replace("  two: {use: domain}\n", "")
    assert remarks(lint(tmp_path / "2", {"rules/t.yaml": once})) == []
    twice = {"rules/t.yaml": once, "rules/probes.yaml": f"{LOG}criteria: {{all: {{use: domain}}}}\n"}
    (row,) = remarks(lint(tmp_path / "3", twice))
    assert "one of probe takes in the domain's criteria, which probes has already taken in" in row
    (row,) = remarks(lint(tmp_path / "4", {"rules/d.yaml": "domain: maps\ncriteria: {all: {use: domain}}\n"}))
    assert "all of the domain maps takes in itself" in row


# --- what cannot be otherwise ---------------------------------------------------------------------

NEVER_MET = [
    ("score", '"> 1.0"'),
    ("score", '">= 1.5"'),
    ("score", '"< 0"'),
    ("score", "{above: 0.9, by: 0.1}"),
    ("score", "{at_least: 0.9, by: 20%}"),
    ("score", "{assert: 0.5 < score < 0.3}"),
    ("score", "{assert: score > 0.5 and best < 0.2 and score < 0.5}"),
    ("score", "{assert: score > best + 1}"),
    ("score", "{assert: score * 2 > 2.5}"),
    ("score", "{assert: score / 2 > 0.6}"),
    ("score", '{assert: "abs(score - best) > 1"}'),
    ("score", '{assert: "max(score, best) > 1"}'),
    ("score", '{assert: "change(score, best) < -1.5"}'),
    ("score", '{assert: "first(score, best) > 1"}'),
    ("score", "{assert: not score <= 1}"),
    ("score", '{assert: score > 0.5, when: score < 0.4}'),
    ("epochs", '"== 2.5"'),
    ("epochs", '"> 3"'),
    ("epochs", "{assert: 1 < epochs < 2}"),
    ("epochs", "{assert: 'epochs in [0, 4, 5]'}"),
    ("mode", "{assert: mode == 'fats'}"),
    ("mode", "{assert: 'mode in [\"a\", \"b\"]'}"),
    ("mode", "{assert: mode > 'slow'}"),
    ("solved", '"== false"'),
    ("paired", "{assert: paired and not paired}"),
    ("losses", '{assert: "min(losses) < 0"}'),
    ("losses", '{assert: "len(losses) < 0"}'),
    ("history", '{assert: "max(history.loss) > 9"}'),
    ("inner", "{assert: inner.depth >= 5}"),
    ("score", '"> 2 "'),
]  # fmt: skip


def sweep(tmp_path: Path, cases: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Lint each case as the one criterion of a type; return what is said of it, in one run of the command."""
    files = {
        f"rules/t{number}.yaml": f"experiment_type: t{number}\ncriteria:\n  {name}: {text}\n{SHOWN}"
        for number, (name, text) in enumerate(cases)
    }
    rates = {"rules/probes.yaml": f"{LOG}rates: {{score: size}}\n"}
    said = dict.fromkeys(cases, "")
    for row in remarks(lint(tmp_path, {**files, **rates})):
        number = int(row.partition(".yaml:3: ")[0].removeprefix("rules/t"))
        assert said[cases[number]] == "", row
        said[cases[number]] = row.partition(".yaml:3: ")[2].replace(f" of t{number}", "")
    return said


def test_a_test_that_the_schema_keeps_from_being_met_is_an_error(tmp_path: Path) -> None:
    found = sweep(tmp_path, NEVER_MET)
    assert [c for c, row in found.items() if not row.startswith(f"error  {c[0]} can never be met: ")] == []


NEVER_MISSED = [
    ("score", '">= 0"'),
    ("score", '"<= 1"'),
    ("score", '"0 .. 1"'),
    ("score", "{at_most: 1.2, by: 0.1}"),
    ("score", "{assert: score < 0.5 or score >= 0.5}"),
    ("score", "{assert: score - best <= 1}"),
    ("epochs", '"> 0"'),
    ("epochs", "{assert: 'epochs in [1, 2, 3]'}"),
    ("mode", '{assert: \'mode in ["fast", "slow"]\'}'),
    ("mode", "{assert: mode != 'quick'}"),
    ("solved", '"== true"'),
    ("losses", '{assert: "mean(losses) >= 0"}'),
    ("mode", "{assert: 'mode in [\"fast\", 1]'}"),  # unknown of slow: a text is no number
    ("loss", '">= 0"'),
    ("score", "{assert: known(score), when: score > 0.5}"),
]


def test_a_test_that_nothing_can_miss_is_a_warning(tmp_path: Path) -> None:
    found = sweep(tmp_path, NEVER_MISSED)
    assert [
        c for c, row in found.items() if not row.startswith(f"warning  {c[0]} can never be missed: ")
    ] == []


OPEN = [
    ("score", '"> 0.999"'),
    ("score", '">= 1"'),
    ("score", '"> 0"'),
    ("score", '"0 .. 0.999"'),
    ("score", "{assert: score > best}"),
    ("score", "{assert: score + best > 1}"),
    ("score", "{assert: known(score)}"),
    ("score", "{assert: score != 0.5}"),
    ("score", "{first: [{if: epochs == 2, then: '> 0.5'}, {if: epochs != 2, then: '> 0.6'}]}"),
    ("score", "{above: 0.5, standard_errors: 2}"),
    ("epochs", '"== 2"'),
    ("epochs", "{assert: 'epochs not in [1, 2]'}"),
    ("epochs", "{assert: 1 < epochs < 3}"),
    ("mode", "{assert: mode == 'fast'}"),
    ("mode", "{assert: mode != 'fast'}"),
    ("paired", '"== true"'),
    ("paired", "{assert: paired == (score > 0.5)}"),
    ("free", '"> 5"'),
    ("free", '"== true"'),
    ("free", "{assert: free.anything == 'x'}"),
    ("free", '{assert: "len(free) > 3"}'),
    ("losses", "{series: losses, is: decreasing}"),
    (
        "losses",
        '{assert: "last(losses) < losses_bound or last(losses) < 1"}'.replace("losses_bound", "score"),
    ),
    ("losses", '{assert: "0.5 in losses"}'),
    ("history", '{assert: "last(history.loss) > 8"}'),
    ("inner", "{assert: inner.depth < 0}"),
    ("id", "{assert: \"'x' in id\"}"),
    ("solved", '{assert: "achieved(score)"}'),
    ("score", '{assert: "lookup(losses, 1, losses) > 0"}'),
    ("score", '{assert: "relative_change(score, best) > 5"}'),
    ("score", '{assert: "score > standard_error(score, size)"}'),
    ("score", '{assert: "close(score, best)"}'),
    ("losses", '{assert: "no_nan(losses)"}'),
]


def test_a_test_that_runs_can_meet_and_miss_is_clean(tmp_path: Path) -> None:
    assert {case: row for case, row in sweep(tmp_path, OPEN).items() if row} == {}


OTHER_TYPE = [
    ("score", "\"== 'high'\""),
    ("mode", '"> 3"'),
    ("paired", '"> 0"'),
    ("id", '"== 3"'),
    ("score", "{assert: score}"),
]


def test_a_test_of_another_type_is_neither_met_nor_missed(tmp_path: Path) -> None:
    found = sweep(tmp_path, OTHER_TYPE)
    assert [
        c for c, row in found.items() if not row.startswith(f"error  {c[0]} is never met nor missed: ")
    ] == []


def test_a_remark_says_what_the_schema_allows(tmp_path: Path) -> None:
    (row,) = criterion(tmp_path, '"> 1"')
    assert "by the schema score is at least 0 and at most 1: change the test" in row
    (row,) = criterion(tmp_path / "2", "\"== 'fats'\"", "mode")
    assert "by the schema mode is 'fast' or 'slow'" in row


@pytest.mark.parametrize(
    "text, fact",
    [
        ("{above: 0.5, when: 1 < 2}", "error  when of score of probe reads nothing of the run"),
        ("{above: 0.5, when: 'true'}", "error  when of score of probe reads nothing of the run"),
        ("{above: 0.5, when: score > 1}", "error  when of score of probe never holds"),
        ("{above: 0.5, when: epochs > 0}", "warning  when of score of probe always holds"),
        ("{above: 0.5, when: best}", "error  when of score of probe is never true nor false"),
        ("{above: 0.5, when: known(top)}", "error  when of score of probe never holds"),
    ],
)
def test_a_condition_that_is_constant_is_named(tmp_path: Path, text: str, fact: str) -> None:
    top = "references: {top: {from: probes, pick: max(score), none: unknown}}\n"
    files = {
        "rules/t.yaml": f"{TYPE}criteria:\n  score: {text}\n  best: '> top'\n{SHOWN}",
        "rules/probes.yaml": LOG + top,
    }
    (row,) = remarks(lint(tmp_path, files))
    assert row.startswith(f"rules/t.yaml:3: {fact}")


@pytest.mark.parametrize(
    "when", ["known(score)", "best > 0.5", "paired", "not paired", "known(top.score)", "mode == 'fast'"]
)
def test_a_condition_that_some_runs_meet_is_clean(tmp_path: Path, when: str) -> None:
    top = "references: {top: {from: probes, pick: max(score), none: unknown}}\n"
    files = {
        "rules/t.yaml": f"{TYPE}criteria:\n  score: {{above: 0.5, when: {when}}}\n  best: '> top'\n{SHOWN}",
        "rules/probes.yaml": LOG + top,
    }
    assert remarks(lint(tmp_path, files)) == []


@pytest.mark.parametrize(
    "branches, fact",
    [
        (
            ["{if: best > 0.5, then: '> 0.5'}", "{if: best > 0.5, then: '> 0.6'}", "{else: '> 0.7'}"],
            "4: error  branch 2 of score of probe has the condition of branch 1",
        ),
        (
            ["{if: best > 0.5, then: '> 0.5'}", "{if: best > 0.7, then: '> 0.6'}"],
            "4: error  branch 2 of score of probe is never reached",
        ),
        (
            ["{if: best > 0.5, then: '> 0.5'}", "{if: best <= 0.5, then: '> 0.6'}", "{else: '> 0.7'}"],
            "4: error  branch 3 of score of probe is never reached",
        ),
        (
            ["{if: decreasing(losses), then: '> 0.5'}", "{if: not decreasing(losses), then: '> 0.6'}", "{else: '> 0.7'}"],
            "4: error  branch 3 of score of probe is never reached",
        ),
        (["{if: best > 1, then: '> 0.5'}", "{else: '> 0.7'}"], "4: error  the condition of branch 1 of score of probe never holds"),
        (["{if: 1 < 2, then: '> 0.5'}"], "4: error  the condition of branch 1 of score of probe reads nothing of the run"),
        (["{if: best <= 1, then: '> 0.5'}"], "4: warning  the condition of branch 1 of score of probe always holds"),
        (["{if: score > 0.5, then: '< 0.4'}", "{else: '> 0.2'}"], "4: error  score of probe in branch 1 can never be met"),
        (["{if: score > 0.5, then: '< 0.6'}", "{else: '<= 0.5'}"], "4: warning  score of probe in branch 2 can never be missed"),
    ],
)  # fmt: skip
def test_a_branch_that_no_run_reaches_is_named(tmp_path: Path, branches: list[str], fact: str) -> None:
    line, _, message = fact.partition(": ")
    text = "\n    first:\n" + "".join(f"      - {branch}\n" for branch in branches)
    rows = criterion(tmp_path, text.rstrip("\n"))
    assert any(message in row for row in rows), rows
    assert len(rows) == 1
    number = int(message.split("branch ")[1][0])
    assert rows[0].startswith(f"rules/t.yaml:{int(line) + number}: ")


def test_branches_that_share_the_runs_are_clean(tmp_path: Path) -> None:
    branches = "[{if: best > 0.7, then: '> 0.5'}, {if: best > 0.5, then: '> 0.6'}, {else: '> 0.7'}]"
    assert criterion(tmp_path, f"{{first: {branches}}}") == []


def test_a_criterion_is_dead_only_where_it_is_in_every_log_kind(tmp_path: Path) -> None:
    wide = {**SCHEMA, "properties": {**SCHEMA["properties"], "score": {"type": "number"}}}
    other = LOG.replace("probes", "wide").replace("probe.schema", "wide.schema")
    files = {"rules/t.yaml": f'{TYPE}criteria:\n  score: "> 1.0"\n', "rules/wide.yaml": other}
    result = lint(tmp_path, {**files, "rules/wide.schema.json": json.dumps(wide)})
    assert not [row for row in remarks(result) if "score" in row]
    result = lint(tmp_path / "2", {**files, "rules/wide.schema.json": json.dumps(SCHEMA)})
    assert [row for row in remarks(result) if "score of probe can never be met" in row]


def test_a_name_of_several_places_may_be_any_of_them(tmp_path: Path) -> None:
    rules = f'{TYPE}criteria:\n  points: "> 2"\n{SHOWN}'
    names = f"{LOG}names: {{points: [score, epochs]}}\n"
    assert remarks(lint(tmp_path, {"rules/t.yaml": rules, "rules/probes.yaml": names})) == []
    names = f"{LOG}names: {{points: [score, best]}}\n"
    (row,) = remarks(lint(tmp_path / "2", {"rules/t.yaml": rules, "rules/probes.yaml": names}))
    assert "points of probe can never be met" in row


def test_domains_log_kinds_and_the_packs_own_places_are_looked_at_too(tmp_path: Path) -> None:
    files = {
        "rules/d.yaml": 'domain: maps\nmetrics: [best]\ncriteria: {best: "> 1"}\n',
        "rules/probes.yaml": f'{LOG}criteria: {{score: "> 1"}}\n',
    }
    rows = remarks(lint(tmp_path, files))
    assert [row.split("  ")[1].split(":")[0] for row in rows] == [
        "best of maps can never be met", "score of probes can never be met",
    ]  # fmt: skip
    own = {
        "nsm-gate.yaml": "rules: [rules]\n",
        "rules/d.yaml": "domain: causal\ncriteria: {intervention_accuracy: '> 1'}\n",
    }
    result = lint(tmp_path / "2", own)
    assert "rules/d.yaml:2: error  intervention_accuracy of causal can never be met" in result.out


def test_laws_and_references_that_the_schema_makes_idle_are_named(tmp_path: Path) -> None:
    more = (
        "assertions:\n  whole: {assert: score <= 1, at: score, message: m}\n"
        "  asked: {assert: score < best, when: epochs > 3, at: score, message: m}\n"
        "  fine: {assert: score < best, at: score, message: m}\n"
        "references:\n  top: {from: probes, where: score > 1, pick: max(score), none: unknown}\n"
        "  low: {from: probes, where: score < 0.5 and best > this.best, pick: max(score), none: unknown}\n"
        "criteria: {score: '> top', best: '> low'}\n"
    )
    rows = remarks(lint(tmp_path, {"rules/probes.yaml": LOG + more}))
    assert [row.split(" (")[0] for row in rows] == [
        "rules/probes.yaml:9: warning  the law whole of probes can never be broken",
        "rules/probes.yaml:10: error  when of asked of probes never holds",
        "rules/probes.yaml:13: error  where of the reference top never holds",
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"maximum": 1}, {"minimum": 5}]},
        {"oneOf": [{"type": "string"}, {"type": "number"}]},
        {"allOf": [{"minimum": 0}, {"maximum": 9}]},
        {"not": {"minimum": 2}},
        {"if": {"type": "number"}, "then": {"maximum": 7}},
        {"$ref": "#/$defs/far/x"},
        {"$ref": "#wide"},
        {"type": "number", "enum": [0.5, 6]},
        True,
        {},
    ],
)
def test_what_a_schema_may_allow_in_any_way_is_never_ruled_out(tmp_path: Path, schema: Any) -> None:
    whole = {
        "properties": {"score": schema},
        "$defs": {"far": {"x": {"type": "number"}}, "wide": {"$anchor": "wide", "type": "number"}},
    }
    assert [row for row in criterion(tmp_path, '"> 3"', schema=whole) if "score" in row] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"maximum": 1}, {"maximum": 2}]},
        {"allOf": [{"minimum": 0}, {"maximum": 3}]},
        {"$ref": "#/$defs/share"},
        {"$ref": "#/$defs/share", "maximum": 900},
        {"type": "integer", "exclusiveMaximum": 4},
        {"enum": [0.5, 2, "x"]},
        {"const": 3},
        {"type": "string"},
        False,
    ],
)
def test_what_a_schema_rules_out_in_any_way_is_ruled_out(tmp_path: Path, schema: Any) -> None:
    whole = {"properties": {"score": schema}, "$defs": SCHEMA["$defs"]}
    (row,) = criterion(tmp_path, '"> 3"', schema=whole)
    assert ": error  score of probe" in row


def test_in_draft_7_what_stands_beside_a_reference_rules_nothing_out(tmp_path: Path) -> None:
    whole = {"$schema": "http://json-schema.org/draft-07/schema#",
             "properties": {"score": {"$ref": "#/definitions/n", "maximum": 1}}, "definitions": {"n": {"type": "number"}}}  # fmt: skip
    assert criterion(tmp_path, '"> 3"', schema=whole) == []


def test_expressions_as_deep_as_they_may_be_are_looked_at_soon(tmp_path: Path) -> None:
    deep = "score"
    for number in range(30):
        deep = (
            f"({deep} == (score > 0.{number + 1}))"
            if number % 2
            else f"(not {deep} or best > 0.{number + 1})"
        )
    assert len(deep) <= 1000
    assert criterion(tmp_path, f"{{assert: '{deep}'}}") is not None
    wide = " and ".join(f"(score > .{n:02} or best < .{n:02})" for n in range(30))
    assert criterion(tmp_path / "2", f"{{assert: '{wide}'}}") == []


class Chance(random.Random):
    """Random expressions over the schema above, and random entries that satisfy it."""

    def number(self, depth: int = 0) -> str:
        if depth > 1 or self.random() < 0.4:
            names = ("score", "best", "loss", "epochs", "inner.depth", "free")
            return self.choice((*names, "0", "1", "0.5", "2", "3", "-1", "0.25"))
        one, other = self.number(depth + 1), self.number(depth + 1)
        forms = (
            f"({one} {self.choice('+-*/')} {other})", f"abs({one})", f"min({one}, {other})", f"max({one}, {other})",
            f"mean({one}, {other})", f"change({one}, {other})", f"first({one}, {other})", "min(losses)", "max(losses)",
            "mean(losses)", "last(losses)", "len(losses)", "len(mode)", "last(history.loss)", f"relative_change({one}, {other})",
        )  # fmt: skip
        return self.choice(forms)

    def truth(self, depth: int = 0) -> str:
        kind = self.randrange(9 if depth < 2 else 6)
        if kind <= 2:
            links = "".join(
                f" {self.choice(('<', '<=', '>', '>=', '==', '!='))} {self.number()}"
                for _ in range(1 + self.randrange(2))
            )
            return f"{self.number()}{links}"
        if kind == 3:
            return self.choice(
                ("paired", "solved", "known(loss)", "achieved(score)", "stable(losses)", "decreasing(losses)")
            )
        if kind == 4:
            return self.choice((
                "mode == 'fast'", "mode != 'slow'", "mode in ['fast', 'x']", "mode > 'g'", "'a' in mode", "mode == free",
                "mode not in ['fast', 'slow']", "paired == solved", "paired != true", "mode in ['fast', 1]",
            ))  # fmt: skip
        if kind == 5:
            options = ", ".join(self.number(2) for _ in range(2))
            return f"{self.number(1)} {self.choice(('in', 'not in'))} [{options}]"
        one, other = self.truth(depth + 1), self.truth(depth + 1)
        return self.choice(
            (f"({one} and {other})", f"({one} or {other})", f"(not ({one}))", f"(({one}) == ({other}))")
        )

    def test(self) -> str:
        """Return an expression that reads something of the run."""
        while True:
            text = self.truth()
            if any(name in text for name in SCHEMA["properties"]):
                return text

    def entry(self, number: int, kind: str) -> dict[str, Any]:
        share = (0, 1, 0.5, 0.25, 0.999, None)
        made = {
            "id": f"r{number}", "kind": kind, "score": self.choice(share), "best": self.choice(share),
            "loss": self.choice((0, 0.5, 1, 40, None)), "epochs": self.choice((1, 2, 3)),
            "mode": self.choice(("fast", "slow", None)), "paired": self.choice((True, False)), "solved": True,
            "losses": self.choice(([], [0], [3, 2, 1], [0.5, 0.5], [1, 9])),
            "history": self.choice(([], [{"loss": 9}, {"loss": -1}], [{}])),
            "inner": {"depth": self.choice((-3, 0, 4.5))}, "free": self.choice((7, "fast", True, [1], {}, None)),
        }  # fmt: skip
        return {key: value for key, value in made.items() if key in ("id", "kind") or self.random() < 0.9}


@pytest.mark.parametrize("seed", range(3))
def test_what_lint_rules_out_happens_to_no_run(tmp_path: Path, seed: int) -> None:
    chance = Chance(seed)
    cases = [(chance.test(), chance.truth() if chance.random() < 0.3 else "") for _ in range(120)]
    files: dict[str, Any] = {}
    for number, (text, when) in enumerate(cases):
        asked = f"    when: {json.dumps(when)}\n" if when else ""
        rule = f"criteria:\n  odd:\n    assert: {json.dumps(text)}\n{asked}"
        files[f"rules/t{number}.yaml"] = f"experiment_type: t{number}\n{rule}{SHOWN}"
    said: dict[str, list[str]] = {}
    result = lint(tmp_path, files)
    assert result.code in (0, 1), result.err
    for row in result.out.splitlines()[:-1]:
        if "reads nothing of the run" not in row:
            said.setdefault(row.partition(".yaml")[0].removeprefix("rules/"), []).append(row)
    assert 5 < len(said) < 60
    repo = Repo(tmp_path / "lab")
    kinds = [f"t{number}" for number in range(len(cases)) for _ in range(12)]
    repo.write("probes.jsonl", [chance.entry(number, kind) for number, kind in enumerate(kinds)])
    checked = check("--all", cwd=repo.path)
    assert checked.code in (0, 1), checked.err
    assert checked.rules("criterion-missed", "criterion-unknown", "run-id-format") == []
    outcomes: dict[str, set[str]] = {}
    for verdict in checked.json["verdicts"]:
        outcomes.setdefault(verdict["experiment_type"], set()).add(verdict["outcome"])
    for kind, rows in said.items():
        text, when = cases[int(kind[1:])]
        for row in rows:
            never = (
                {"met"}
                if "never be met" in row
                else {"missed"}
                if "never be missed" in row
                else {"met", "missed"}
            )
            never = {"not-applicable"} if "when of odd" in row and "always holds" in row else never
            assert not outcomes[kind] & never, f"{row}\n{text}\n{when}\n{outcomes[kind]}"

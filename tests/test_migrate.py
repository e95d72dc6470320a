"""`nsm-gate migrate` turns old entries into lines that the policy accepts, and loses nothing on the way."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nsm_gate.conversions import STEPS
from nsm_gate.edge import rewriting
from tests.support import NOW, ROOT, Repo, Result, a_run, gate, lines

OLD, NEW, MAP = "old.jsonl", "training_log.jsonl", "map.yaml"
REJECTS = "training_log.rejects.jsonl"
SCHEMA = json.loads((ROOT / "schemas/mapping.schema.json").read_bytes())

WHOLE = """\
to: training_log
fields:
  timestamp: when
  run_data: run
"""


def an_old(name: str = "planning_plain_20251101", minute: int = 0, **changes: Any) -> dict[str, Any]:
    """Return an entry that the mapping WHOLE migrates."""
    entry = a_run(name, minute)
    return {"when": entry["timestamp"], "run": {**entry["run_data"], **changes}}


def migrate(cwd: Path, *args: str, old: str = OLD, new: str = NEW, **options: Any) -> Result:
    return gate("migrate", old, new, "--map", MAP, *args, cwd=cwd, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder outside git, with a mapping."""
    (tmp_path / MAP).write_text(WHOLE)
    return tmp_path


def write(folder: Path, *old: Any, mapping: str | None = None) -> None:
    (folder / OLD).write_bytes(lines(*old))
    if mapping is not None:
        (folder / MAP).write_text(mapping)


def new(folder: Path, name: str = NEW) -> list[dict[str, Any]]:
    return [json.loads(row) for row in (folder / name).read_bytes().split(b"\n")[:-1]]


def rejects(folder: Path, name: str = REJECTS) -> list[dict[str, Any]]:
    return new(folder, name)


# --- the whole way ------------------------------------------------------------------------------------


def test_what_the_policy_accepts_is_written_and_the_rest_rejected_with_reasons(folder: Path) -> None:
    old = [
        an_old(),
        an_old("planning_b_20251101", 1, findings="TODO"),
        an_old("planning_c_20251101", 2, seed=1),
    ]
    write(folder, *old)
    result = migrate(folder)
    assert (result.code, result.err) == (1, "")
    assert [entry["run_data"]["run_id"] for entry in new(folder)] == [
        "planning_plain_20251101",
        "planning_c_20251101",
    ]
    (reject,) = rejects(folder)
    assert (reject["file"], reject["line"], json.loads(reject["original"])) == (OLD, 2, old[1])
    (reason,) = reject["reasons"]
    assert (reason["rule"], reason["pointer"]) == ("missing-findings", "/run_data/findings")
    assert "migrated: 2 of 3 entries of old.jsonl into training_log.jsonl\n" in result.out
    assert f"rejected: 1 entry: 1 missing-findings; with reasons in {REJECTS}\n" in result.out
    assert "warnings: 1 unknown-field\n" in result.out


def test_what_is_migrated_passes_the_gate(folder: Path) -> None:
    write(folder, *(an_old(f"planning_n{n}_20251101", n) for n in range(5)))
    assert migrate(folder).code == 0
    assert gate("check", "--all", cwd=folder).code == 0
    assert not (folder / REJECTS).exists()


def test_a_run_that_is_there_twice_is_rejected_once_and_one_behind_a_reject_is_none(folder: Path) -> None:
    bad = an_old("planning_a_20251101", 1, status="unheard of")
    write(folder, bad, an_old("planning_a_20251101", 2), an_old("planning_a_20251101", 3))
    assert migrate(folder).code == 1
    assert [entry["run_data"]["start_time"][14:16] for entry in new(folder)] == ["02"]
    assert [(r["line"], [x["rule"] for x in r["reasons"]]) for r in rejects(folder)] == [
        (1, ["schema"]), (3, ["duplicate-run"]),
    ]  # fmt: skip


def test_a_run_of_another_log_of_the_kind_is_taken(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / NEW).write_bytes(lines(a_run("planning_a_20251101")))
    write(folder, an_old("planning_a_20251101", 2))
    assert migrate(folder).code == 1
    assert "already used on line 1 of sub/training_log.jsonl" in rejects(folder)[0]["reasons"][0]["message"]


def test_a_run_and_its_end_are_both_migrated(folder: Path) -> None:
    run = {"status": "running", "final_metrics": None, "best_val_accuracy": None}
    write(folder, an_old(**run), an_old(minute=3))
    assert migrate(folder).code == 0
    assert [entry["run_data"]["status"] for entry in new(folder)] == ["running", "completed"]


def test_a_severity_of_the_team_decides_what_is_rejected(folder: Path) -> None:
    missed = an_old(
        best_val_accuracy=0.3, final_metrics={**a_run()["run_data"]["final_metrics"], "accuracy": 0.3}
    )
    write(folder, missed)
    assert migrate(folder, "--dry-run").code == 0
    (folder / "nsm-gate.yaml").write_text("severity: {criterion-missed: error}\n")
    assert migrate(folder, "--dry-run").code == 1


# --- conversions --------------------------------------------------------------------------------------


def converted(folder: Path, field: str, value: Any, target: str = "run_data.architecture.x") -> Any:
    """Return what a field makes of a value, or the reason why it makes nothing."""
    write(folder, {**an_old(), "v": value}, mapping=f"{WHOLE}  {target}: {field}\n")
    result = migrate(folder, "-v")
    assert result.code in (0, 1), result.err
    if result.code:
        (reject,) = rejects(folder)
        os.unlink(folder / REJECTS)
        (reason,) = reject["reasons"]
        return reason["message"]
    found: Any = new(folder)[0]
    os.unlink(folder / NEW)
    for step in target.split("."):
        found = found.get(step, ...)
    return found


@pytest.mark.parametrize(
    ("steps", "value", "wanted"),
    [
        ("number", "0.61", 0.61), ("number", " 12 ", 12), ("number", "1e-4", 1e-4), ("number", 3, 3), ("number", "-.5", -0.5),
        ("number", True, "true is not a number"), ("number", "1,5", "'1,5' is not a number"),
        ("number", "nan", "'nan' is not a number"), ("number", "1_000", "'1_000' is not a number"),
        ("number", "1e400", "'1e400' is not a number"), ("number", [1], "a list of 1 item is not a number"),
        ("integer", "10.0", 10), ("integer", 7.0, 7), ("integer", "7.5", "'7.5' is not a whole number"),
        ("boolean", "Yes", True), ("boolean", 0, False), ("boolean", "on", "'on' is neither true nor false"),
        ("boolean", True, True), ("boolean", 0.5, "0.5 is neither true nor false"),
        ("string", 0.5, "0.5"), ("string", True, "true"), ("string", "a", "a"),
        ("string", {"a": 1}, "an object of 1 member is not a single value"),
        ("lower", "ÄB", "äb"), ("lower", 3, "3 is not a string, which lower takes"), ("strip", "  a b ", "a b"),
        ('{split: ","}', "a, b,,c", ["a", "b", "", "c"]), ("{join: _}", ["a", 1, True], "a_1_true"),
        ("{join: _}", ["a", None], "part 2 of what is joined is missing"), ("{join: _}", "a", "'a' is not a list, which join takes"),
        ("{item: -1}", [1, 2], 2), ("{item: 2}", [1, 2], "a list of 2 items has no item 2"),
        ("{lookup: {a: 1, b: [x]}}", "b", ["x"]), ('{lookup: {"1": one}}', 1, "one"), ("{lookup: {a: null}}", "a", None),
        ("{lookup: {alpha: 1}}", "alpa", "'alpa' is not in the lookup table"),
        ("[{split: /}, {item: 1}, lower, {lookup: {b: c}}]", "A/B", "c"),
        ("day", "2025-11-01T23:59:00+02:00", "20251101"), ("day", "2025-11-01", "20251101"), ("day", "2025-02-30", "'2025-02-30' is no date of ISO 8601"),
        ("[number, string]", None, None),
    ],
)  # fmt: skip
def test_a_step_converts_or_says_why_not(folder: Path, steps: str, value: Any, wanted: Any) -> None:
    got = converted(folder, f"{{from: v, convert: {steps}}}", value)
    fault = isinstance(wanted, str) and isinstance(got, str) and got != wanted
    assert (
        (got == f"run_data.architecture.x: {wanted}")
        if fault
        else (got == wanted and type(got) is type(wanted))
    )


@pytest.mark.parametrize(
    ("zone", "value", "wanted"),
    [
        ("UTC", "2025-11-01 08:00:00", "2025-11-01T08:00:00Z"),
        ("utc", "2025-11-01T08:00:00.125000", "2025-11-01T08:00:00.125000Z"),
        ('"+02:00"', "2025-11-01 08:00", "2025-11-01T06:00:00Z"),
        ('"-03:30"', "2025-11-01T22:00:00,5", "2025-11-02T01:30:00.5Z"),
        ('"+02:00"', "2025-11-01T08:00:00Z", "2025-11-01T08:00:00Z"),
        ('"+02:00"', "2025-11-01 08:00:00 UTC", "2025-11-01T08:00:00Z"),
        ('"+02:00"', "2025-11-01T08:00:00-0500", "2025-11-01T13:00:00Z"),
        ("Europe/Berlin", "2025-07-01 08:00:00", "2025-07-01T06:00:00Z"),
        ("Europe/Berlin", "2025-12-01 08:00:00", "2025-12-01T07:00:00Z"),
        ("Europe/Berlin", "2025-10-26 02:30:00", "came twice when the clocks of Europe/Berlin were put back"),
        ("Europe/Berlin", "2025-03-30 02:30:00", "was skipped when the clocks of Europe/Berlin were put forward"),
        ("UTC", "2025-11-01", "2025-11-01T00:00:00Z"),
        ("UTC", 1761984000, "2025-11-01T08:00:00Z"), ("Europe/Berlin", 1761984000.5, "2025-11-01T08:00:00.500000Z"),
        ("UTC", 1761984000000, "is no time in seconds since 1970"), ("UTC", True, "is not a string"),
        ("UTC", "01.11.2025", "is no time of ISO 8601"), ("UTC", "2025-02-30", "no such date or time"),
        ("UTC", "0001-01-01T00:00:00+05:00", "no such date or time"), ('"+14:00"', "0001-01-01", "no such date or time"),
        ('{zone: "+01:00", format: "%d.%m.%Y %H:%M"}', "01.11.2025 09:00", "2025-11-01T08:00:00Z"),
        ('{zone: UTC, format: "%d.%m.%Y"}', "1/11/2025", "is not written like %d.%m.%Y"),
        ('{zone: UTC, format: "%Y%d%d"}', "20250101", "is not written like %Y%d%d"),
        ('{zone: UTC, format: "%Y-%m-%dT%H:%M:%S%z"}', "2025-11-01T10:00:00+0200", "2025-11-01T08:00:00Z"),
    ],
)  # fmt: skip
def test_a_time_becomes_an_instant_in_utc_or_a_reason(
    folder: Path, zone: str, value: Any, wanted: str
) -> None:
    got = converted(folder, f"{{from: v, convert: {{time: {zone}}}}}", value)
    assert got == wanted if wanted.endswith("Z") else wanted in got


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("v", 1, 1), ("v.a", {"a": {"b": 2}}, {"b": 2}), ("v.a.b", {"a": {"b": 2}}, 2), ("v.1", [5, 6], 6),
        ("v.loss", [{"loss": 1}, {"loss": 2}], [1, 2]), ("v.val/loss x", {"val/loss x": 3}, 3),
        ("v.a.b", {"a.b": 1, "a": {"b": 2}}, 1),
        ("{from: [v.b, v.a], optional: true}", {"a": 1}, 1), ("{from: [v.b, v.a], default: 3}", {"a": None, "b": None}, 3),
        ("{from: v, default: 0.5}", None, 0.5), ("{from: v, default: {a: [1]}}", None, {"a": [1]}), ("{from: v}", None, None),
        ("{value: [1, {a: null}]}", 0, [1, {"a": None}]), ("{value: null}", 0, None),
        ("{all: [v, {value: x}, {from: v, convert: string}]}", 7, [7, "x", "7"]),
        ("{expr: v / 100}", 61, 0.61), ("{expr: v * 2}", 3, 6), ("{expr: v.a + v.b}", {"a": 2000, "b": 429}, 2429),
        ("{expr: v > 1}", 2, True), ("{expr: max(v)}", [1, 5, 2], 5), ('{expr: "v == \'x\'"}', "x", True),
        ("{expr: v.loss}", [{"loss": 0.5}, {"loss": 0.25}], [0.5, 0.25]), ("{expr: v / 0, default: 9}", 1, 9),
        ("{from: v, rename: {lr: learning_rate}, without: [gpu]}", {"lr": 1, "gpu": "a", "x": 2}, {"learning_rate": 1, "x": 2}),
        ("{from: v, rename: {a: b}}", [{"a": 1}, {"a": 2}], [{"b": 1}, {"b": 2}]),
        ("{from: v, rename: {a: b}}", {"a": 1, "b": 2}, "run_data.architecture.x: two members would be called 'b'"),
        ("{from: v, without: [a]}", 3, "run_data.architecture.x: it is no object, whose members could be renamed or left out"),
        ("{from: v, convert: number}", None, None),
    ],
)  # fmt: skip
def test_a_value_comes_from_where_the_field_says(folder: Path, field: str, value: Any, wanted: Any) -> None:
    assert converted(folder, field, value) == wanted


def test_what_is_absent_stays_absent_and_an_expression_that_lacks_a_value_gives_none(folder: Path) -> None:
    fields = "  run_data.architecture.a: v\n  run_data.architecture.b: {expr: v + 1}\n"
    write(folder, {**an_old(), "v": 1}, an_old("planning_b_20251101", 1), mapping=WHOLE + fields)
    migrate(folder)
    assert [entry["run_data"].get("architecture") for entry in new(folder)] == [{"a": 1, "b": 2}, None]


def test_the_time_of_the_migration_stands_for_one_that_is_missing(folder: Path) -> None:
    mapping = WHOLE.replace("timestamp: when", "timestamp: {from: when, now: true}")
    late = an_old("planning_b_20251101", 1)
    del late["when"]
    write(folder, an_old(), late, mapping=mapping)
    assert migrate(folder).code == 0
    assert [entry["timestamp"] for entry in new(folder)] == [
        an_old()["when"],
        NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ]
    write(folder, late, mapping=WHOLE.replace("timestamp: when", "timestamp: {now: true}"))
    (folder / NEW).unlink()
    assert migrate(folder).code == 0


def test_members_can_be_set_in_an_object_that_is_taken_over_whole(folder: Path) -> None:
    write(folder, an_old(), mapping="to: training_log\nfields:\n  run_data.hyperparameters.seed: {value: 7}\n"
          "  run_data: run\n  run_data.architecture.passes: {value: 1}\n  timestamp: when\n")  # fmt: skip
    assert migrate(folder).code == 0
    (entry,) = new(folder)
    assert entry["run_data"]["hyperparameters"] == {**a_run()["run_data"]["hyperparameters"], "seed": 7}
    assert entry["run_data"]["architecture"] == {"passes": 1}
    assert list(entry) == ["timestamp", "run_data"]
    assert list(entry["run_data"])[:3] == ["run_id", "domain", "status"]
    write(folder, an_old(hyperparameters=3), mapping=WHOLE + "  run_data.hyperparameters.seed: {value: 7}\n")
    (folder / NEW).unlink()
    assert migrate(folder).code == 1
    assert rejects(folder)[0]["reasons"][0]["message"].endswith(
        "run_data.hyperparameters is no object to put 'seed' in"
    )


def test_texts_that_stand_for_null_are_null_wherever_they_are(folder: Path) -> None:
    mapping = WHOLE + "  run_data.architecture.x: {from: v.a, default: 5}\nnulls: [NA, '']\n"
    write(folder, {**an_old(error_message="NA"), "v": {"a": ""}}, mapping=mapping)
    assert migrate(folder).code == 0
    (entry,) = new(folder)
    assert (entry["run_data"]["error_message"], entry["run_data"]["architecture"]["x"]) == (None, 5)


def test_where_leaves_out_what_is_false_and_rejects_what_is_unknown(folder: Path) -> None:
    old = [
        {**an_old(f"planning_n{n}_20251101", n), "kind": kind}
        for n, kind in enumerate(["run", "debug", None])
    ]
    write(folder, *old, mapping=WHOLE + "where: kind == 'run'\n")
    result = migrate(folder)
    assert (result.code, len(new(folder))) == (1, 1)
    assert "left out by where: 1\n" in result.out
    (reject,) = rejects(folder)
    assert reject["reasons"][0]["message"] == "where is neither true nor false: kind is missing"


# --- files of other forms -----------------------------------------------------------------------------


def test_a_line_that_cannot_be_read_is_rejected_as_it_stands(folder: Path) -> None:
    rows = [
        b"{broken",
        b"\xff\xfe",
        b'{"when": NaN}',
        b"[1]",
        b'{"a": 1, "a": 2}',
        json.dumps(an_old()).encode(),
    ]
    (folder / OLD).write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(rows) + b"\r\n\n")
    result = migrate(folder)
    assert (result.code, len(new(folder))) == (1, 1)
    assert "migrated: 1 of 6 entries" in result.out
    assert [(r["line"], r["original"]) for r in rejects(folder)] == [
        (1, "{broken"), (2, "\\xff\\xfe"), (3, '{"when": NaN}'), (4, "[1]"), (5, '{"a": 1, "a": 2}'),
    ]  # fmt: skip
    assert [r["reasons"][0]["rule"] for r in rejects(folder)] == ["invalid-json"] * 4 + ["duplicate-member"]


def test_nan_is_null_where_the_mapping_says_so(folder: Path) -> None:
    raw = json.dumps(an_old(best_val_loss=float("nan"), findings="NaN was seen in the loss of one epoch."))
    (folder / OLD).write_text(raw + "\n")
    (folder / MAP).write_text(WHOLE + "nan_is_null: true\n")
    assert migrate(folder).code == 0
    assert new(folder)[0]["run_data"]["best_val_loss"] is None
    assert new(folder)[0]["run_data"]["findings"].startswith("NaN was")


def test_nan_beside_a_byte_that_is_no_text_is_rejected_and_not_a_bug(folder: Path) -> None:
    (folder / OLD).write_bytes(b'{"when": NaN, "by": "\xff"}\n' + json.dumps(an_old()).encode() + b"\n")
    (folder / MAP).write_text(WHOLE + "nan_is_null: true\n")
    assert (migrate(folder).code, len(new(folder))) == (1, 1)
    (reject,) = rejects(folder)
    assert (reject["line"], reject["reasons"][0]["rule"]) == (1, "invalid-json")


def test_a_json_array_is_read_item_by_item(folder: Path) -> None:
    (folder / OLD).write_text(json.dumps([an_old(), 3, an_old("planning_b_20251101", 1, status=1)], indent=2))
    assert migrate(folder).code == 1
    assert (len(new(folder)), [r["line"] for r in rejects(folder)]) == (1, [2, 3])
    (folder / MAP).write_text(WHOLE + "from: jsonl\n")
    (folder / NEW).unlink()
    migrate(folder)
    assert not (folder / NEW).exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [("[1, 2", "not JSON"), ('{"a": 1}', "holds no JSON array"), ('[{"a": 1, "a": 2}]', "not JSON")],
)
def test_a_json_file_that_is_no_array_is_refused(folder: Path, data: str, said: str) -> None:
    (folder / OLD).write_text(data)
    (folder / MAP).write_text(WHOLE + "from: json\n")
    result = migrate(folder)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


CSV = """\
to: baselines
fields:
  branch: {value: main}
  commit: commit
  timestamp: {from: date, convert: {time: UTC}}
  experiment: Experiment
  metrics.accuracy: {from: val acc, convert: number}
  metrics.balance_delta: {from: balance, convert: number}
  metrics.cycle_loss: {from: cycle, convert: number}
  config.variant: Experiment
  config.epochs: {from: epochs, convert: integer}
  config.batch_size: {value: 64}
  config.learning_rate: {value: 0.0001}
  config.cycle_weight: {value: 0.01}
  config.pool_ratio: {value: 0.5}
  config.dropout: {value: 0.1}
  notes: notes
"""


def test_a_csv_file_is_read_by_its_header(folder: Path) -> None:
    (folder / MAP).write_text(CSV)
    rows = [
        "commit,date,Experiment,val acc,balance,cycle,epochs,notes",
        'b77f986,2025-10-20,3level_fusion,0.5126,0.2,,10,"Two lines,\nwith ""quotes"" in them."',
        "b77f986,2025-10-20,broken,much,0.2,1,10,Not a number in the second column.",
        "b77f986,2025-10-20,too,0.5,0.2,1,10,Too many cells in this one.,and more",
        "",
        "b77f986,2025-10-21,6level_full,0.53,0.4,1.5,20,The first one with six levels.",
    ]
    (folder / "old.csv").write_bytes("\ufeff".encode() + "\r\n".join(rows).encode())
    result = migrate(folder, old="old.csv", new="baselines.jsonl")
    assert result.err == ""
    first, second = new(folder, "baselines.jsonl")
    assert (first["notes"], first["metrics"]) == (
        'Two lines,\nwith "quotes" in them.', {"accuracy": 0.5126, "balance_delta": 0.2, "cycle_loss": None},
    )  # fmt: skip
    assert (second["timestamp"], second["config"]["epochs"]) == ("2025-10-21T00:00:00Z", 20)
    found = rejects(folder, "baselines.rejects.jsonl")
    assert [(r["line"], r["original"]) for r in found] == [(4, rows[2]), (5, rows[3])]
    assert found[1]["reasons"][0]["message"] == "the row has 9 cells, the header has 8"


def test_cells_may_be_separated_otherwise(folder: Path) -> None:
    (folder / MAP).write_text(CSV + 'from: csv\ndelimiter: ";"\n')
    row = "commit;date;Experiment;val acc;balance;cycle;epochs;notes\nb77f986;2025-10-20;x;0.5;0.2;;10;A note that is long enough.\n"
    (folder / OLD).write_text(row)
    assert migrate(folder, new="baselines.jsonl").code == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,,c\n1,2,3\n", "old.csv:1: column 2 has no name"),
        (b"a,b, a\n1,2,3\n", "old.csv:1: two columns are called 'a'"),
        (b'a,b\n1,"2\n', "not CSV"),
        (b"a,b\n1,\xff\n", "old.csv:2: the file is not UTF-8"),
        (b"a,b\n1," + b"x" * 140_000 + b"\n", "not CSV"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_refused(folder: Path, data: bytes, said: str) -> None:
    (folder / "old.csv").write_bytes(data)
    result = migrate(folder, old="old.csv")
    assert (result.code, result.out) == (2, "")
    assert said in result.err


# --- mistakes of a mapping ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("to: trainin_log\nfields: {timestamp: when}\n", [":1:5: no log kind is called 'trainin_log'\n  did you mean 'training_log'?"]),
        ("fields: {timestamp: when}\n", [":1:1: to is absent"]),
        ("to: training_log\n", [":1:1: fields is absent"]),
        ("to: training_log\nfields: {}\n", [":2:9: fields is empty"]),
        ("to: training_log\nfeilds: {}\nfields: {timestamp: when}\n", [":2:1: the entry has no member 'feilds'\n  did you mean 'fields'?"]),
        (WHOLE + "  run_data.fidings: notes\n", [":5:3: training_log has no 'run_data.fidings'\n  did you mean 'run_data.findings'?"]),
        (WHOLE + "  run_data.hyperparameters.learningrate: lr\n",
         [":5:3: training_log has no 'run_data.hyperparameters.learningrate'\n  did you mean 'run_data.hyperparameters.learning_rate'?"]),
        (WHOLE + "  extra: x\n", [":5:3: training_log has no 'extra'\n  leave it out, or add it to the schema"]),
        (WHOLE + "  run_data..x: x\n", [":5:3: 'run_data..x' is no path"]),
        (WHOLE + "  run_data.pid: {from: a, value: 1}\n", [":5:27: from and value both say where the value comes from"]),
        (WHOLE + "  run_data.pid: {default: 1}\n", [":5:17: nothing says where the value comes from"]),
        (WHOLE + "  run_data.pid: {form: a}\n", [":5:18: fields.run_data.pid has no member 'form'\n  did you mean 'from'?"]),
        (WHOLE + "  run_data.pid: {from: a, convert: numbr}\n", [":5:36: no step is called 'numbr'\n  did you mean 'number'?"]),
        (WHOLE + "  run_data.pid: {from: a, convert: lookup}\n", [":5:36: lookup takes a mapping"]),
        (WHOLE + "  run_data.pid: {from: a, convert: {lower: 1}}\n", ["has no member 'lower'"]),
        (WHOLE + "  run_data.pid: {from: a, convert: {time: Berlin}}\n", [":5:43: 'Berlin' is no time zone"]),
        (WHOLE + "  run_data.pid: {from: a, convert: {time: {zone: UTC, format: '%d.%m. %%Y'}}}\n", ["the format '%d.%m. %%Y' says no year"]),
        (WHOLE + '  run_data.pid: {from: a, convert: {time: "+25:00"}}\n', ["'+25:00' is no time zone"]),
        (WHOLE + "  run_data.pid: {expr: 'a +'}\n", [":5:28: a value is expected, the end found"]),
        (WHOLE + "  run_data.pid: {expr: standard_error(a) > 1}\n", ["an old entry has no count of examples behind a rate"]),
        (WHOLE + "where: a = 1\n", [":5:10: '=' is not expected here\n  compare with =="]),
        (WHOLE + "delimiter: ';'\n", [":5:12: delimiter is for CSV"]),
        (WHOLE + "  timestamp: when\n", [":5:3: key 'timestamp' is already set on line 3"]),
        ("[1]\n", [":1:1: the file is not a mapping"]),
        ("a: [\n", ["not YAML"]),
        ("a: &x 1\n", ["anchors and aliases are not allowed"]),
        ("", [":1:1: to is absent"]),
        (WHOLE + "  run_data.fidings: a\n  run_data.pidd: {convert: numbr}\n", ["'run_data.fidings'", "'run_data.pidd'", "nothing says", ]),
    ],
)  # fmt: skip
def test_mistakes_of_a_mapping_are_told_at_once_with_their_places(
    folder: Path, mapping: str, said: list[str]
) -> None:
    write(folder, an_old(), mapping=mapping)
    result = migrate(folder)
    assert (result.code, result.out) == (2, "")
    for text in said:
        assert text in result.err, result.err
    assert not (folder / NEW).exists()


def test_members_that_no_old_entry_has_are_mistakes_with_a_suggestion(folder: Path) -> None:
    fields = (
        "  run_data.pid: {from: proces_id}\n  run_data.findings: {from: [run.findings, note.text]}\n"
        "  run_data.best_val_loss: {expr: run.best_val_los * 2}\n  run_data.log_path: {from: nowhere, optional: true}\n"
    )
    old = {**an_old(), "process_id": 7, "notes": {"text": "x"}}
    write(folder, old, mapping=WHOLE + fields + "where: run.statuss == 'completed'\n")
    result = migrate(folder)
    assert (result.code, result.out) == (2, "")
    assert [row for row in result.err.split("\n") if row.startswith("nsm-gate: error: ")] == [
        "nsm-gate: error: map.yaml:9:8: no entry of the old file has 'run.statuss'",
        "nsm-gate: error: map.yaml:5:24: no entry of the old file has 'proces_id'",
        "nsm-gate: error: map.yaml:6:44: no entry of the old file has 'note.text'",
        "nsm-gate: error: map.yaml:7:34: no entry of the old file has 'run.best_val_los'",
    ]
    assert "did you mean 'process_id'?" in result.err
    assert "did you mean 'notes.text'?" in result.err


def test_a_member_that_one_entry_has_is_no_mistake(folder: Path) -> None:
    write(
        folder,
        an_old(),
        {**an_old("planning_b_20251101", 1), "extra": 5},
        mapping=WHOLE + "  run_data.pid: extra\n",
    )
    assert migrate(folder).code == 0
    assert [entry["run_data"].get("pid") for entry in new(folder)] == [None, 5]


def test_what_is_not_taken_over_is_told(folder: Path) -> None:
    old = {**an_old(), "gpu": {"name": "a100", "count": 2}, "tags": ["x"], "host": [{"ip": 1}]}
    write(folder, old, {**an_old("planning_b_20251101", 1), "tags": []})
    out = migrate(folder).out
    assert "not taken over, in so many entries: tags (2), gpu.count (1), gpu.name (1), host.ip (1)\n" in out


def test_a_metric_of_a_domain_of_the_team_is_a_known_target(folder: Path) -> None:
    (folder / "nsm-gate.yaml").write_text("rules: [rules]\n")
    (folder / "rules").mkdir()
    (folder / "rules/maps.yaml").write_text(
        'domain: maps\nmetrics: [route_iou]\ncriteria: {route_iou: ">= 0.5"}\n'
    )
    write(folder, {**an_old(domain="maps"), "iou": 0.5}, mapping=WHOLE + "  run_data.route_iou: iou\n")
    assert "has no" not in migrate(folder, "--dry-run").err


def test_the_schema_of_mappings_accepts_what_the_reader_accepts(folder: Path) -> None:
    valid = jsonschema.Draft202012Validator(SCHEMA)
    fields = (
        WHOLE
        + "  run_data.pid: {all: [a, {expr: b}], convert: [lower, {time: {zone: UTC, format: '%Y'}}], default: 1}\n"
    )
    for text in (WHOLE, CSV, fields):
        assert valid.is_valid(yaml.safe_load(text)), list(valid.iter_errors(yaml.safe_load(text)))
    words = SCHEMA["$defs"]["step"]["properties"]
    assert set(words) == {name for name, sort in STEPS.items() if sort.takes}


# --- files --------------------------------------------------------------------------------------------


def test_a_log_that_is_there_is_not_replaced(folder: Path) -> None:
    (folder / NEW).write_bytes(b"precious\n")
    write(folder, an_old())
    result = migrate(folder)
    assert (result.code, (folder / NEW).read_bytes()) == (2, b"precious\n")
    assert (
        f"{NEW}: is there already, and is not replaced\n  name a new log, or add to this one with --append"
        in result.err
    )


def test_append_adds_behind_and_a_second_run_adds_only_what_was_rejected(folder: Path) -> None:
    before = lines(a_run("planning_first_20251101"))
    (folder / NEW).write_bytes(before)
    (folder / NEW).chmod(0o640)
    write(folder, an_old("planning_a_20251101", 1), an_old("planning_b_20251101", 2, findings="TODO"))
    assert migrate(folder, "--append").code == 1
    one = (folder / NEW).read_bytes()
    assert one.startswith(before)
    assert (len(new(folder)), (folder / NEW).stat().st_mode & 0o777) == (2, 0o640)
    write(folder, an_old("planning_a_20251101", 1), an_old("planning_b_20251101", 2))
    result = migrate(folder, "--append")
    assert result.code == 0
    assert "migrated: 1 of 2 entries" in result.out
    assert "already there: 1\n" in result.out
    assert (folder / NEW).read_bytes().startswith(one)
    assert not (folder / REJECTS).exists()
    assert migrate(folder, "--append").code == 0
    assert len(new(folder)) == 3


def test_append_makes_a_log_that_is_not_there_and_fills_an_empty_one(folder: Path) -> None:
    write(folder, an_old())
    assert migrate(folder, "--append").code == 0
    (folder / NEW).write_bytes(b"")
    assert migrate(folder, "--append").code == 0
    assert len(new(folder)) == 1


def test_rejects_of_another_file_or_anything_else_are_not_overwritten(folder: Path) -> None:
    write(folder, an_old(findings="TODO"))
    for data in (b"notes\n", b'{"file": "other.jsonl", "line": 1, "reasons": [], "original": ""}\n', b""):
        (folder / REJECTS).write_bytes(data)
        result = migrate(folder)
        assert (result.code, (folder / REJECTS).read_bytes()) == (2, data)
        assert (
            f"{REJECTS}: it is there already, and holds no rejects of old.jsonl\n  give another place with --rejects"
            in result.err
        )
    result = migrate(folder, "--rejects", "mine.txt")
    assert (result.code, len(rejects(folder, "mine.txt"))) == (1, 1)
    assert migrate(folder, "--rejects", "mine.txt").code == 1


def test_a_trial_judges_and_writes_nothing(folder: Path) -> None:
    write(folder, an_old(), an_old("planning_b_20251101", 1, findings="TODO"))
    before = sorted(os.listdir(folder))
    result = migrate(folder, "--dry-run")
    assert result.code == 1
    assert "would be migrated: 1 of 2 entries" in result.out
    assert "with reasons in" not in result.out
    assert sorted(os.listdir(folder)) == before


def test_an_empty_file_and_one_without_a_readable_entry_give_an_honest_result(folder: Path) -> None:
    (folder / OLD).write_bytes(b"\n\n")
    result = migrate(folder)
    assert (result.code, result.out) == (0, "migrated: 0 of 0 entries of old.jsonl into training_log.jsonl\n")
    (folder / OLD).write_bytes(b"{\n")
    assert migrate(folder).code == 1
    assert not (folder / NEW).exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("gone.jsonl", NEW, "--map", MAP), "gone.jsonl: cannot be read: No such file or directory"),
        ((OLD, NEW, "--map", "gone.yaml"), "gone.yaml: cannot be read: No such file or directory"),
        ((".", NEW, "--map", MAP), ".: is a folder"),
        ((OLD, "gone/training_log.jsonl", "--map", MAP), "its folder does not exist\n  create the folder first"),
        ((OLD, "folder", "--map", MAP, "--append"), "folder: is a folder or a device, not a log"),
        ((OLD, "link", "--map", MAP, "--append"), "link: is a symbolic link, not a log"),
        ((OLD, "link", "--map", MAP), "link: is there already, and is not replaced"),
        ((OLD, "baselines.jsonl", "--map", MAP), "is a log of baselines, and the mapping makes entries of training_log"),
        ((OLD, NEW, "--map", MAP, "--rejects", "gone/x"), "gone/x: its folder does not exist"),
        ((OLD, NEW, "--map", MAP, "--rejects", NEW), "the rejects would be"),
        ((OLD, NEW, "--map", MAP, "--rejects", "baselines.jsonl"), "the rejects would be a log of baselines"),
        ((OLD, "plain.jsonl", "--map", MAP, "--rejects", "plain.jsonl"), "the rejects would be the new log itself"),
        ((OLD, OLD, "--map", MAP, "--append"), "a log cannot be migrated into itself"),
        ((OLD, "torn.jsonl", "--map", MAP, "--append"), "torn.jsonl: no newline ends its last line"),
        ((OLD, NEW), "the following arguments are required: --map"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_exit_2_and_writes_nothing(
    folder: Path, args: tuple[str, ...], said: str
) -> None:
    write(folder, an_old())
    (folder / "folder").mkdir()
    (folder / "link").symlink_to(OLD)
    (folder / "torn.jsonl").write_bytes(b'{"a": 1}')
    before = {
        name: (folder / name).read_bytes() for name in sorted(os.listdir(folder)) if (folder / name).is_file()
    }
    result = gate("migrate", *args, cwd=folder)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    after = {
        name: (folder / name).read_bytes() for name in sorted(os.listdir(folder)) if (folder / name).is_file()
    }
    assert after == before


def test_a_log_that_no_kind_claims_may_be_written_to_be_looked_at(folder: Path) -> None:
    write(folder, an_old())
    assert migrate(folder, new="staging.jsonl").code == 0
    assert len(new(folder, "staging.jsonl")) == 1


def test_it_works_in_a_folder_of_a_repository(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("experiments/x", "")
    repo.commit()
    write(repo.path / "experiments", an_old(), mapping=WHOLE)
    result = migrate(repo.path / "experiments", env=repo.env)
    assert (result.code, result.err) == (0, "")
    assert repo.check().rules() == []


def test_a_log_that_is_changed_or_locked_meanwhile_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / NEW).write_bytes(lines(a_run("planning_first_20251101")))
    write(folder, an_old("planning_a_20251101", 1))
    with open(folder / NEW, "rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        locked = migrate(folder, "--append", "--lock-timeout", "0.2")
    assert (locked.code, len(new(folder))) == (2, 1)
    assert "another program has held its lock" in locked.err
    real = rewriting._content

    def later(handle: int) -> bytes:
        with open(folder / NEW, "ab") as writer:
            writer.write(b'{"later": 1}\n')
        return real(handle)

    monkeypatch.setattr(rewriting, "_content", later)
    changed = migrate(folder, "--append")
    assert (changed.code, len(new(folder))) == (2, 2)
    assert "it was changed meanwhile\n  run the command again" in changed.err


def many(folder: Path) -> int:
    count = 60
    write(folder, *(an_old(f"planning_n{n}_20251101", n) for n in range(count)))
    return count


def test_kills_at_random_moments_leave_no_half_log(folder: Path) -> None:
    count = many(folder)
    pick = random.Random(5)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nsm_gate", "migrate", OLD, NEW, "--map", MAP]
    began = time.monotonic()
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    whole = time.monotonic() - began
    for _ in range(10):
        (folder / NEW).unlink(missing_ok=True)
        running = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(pick.uniform(0.4, 1.1) * whole)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        assert not (folder / NEW).exists() or len(new(folder)) == count


@pytest.mark.parametrize("append", [False, True])
def test_a_full_disk_leaves_what_was_there(folder: Path, append: bool) -> None:
    many(folder)
    before = lines(a_run("planning_first_20251101"))
    if append:
        (folder / NEW).write_bytes(before)
    script = """\
import io, os, resource, signal, sys
import nsm_gate.commands.migration as migration
from nsm_gate.cli import main
real = migration._Target.write
def write(self, found):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    return real(self, found)
migration._Target.write = write
sys.exit(main(sys.argv[1:], io.BytesIO(), sys.stdout, sys.stderr, os.environ, os.getcwd()))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    args = ["migrate", OLD, NEW, "--map", MAP, *(["--append"] if append else [])]
    done = subprocess.run(
        [sys.executable, "-c", script, *args], cwd=folder, env=env, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"cannot be written: File too large" in done.stderr
    assert ((folder / NEW).read_bytes() == before) if append else not (folder / NEW).exists()
    assert sorted(os.listdir(folder)) == sorted([MAP, OLD, *([NEW] if append else [])])


# --- hostile and odd ----------------------------------------------------------------------------------


def test_nothing_that_is_printed_acts(folder: Path) -> None:
    evil = "x\n::error::forged##[error]\x1b[31m\u202e"
    write(folder, {**an_old(status=evil), evil: 1}, {**an_old("planning_b_20251101", 2), f"{evil}2": evil})
    for args in ((), ("-v",)):
        result = migrate(folder, *args, "--dry-run")
        assert not any(row.lstrip().startswith("::") for row in result.out.split("\n"))
        assert "##[" not in result.out
        assert "\x1b" not in result.out


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.just("2025-11-01"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abv"), inner, max_size=3),
    max_leaves=8,
)
steps = st.sampled_from(
    ["number", "integer", "boolean", "string", "lower", "strip", "day", "{split: a}", "{join: x}", "{item: 0}",
     "{lookup: {a: b}}", "{time: UTC}", "{time: {zone: Europe/Berlin, format: '%Y'}}"]
)  # fmt: skip


@given(
    st.lists(st.fixed_dictionaries({"v": values}), min_size=1, max_size=4),
    st.lists(steps, min_size=1, max_size=3),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_entry_is_migrated_or_rejected_whatever_it_holds(
    folder: Path, old: list[dict[str, Any]], chosen: list[str]
) -> None:
    old = [{**entry, "n": number} for number, entry in enumerate(old)]
    kind = "log: free\nfiles: ['**/free.jsonl']\nschema: free.schema.json\nkey: [n]\n"
    (folder / "nsm-gate.yaml").write_text("extends: none\nrules: [rules]\n")
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules/free.yaml").write_text(kind)
    (folder / "rules/free.schema.json").write_text(
        '{"type": "object", "properties": {"n": {}, "x": {}, "y": {}}}'
    )
    write(
        folder,
        *old,
        mapping=f"to: free\nfields: {{n: n, y: v, x: {{from: v, convert: [{', '.join(chosen)}]}}}}\n",
    )
    result = migrate(folder, new="free.jsonl")
    assert result.code in (0, 1), result.err
    done = new(folder, "free.jsonl") if (folder / "free.jsonl").exists() else []
    left = rejects(folder, "free.rejects.jsonl") if (folder / "free.rejects.jsonl").exists() else []
    assert len(done) + len(left) == len(old)
    assert [json.loads(reject["original"]) for reject in left] == [old[reject["line"] - 1] for reject in left]
    kept = [entry for number, entry in enumerate(old, 1) if number not in {reject["line"] for reject in left}]
    assert [entry["y"] for entry in done] == [entry["v"] for entry in kept]
    for name in ("free.jsonl", "free.rejects.jsonl"):
        (folder / name).unlink(missing_ok=True)

"""The fail-closed matrix: kinds of rules x what can go wrong with what they read or where they judge.

Never a pass, never exit 0: a finding that names rule and line, or an error and exit 2. Where a value may be as it
is, the table says why, and that is held, too. The tables are in `tests/fail_closed/`; a rule, a function, a part
of the language or a form of criterion without a row in them fails a test here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nsm_gate import expressions, functions
from nsm_gate.checks import BY_ID
from nsm_gate.checks.check import EntryCheck, LineCheck, VerdictCheck
from nsm_gate.render import FORMATS
from tests.fail_closed import criteria, values
from tests.fail_closed.criteria import FORMS, FUNCTIONS, MET, MISSED, NODES, NONE, UNKNOWN
from tests.fail_closed.faults import Ended, Faults, Job, hidden
from tests.fail_closed.values import COLUMNS, MISSING, NAN, NULL, OPEN, ROWS, WRONG, Fine
from tests.support import ROOT, Repo, Result, check, environment, gate, lines
from tests.test_cases import FOLDERS, copy, expected

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

LOG = "training_log.jsonl"
MANY = 2100
"""Lines that are judged in parts, by as many processes as are asked for."""
STRICT = {rule: "error" for rule in BY_ID if rule != "not-preregistered"}
OTHERWISE: dict[str, str] = {
    "history-rewritten": "reads lines as bytes: their values are spoilt below, in lines that are logged",
    "inserted-line": "likewise",
    "not-a-log": "reads which members there are: what is none of an entry is spoilt below",
    "invalid-json": "reads the text of a line: it is spoilt below",
    "duplicate-member": "likewise",
    "blank-line": "likewise",
    "line-ending": "likewise",
    "rules-changed": "reads the configuration, whose values are spoilt below",
    "waiver-expired": "likewise",
    "waiver-unused": "likewise",
    "schema-evolution": "reads the schema, which is spoilt below",
    "not-preregistered": "reads when a run began, and git: spoilt below",
}
"""Checks that read no values of the entry they judge."""


@pytest.fixture(scope="module")
def faults() -> Iterator[Faults]:
    """Return what runs commands with faults in them."""
    server = Faults()
    yield server
    server.close()


def every(rows: dict[str, Sequence[Any]]) -> Iterator[tuple[str, Any]]:
    """Yield name and row."""
    for name, found in rows.items():
        for row in found:
            yield name, row


# --- the matrix is whole ----------------------------------------------------------------------------


def test_every_check_has_a_row() -> None:
    assert sorted([*ROWS, *OTHERWISE]) == sorted(BY_ID)


def test_every_function_part_of_an_expression_and_form_of_criterion_has_a_row() -> None:
    assert set(FUNCTIONS) == set(functions.FUNCTIONS)
    assert set(NODES) == {node.__name__ for node in expressions.Node.__subclasses__()}
    schema = json.loads((ROOT / "schemas" / "rules.schema.json").read_text())
    assert set(FORMS) - {"a short text"} == set(schema["$defs"]["criterion"]["properties"]) - {"use"}
    assert set(NONE) == set(
        schema["$defs"]["references"]["additionalProperties"]["properties"]["none"]["enum"]
    )


def errors(result: Result) -> set[tuple[str, int]]:
    """Return rule and line of every error."""
    return {(f["rule"], f["line"]) for f in result.findings if f["severity"] == "error"}


# --- values that checks read ------------------------------------------------------------------------


def laid(folder: Path, *runs: Any, **config: Any) -> Path:
    (folder / "nsm-gate.yaml").write_text(json.dumps({"severity": STRICT, **config}))
    (folder / LOG).write_bytes(lines(*runs))
    return folder


CELLS = [
    pytest.param(row, column, id=f"{check}, {row.place} {column}")
    for check, row in every(ROWS)  # type: ignore[arg-type]
    for column in COLUMNS
]


@pytest.mark.parametrize("row, column", CELLS)
def test_a_value_that_no_check_can_read_is_reported(row: values.Row, column: str, tmp_path: Path) -> None:
    result = check("--all", cwd=laid(tmp_path, values.spaced(0), row.entry(column)))
    rule = row.reported(column)
    if isinstance(rule, Fine):
        assert (result.code, result.findings, bool(rule.why)) == (0, [], True)
    else:
        assert result.code == 1
        assert {(f["rule"], f["line"]) for f in result.findings} == {(rule, 2)}


def test_among_many_lines_every_such_value_is_reported(tmp_path: Path, faults: Faults) -> None:
    cells = [(row, column) for _, row in every(ROWS) for column in COLUMNS]  # type: ignore[arg-type]
    step = MANY // len(cells)
    runs = [values.spaced(number) for number in range(MANY)]
    wanted = set()
    for at, (row, column) in enumerate(cells):
        number = at * step + step - 1
        runs[number] = row.entry(column, number)
        rule = row.reported(column)
        if not isinstance(rule, Fine):
            wanted.add((rule, number + 1))
    laid(tmp_path, *runs)
    done = faults.run([listing(tmp_path, "--jobs", jobs) for jobs in ("1", "2")])
    assert [(ended.code, ended.err) for ended in done] == [(1, "")] * 2
    assert [listed(ended.out) for ended in done] == [wanted] * 2
    assert len(wanted) > 150


def listing(folder: Path, *args: str) -> Job:
    """Return a check that lists findings alone: of many lines, verdicts take their time to write."""
    command = ("check", "--all", "--output-format", "concise", *args)
    return Job(command, str(folder), env=environment(folder))


def listed(out: str) -> set[tuple[str, int]]:
    """Return rule and line of the findings that are listed."""
    rows = [re.match(r"[^:]+:([0-9]+):[0-9]+: [a-z]+ ([a-z-]+) ", row) for row in out.splitlines()]
    return {(row[2], int(row[1])) for row in rows if row}


def an_open_lab(folder: Path) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "open.yaml").write_text(values.KIND)
    (folder / "rules" / "open.schema.json").write_text(
        '{"type": "object", "properties": {"at": {}, "run": {}}}'
    )
    (folder / "rules" / "plain.yaml").write_text("experiment_type: plain\ndescription: Asks for nothing.\n")
    (folder / "nsm-gate.yaml").write_text(json.dumps({"rules": ["rules"], "severity": STRICT}))


def open_cells() -> Iterator[tuple[str, Any, str | Fine]]:
    for place, (wrong, lacking) in OPEN.items():
        for value in wrong:
            yield place, value, "schema"
        for value in (..., None):
            yield place, value, lacking


def put(entry: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    holder: Any = entry
    *steps, last = place.split(".")
    for step in steps:
        holder = holder[step]
    if value is ...:
        holder.pop(last, None)
    else:
        holder[last] = value
    return entry


@pytest.mark.parametrize("place, value, rule", list(open_cells()))
def test_a_schema_that_asks_for_nothing_lets_nothing_pass_unread(
    place: str, value: Any, rule: str | Fine, tmp_path: Path
) -> None:
    an_open_lab(tmp_path)
    entry = put(values.an_open_run(1), place, value)
    (tmp_path / "open.jsonl").write_bytes(lines(values.an_open_run(0), entry))
    result = check("--all", cwd=tmp_path)
    found = {(f["rule"], f["line"]) for f in result.findings}
    assert (result.code, found) == ((0, set()) if isinstance(rule, Fine) else (1, {(rule, 2)}))


def test_among_many_lines_such_a_schema_lets_nothing_pass_unread(tmp_path: Path, faults: Faults) -> None:
    an_open_lab(tmp_path)
    for count, jobs in ((450, "1"), (MANY, "2")):
        entries = [values.an_open_run(number) for number in range(count)]
        wanted = set()
        for at, (place, value, rule) in enumerate(open_cells()):
            number = 100 + at * 3
            put(entries[number], place, value)
            if not isinstance(rule, Fine):
                wanted.add((rule, number + 1))
        (tmp_path / "open.jsonl").write_bytes(lines(*entries))
        (ended,) = faults.run([listing(tmp_path, "--jobs", jobs)])
        assert (ended.code, ended.err) == (1, "")
        assert listed(ended.out) == wanted


# --- text, history, rules ---------------------------------------------------------------------------

FINE = lines(values.spaced(1))
TEXTS: dict[str, tuple[bytes, str | Fine]] = {
    "no line": (b"\n", "blank-line"),
    "spaces": (b" \t\n", "blank-line"),
    "null": (b"null\n", "invalid-json"),
    "NaN": (b"NaN\n", "invalid-json"),
    "a number": (b"1\n", "invalid-json"),
    "a list": (b"[]\n", "invalid-json"),
    "a null character": (b"\0\n", "invalid-json"),
    "a member twice": (FINE[:1] + b'"run_data": null, ' + FINE[1:], "duplicate-member"),
    "a NaN twice": (b'{"a": NaN, "a": NaN}\n', "invalid-json"),
    "no end": (FINE[:-1], "line-ending"),
    "half a line": (FINE[:200], "invalid-json"),
    "a carriage return": (FINE[:-1] + b"\r\n", "line-ending"),
    "infinity": (FINE.replace(b"0.61", b"1e999"), "invalid-json"),
    "an empty object": (b"{}\n", "schema"),
    "nothing at all": (b"", Fine("there is no second line")),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("before", [1, 450])
def test_a_text_that_is_no_entry_is_reported(name: str, before: int, tmp_path: Path) -> None:
    text, rule = TEXTS[name]
    first = lines(*(values.spaced(number) for number in range(2, 2 + before)))
    (laid(tmp_path) / LOG).write_bytes(first + text.replace(b"_n1_", b"_n1001_"))
    result = gate(*listing(tmp_path, "--ignore", "timestamp-order").args, cwd=tmp_path)
    assert result.code == (0 if isinstance(rule, Fine) else 1)
    assert ((rule, before + 1) in listed(result.out)) is not isinstance(rule, Fine)


@pytest.mark.parametrize("text", [b"{}", b"null", b"NaN", b"[]", b'{"other": 1}', b'{"run_datum": null}'])
def test_a_file_of_nothing_that_is_known_is_no_log(text: bytes, tmp_path: Path) -> None:
    (laid(tmp_path) / LOG).write_bytes(text + b"\n")
    result = check("--all", cwd=tmp_path)
    assert result.code == 1
    assert result.findings[0]["rule"] in ("not-a-log", "invalid-json", "schema")


@pytest.mark.parametrize("count", [3, 450])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_logged_line_whose_value_is_spoilt_is_rewritten_history(
    column: str, count: int, tmp_path: Path
) -> None:
    repo = Repo.init(tmp_path / "r")
    runs = [values.spaced(number) for number in range(count)]
    repo.write(LOG, runs)
    repo.commit()
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    runs[1] = values.Row("final_metrics__cycle_loss", "x", "", "").entry(column, 1)
    repo.write(LOG, [*runs, values.spaced(count)])
    result = repo.check()
    assert result.code == 1
    assert ("history-rewritten", 2) in errors(result)
    assert {line for _, line in errors(result)} == {2}


@pytest.mark.parametrize("count", [3, 450])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_spoilt_line_between_logged_ones_is_inserted_and_judged(
    column: str, count: int, tmp_path: Path
) -> None:
    repo = Repo.init(tmp_path / "r")
    runs = [values.spaced(number) for number in range(count)]
    repo.write(LOG, runs[:1] + runs[2:])
    repo.commit()
    row = values.Row("findings", 1, "missing-findings", "missing-findings")
    runs[1] = row.entry(column, 1)
    repo.write(LOG, runs)
    result = repo.check()
    assert result.code == 1
    # What is no entry is said to be none, wherever it stands.
    inserted = set() if column == NAN else {("inserted-line", 2)}
    assert errors(result) == inserted | {(row.reported(column), 2)}


WAIVER = {
    "rule": "missing-findings",
    "run": "a",
    "owner": "lab",
    "reason": "known since long",
    "expires": "2099-01-01",
}
SETTINGS: dict[str, Any] = {
    **{f"a waiver's {name} is {what}": {"waivers": [{k: v for k, v in {**WAIVER, name: value}.items() if v is not ...}]}
       for name in ("rule", "owner", "reason", "expires")
       for what, value in (("missing", ...), ("null", None), ("of the wrong type", ["x"]), ("no text", 1))},
    **{f"a severity is {what}": {"severity": {"schema": value}}
       for what, value in (("null", None), ("NaN", float("nan")), ("of the wrong type", 1), ("no word", "of"))},
    **{f"a limit is {what}": {"limits": {"seconds": value}}
       for what, value in (("null", None), ("NaN", float("nan")), ("of the wrong type", "1"))},
    **{f"the rules are {what}": {"rules": value}
       for what, value in (("null", None), ("missing", ["rules"]), ("of the wrong type", 1))},
    **{f"the pack is {what}": {"extends": value}
       for what, value in (("null", None), ("missing", "nothing_of_this_name"), ("of the wrong type", 1))},
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_cannot_be_read_is_an_error(name: str, tmp_path: Path) -> None:
    laid(tmp_path, values.spaced(0))
    (tmp_path / "nsm-gate.yaml").write_text(json.dumps(SETTINGS[name]).replace("NaN", ".nan"))
    result = check("--all", cwd=tmp_path)
    assert result.code == 2
    assert result.json["error"]["path"] == "nsm-gate.yaml"


SCHEMAS = {"missing": None, "null": "null", "NaN": "NaN", "a list": "[]", "a text": '"x"', "empty": "", "no JSON": "{",
           "with a NaN": '{"minimum": NaN}', "with a wrong type": '{"type": 1}', "elsewhere": '{"$ref": "http://a.example"}'}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_that_cannot_be_read_is_an_error(name: str, tmp_path: Path) -> None:
    an_open_lab(tmp_path)
    place = tmp_path / "rules" / "open.schema.json"
    place.unlink()
    if SCHEMAS[name] is not None:
        place.write_text(str(SCHEMAS[name]))
    (tmp_path / "open.jsonl").write_bytes(lines(values.an_open_run(0)))
    result = check("--all", cwd=tmp_path)
    assert result.code == 2
    assert result.json["error"]["path"] in ("rules/open.yaml", "rules/open.schema.json")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_start_that_cannot_be_read_is_after_no_criterion(column: str, tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "severity: {not-preregistered: error}\nrules: [rules]\n")
    repo.write("rules/more.yaml", "experiment_type: more\ncriteria: {accuracy: '> 0.5'}\n")
    repo.write(LOG, [values.spaced(0)])
    repo.commit()
    row = values.Row(
        "start_time", 1, "not-preregistered", "not-preregistered", start=(("experiment_type", "more"),)
    )
    repo.append(LOG, row.entry(column))
    result = repo.check()
    assert result.code == 1
    assert (row.reported(column), 2) in errors(result)


# --- criteria ---------------------------------------------------------------------------------------


def a_lab(folder: Path, law: Any, *, rates: bool = False, schema: str = "{}") -> Path:
    kind: dict[str, Any] = {
        "log": "mine", "description": "A log kind.", "files": ["**/mine.jsonl"], "schema": "mine.schema.json",
        "key": ["id"], "criteria": law if rates is None else {"x": law},
    }  # fmt: skip
    if rates:
        kind["rates"] = {"x": "n"}
    (folder / "rules").mkdir()
    (folder / "rules" / "mine.yaml").write_text(json.dumps(kind))
    (folder / "rules" / "mine.schema.json").write_text(schema)
    (folder / "nsm-gate.yaml").write_text(
        json.dumps({"extends": "none", "rules": ["rules"], "severity": STRICT})
    )
    return folder


def verdict(folder: Path, entry: dict[str, Any]) -> tuple[Result, str]:
    (folder / "mine.jsonl").write_bytes(lines({"id": "a_20250101", **entry}))
    result = check("--all", cwd=folder)
    assert result.err == ""
    return result, "".join(v["outcome"] for v in result.json["verdicts"])


ALL = [*every(FUNCTIONS), *every(NODES), *every(FORMS)]  # type: ignore[arg-type]
ALL_IDS = [f"{name}: {json.dumps(row.law)}" for name, row in ALL]


@pytest.mark.parametrize("row", [row for _, row in ALL], ids=ALL_IDS)
def test_a_criterion_is_met_by_none_but_good_values(row: criteria.Row, tmp_path: Path) -> None:
    a_lab(tmp_path, row.law, rates=row.rates)
    good, outcome = verdict(tmp_path, dict(row.values))
    assert (good.code, outcome) == (0, MET)
    cells = [(name, column) for name in row.values for column in row.columns(name)]
    entries = [row.spoilt(*cell) for cell in cells] + [
        {**row.values, name: float("nan")} for name in row.values
    ]
    (tmp_path / "mine.jsonl").write_bytes(
        lines(*({"id": f"a{number}_20250101", **entry} for number, entry in enumerate(entries)))
    )
    result = check("--all", cwd=tmp_path)
    found = {v["line"]: v["outcome"] for v in result.json["verdicts"]}
    assert {cell: found[line] for line, cell in enumerate(cells, 1)} == {
        cell: row.outcome(*cell) for cell in cells
    }
    told: dict[int, set[str]] = {}
    for finding in result.findings:
        told.setdefault(finding["line"], set()).add(finding["rule"])
    said = {MET: None, UNKNOWN: {"criterion-unknown"}, MISSED: {"criterion-missed"}}
    for line, cell in enumerate(cells, 1):
        # A count is read by a check of its own, too, which reports that it is no number.
        assert told.get(line) in (said[found[line]], {"schema"} if cell == ("n", WRONG) else None), cell
    for line in range(len(cells) + 1, len(entries) + 1):
        assert told[line] == {"invalid-json"}
    assert result.code == 1


@pytest.mark.parametrize("part", range(4))
def test_among_many_lines_a_criterion_is_met_by_none_but_good_values(
    part: int, tmp_path: Path, faults: Faults
) -> None:
    rows = [row for _, row in ALL if not row.rates][part::4]
    laws, good = {}, {}
    for number, row in enumerate(rows):
        text = json.dumps(row.law if not isinstance(row.law, str) else {"assert": row.law})
        laws[f"r{number}"] = json.loads(_moved(text, number, row))
        good[f"r{number}"] = row.values
    a_lab(tmp_path, laws, rates=None)  # type: ignore[arg-type]
    entries: list[dict[str, Any]] = [{"id": f"a{n}_20250101", **good} for n in range(420)]
    wanted = {}
    for number, row in enumerate(rows):
        for name in row.values:
            for column in row.columns(name):
                line = len(wanted) * 2 + 50
                entries[line - 1][f"r{number}"] = row.spoilt(name, column)
                wanted[line] = row.outcome(name, column)
    (tmp_path / "mine.jsonl").write_bytes(lines(*entries))
    rules = {UNKNOWN: "criterion-unknown", MISSED: "criterion-missed"}
    told = {(rules[outcome], line) for line, outcome in wanted.items() if outcome != MET}
    (ended,) = faults.run([listing(tmp_path)])
    assert (ended.code, ended.err) == (1, "")
    assert listed(ended.out) == told


def _moved(law: str, number: int, row: criteria.Row) -> str:
    """Return a law over values that stand in an object of their own; a short test gets its subject."""
    made = re.sub(r"(?<![\w.'])([xyz])(?![\w'])", rf"r{number}.\1", law)
    made = re.sub(r'("(?:assert|then|else)": ")([<>=!]+)', rf"\1r{number}.x \2", made)
    made = re.sub(r'("(?:assert)": ")(\d+) \.\. (\d+)"', rf'\1\2 <= r{number}.x <= \3"', made)
    made = re.sub(
        r'"assert": "(achieved|stable|decreasing|increasing|converged|no_nan)"',
        rf'"assert": "\1(r{number}.x)"',
        made,
    )
    for form, operator in (("above", ">"), ("below", "<"), ("at_least", ">="), ("at_most", "<=")):
        threshold = json.loads(made).get(form)
        if threshold is not None:
            law_ = json.loads(made)
            by = law_.pop("by", None)
            share = (
                ""
                if by is None
                else f" + {by}"
                if not isinstance(by, str)
                else f" + {float(by[:-1]) / 100} * abs({threshold})"
            )
            law_["assert"] = f"r{number}.x {operator} {law_.pop(form)}{share}"
            made = json.dumps(law_)
    return made


def a_referring_lab(folder: Path, none: str, **changes: Any) -> Path:
    reference = {"from": "theirs", "where": "ok == true", "same": ["g"], "pick": "max(x)", "none": none}
    a_lab(folder, "> best.x")
    for name in ("mine", "theirs"):
        kind = json.loads((folder / "rules" / "mine.yaml").read_text())
        kind |= {"log": name, "files": [f"**/{name}.jsonl"], "times": {"logged": "at"}}
        kind |= {"references": {"best": reference}} if name == "mine" else {"criteria": {}}
        (folder / "rules" / f"{name}.yaml").write_text(json.dumps(kind))
    return folder


OURS = {"at": "2025-01-02T00:00:00Z", "x": 2, "g": 1}
THEIRS = {"id": "b_20250101", "at": "2025-01-01T00:00:00Z", "x": 1, "g": 1, "ok": True}


def test_a_reference_that_is_there_is_compared_with(tmp_path: Path) -> None:
    a_referring_lab(tmp_path, UNKNOWN)
    (tmp_path / "theirs.jsonl").write_bytes(lines(THEIRS))
    assert verdict(tmp_path, OURS)[1] == MET
    assert verdict(tmp_path, {**OURS, "x": 1})[1] == MISSED


@pytest.mark.parametrize("none", NONE)
@pytest.mark.parametrize("name", ["x", "g", "ok", "at"])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_reference_whose_value_is_spoilt_is_no_reference(
    name: str, column: str, none: str, tmp_path: Path
) -> None:
    a_referring_lab(tmp_path, none)
    value = {MISSING: ..., NULL: None, NAN: float("nan"), WRONG: {"a": 1}}[column]
    (tmp_path / "theirs.jsonl").write_bytes(lines(put(dict(THEIRS), name, value)))
    result, outcome = verdict(tmp_path, OURS)
    assert outcome == NONE[none][0]
    rules = {(f["rule"], f["path"], f["line"]) for f in result.findings}
    if column == NAN:
        assert ("invalid-json", "theirs.jsonl", 1) in rules
    if outcome != MET or none == "warn":
        assert {("criterion-unknown", "mine.jsonl", 1), ("criterion-missed", "mine.jsonl", 1)} & rules
    assert result.code == bool(rules)


@pytest.mark.parametrize("none", NONE)
@pytest.mark.parametrize("theirs", [(THEIRS,), ()], ids=["a reference", "none"])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_run_whose_value_is_spoilt_meets_nothing_for_want_of_a_reference(
    column: str, theirs: tuple[Any, ...], none: str, tmp_path: Path
) -> None:
    a_referring_lab(tmp_path, none)
    (tmp_path / "theirs.jsonl").write_bytes(lines(*theirs))
    value = {MISSING: ..., NULL: None, NAN: float("nan"), WRONG: {"a": 1}}[column]
    result, outcome = verdict(tmp_path, put(dict(OURS), "x", value))
    assert (result.code, outcome) == (1, "" if column == NAN else UNKNOWN)
    rule = "invalid-json" if column == NAN else "criterion-unknown"
    assert (rule, 1) in result.rules()


# --- faults while a rule judges ---------------------------------------------------------------------

NAMED = {
    "an error": "internal error: ValueError: planted",
    "an error of another kind": "internal error: RuntimeError: planted",
    "a panic": "the judgement broke off",
    "killed": "the judgement was killed by signal 9 (Killed)",
    "crashed": "the judgement was killed by signal 11 (Segmentation fault)",
    "hung": "not judged within 1 second",
    "stopped": "not judged within 1 second",
}
"""What a rule does -> what the error says."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return for each check a folder with something that it reports; a judgement may stand still for a second."""
    made = {}
    for rule in BY_ID:
        case = next(c for c in FOLDERS if c.parent.name == rule and _suits(c, rule))
        root = tmp_path_factory.mktemp(rule) / "r"
        date = "2025-10-15T00:00:00Z"
        repo = Repo(root, environment(root.parent, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date))
        if (case / "base").is_dir():
            Repo.init(root, env=repo.env)
            copy(case / "base", root)
            _hurried(root)
            repo.commit("base")
            for place in root.iterdir():
                if place.name != ".git":
                    shutil.rmtree(place) if place.is_dir() else place.unlink()
        copy(case, root)
        _hurried(root)
        made[rule] = root
    return made


def _suits(case: Path, rule: str) -> bool:
    return not case.name.startswith("clean") and rule in {f["rule"] for f in expected(case)}


def _hurried(root: Path) -> None:
    with open(root / "nsm-gate.yaml", "a", encoding="utf-8") as file:
        file.write("\nlimits: {seconds: 1}\n")


def command(root: Path, *args: str, **options: Any) -> Job:
    """Return a check of a scene, with JSON output."""
    which = () if (root / ".git").exists() else ("--all",)
    env = environment(root.parent, GIT_CEILING_DIRECTORIES=str(root.parent))
    return Job(("check", *which, "--output-format", "json", *args), str(root), env=env, **options)


def refused(ended: Ended, act: str) -> bool:
    """Return whether a run ended with an error that says what happened, and nothing else."""
    try:
        document = json.loads(ended.out)
    except ValueError:
        return False
    said = document.get("error", {}).get("message", "")
    return (
        ended.code == 2 and set(document) == {"error"} and NAMED[act] in said
        and ended.err.startswith("nsm-gate: error: ") and "Traceback" not in ended.err
    )  # fmt: skip


def test_every_scene_is_a_breach_of_its_rule(scenes: dict[str, Path], faults: Faults) -> None:
    done = dict(zip(scenes, faults.run([command(root) for root in scenes.values()]), strict=True))
    assert {rule for rule, ended in done.items() if ended.code not in (0, 1)} == set()
    found = {r: {f["rule"] for f in json.loads(ended.out)["findings"]} for r, ended in done.items()}
    assert {rule for rule in BY_ID if rule not in found[rule]} == set()


@pytest.mark.parametrize("act", NAMED)
def test_a_fault_in_a_check_is_no_pass(act: str, scenes: dict[str, Path], faults: Faults) -> None:
    rules = (
        list(BY_ID) if act not in ("stopped", "crashed") else ["schema", "history-rewritten", "rules-changed"]
    )
    done = faults.run([command(scenes[rule], plant=f"check {rule}", act=act) for rule in rules])
    assert {r: ended for r, ended in zip(rules, done, strict=True) if not refused(ended, act)} == {}


@pytest.mark.parametrize("act", ["an error", "an error of another kind", "killed", "hung"])
def test_a_fault_in_a_worker_is_no_pass(act: str, tmp_path: Path, faults: Faults) -> None:
    rules = [c.id for c in BY_ID.values() if isinstance(c, (LineCheck, EntryCheck, VerdictCheck))]
    if act != "killed":
        rules = ["schema", "missing-findings", "invalid-json", "criterion-missed"]
    run = values.spaced(5)
    # One line is torn, and one lacks most of what a run needs: every check that can be asked is.
    poor = {
        "timestamp": run["timestamp"],
        "run_data": {**run["run_data"], "findings": "", "odd": 1, "best_epoch": 99},
    }
    runs = lines(*(values.spaced(number) for number in range(6, MANY)))
    (laid(tmp_path, limits={"seconds": 1}) / LOG).write_bytes(lines(poor) + b"{\n" + runs)
    jobs = [
        Job((*listing(tmp_path).args[:2], "--output-format", "json", "--jobs", "2"), str(tmp_path),
            plant=f"check {rule}", act=act, env=environment(tmp_path))
        for rule in rules if rule != "not-preregistered" and rule != "duplicate-member"
    ]  # fmt: skip
    wrong = {
        job.plant: ended for job, ended in zip(jobs, faults.run(jobs), strict=True)
        if ended.code != 2 or set(json.loads(ended.out)) != {"error"} or "Traceback" in ended.err
    }  # fmt: skip
    assert wrong == {}


@pytest.mark.parametrize(
    "act", ["a panic", "killed", "crashed", "hung", "an error", "an error of another kind"]
)
@pytest.mark.parametrize("count", [2, MANY])
def test_a_fault_in_the_schema_engine_is_no_pass(
    act: str, count: int, tmp_path: Path, faults: Faults
) -> None:
    runs = [values.spaced(number) for number in range(count)]
    runs[1]["run_data"]["domain"] = 1
    laid(tmp_path, *runs, limits={"seconds": 1})
    jobs = [command(tmp_path, "--jobs", "2", plant="engine flaws", act=act)]
    (ended,) = faults.run(jobs)
    assert ended.code == 2
    assert set(json.loads(ended.out)) == {"error"}


PARTS = [
    # A count is looked up, and nothing is called.
    *((f"function {name}", rows[0]) for name, rows in FUNCTIONS.items() if name != "count"),
    *((f"node {name}", rows[0]) for name, rows in NODES.items()),
]


@pytest.mark.parametrize("act", ["an error", "an error of another kind", "a panic", "killed", "hung"])
def test_a_fault_in_the_rule_language_is_no_pass(act: str, tmp_path: Path, faults: Faults) -> None:
    jobs = []
    for number, (plant, row) in enumerate(PARTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        a_lab(folder, row.law, rates=row.rates)
        place = folder / "nsm-gate.yaml"
        place.write_text(json.dumps({**json.loads(place.read_text()), "limits": {"seconds": 1}}))
        (folder / "mine.jsonl").write_bytes(lines({"id": "a_20250101", **row.values}))
        jobs.append(command(folder, plant=plant, act=act))
    done = faults.run(jobs)
    wrong = {job.plant: ended for job, ended in zip(jobs, done, strict=True) if not refused(ended, act)}
    assert wrong == {}


# --- files that cannot be read ----------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_no_pass(scenes: dict[str, Path], faults: Faults) -> None:
    if not hidden(ROOT):
        pytest.skip("root reads every file, and setpriv is not installed here")
    wrong: dict[str, Any] = {}
    count = 0
    for rule, root in scenes.items():
        files = [p for p in root.rglob("*") if p.is_file() and not p.is_symlink() and ".git" not in p.parts]
        objects = [p for p in root.glob(".git/objects/??/*") if p.is_file()]
        for hide in (*([place] for place in files), objects):
            if not hide:
                continue
            before = [place.stat().st_mode for place in hide]
            for place in hide:
                place.chmod(0)
            (ended,) = faults.run([command(root)])
            for place, mode in zip(hide, before, strict=True):
                place.chmod(mode)
            count += 1
            name = hide[0].relative_to(root).as_posix()
            named = hide is objects or name in ended.out
            if ended.code not in (1, 2) or not named or "Traceback" in ended.err:
                wrong[f"{rule}: {name}"] = ended
    assert wrong == {}
    assert count > 2 * len(BY_ID)


# --- a disk that is full ----------------------------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_breach_that_cannot_be_told_is_no_pass(scenes: dict[str, Path], faults: Faults) -> None:
    done = faults.run([command(root, stdout="/dev/full") for root in scenes.values()])
    wrong = {
        rule: ended for rule, ended in zip(scenes, done, strict=True)
        if (ended.code, ended.err) != (2, "nsm-gate: error: the report cannot be written: No space left on device\n")
    }  # fmt: skip
    assert wrong == {}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "form, count, bad",
    [
        *((form, 2, bad) for form in FORMATS for bad in (False, True)),
        # Of many lines, findings are made while the report is written.
        *((form, 401, True) for form in ("text", "json", "github")),
    ],
)
def test_a_report_that_cannot_be_written_is_no_pass(
    form: str, count: int, bad: bool, tmp_path: Path, faults: Faults
) -> None:
    runs = [values.spaced(number) for number in range(count)]
    if bad:
        runs[-1]["run_data"]["findings"] = "TODO"
    laid(tmp_path, *runs)
    env = environment(tmp_path)
    usual, full, device, file = faults.run([
        Job(("check", "--all", "--output-format", form), str(tmp_path), env=env),
        Job(("check", "--all", "--output-format", form), str(tmp_path), stdout="/dev/full", env=env),
        Job(("check", "--all", "--output-format", f"{form}:/dev/full"), str(tmp_path), env=env),
        Job(("check", "--all", "--output-format", f"{form}:out"), str(tmp_path), largest=1, env=env),
    ])  # fmt: skip
    assert usual.code == bad
    # What prints nothing has lost nothing.
    assert full.code == (2 if usual.out else usual.code)
    assert (device.code, file.code) == ((2, 2) if usual.out else (usual.code,) * 2)
    if usual.out:
        assert "nsm-gate: error: /dev/full: cannot be written: No space left on device" in device.err
        assert "nsm-gate: error: out: cannot be written: File too large" in file.err
        assert len((tmp_path / "out").read_bytes()) <= 1
    assert usual.out or not bad

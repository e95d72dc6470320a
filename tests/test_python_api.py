"""`nsm_gate.check` and `nsm_gate.read_runs`: the results of the commands, for Python programs."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import warnings
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest

import nsm_gate
from nsm_gate import engine
from nsm_gate.render.json import render
from nsm_gate.render.style import Style
from tests.support import ROOT, SHARED, Repo, a_baseline, a_run, check, edited, environment, gate, lines
from tests.test_runs import ENTRIES, LOG, NAMES

EXAMPLE = ROOT / "examples" / "nsm"
REAL = SHARED / "logs"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give this process the environment that the commands of the tests get: no CI, no settings of git."""
    wanted = environment(tmp_path)
    for name in list(os.environ):
        if name not in wanted and name.startswith(
            ("GITHUB_", "GITLAB_", "CI", "PRE_COMMIT", "GIT_", "NSM_GATE", "TF_")
        ):
            monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    place = tmp_path / "lab"
    (place / "experiments").mkdir(parents=True)
    (place / LOG).write_bytes(lines(*ENTRIES))
    return place


def copied(source: Path, target: Path) -> Path:
    """Return a copy of a folder of logs."""
    if not source.is_dir():
        pytest.skip("the project's real logs are not beside this checkout")
    for log in source.rglob("*.jsonl"):
        copy = target / log.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(log.read_bytes())
    return target


def of_command(cwd: Path, *args: str) -> Any:
    said = gate("runs", *args, "--output-format", "json", cwd=cwd)
    assert said.code == 0
    return said.json["runs"]


# --- the package ---------------------------------------------------------------------------------


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import nsm_gate, sys; print(*sorted(m for m in sys.modules if m.startswith('nsm_gate')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["nsm_gate"]


def test_a_check_does_not_import_the_python_api(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("training_log.jsonl", [a_run()])
    repo.git("add", "-A")
    code = (
        "import sys; from nsm_gate.cli import console; code = console(); "
        "print(code, *sorted(m for m in sys.modules if m.startswith('nsm_gate')))"
    )
    # Not through os._exit: the modules are those of the process itself.
    code = f"import os; del os.fork\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "--staged"], cwd=repo.path, env=repo.env, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    result, *modules = done.stdout.splitlines()[-1].split()
    assert result == "0"
    assert "nsm_gate.engine" in modules
    foreign = ("nsm_gate.api", "nsm_gate.queries", "nsm_gate.listing", "nsm_gate.vocabulary", "nsm_gate.flat")
    assert not [module for module in modules if module.startswith(foreign)]


def test_every_name_is_there_and_documented_and_no_other() -> None:
    for name in nsm_gate._API:
        found = getattr(nsm_gate, name)
        assert inspect.getdoc(found), name
        assert name in dir(nsm_gate)
    assert {"check", "read_runs", "Report", "GateError"} <= set(nsm_gate._API)
    with pytest.raises(AttributeError, match="module 'nsm_gate' has no attribute 'reed_runs'"):
        _ = nsm_gate.reed_runs


def test_every_parameter_is_typed_and_documented() -> None:
    for function in (nsm_gate.check, nsm_gate.read_runs):
        doc = inspect.getdoc(function) or ""
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty
        for parameter in signature.parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty
            assert f"    {parameter.name}: " in doc, parameter.name


# --- check ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [EXAMPLE, REAL], ids=["sample", "real"])
def test_check_finds_what_the_command_finds(place: Path, tmp_path: Path) -> None:
    place = copied(place, tmp_path / "p")
    report = nsm_gate.check(all=True, cwd=place)
    said = check("--all", cwd=place)
    assert json.loads(render(report, Style())) == said.json
    assert report.exit_code == said.code
    assert report.verdicts


def test_check_judges_what_is_new_against_a_base(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, [a_run()])
    first = repo.commit()
    repo.append(LOG, edited(a_run("other_20251102", 1), findings="TODO"))
    for asked, options in ((["--base", first], {"base": first}), ([], {}), (["--all"], {"all": True})):
        report = nsm_gate.check(cwd=repo.path, **options)
        assert json.loads(render(report, Style())) == repo.check(*asked).json
        assert [(f.rule, f.line, f.severity) for f in report.findings] == [
            ("missing-findings", 2, nsm_gate.Severity.ERROR)
        ]
    assert report.exit_code == 1
    assert nsm_gate.check(cwd=repo.path, base=first, fail_on="never").exit_code == 0
    assert nsm_gate.check(cwd=repo.path, base=first, ignore=["missing-findings"]).findings == ()
    assert len(nsm_gate.check(cwd=repo.path, base=first, select=["missing-findings"]).findings) == 1
    repo.git("add", "-A")
    assert nsm_gate.check(repo.path / LOG, staged=True, cwd=repo.path).checked == 1
    verdict = nsm_gate.check(all=True, cwd=repo.path).verdicts[0]
    assert (verdict.criterion, verdict.outcome) == ("accuracy", nsm_gate.Outcome.MET)


def test_what_is_said_of_very_many_lines_is_there_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report may make it late: then the repository is closed already."""
    monkeypatch.setattr(engine, "MANY", 50)
    repo = Repo.init(tmp_path / "r")
    repo.write("baselines.jsonl", [a_baseline()])
    repo.commit()
    made = [
        edited(a_run(f"n_{n}_20251101", n % 1000), experiment_type="hyperparam_search") for n in range(100)
    ]
    repo.write(LOG, [*made, edited(a_run("last_20251101"), findings="TODO")])
    report = nsm_gate.check(all=True, cwd=repo.path)
    said = repo.check("--all").json
    assert len(report.verdicts) == len(said["verdicts"]) > 400
    assert json.loads(render(report, Style())) == said
    rows = nsm_gate.read_runs(columns=["line", "verdict.accuracy", "margin.accuracy"], cwd=repo.path)
    given = {v["line"]: v for v in said["verdicts"] if v["criterion"] == "accuracy" and v["path"] == LOG}
    assert len(rows) == 101
    assert all(
        row["verdict.accuracy"] == given[row["line"]]["outcome"] for row in rows if row["line"] in given
    )
    assert sum(row["verdict.accuracy"] is not None for row in rows) == len(given)


def test_check_takes_its_base_from_the_ci_system_unless_it_is_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, [a_run()])
    repo.commit()
    monkeypatch.setenv("NSM_GATE_BASE", "no-such-revision")
    with pytest.raises(nsm_gate.GateError, match="no-such-revision"):
        nsm_gate.check(cwd=repo.path)
    monkeypatch.delenv("NSM_GATE_BASE")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "none.json"))
    assert nsm_gate.check(cwd=repo.path, use_ci=False).exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base": "no-such-revision"}, "no-such-revision"),
        ({"base": "HEAD", "all": True}, "three ways to say what is judged"),
        ({"fail_on": "fatal"}, "no severity is called 'fatal'"),
        ({"rules_from": "tail"}, "no rules are of 'tail'"),
        ({"select": ["no-such-rule"]}, "no rule is called 'no-such-rule'"),
        ({"config": "none.yaml"}, "none.yaml"),
    ],
)
def test_check_raises_one_error_with_a_remedy(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, [a_run()])
    repo.commit()
    with pytest.raises(nsm_gate.GateError) as caught:
        nsm_gate.check(cwd=repo.path, **options)
    assert said in str(caught.value)
    assert caught.value.hint


def test_several_mistakes_are_the_lines_of_one_error(lab: Path) -> None:
    (lab / "nsm-gate.yaml").write_text("rulez: []\nlimits: {line: none}\n")
    with pytest.raises(nsm_gate.GateError) as caught:
        nsm_gate.check(cwd=lab)
    assert len(str(caught.value).splitlines()) == 2
    for folder in (lab / "nowhere", lab / LOG):
        with pytest.raises(nsm_gate.GateError, match="no such folder"):
            nsm_gate.check(cwd=folder)
    with pytest.raises(nsm_gate.GateError, match="no standard input"):
        nsm_gate.check("-", cwd=lab)


# --- read_runs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "args"),
    [
        ({}, []),
        ({"where": "accuracy > 0.55"}, ["--where", "accuracy > 0.55"]),
        ({"where": ["accuracy > 0.55", "balance_delta < 0.15"]}, ["--where", "accuracy > 0.55 and balance_delta < 0.15"]),
        ({"status": "failed"}, ["--status", "failed"]),
        ({"domain": "planning", "experiment_type": "dual_pass_validation"}, ["--domain", "planning", "--type", "dual_pass_validation"]),
        ({"best": "accuracy", "per": ["domain", "status"]}, ["--best", "accuracy", "--per", "domain,status"]),
        ({"last": 1, "per": "hyperparameters.fusion_mode"}, ["--last", "1", "--per", "hyperparameters.fusion_mode"]),
        ({"sort": ["domain", "-accuracy"], "limit": 3}, ["--sort", "domain,-accuracy", "--limit", "3"]),
        ({"columns": ["run", "accuracy", "max(accuracy, 0.6)"]}, ["--columns", "run,accuracy,max(accuracy, 0.6)"]),
        ({"columns": "run,accuracy - 0.5,verdict.accuracy"}, ["--columns", "run,accuracy - 0.5,verdict.accuracy"]),
        ({"all_lines": True}, ["--all-lines"]),
        ({"log": "training_log"}, ["--log", "training_log"]),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("place", [None, EXAMPLE], ids=["lab", "sample"])
def test_read_runs_returns_what_the_command_lists(
    lab: Path, place: Path | None, options: dict[str, Any], args: list[str]
) -> None:
    cwd = place or lab
    assert nsm_gate.read_runs(cwd=cwd, **options) == of_command(cwd, *args)


def test_read_runs_takes_paths_of_either_sort_from_the_folder(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lab)
    whole = nsm_gate.read_runs()
    assert whole == ENTRIES
    for log in (LOG, Path(LOG), lab / LOG, "experiments"):
        assert nsm_gate.read_runs(log) == whole


def test_flat_rows_have_the_same_keys_which_columns_takes(lab: Path) -> None:
    rows = nsm_gate.read_runs(flat=True, cwd=lab)
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert [row["run_id"] for row in rows] == NAMES
    assert rows[4]["final_metrics.accuracy"] is None
    named = nsm_gate.read_runs(columns=list(rows[0]), cwd=lab)
    # An object without members is a value of its own only where it is asked for.
    assert rows == [{**row, "dataset_config.domain_params": None} for row in named]


def test_flat_names_are_names_of_the_rule_language_whatever_members_are_called(lab: Path) -> None:
    odd = edited(
        a_run(), **{"final_metrics__val/loss": 0.5, "entry__host name": "a", "entry__run_data__0th": 1}
    )
    (lab / LOG).write_bytes(lines(odd))
    (row,) = nsm_gate.read_runs(flat=True, cwd=lab)
    named = {'final_metrics["val/loss"]': 0.5, 'entry["host name"]': "a", 'entry.run_data["0th"]': 1}
    assert named.items() <= row.items()
    assert nsm_gate.read_runs(columns=list(named), cwd=lab) == [named]


def test_torn_lines_are_left_out_with_a_warning(lab: Path) -> None:
    with open(lab / LOG, "ab") as log:
        log.write(b'{"timestamp": "2025-11-0')
    with pytest.warns(nsm_gate.LinesLeftOut, match="1 line left out that holds no entry, line 6") as caught:
        assert nsm_gate.read_runs(cwd=lab) == ENTRIES
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nsm_gate.LinesLeftOut)
        assert len(nsm_gate.read_runs(cwd=lab)) == 5


def test_an_empty_log_has_no_runs(lab: Path) -> None:
    (lab / LOG).write_bytes(b"")
    assert nsm_gate.read_runs(cwd=lab) == nsm_gate.read_runs(flat=True, cwd=lab) == []


@pytest.mark.parametrize(
    ("options", "said", "hint"),
    [
        ({"where": "acuracy > 0.5"}, "no run has 'acuracy'", "did you mean 'accuracy'?"),
        ({"where": "accuracy >"}, "a value is expected, the end found", ""),
        ({"columns": ["run", "acuracy"]}, "no run has 'acuracy'", "did you mean 'accuracy'?"),
        ({"sort": "-acuracy"}, "no run has 'acuracy'", "did you mean 'accuracy'?"),
        ({"status": "fialed"}, "no run has the status 'fialed'", "did you mean 'failed'?"),
        ({"last": 0}, "asks for nothing", "give a number from 1 on"),
        ({"flat": True, "columns": "run"}, "columns are flat already", "leave flat out"),
    ],
)
def test_read_runs_refuses_a_slip_with_a_remedy(
    lab: Path, options: dict[str, Any], said: str, hint: str
) -> None:
    with pytest.raises(nsm_gate.GateError, match=None) as caught:
        nsm_gate.read_runs(cwd=lab, **options)
    assert said in str(caught.value)
    assert caught.value.hint == hint


def test_a_log_that_is_not_there_is_an_error(lab: Path) -> None:
    with pytest.raises(nsm_gate.GateError, match=r"nowhere\.jsonl: no such file"):
        nsm_gate.read_runs("nowhere.jsonl", cwd=lab)
    with pytest.raises(nsm_gate.GateError, match="no standard input"):
        nsm_gate.read_runs("-", cwd=lab)


# --- pandas and polars, the real ones ------------------------------------------------------------


def test_pandas_takes_what_it_is_given(lab: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        nsm_gate.read_runs(columns=["run", "accuracy", "hyperparameters.use_dual_pass"], cwd=lab)
    )
    assert list(frame.columns) == ["run", "accuracy", "hyperparameters.use_dual_pass"]
    assert frame["accuracy"].dtype == "float64"
    assert frame["accuracy"].max() == 0.625
    assert frame.loc[frame["accuracy"].idxmax(), "run"] == NAMES[2]
    assert int(frame["accuracy"].isna().sum()) == 1
    normal = pandas.json_normalize(nsm_gate.read_runs(cwd=lab))
    assert list(normal["run_data.final_metrics.accuracy"][:4]) == [0.61, 0.52, 0.625, 0.58]
    flat = pandas.DataFrame(nsm_gate.read_runs(flat=True, cwd=lab))
    assert len(flat) == 5
    means = flat.groupby("hyperparameters.fusion_mode")["final_metrics.accuracy"].mean()
    assert means.to_dict() == pytest.approx({"equal": 0.55, "learned": 0.625})
    times = pandas.to_datetime(flat["entry.timestamp"])
    assert times.iloc[-1] == pandas.Timestamp("2025-11-05", tz=timezone.utc)


def test_pandas_reads_what_the_command_writes(lab: Path) -> None:
    pandas = pytest.importorskip("pandas")
    outputs = [part for name in ("jsonl", "csv") for part in ("--output-format", f"{name}:runs.{name}")]
    assert gate("runs", *outputs, cwd=lab).code == 0
    entries = pandas.read_json(lab / "runs.jsonl", lines=True)
    assert [run["run_id"] for run in entries["run_data"]] == NAMES
    table = pandas.read_csv(lab / "runs.csv")
    flat = nsm_gate.read_runs(flat=True, cwd=lab)
    assert list(table.columns) == list(flat[0])
    assert list(table["final_metrics.accuracy"][:4]) == [row["final_metrics.accuracy"] for row in flat[:4]]


def test_pandas_takes_findings_and_verdicts(lab: Path) -> None:
    pandas = pytest.importorskip("pandas")
    report = nsm_gate.check(all=True, cwd=lab)
    frame = pandas.DataFrame(report.verdicts)
    missed = frame[frame["outcome"] == "missed"]
    assert set(frame["outcome"]) == {"met", "missed", "unknown", "not-applicable"}
    assert list(missed["run"]) == [NAMES[1]]
    assert list(pandas.DataFrame(report.findings)["rule"]) == [finding.rule for finding in report.findings]


def test_polars_takes_what_it_is_given(lab: Path) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(nsm_gate.read_runs(columns=["run", "accuracy"], cwd=lab))
    assert frame.schema == {"run": polars.String, "accuracy": polars.Float64}
    assert frame.filter(polars.col("accuracy") > 0.6)["run"].to_list() == [NAMES[0], NAMES[2]]
    whole = polars.DataFrame(nsm_gate.read_runs(cwd=lab))
    assert whole["run_data"].struct.field("run_id").to_list() == NAMES
    flat = polars.DataFrame(nsm_gate.read_runs(flat=True, cwd=lab), infer_schema_length=None)
    best = flat.group_by("hyperparameters.fusion_mode").agg(polars.col("final_metrics.accuracy").max())
    assert dict(best.drop_nulls().iter_rows()) == {"equal": 0.58, "learned": 0.625}


def test_polars_sees_a_member_that_only_a_late_run_has(lab: Path) -> None:
    polars = pytest.importorskip("polars")
    early = [a_run(f"n_{n}_20251101") for n in range(150)]
    (lab / LOG).write_bytes(lines(*early, edited(a_run("late_20251101"), final_metrics__new=0.5)))
    flat = polars.DataFrame(nsm_gate.read_runs(flat=True, cwd=lab), infer_schema_length=None)
    assert flat["final_metrics.new"].drop_nulls().to_list() == [0.5]


@pytest.mark.parametrize("place", [EXAMPLE, REAL], ids=["sample", "real"])
def test_both_take_the_logs_as_they_are(place: Path, tmp_path: Path) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    place = copied(place, tmp_path / "p")
    for log in ((), ("baselines.jsonl",)):
        for flat in (False, True):
            rows = nsm_gate.read_runs(*log, flat=flat, cwd=place)
            assert len(pandas.DataFrame(rows)) == len(rows) >= 3
            assert len(pandas.json_normalize(rows)) == len(rows)
            assert polars.DataFrame(rows, infer_schema_length=None, strict=False).height == len(rows)

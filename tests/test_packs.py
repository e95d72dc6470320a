"""Packs of installed packages: where they may come from, how they merge, and what they enforce."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from nsm_gate.checks import BY_ID
from nsm_gate.edge.files import WorkTree
from nsm_gate.edge.policies import read_policy
from tests.support import (
    ROOT,
    Repo,
    Result,
    a_baseline,
    a_run,
    check,
    edited,
    environment,
    gate,
    gate_process,
)

CONFIG = "nsm-gate.yaml"
PACK = "nsm-gate-pack.yaml"
LOG = "experiments/training_log.jsonl"
EXTENDS = "extends: my_lab_pack\n"
OWN = EXTENDS + "rules: [rules]\n"

Files = Mapping[str, Any]


class Lab:
    """A repository beside a folder of installed packages."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site = folder / "site"
        self.repo = Repo.init(folder / "r")
        self.repo.write(LOG, [a_run()])
        self.repo.write(CONFIG, EXTENDS)
        self.site.mkdir()
        monkeypatch.setattr(sys, "path", [str(self.site), *sys.path])

    def install(self, files: Files, name: str = "my_lab_pack") -> Path:
        """Install a package: its files, with an __init__.py that must never run."""
        made: dict[str, Any] = {
            "__init__.py": "raise SystemExit('a pack was imported')\n",
            PACK: f"pack: {name}\n",
        }
        for path, data in {**made, **files}.items():
            if data is not ...:
                Repo(self.site).write(f"{name}/{path}", data)
        return self.site / name

    def check(self, files: Files | None = None, *args: str, **options: Any) -> Result:
        for path, data in (files or {}).items():
            self.repo.write(path, data)
        return self.repo.check("--all", *args, **options)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(tmp_path, monkeypatch)


def mistakes(result: Result) -> list[str]:
    """Hold what every refusal owes its reader; return place and fact of each mistake."""
    assert result.code == 2, result.out
    assert "internal error" not in result.err, result.err
    assert "Traceback" not in result.err
    rows = result.err.splitlines()
    found = [row.removeprefix("nsm-gate: error: ") for row in rows if not row.startswith("  ")]
    assert found
    assert set(result.json) == {"error"}
    # Each fact has its remedy.
    assert len(rows) == 2 * len(found), result.err
    return found


def severities(result: Result) -> dict[str, str]:
    assert result.err == ""
    return {f["rule"]: f["severity"] for f in result.findings}


# --- what extends means -------------------------------------------------------------------------------

STRICT = 'experiment_type: domain_exploration\ncriteria:\n  accuracy: "> 0.90"\n  sharp: {assert: final_metrics.task_loss < 9}\n'


def test_a_packs_rules_merge_over_the_bundled_ones_and_the_repositorys_over_both(lab: Lab) -> None:
    lab.install({"rules/types/strict.yaml": STRICT})
    theirs = lab.check()
    assert theirs.outcomes(1) == {
        "accuracy": "missed", "balance_delta": "met", "cycle_loss": "met", "sharp": "met",
        "goal_achievement_rate": "met", "temporal_ordering_acc": "met",
    }  # fmt: skip
    places = {v["criterion"]: v["defined_at"] for v in theirs.json["verdicts"]}
    assert places["accuracy"] == "my_lab_pack:rules/types/strict.yaml:3"
    assert places["cycle_loss"].startswith("nsm:rules/experiment_types/domain_exploration.yaml:")

    mine = 'experiment_type: domain_exploration\ncriteria:\n  accuracy: "> 0.10"\n  mine: {assert: accuracy > 0.99}\n'
    both = lab.check({CONFIG: OWN, "rules/mine.yml": mine})
    found = both.outcomes(1)
    assert (found["accuracy"], found["sharp"], found["cycle_loss"], found["mine"]) == (
        "met",
        "met",
        "met",
        "missed",
    )
    places = {v["criterion"]: v["defined_at"] for v in both.json["verdicts"]}
    assert places["accuracy"] == "rules/mine.yml:3"


def test_replace_in_a_pack_replaces_the_bundled_file_and_in_a_repository_the_packs(lab: Lab) -> None:
    lab.install({"rules/strict.yaml": STRICT + "replace: true\n"})
    assert {"accuracy", "sharp"} <= set(lab.check().outcomes(1))
    assert "cycle_loss" not in lab.check().outcomes(1)
    mine = "experiment_type: domain_exploration\nreplace: true\ncriteria: {alone: {assert: accuracy > 0}}\n"
    found = lab.check({CONFIG: OWN, "rules/mine.yaml": mine}).outcomes(1)
    assert not {"accuracy", "sharp"} & set(found)
    assert found["alone"] == "met"


def test_a_pack_may_build_on_none(lab: Lab) -> None:
    probes = "log: probes\nfiles: ['*.jsonl']\nschema: probes.schema.json\nkey: [id]\n"
    lab.install({
        PACK: "pack: my_lab_pack\nextends: none\n", "rules/p.yaml": probes,
        "schemas/probes.schema.json": '{"required": ["id"]}',
    })  # fmt: skip
    result = lab.check({"a.jsonl": [{"id": "x"}]})
    assert [log["path"] for log in result.json["logs"]] == ["a.jsonl"]


@pytest.mark.parametrize(
    "files",
    [
        {CONFIG: "extends: my-lab-pack\n"},
        {CONFIG: ..., "pyproject.toml": '[tool.nsm-gate]\nextends = "my_lab_pack"\n'},
        {CONFIG: ..., "pyproject.toml": '[project]\nname = "x"\n[tool.nsm-gate]\nextends = "my-lab-pack"\n'},
    ],
)
def test_it_is_named_with_dashes_too_and_in_pyproject(lab: Lab, files: Files) -> None:
    lab.install({PACK: "pack: my-lab-pack\n", "rules/strict.yaml": STRICT})
    if files[CONFIG] is ...:
        (lab.repo.path / CONFIG).unlink()
    result = lab.check({name: data for name, data in files.items() if data is not ...})
    assert result.outcomes(1)["accuracy"] == "missed"


def test_the_policy_says_what_it_is_made_of_and_what_is_enforced(lab: Lab) -> None:
    lab.install({PACK: "pack: my_lab_pack\nenforce: [missing-findings, causal, schema]\n"})
    policy = read_policy(WorkTree(str(lab.repo.path), None), None, BY_ID)
    assert policy.source == "the nsm pack and my_lab_pack and nsm-gate.yaml"
    assert policy.enforced == {"missing-findings", "schema"}
    assert policy.pack == "my_lab_pack"
    lab.repo.write(CONFIG, "extends: nsm\n")
    policy = read_policy(WorkTree(str(lab.repo.path), None), None, BY_ID)
    assert (policy.source, policy.enforced, policy.pack) == (
        "the nsm pack and nsm-gate.yaml",
        frozenset(),
        "",
    )


@pytest.mark.parametrize(
    "config, theirs, mine, severity",
    [
        ("", "", "", "error"),
        ("missing-findings: notice", "", "", "notice"),
        ("", "", "missing-findings: warning", "warning"),
        ("missing-findings: notice", "", "missing-findings: warning", "warning"),
        ("missing-findings: {training_log: notice}", "", "missing-findings: warning", "warning"),
        ("missing-findings: {training_log: {domain_exploration: notice}}", "", "missing-findings: warning", "warning"),
        ("missing-findings: notice", "", "missing-findings: {training_log: warning}", "warning"),
        ("missing-findings: notice", "", "missing-findings: {baselines: warning}", "notice"),
        ("missing-findings: {training_log: notice}", "", "missing-findings: {training_log: {physics_validation: warning}}", "notice"),
        ("", "missing-findings: notice", "", "notice"),
        ("", "missing-findings: notice", "missing-findings: warning", "warning"),
        ("missing-findings: warning", "missing-findings: notice", "", "warning"),
    ],
)  # fmt: skip
def test_the_repositorys_severity_counts_for_all_that_it_covers(
    lab: Lab, config: str, theirs: str, mine: str, severity: str
) -> None:
    lab.install({
        PACK: f"pack: my_lab_pack\nseverity: {{{config}}}\n",
        "rules/log.yaml": f"log: training_log\nseverity: {{{theirs}}}\n",
    })  # fmt: skip
    files = {LOG: [edited(a_run(), findings="")], CONFIG: f"{EXTENDS}severity: {{{mine}}}\n"}
    assert severities(lab.check(files)) == {"missing-findings": severity}


# --- schemas ------------------------------------------------------------------------------------------

PROBES = "log: probes\nfiles: [probes.jsonl]\nschema: probes.schema.json\nkey: [id]\n"


def test_a_log_kind_of_a_pack_never_takes_its_schema_from_the_repository(lab: Lab) -> None:
    lab.install({"rules/p.yaml": PROBES, "schemas/probes.schema.json": '{"required": ["theirs"]}'})
    files = {
        "probes.jsonl": [{"id": "a"}], "schemas/probes.schema.json": "{}", "rules/probes.schema.json": "{}",
        "my_lab_pack:rules/probes.schema.json": "{}",
    }  # fmt: skip
    assert [(f["rule"], f["pointer"]) for f in lab.check(files).findings] == [("schema", "/theirs")]


def test_a_log_kind_of_the_repository_finds_its_schema_beside_it_then_in_the_pack_then_in_the_bundled_one(
    lab: Lab,
) -> None:
    lab.install({
        "schemas/probes.schema.json": '{"required": ["theirs"]}',
        "schemas/baselines.schema.json": '{"required": ["shadowed"]}',
    })  # fmt: skip
    entry = {"id": "a", "timestamp": "2025-11-01T00:00:00Z"}
    log = {"probes.jsonl": [entry], CONFIG: OWN, "rules/p.yaml": PROBES}
    assert [f["pointer"] for f in lab.check(log).findings] == ["/theirs"]
    mine = {"rules/probes.schema.json": '{"required": ["mine"]}'}
    assert [f["pointer"] for f in lab.check(mine).findings] == ["/mine"]
    bundled = {"rules/p.yaml": PROBES.replace("probes.schema", "training_log.schema")}
    # The bundled one is closed, and has no id at its top.
    assert mistakes(lab.check(bundled)) == ["rules/p.yaml:4:7: probes has no 'id'"]
    # What the bundled pack names stays its own, whatever a package ships under that name.
    (lab.repo.path / "probes.jsonl").unlink()
    assert lab.check({"baselines.jsonl": [a_baseline()], "rules/p.yaml": PROBES}).findings == []


@pytest.mark.parametrize(
    "name", ["../probes.schema.json", "/etc/passwd", "sub/probes.schema.json", "none.json"]
)
def test_a_schema_of_a_pack_lies_in_its_folder_of_schemas(lab: Lab, name: str) -> None:
    files = {"probes.schema.json": "{}", "schemas/sub/probes.schema.json": "{}"}
    lab.install({**files, "rules/p.yaml": PROBES.replace("probes.schema.json", name)})
    assert mistakes(lab.check()) == [f"my_lab_pack:rules/p.yaml:3:9: schema {name!r} is not there"]


# --- where a package may come from --------------------------------------------------------------------


def test_a_package_that_is_not_installed_is_named_with_what_to_do(lab: Lab) -> None:
    result = lab.check()
    assert mistakes(result) == ["nsm-gate.yaml:1:10: the package 'my_lab_pack' is not installed"]
    assert "install my_lab_pack beside nsm-gate" in result.err
    assert "additional_dependencies" in result.err


@pytest.mark.parametrize("name, near", [("nms", "nsm"), ("non", "none"), ("None", "none")])
def test_a_slip_of_a_bundled_name_is_suggested(lab: Lab, name: str, near: str) -> None:
    assert f"did you mean {near!r}?" in lab.check({CONFIG: f"extends: {name}\n"}).err


@pytest.mark.parametrize(
    "name", ["my.pack", "../pack", "a/b", "", "1pack", "päck", "-x", "x" * 81, "a b", "\0"]
)
def test_a_name_that_is_no_package_name_is_refused(lab: Lab, name: str) -> None:
    (fact,) = mistakes(lab.check({CONFIG: yaml.safe_dump({"extends": name}, allow_unicode=True)}))
    assert fact.startswith("nsm-gate.yaml:1:10: extends ")


def test_a_package_without_a_pack_is_refused(lab: Lab) -> None:
    folder = lab.install({PACK: ...})
    result = lab.check()
    assert mistakes(result) == [
        f"nsm-gate.yaml:1:10: the package 'my_lab_pack' ships no pack: {folder} has no {PACK}"
    ]
    assert "does its wheel hold the YAML files?" in result.err


@pytest.mark.parametrize("name", ["json", "jsonschema_rs", "nsm-gate"])
def test_a_package_of_something_else_ships_no_pack(lab: Lab, name: str) -> None:
    assert "ships no pack" in mistakes(lab.check({CONFIG: f"extends: {name}\n"}))[0]


@pytest.mark.parametrize("name", ["sys", "zipimport", "nothing_at_all"])
def test_what_is_no_installed_package_is_not_found(lab: Lab, name: str) -> None:
    assert "is" in mistakes(lab.check({CONFIG: f"extends: {name}\n"}))[0]


def test_a_module_is_no_package(lab: Lab) -> None:
    Repo(lab.site).write("my_lab_pack.py", "raise SystemExit\n")
    assert mistakes(lab.check()) == ["nsm-gate.yaml:1:10: 'my_lab_pack' is a module, not a package"]


def test_a_namespace_package_is_refused(lab: Lab) -> None:
    lab.install({"__init__.py": ...})
    assert mistakes(lab.check()) == ["nsm-gate.yaml:1:10: the package 'my_lab_pack' has no __init__.py"]


def test_a_package_in_an_archive_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(lab.site / "pack.zip", "w") as archive:
        archive.writestr("my_lab_pack/__init__.py", "")
        archive.writestr(f"my_lab_pack/{PACK}", "pack: my_lab_pack\n")
    monkeypatch.setattr(sys, "path", [str(lab.site / "pack.zip"), *sys.path])
    assert mistakes(lab.check()) == ["nsm-gate.yaml:1:10: the package 'my_lab_pack' lies in an archive"]


def test_an_editable_install_of_another_checkout_is_found(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Build tools make some of them with a finder of their own instead of a folder on the path.
    folder = lab.install({"rules/strict.yaml": STRICT})
    folder.rename(tmp_path / "checkout")
    spec = importlib.util.spec_from_file_location(
        "my_lab_pack",
        tmp_path / "checkout" / "__init__.py",
        submodule_search_locations=[str(tmp_path / "checkout")],
    )

    class Finder:
        @staticmethod
        def find_spec(name: str, path: Any, target: Any = None) -> Any:
            return spec if name == "my_lab_pack" else None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert lab.check().outcomes(1)["accuracy"] == "missed"
    (tmp_path / "checkout").rename(lab.repo.path / "checkout")
    spec = importlib.util.spec_from_file_location(
        "my_lab_pack", lab.repo.path / "checkout" / "__init__.py", submodule_search_locations=["x"]
    )
    assert "in the repository that is judged" in mistakes(lab.check())[0]


def hijack(repo: Repo, folder: str = "") -> None:
    """Ship a pack in the repository: it asks for nothing."""
    silent = "".join(f"  {rule}: ignore\n" for rule in BY_ID)
    repo.write(f"{folder}my_lab_pack/__init__.py", "raise SystemExit('imported')\n")
    repo.write(f"{folder}my_lab_pack/{PACK}", f"pack: my_lab_pack\nseverity:\n{silent}")


BAD = edited(a_run(), findings="")


def searching(lab: Lab, *places: Path) -> dict[str, str]:
    return {**lab.repo.env, "PYTHONPATH": os.pathsep.join(str(place) for place in (ROOT, *places))}


@pytest.mark.parametrize("folder", ["", "experiments/"])
def test_a_pack_in_the_repository_is_refused_though_python_finds_it_there(lab: Lab, folder: str) -> None:
    lab.repo.write(LOG, [BAD])
    hijack(lab.repo, folder)
    # `python -m` puts the current folder first.
    cwd = lab.repo.path / folder
    result = gate_process("check", "--all", "--output-format", "json", cwd=cwd, env=searching(lab))
    (fact,) = mistakes(result)
    assert fact == (
        f"nsm-gate.yaml:1:10: the package 'my_lab_pack' lies in {cwd.resolve() / 'my_lab_pack'}: "
        "in the repository that is judged, or the current folder"
    )


def test_a_pack_in_the_repository_does_not_stand_in_for_the_installed_one(lab: Lab) -> None:
    lab.install({PACK: "pack: my_lab_pack\nseverity: {missing-findings: notice}\n"})
    lab.repo.write(LOG, [BAD])
    hijack(lab.repo)
    args = ("check", "--all", "--output-format", "json")
    result = gate_process(*args, cwd=lab.repo.path, env=searching(lab, lab.site))
    assert severities(result) == {"missing-findings": "notice"}


@pytest.mark.parametrize("shape", ["package", "module", "namespace", "archive", "link", "path"])
def test_no_shape_of_a_pack_in_the_repository_is_used(
    lab: Lab, shape: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = lab.repo.path
    hijack(lab.repo, "lib/")
    found: Path = root / "lib"
    if shape == "module":
        lab.repo.write("m/my_lab_pack.py", "")
        found = root / "m"
    elif shape == "namespace":
        (found / "my_lab_pack" / "__init__.py").unlink()
    elif shape == "archive":
        found = root / "pack.zip"
        with zipfile.ZipFile(found, "w") as archive:
            archive.writestr("my_lab_pack/__init__.py", "")
    elif shape == "link":
        # A link among the installed packages that leads back into the repository.
        (lab.site / "my_lab_pack").symlink_to(found / "my_lab_pack")
        found = lab.site
    elif shape == "path":
        (tmp_path / "other").symlink_to(found)
        found = tmp_path / "other"
    monkeypatch.setattr(sys, "path", [str(found), *sys.path])
    assert "in the repository that is judged" in mistakes(lab.check())[0]


def test_the_current_folder_is_no_source_outside_of_the_repository_either(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hijack(Repo(tmp_path), "elsewhere/")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "elsewhere"), *sys.path])
    assert lab.check().code == 0
    named = check("--all", str(lab.repo.path), cwd=tmp_path / "elsewhere", env=lab.repo.env)
    assert "or the current folder" in mistakes(named)[0]


def test_the_environment_of_the_interpreter_may_lie_in_the_repository(lab: Lab) -> None:
    # The usual place of a virtual environment. Whoever writes there has changed the gate itself.
    place = lab.repo.path / ".venv"
    venv.create(place, symlinks=True, with_pip=False)
    folder = lab.install({"rules/strict.yaml": STRICT})
    site = sysconfig.get_path(
        "purelib", "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix", {"base": str(place)}
    )
    folder.rename(Path(site) / "my_lab_pack")
    lab.repo.write(".gitignore", ".venv\n")
    hijack(lab.repo)
    env = searching(lab, Path(sysconfig.get_path("purelib")))
    done = subprocess.run(
        [place / "bin" / "python", "-m", "nsm_gate", "check", "--all", "--output-format", "json"],
        cwd=lab.repo.path, env=env, capture_output=True, check=False,
    )  # fmt: skip
    result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert (result.code, result.err) == (0, "")
    assert result.outcomes(1)["accuracy"] == "missed"


def test_a_checkout_among_the_installed_packages_is_the_repository_that_is_judged(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.install({})
    monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(lab.site))
    assert lab.check().code == 0
    lab.install({CONFIG: EXTENDS, LOG: [BAD]})
    checkout = Repo.init(lab.site / "my_lab_pack", env=lab.repo.env)
    assert "in the repository that is judged" in mistakes(checkout.check("--all"))[0]


@pytest.mark.parametrize(
    "name", [PACK, "rules", "rules/types", "rules/strict.yaml", "schemas", "schemas/probes.schema.json"]
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_link_in_a_pack_is_refused(lab: Lab, tmp_path: Path, name: str, inside: bool) -> None:
    folder = lab.install({
        "rules/strict.yaml": STRICT, "rules/types/p.yaml": PROBES, "schemas/probes.schema.json": "{}",
    })  # fmt: skip
    real = (folder / "real") if inside else (lab.repo.path / "real")
    (folder / name).rename(real)
    (folder / name).symlink_to(real)
    (fact,) = mistakes(lab.check())
    shown = "schemas/probes.schema.json" if name == "schemas" else name
    assert fact == f"my_lab_pack:{shown}: it is a link"


def test_a_pipe_or_folder_in_place_of_a_file_is_refused(lab: Lab) -> None:
    folder = lab.install({})
    (folder / "rules").mkdir()
    os.mkfifo(folder / "rules" / "x.yaml")
    assert mistakes(lab.check()) == ["my_lab_pack:rules/x.yaml: it is not a regular file"]
    (folder / PACK).unlink()
    (folder / PACK).mkdir()
    assert mistakes(lab.check()) == [f"my_lab_pack:{PACK}: it is not a regular file"]


@pytest.mark.parametrize("extends, loaded", [("nsm", False), ("none", False), ("my_lab_pack", True)])
def test_what_reads_packages_is_loaded_only_where_one_is_extended(
    lab: Lab, extends: str, loaded: bool
) -> None:
    lab.install({})
    lab.repo.write(CONFIG, f"extends: {extends}\nrules: [rules]\n")
    lab.repo.write("rules/p.yaml", PROBES)
    lab.repo.write("rules/probes.schema.json", "{}")
    asked = (
        "import io, sys, os; from nsm_gate.cli import main; before = set(sys.modules);"
        "code = main(['check', '--all'], io.BytesIO(), io.StringIO(), sys.stderr, os.environ, os.getcwd());"
        "print(code, [m for m in ('pack_packages', 'enforcement', 'violations') if 'nsm_gate.edge.' + m in sys.modules],"
        "'my_lab_pack' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=lab.repo.path, env=searching(lab, lab.site),
        capture_output=True, check=False,
    )  # fmt: skip
    names = ["pack_packages", "enforcement", "violations"] if loaded else []
    assert (done.stdout.decode(), done.stderr.decode()) == (f"0 {names} False\n", "")


# --- mistakes of a pack -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pack, fact, hint",
    [
        ("", "my_lab_pack:nsm-gate-pack.yaml:1:1: pack is absent", "add 'pack'"),
        ("[]\n", "my_lab_pack:nsm-gate-pack.yaml:1:1: the file is not a mapping", ""),
        ("pack: other\n", "1:7: the pack is called 'other', its package 'my_lab_pack'", "write pack: my_lab_pack"),
        ("pack: [\n", "not YAML", ""),
        ("pack: my_lab_pack\nextends: other\n", "2:10: extends is 'other', not one of 'nsm', 'none'", ""),
        ("pack: my_lab_pack\nenforced: []\n", "2:1: ", "did you mean 'enforce'?"),
        ("pack: my_lab_pack\nenforce: schema\n", "2:10: enforce is 'schema', not a list", ""),
        ("pack: my_lab_pack\nseverity: {schema: off}\n", "2:20: severity.schema is 'off'", ""),
        ("pack: my_lab_pack\nseverity: {shema: error}\n", "2:12: no rule is called 'shema'", "did you mean 'schema'?"),
        ("pack: my_lab_pack\nseverity: {schema: {mine: error}}\n", "2:21: no log kind is called 'mine'", ""),
        ("pack: my_lab_pack\nwaivers: []\n", "2:1: ", ""),
        ("pack: my_lab_pack\nexclude: []\n", "2:1: ", ""),
    ],
)  # fmt: skip
def test_a_mistake_of_a_pack_is_told_at_its_place(lab: Lab, pack: str, fact: str, hint: str) -> None:
    lab.install({PACK: pack})
    result = lab.check()
    assert result.code == 2
    assert "internal error" not in result.err
    assert fact in result.err
    assert hint in result.err
    assert result.err.startswith(f"nsm-gate: error: my_lab_pack:{PACK}")


@pytest.mark.parametrize(
    "entry, near",
    [
        ("missing-finding", "missing-findings"),
        ("domain_exploration.acuracy", "domain_exploration.accuracy"),
        ("traning_log", "training_log"),
        ("causall", "causal"),
        ("exclud", "exclude"),
        ("training_log.split-fits", None),
        ("zzz", None),
        ("causal.accuracy", "causal.intervention_accuracy"),
        (".", None),
        ("accuracy", None),
    ],
)
def test_an_unknown_name_in_enforce_is_a_mistake_with_a_suggestion(
    lab: Lab, entry: str, near: str | None
) -> None:
    lab.install({PACK: f"pack: my_lab_pack\nenforce: [schema, {entry}]\n"})
    result = lab.check()
    assert mistakes(result) == [f"my_lab_pack:{PACK}:2:19: the pack knows no {entry!r} to enforce"]
    assert (f"did you mean {near!r}?" if near else "") in result.err


def test_all_mistakes_of_a_pack_are_told_at_once_before_any_of_the_repository(lab: Lab) -> None:
    lab.install({
        PACK: "pack: my_lab_pack\nenforce: [nope]\nseverity: {schem: error}\n",
        "rules/a.yaml": "experiment_type: a\ncriterai: {}\n", "rules/b/c.yml": "nothing: x\n",
    })  # fmt: skip
    found = mistakes(lab.check({CONFIG: EXTENDS + "severity: {nope: error}\n"}))
    assert [fact.split(": ")[0] for fact in found] == [
        "my_lab_pack:rules/a.yaml:2:1", "my_lab_pack:rules/b/c.yml:1:1",
        f"my_lab_pack:{PACK}:3:12", f"my_lab_pack:{PACK}:2:11",
    ]  # fmt: skip


def test_a_criterion_of_a_pack_is_checked_like_one_of_a_repository(lab: Lab) -> None:
    lab.install({"rules/a.yaml": "experiment_type: a\ncriteria:\n  x: final_metrics.acuracy > 1\n"})
    assert mistakes(lab.check())[0].startswith(
        "my_lab_pack:rules/a.yaml:3:6: training_log has no 'final_metrics.acuracy'"
    )


# --- what is enforced ---------------------------------------------------------------------------------


def refusals(lab: Lab, enforce: str, files: Files, pack: Files | None = None) -> list[str]:
    """Return the mistakes of a repository under a pack that enforces, without the pack's name."""
    lab.install({PACK: f"pack: my_lab_pack\nenforce: [{enforce}]\n", **(pack or {})})
    result = lab.check({CONFIG: OWN, "rules/nothing.yaml": "domain: nothing\n", **files})
    return [] if result.code != 2 else mistakes(result)


def test_every_violation_is_told_at_once_with_place_and_remedy(lab: Lab) -> None:
    lab.install(
        {
            PACK: "pack: my_lab_pack\nenforce: [missing-findings, domain_exploration.accuracy, causal, exclude]\n"
        }
    )
    files = {
        CONFIG: OWN + "exclude: [old/**]\nseverity:\n  missing-findings: warning\n  run-id-format: ignore\n"
        "waivers:\n  - {rule: missing-findings, run: x, owner: o, reason: r, expires: 2030-01-01}\n",
        "rules/a.yaml": 'experiment_type: domain_exploration\ncriteria:\n  accuracy: "> 0.1"\n  cycle_loss: "< 9"\n',
        "rules/b.yaml": "domain: causal\nreplace: true\n",
        "rules/c.yaml": "log: training_log\nseverity:\n  missing-findings: ignore\n",
    }
    result = lab.check(files)
    assert mistakes(result) == [
        "nsm-gate.yaml:3:1: logs are excluded, but my_lab_pack enforces 'exclude'",
        "nsm-gate.yaml:5:3: rule 'missing-findings' is lowered to warning, but my_lab_pack enforces error",
        "nsm-gate.yaml:8:12: rule 'missing-findings' is waived, but my_lab_pack enforces it",
        "rules/a.yaml:3:3: criteria.accuracy of domain_exploration is set, but my_lab_pack enforces 'domain_exploration.accuracy'",
        "rules/b.yaml:2:1: causal is replaced, but my_lab_pack enforces 'causal'",
        "rules/c.yaml:3:3: rule 'missing-findings' is lowered to ignore, but my_lab_pack enforces error",
    ]
    assert "remove it: nsm:rules/experiment_types/domain_exploration.yaml:6 holds" in result.err


@pytest.mark.parametrize(
    "pack, own, lowered",
    [
        ("", "missing-findings: warning", True),
        ("", "missing-findings: error", False),
        ("", "missing-findings: {training_log: notice}", True),
        ("", "missing-findings: {training_log: {causal_probe: ignore}}", True),
        ("", "missing-findings: {training_log: {domain_exploration: ignore}}", True),
        ("", "missing-findings: {baselines: error, training_log: error}", False),
        ("missing-findings: notice", "missing-findings: notice", False),
        ("missing-findings: notice", "missing-findings: warning", False),
        ("missing-findings: notice", "missing-findings: ignore", True),
        ("missing-findings: {training_log: notice}", "missing-findings: {training_log: notice}", False),
        ("missing-findings: {training_log: notice}", "missing-findings: {baselines: notice}", True),
        ("missing-findings: {training_log: notice}", "missing-findings: notice", True),
        ("missing-findings: {training_log: {domain_exploration: error}}", "missing-findings: {training_log: warning}", True),
        # Lower elsewhere is not lower here: what is not enforced stays the repository's.
        ("", "run-id-format: ignore", False),
    ],
)  # fmt: skip
def test_an_enforced_rule_is_raised_but_never_lowered_anywhere(
    lab: Lab, pack: str, own: str, lowered: bool
) -> None:
    lab.install({PACK: f"pack: my_lab_pack\nenforce: [missing-findings]\nseverity: {{{pack}}}\n"})
    files = {CONFIG: OWN + f"severity: {{{own}}}\n", "rules/t.yaml": "experiment_type: causal_probe\n"}
    result = lab.check(files)
    assert (result.code == 2) is lowered
    assert not lowered or [" is lowered to " in fact for fact in mistakes(result)] == [True]


def test_a_word_for_all_lowers_what_is_graver_anywhere(lab: Lab) -> None:
    graver = "severity: {run-id-format: {training_log: {domain_exploration: error}}}\n"
    lab.install({PACK: f"pack: my_lab_pack\nenforce: [run-id-format]\n{graver}"})
    for own, lowered in (("warning", True), ("error", False), ("{baselines: warning}", False)):
        assert (lab.check({CONFIG: EXTENDS + f"severity: {{run-id-format: {own}}}\n"}).code == 2) is lowered
    # An error in a log kind of the repository's own, though a warning in both of the pack.
    naive = "severity: {timestamp-naive: warning}\n"
    lab.install(
        {PACK: "pack: my_lab_pack\nenforce: [timestamp-naive]\n", "rules/b.yaml": f"log: baselines\n{naive}"}
    )
    assert len(mistakes(lab.check({CONFIG: EXTENDS + naive}))) == 1


@pytest.mark.parametrize(
    "rule",
    [
        "log: baselines\nseverity: {missing-findings: notice}\n",
        PROBES + "severity: {missing-findings: ignore}\n",
        "log: training_log\nseverity: {missing-findings: error, schema: warning}\n",
    ],
)
def test_a_log_kinds_own_severity_counts_as_lowering_too(lab: Lab, rule: str) -> None:
    found = refusals(lab, "missing-findings", {"rules/x.yaml": rule, "rules/probes.schema.json": "{}"})
    assert len(found) == ("ignore" in rule or "notice" in rule)


def test_the_bundled_packs_own_severities_are_the_floor_where_the_pack_sets_none(lab: Lab) -> None:
    # The nsm pack has timestamp-naive at warning in training_log, elsewhere it is an error.
    lab.install({PACK: "pack: my_lab_pack\nenforce: [timestamp-naive]\n"})
    naive = {LOG: [edited(a_run(), start_time="2025-11-01T00:00:00")]}
    assert severities(
        lab.check({**naive, CONFIG: EXTENDS + "severity: {timestamp-naive: {training_log: warning}}\n"})
    )
    for lower in ("{training_log: notice}", "warning", "{baselines: warning}"):
        assert len(mistakes(lab.check({CONFIG: EXTENDS + f"severity: {{timestamp-naive: {lower}}}\n"}))) == 1


def test_an_enforced_rule_is_reported_whatever_the_command_line_says(lab: Lab) -> None:
    lab.install({PACK: "pack: my_lab_pack\nenforce: [missing-findings]\n"})
    lab.repo.write(LOG, [edited(a_run("run7"), findings="")])
    assert severities(lab.check()) == {"missing-findings": "error", "run-id-format": "warning"}
    assert severities(lab.check({}, "--ignore", "run-id-format")) == {"missing-findings": "error"}
    assert severities(lab.check({}, "--select", "run-id-format")) == severities(lab.check())
    for args in (
        ("--ignore", "missing-findings"),
        ("--ignore=schema,missing-findings", "--select", "schema,not-a-log"),
    ):
        result = lab.check({}, *args)
        assert mistakes(result) == ["rule 'missing-findings' is enforced by my_lab_pack"]
        assert "take it out of --ignore" in result.err
    stdin = (lab.repo.path / LOG).read_bytes()
    piped = ("check", "--output-format", "json", "-", "--select", "schema")
    assert severities(gate(*piped, cwd=lab.repo.path, env=lab.repo.env, stdin=stdin)) == {
        "missing-findings": "error"
    }
    result = gate(*piped, "--ignore", "missing-findings", cwd=lab.repo.path, env=lab.repo.env, stdin=stdin)
    assert mistakes(result) == ["rule 'missing-findings' is enforced by my_lab_pack"]


SINGLE = "single_pass: {from: training_log, pick: max(balance_delta), none: unknown}"

LOWERS = {
    # enforced -> what would bend it
    "domain_exploration.accuracy": [
        "experiment_type: domain_exploration\ncriteria: {accuracy: '> 0'}\n",
        "experiment_type: domain_exploration\nreplace: true\n",
        "experiment_type: domain_exploration\nreferences: {accuracy: {from: training_log, pick: max(accuracy), none: unknown}}\n",
        "log: training_log\nreferences: {accuracy: {from: training_log, pick: max(accuracy), none: unknown}}\n",
        "log: training_log\nnames: {accuracy: [goal_achievement_rate]}\n",
        "log: training_log\nrates: {accuracy: dataset_config.total_size}\n",
        "log: training_log\nstatus: findings\n",
        "log: training_log\nrun: other\n",
        # Values that a schema refuses are unknown to criteria, and a finding of `schema` may be ignored.
        "log: training_log\nschema: mine.schema.json\n",
        "log: training_log\nexperiment_type: findings\n",
        "log: training_log\nreplace: true\nfiles: ['**/training_log.jsonl']\nschema: training_log.schema.json\nkey: [run_data.run_id]\n",
    ],
    "dual_pass_validation.fusion_effectiveness": [
        f"experiment_type: dual_pass_validation\nreferences: {{{SINGLE}}}\n",
        f"log: training_log\nreferences: {{{SINGLE}}}\n",
        "log: training_log\nnames: {balance_delta: [goal_achievement_rate]}\n",
        "log: training_log\nreferences: {hyperparameters: {from: training_log, pick: max(accuracy), none: unknown}}\n",
        # Read by the reference that the criterion compares with.
        "log: training_log\nnames: {domain: [findings]}\n",
        "log: training_log\ntimes: {logged: start_time}\n",
        "log: training_log\nkey: [domain]\n",
    ],
    "hyperparam_search": [
        "experiment_type: hyperparam_search\ncriteria: {convergence: 'convergence > 0'}\n",
        "experiment_type: hyperparam_search\ndescription: Easier.\n",
        "experiment_type: hyperparam_search\nrequires: []\n",
        "experiment_type: hyperparam_search\nreplace: true\n",
        "log: training_log\nreferences: {best_baseline: {from: baselines, pick: min(accuracy), none: unknown}}\n",
        "log: baselines\nnames: {accuracy: [metrics.balance_delta]}\n",
        "log: training_log\nnames: {cycle_weight: [hyperparameters.epochs]}\n",
    ],
    "planning": [
        "domain: planning\nmetrics: []\n",
        "domain: planning\ncriteria: {goal_achievement_rate: '> 0'}\n",
        "domain: planning\nreplace: true\n",
        "experiment_type: domain_exploration\nrequires: []\n",
        "experiment_type: domain_exploration\ncriteria: {domain_metrics: accuracy > 0}\n",
        "log: training_log\ndomain: run_id\n",
        "log: training_log\nnames: {goal_achievement_rate: [final_metrics.accuracy]}\n",
        "experiment_type: mine\nreferences: {goal_achievement_rate: {from: training_log, pick: max(accuracy), none: unknown}}\n",
    ],
    "planning.goal_achievement_rate": ["domain: planning\ncriteria: {goal_achievement_rate: '> 0'}\n"],
    "baselines.accuracy": ["log: baselines\ncriteria: {accuracy: '> 0'}\n", "log: baselines\nreplace: true\n"],
    "baselines": [
        "log: baselines\ncriteria: {accuracy: '> 0'}\n",
        "log: baselines\nfiles: [none.jsonl]\n",
        "log: baselines\nschema: mine.schema.json\n",
        "log: baselines\nassertions: {corrects-its-experiment: {assert: 'true == true', at: corrects, message: x}}\n",
        "log: baselines\nreplace: true\n",
    ],
    "missing-findings": [
        "log: training_log\nfindings: run_id\n",
        "log: training_log\nschema: mine.schema.json\n",
        "log: training_log\nstatus: run_id\n",
        "log: training_log\nreplace: true\nfiles: [x]\n",
    ],
    "missing-hyperparameter": ["log: training_log\nhyperparameters: {at: hyperparameters, required: []}\n"],
    "missing-architecture": ["experiment_type: dual_pass_validation\nrequires: []\n", "log: training_log\narchitecture: x\n"],
    "missing-domain-metric": ["experiment_type: domain_exploration\nrequires: []\n", "domain: planning\nmetrics: [accuracy]\n"],
    "schema": ["log: training_log\nschema: mine.schema.json\n"],
    "duplicate-run": ["log: training_log\nkey: [start_time]\n"],
    "duplicate-record": ["log: training_log\nresults: findings\n", "log: training_log\nconfiguration: [findings]\n"],
    "assertion": [
        "log: training_log\nassertions: {split-fits: {assert: 1 == 1, at: run_id, message: x}}\n",
        "log: training_log\nnames: {best_epoch: [run_id]}\n",
    ],
    "timestamp-future": ["log: training_log\ntimes: {start: x}\n"],
    "impossible-metric": ["log: training_log\nrates: {accuracy: dataset_config.total_size}\n"],
    "exclude": [
        "log: training_log\nfiles: [none.jsonl]\n",
        "log: training_log\nreplace: true\n",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "enforce, rule", [(entry, rule) for entry, rules in LOWERS.items() for rule in rules]
)
def test_nothing_that_an_enforced_thing_says_or_reads_can_be_changed(
    lab: Lab, enforce: str, rule: str
) -> None:
    found = refusals(lab, enforce, {"rules/x.yaml": rule, "rules/mine.schema.json": "{}"})
    held = [fact for fact in found if f"but my_lab_pack enforces {enforce!r}" in fact]
    assert held
    assert all(fact.startswith("rules/x.yaml:") for fact in held)
    # The same is allowed where nothing is enforced.
    lab.install({PACK: "pack: my_lab_pack\n"})
    assert "my_lab_pack" not in lab.check().err


ADDS = {
    "domain_exploration": "experiment_type: domain_exploration\ncriteria: {mine: accuracy > 0.99}\n",
    "domain_exploration.accuracy": "experiment_type: domain_exploration\nreplace: false\ncriteria: {cycle_loss: '< 9'}\n",
    "planning": "domain: planning\ncriteria: {accuracy: '> 0.99'}\n",
    "training_log": "log: training_log\nassertions: {mine: {assert: accuracy > 0.99, at: run_id, message: low}}\n",
    "missing-findings": "log: training_log\nhyperparameters: {at: hyperparameters, required: [epochs, mine]}\n",
    "schema": "log: training_log\nnames: {mine: [goal_achievement_rate]}\nfiles: ['**/*.jsonl']\n",
    "criterion-missed": "experiment_type: domain_exploration\ncriteria: {accuracy: '> 0.99'}\n",
    "history-rewritten": "log: training_log\nfindings: run_id\nkey: [run_id, domain]\n",
    "missing-hyperparameter": "experiment_type: mine\nreferences: {other: {from: training_log, pick: max(accuracy), none: unknown}}\n",
    "exclude": "log: training_log\nschema: training_log.schema.json\n",
    "baselines": "log: training_log\nseverity: {schema: warning}\n",
}


@pytest.mark.parametrize("enforce, rule", ADDS.items())
def test_what_is_not_enforced_stays_the_repositorys(lab: Lab, enforce: str, rule: str) -> None:
    assert refusals(lab, enforce, {"rules/x.yaml": rule}) == []


def test_every_criterion_and_setting_of_the_bundled_files_can_be_held(lab: Lab) -> None:
    # Whatever the files say, now or later: a whole file is held member by member.
    for path in sorted((ROOT / "rules").rglob("*.yaml")):
        said = yaml.safe_load(path.read_bytes())
        kind = next(
            word
            for word in ("log", "experiment_type", "domain")
            if word in said and isinstance(said[word], str)
        )
        lab.install({PACK: f"pack: my_lab_pack\nenforce: [{said[kind]}]\n"})
        changed = {key: value for key, value in said.items() if key not in ("severity", "examples")}
        found = mistakes(lab.check({CONFIG: OWN, "rules/x.yaml": yaml.safe_dump(changed, sort_keys=False)}))
        maps = [key for key in changed if key in ("criteria", "names", "references", "assertions", "rates")]
        expected = {f"{key}.{member}" for key in maps for member in changed[key]} | set(changed) - {
            kind,
            *maps,
        }
        assert {fact.split(": ", 1)[1].split(" of ")[0] for fact in found} == expected


def test_a_whole_log_kind_holds_the_severities_that_its_file_gives(lab: Lab) -> None:
    lab.install({PACK: "pack: my_lab_pack\nenforce: [training_log]\n"})
    for own, lowered in (
        ("timestamp-naive: notice", True),
        ("timestamp-naive: {training_log: notice}", True),
        ("timestamp-naive: {training_log: error}", False),
        ("timestamp-naive: {baselines: notice}", False),
        ("schema: notice", False),
    ):
        result = lab.check({CONFIG: EXTENDS + f"severity: {{{own}}}\n"})
        assert (result.code == 2) is lowered, own
        if lowered:
            assert mistakes(result)[0].endswith(
                "is lowered to notice, but my_lab_pack enforces warning with 'training_log'"
            )


def test_waivers_and_exclusions_of_what_is_not_enforced_stand(lab: Lab) -> None:
    lab.install({PACK: "pack: my_lab_pack\nenforce: [schema, domain_exploration]\n"})
    waiver = "waivers: [{rule: missing-findings, run: planning_plain_20251101, owner: o, reason: r, expires: 2030-01-01}]\n"
    result = lab.check({LOG: [BAD], CONFIG: EXTENDS + waiver + "exclude: [old/**]\n"})
    assert (result.code, [bool(f["waived"]) for f in result.findings]) == (0, [True])
    assert refusals(lab, "exclude", {CONFIG: EXTENDS + "exclude: []\n"}) == []


def test_one_name_of_a_type_and_a_domain_holds_both(lab: Lab) -> None:
    pack = {"rules/t.yaml": "experiment_type: causal\ncriteria: {accuracy: '> 0.5'}\n"}
    files = {
        "rules/a.yaml": "experiment_type: causal\ncriteria: {accuracy: '> 0'}\n",
        "rules/b.yaml": "domain: causal\nmetrics: []\n",
    }
    assert len(refusals(lab, "causal", files, pack)) == 2


def test_names_with_dots_are_told_apart(lab: Lab) -> None:
    pack = {
        "rules/a.yaml": "experiment_type: a\ncriteria: {b.c: accuracy > 0.5, d: accuracy > 0.5}\n",
        "rules/ab.yaml": "experiment_type: a.b\ncriteria: {c: accuracy > 0.5, d: accuracy > 0.5}\n",
    }
    files = {
        "rules/a.yaml": "experiment_type: a\ncriteria: {b.c: accuracy > 0, d: accuracy > 0}\n",
        "rules/ab.yaml": "experiment_type: a.b\ncriteria: {c: accuracy > 0, d: accuracy > 0}\n",
    }
    found = refusals(lab, "a.b.c", files, pack)
    assert [fact.split(": ")[0] for fact in found] == ["rules/a.yaml:2:12", "rules/ab.yaml:2:12"]


def test_the_shipped_hooks_work_under_a_pack_that_enforces(lab: Lab) -> None:
    lab.install(
        {PACK: f"pack: my_lab_pack\nenforce: [{', '.join(BY_ID)}, exclude, training_log, baselines]\n"}
    )
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()):
        result = gate(*hook["entry"].split()[1:], cwd=lab.repo.path, env=lab.repo.env)
        assert (result.code, result.err) == (0, ""), hook["id"]


# --- what the documentation says ----------------------------------------------------------------------

DOCS = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^`([^`\n]+)`\n\n```\w+\n(.*?)```", DOCS, re.DOTALL | re.MULTILINE))


def test_the_documented_pack_builds_installs_and_holds(tmp_path: Path) -> None:
    source, target = Repo(tmp_path / "source"), tmp_path / "target"
    for name, text in BLOCKS.items():
        if name == "pyproject.toml" or name.startswith("my_lab_pack/"):
            source.write(name, text)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
    ]
    hidden = ("PYTHONPATH", "PYTHONWARNINGS")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run([*pip, "--target", target, source.path], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()

    repo = Repo.init(tmp_path / "r")
    repo.write(CONFIG, BLOCKS[CONFIG])
    ablation = edited(
        a_run("run7"), experiment_type="ablation", architecture={"variant": "x", "passes": 1}, findings=""
    )
    repo.write("training_log.jsonl", [ablation])
    repo.write("probes.jsonl", [{"probe": "layer_1", "accuracy": 0.4}, {"accuracy": "high"}])
    env = environment(tmp_path, PYTHONPATH=os.pathsep.join((str(ROOT), str(target))))
    result = gate_process("check", "--all", "--output-format", "json", cwd=repo.path, env=env)
    assert result.err == ""
    found = {(f["path"], f["rule"], f["severity"]) for f in result.findings}
    assert {
        ("training_log.jsonl", "run-id-format", "error"), ("training_log.jsonl", "missing-findings", "error"),
        ("probes.jsonl", "schema", "error"), ("probes.jsonl", "criterion-missed", "warning"),
    } <= found  # fmt: skip
    places = {
        v["criterion"]: v["defined_at"] for v in result.json["verdicts"] if v["path"] == "training_log.jsonl"
    }
    assert places["accuracy"] == "my_lab_pack:rules/ablation.yaml:5"

    repo.write(CONFIG, BLOCKS[CONFIG] + "rules: [rules]\n")
    repo.write("rules/ablation.yaml", BLOCKS["rules/ablation.yaml"])
    (shown,) = re.findall(r"```console\n\$ nsm-gate check --all\n(.*?)```", DOCS, re.DOTALL)
    refused = gate_process("check", "--all", cwd=repo.path, env=env)
    assert (refused.code, refused.err, refused.out) == (2, shown, "")


def test_the_documented_entries_are_all_there_are() -> None:
    said = re.findall(r"^\| [^|]*?`([\w.-]+)`.*\|$", DOCS, re.MULTILINE)
    enforced = yaml.safe_load(BLOCKS[f"my_lab_pack/{PACK}"])["enforce"]
    assert [len(said), len(enforced)] == [4, 4]


def test_an_example_of_a_pack_is_of_a_log_kind_that_a_pack_knows(lab: Lab) -> None:
    """A repository may add a log kind with experiment types: the pack's examples still mean its own."""
    example = {
        "name": "a run",
        "entry": edited(a_run(), experiment_type="lab"),
        "expect": {"accuracy": "met"},
    }
    rules = {"experiment_type": "lab", "criteria": {"accuracy": "> 0.5"}, "examples": [example]}
    lab.install({"rules/lab.yaml": json.dumps(rules)})
    lab.repo.write(CONFIG, OWN)
    lab.repo.write(
        "rules/probes.yaml",
        "log: probes\nfiles: [probes.jsonl]\nschema: probe.json\nkey: [id]\nexperiment_type: sort\n",
    )
    lab.repo.write(
        "rules/probe.json", '{"properties": {"id": {"type": "string"}, "sort": {"type": "string"}}}'
    )
    result = gate("rules", "test", "lab", cwd=lab.repo.path)
    assert (result.code, result.err) == (0, "")
    assert "1 example: 1 passed" in result.out

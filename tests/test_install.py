"""The package installs in every way a user may choose, and judges with its bundled rules in each.

Each way gets a fresh virtual environment and the real dependencies, from wherever pip gets packages here.
Installing through the hook runners is tested in test_hooks.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT, a_run, edited, environment, lines

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def completed(*command: str | Path, cwd: Path, env: dict[str, str]) -> str:
    """Run a command that must succeed; return what it prints."""
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=env, capture_output=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout.decode()


def pip(*args: str | Path) -> None:
    """Run pip with the machine's settings, but nothing that would let it find this checkout."""
    hidden = ("PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    completed(*PIP, *args, cwd=ROOT, env=env)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that pip builds from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sdist of this checkout. pip makes none, so the build backend is asked itself (PEP 517)."""
    tools, folder = tmp_path_factory.mktemp("tools"), tmp_path_factory.mktemp("sdist")
    system = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]
    pip("install", "--target", tools, *system["requires"])
    ask = f"import {system['build-backend']} as backend; backend.build_sdist({str(folder)!r})"
    completed(sys.executable, "-c", ask, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tools)})
    [built] = folder.iterdir()
    return built


def packaged() -> set[str]:
    """Return what belongs into an installation: the package, and the pack's rules and schemas once."""
    places = {"nsm_gate": "nsm_gate", "rules": "nsm_gate/_pack/rules", "schemas": "nsm_gate/_pack/schemas"}
    return {
        f"{inside}/{file.relative_to(ROOT / folder).as_posix()}"
        for folder, inside in places.items()
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_the_wheel_holds_the_typed_package_and_the_pack_once(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    outside = {name for name in names if not name.startswith("nsm_gate-")}
    assert outside == packaged()
    assert len(names) == len(set(names))
    assert "nsm_gate/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_the_sdist_holds_what_it_takes_to_build_and_test(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "tests/support.py"}
    wanted |= {"action.yml", *(f.relative_to(ROOT).as_posix() for f in (ROOT / "action").glob("*.py"))}
    wanted |= {f.relative_to(ROOT).as_posix() for f in (ROOT / "rules").rglob("*.yaml")}
    wanted |= {f.relative_to(ROOT).as_posix() for f in (ROOT / "schemas").glob("*.json")}
    assert wanted <= names


@pytest.mark.parametrize("way", ("wheel", "sdist", "editable"))
def test_an_installation_judges_with_the_bundled_pack(
    way: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    fresh, elsewhere = tmp_path / "fresh", tmp_path / "elsewhere"
    # The test's own pip installs into it: a pip of its own would take longer than all the rest.
    venv.create(fresh, symlinks=True, with_pip=False)
    what = ("--editable", ROOT) if way == "editable" else (request.getfixturevalue(way),)
    pip("--python", fresh, "install", *what)

    scripts = fresh / "bin"
    env = {k: v for k, v in environment(tmp_path).items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    elsewhere.mkdir()
    asked = "import nsm_gate; print(nsm_gate.__path__[0])"
    place = Path(completed(scripts / "python", "-c", asked, cwd=elsewhere, env=env).strip())
    if way == "editable":
        assert place == ROOT / "nsm_gate"
    else:
        files = {f for f in place.rglob("*") if f.is_file() and "__pycache__" not in f.parts}
        assert {f.relative_to(place.parent).as_posix() for f in files} == packaged()
        assert place.is_relative_to(fresh)

    listed = completed(scripts / "nsm-gate", "rules", "list", cwd=elsewhere, env=env)
    assert "history-rewritten  " in listed

    missed = edited(a_run("planning_low_20251101", 1), final_metrics__accuracy=0.435, findings=...)
    (elsewhere / "training_log.jsonl").write_bytes(lines(a_run(), missed))
    checked = subprocess.run(
        [scripts / "nsm-gate", "check", "--all", "--output-format", "json"],
        cwd=elsewhere, env=env, capture_output=True, check=False,
    )  # fmt: skip
    report = json.loads(checked.stdout)
    assert checked.returncode == 1, checked.stderr.decode()
    assert [(f["rule"], f["line"]) for f in report["findings"] if f["severity"] == "error"] == [
        ("missing-findings", 2)
    ]
    outcomes = {(v["line"], v["criterion"]): v["outcome"] for v in report["verdicts"]}
    assert (outcomes[1, "accuracy"], outcomes[2, "accuracy"]) == ("met", "missed")
    assert {v["defined_at"].partition(":")[0] for v in report["verdicts"]} == {"nsm"}

    # The hook stays light: the page of a report needs the extra, its table does not.
    for name, code, said in (("report.html", 2, "nsm-gate[report]"), ("report.md", 0, "2 runs of 1 log")):
        done = subprocess.run(
            [scripts / "nsm-gate", "report", "-o", name],
            cwd=elsewhere, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert said in done.stdout + done.stderr
        assert (elsewhere / name).exists() is (code == 0)


def test_the_extra_brings_what_the_page_of_a_report_needs(wheel: Path, tmp_path: Path) -> None:
    fresh, elsewhere = tmp_path / "fresh", tmp_path / "elsewhere"
    venv.create(fresh, symlinks=True, with_pip=False)
    pip("--python", fresh, "install", f"{wheel}[report]")
    env = {k: v for k, v in environment(tmp_path).items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    elsewhere.mkdir()
    (elsewhere / "training_log.jsonl").write_bytes(lines(a_run()))
    said = completed(fresh / "bin/nsm-gate", "report", "-o", "report.html", cwd=elsewhere, env=env)
    assert said == "wrote report.html: 1 run of 1 log\n"
    assert "planning_plain_20251101" in (elsewhere / "report.html").read_text("utf-8")

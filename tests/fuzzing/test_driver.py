"""The fuzzer itself, on faults that are planted: each is found, made small, saved and found again."""

from __future__ import annotations

import faulthandler
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st

from tests.fuzzing import driver, targets
from tests.fuzzing.targets import Target, seeds_of
from tests.support import ROOT, environment


def planted(check: object, batch: int = 300) -> dict[str, Target]:
    made = Target("planted", lambda _seeds: st.binary(max_size=20), check, batch)  # type: ignore[arg-type]
    return {"planted": made}


@pytest.fixture
def fuzz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> object:
    def run(check: object, *args: str, folder: str = "seeds") -> tuple[int, str, dict[str, bytes]]:
        monkeypatch.setattr(driver, "TARGETS", planted(check))
        code = driver.main(["--seeds", str(tmp_path / folder), *args])
        return code, capfd.readouterr().out, seeds_of("planted", tmp_path / folder)

    return run


def no_z(data: bytes) -> None:
    assert b"z" not in data, "a z"


def test_a_fault_is_found_made_small_and_saved(fuzz: object) -> None:
    code, out, saved = fuzz(no_z, "--rounds", "20")  # type: ignore[operator]
    assert code == 1
    assert list(saved.values()) == [b"z"]
    assert "AssertionError: a z" in out
    (name,) = saved
    assert f"saved as {out.partition('saved as ')[2].split(chr(10))[0]}".endswith(name)
    assert name.startswith("found-")
    # What was saved is tried first, ever after.
    code, out, _ = fuzz(no_z, "--rounds", "0")  # type: ignore[operator]
    assert code == 1
    assert f"the seed {name} breaks the law" in out


def test_without_a_fault_nothing_is_saved(fuzz: object) -> None:
    code, out, saved = fuzz(lambda _data: None, "--rounds", "3", "--seed", "9")  # type: ignore[operator]
    assert (code, saved) == (0, {})
    assert out.startswith("seed 9: tried ")


def test_the_same_seed_makes_the_same_inputs(fuzz: object, tmp_path: Path) -> None:
    def tried(folder: str, seed: str) -> bytes:
        log = tmp_path / folder
        fuzz(
            lambda data: log.open("ab").write(data.hex().encode() + b"\n"),
            "--rounds",
            "2",
            "--seed",
            seed,
            folder=f"s-{folder}",
        )  # type: ignore[operator]
        return log.read_bytes()

    first = tried("one", "3")
    assert first.count(b"\n") > 100
    assert tried("two", "3") == first
    assert tried("three", "4") != first


def test_an_input_that_takes_the_process_down_is_saved(fuzz: object) -> None:
    def dies(data: bytes) -> None:
        if len(data) > 3:
            faulthandler.disable()  # its word on the death of this process would stand among the tests'
            os.abort()

    code, out, saved = fuzz(dies, "--rounds", "9")  # type: ignore[operator]
    assert code == 1
    assert "planted: died of signal 6" in out
    ((name, data),) = saved.items()
    assert name.startswith("died-")
    assert len(data) > 3


def test_an_input_that_never_ends_is_saved(fuzz: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PATIENCE", 1)

    def hangs(data: bytes) -> None:
        if len(data) > 3:
            time.sleep(600)

    code, out, saved = fuzz(hangs, "--rounds", "9")  # type: ignore[operator]
    assert code == 1
    assert "no end within 1 seconds" in out
    assert len(saved) == 1


def test_the_time_ends_it(fuzz: object) -> None:
    code, out, _ = fuzz(lambda _data: None, "--seconds", "0.5")  # type: ignore[operator]
    assert code == 0
    assert int(out.split("tried ")[1].split(" ")[0].replace(",", "")) > 0


def test_the_command_fuzzes_every_target(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzzing.driver", "--rounds", "1", "--seeds", str(tmp_path / "seeds")],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b""), done.stdout
    assert all(f" {name}".encode() in done.stdout for name in targets.TARGETS)


# --- the oracles ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target, data",
    [
        ("lines", b'{"run_data": {"a": NaN}}\n'), ("lines", b'{"run_data": 1}\n'), ("lines", b'{"run_data": {}}'), ("lines", b"\n"),
        ("rules", b"a: &a 1\n"), ("rules", b"experiment_type: 1\n"), ("configuration", b"- a\n"), ("configuration", b"x: 1\n"),
        ("configuration", b"extends: nsm\n"), ("expressions", b"a > 1\n{\"a\": 2}"), ("expressions", b"a + 1\n{\"a\": 2}"),
    ],
)  # fmt: skip
def test_a_gate_that_lets_everything_pass_is_seen(
    target: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each oracle, before a gate that finds nothing and an evaluator that knows nothing."""
    document = {"findings": [], "logs": [{"lines": data.count(b"\n") or 1}]}
    silent = SimpleNamespace(code=0, out="", err="", json=document)

    class Knows:
        def value(self, _lookup: object) -> object:
            return targets.UNKNOWN

        def margin(self, _lookup: object) -> None:
            return None

    targets.TARGETS[target].check(data)
    monkeypatch.setattr(targets, "_ran", lambda *_args, **_files: silent)
    monkeypatch.setattr(targets, "parse", lambda _text: Knows())
    with pytest.raises((AssertionError, KeyError)):
        targets.TARGETS[target].check(data)

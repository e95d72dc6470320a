"""The oracle of the corpus, on outcomes that break the law: each fault is seen, or the corpus would prove nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import stage
from tests.hostile.case import ANY, FOUND, REFUSED, Case, Scene
from tests.hostile.oracle import faults
from tests.hostile.stage import LOG, Outcome, lay_out, log_of, play, play_apart
from tests.hostile.strict import entry_of

CASE = Case(name="x", entrance="tests", codes=FOUND, rule="schema", file=LOG)
FINDING = {"rule": "schema", "severity": "error", "path": LOG, "line": 1, "message": "m", "waived": None}


def report(code: int = 1, **changes: Any) -> str:
    return json.dumps({"findings": [{**FINDING, **changes}], "summary": {"exit_code": code}})


def refusal(path: str = LOG) -> str:
    return json.dumps({"error": {"message": "m", "hint": "", "path": path}})


GOOD = Outcome(1, report(), "")


def test_an_outcome_that_keeps_the_law_has_no_fault() -> None:
    assert faults(CASE, GOOD) == []
    refused = replace(CASE, codes=REFUSED)
    assert faults(refused, Outcome(2, refusal(), f"nsm-gate: error: {LOG}: m\n")) == []


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"code": None}, "no end within"), ({"code": -11}, "killed by signal 11"), ({"code": 3}, "exit code 3"),
        ({"code": 0}, "exit code 0, expected 1"), ({"seconds": 16.0}, "seconds of the processor"),
        ({"marked": True}, "executed"), ({"left": True}, "left behind"), ({"started": ["git", "sh"]}, "started"),
        ({"connected": ["socket.connect"]}, "network"), ({"written": ["x"]}, "wrote"),
        ({"err": "Traceback (most recent call last)"}, "a traceback"), ({"err": "internal error: x"}, "internal error"),
        ({"err": "\x1b[31m"}, "active character U+001B"), ({"err": "\u202e"}, "active character U+202E"),
        ({"err": "::error::x"}, "a command for GitHub"), ({"err": "a ##[error]x"}, "a command for GitHub"),
        ({"err": "##vso[task.x]y"}, "a command for Azure"), ({"out": "{}{}"}, "not one JSON text"), ({"out": ""}, "not one JSON text"),
        ({"out": report(code=0)}, "exit code is another"), ({"out": report(rule="nonsense")}, "does not name its file and rule"),
        ({"out": report(path="")}, "does not name its file and rule"), ({"out": report(line=0)}, "does not name its file and rule"),
        ({"out": report(message="")}, "does not name its file and rule"), ({"out": report(severity="warning")}, "without an error"),
        ({"out": report(waived="x")}, "without an error"), ({"out": report(rule="duplicate-run")}, "no error of schema"),
        ({"out": report(path="other")}, "no error names"),
    ],
)  # fmt: skip
def test_a_fault_of_an_outcome_is_seen(changes: dict[str, Any], words: str) -> None:
    found = faults(CASE, replace(GOOD, **changes))
    assert any(words in fault for fault in found), found


@pytest.mark.parametrize(
    "out, err, words",
    [
        (refusal(), "", "without a word"), (refusal(), "nsm-gate: error: m\n", "does not name"),
        (refusal("other"), f"{LOG}\n", "the error does not name"), (report(), f"{LOG}\n", "more than an error"),
        ('{"error": {"message": "", "path": ""}}', f"{LOG}\n", "without a message"),
    ],
)  # fmt: skip
def test_a_fault_of_a_refusal_is_seen(out: str, err: str, words: str) -> None:
    found = faults(replace(CASE, codes=REFUSED), Outcome(2, out, err))
    assert any(words in fault for fault in found), found


def test_words_that_must_and_must_not_be_said_are_seen() -> None:
    case = replace(CASE, says="said", hides="SECRET")
    found = faults(case, replace(GOOD, err="SECRET"))
    assert found == ["the output holds 'SECRET'", "the output lacks 'said'"]


def test_a_clean_report_with_errors_is_seen() -> None:
    assert "exit 0 with errors" in faults(replace(CASE, codes=ANY), Outcome(0, report(code=0), ""))


# --- what is watched while a case is played -------------------------------------------------------


def hostile(scene: Scene) -> None:
    scene.repo.git("config", "core.fsmonitor", str(scene.script()))


@pytest.mark.parametrize("how", [play, play_apart])
def test_a_program_that_git_starts_is_seen(how: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same scene as in the corpus, with a git that obeys what the gate has it ignore."""
    case = Case(name="x", git=True, make=hostile, files={LOG: log_of()}, codes=(0,))
    scene = lay_out(case, tmp_path)
    gullible = scene.outside / "bin" / "git"
    gullible.parent.mkdir()
    real = (
        subprocess.run(["sh", "-c", "command -v git"], capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )
    gullible.write_text(f'#!/bin/sh\nfor word; do shift; [ "$word" = core.fsmonitor=false ] && word=x.y=z; set -- "$@" "$word"; done\nexec {real} "$@"\n')  # fmt: skip
    gullible.chmod(0o755)
    monkeypatch.setenv("PATH", f"{gullible.parent}{os.pathsep}{os.environ['PATH']}")
    scene.repo.env["PATH"] = os.environ["PATH"]
    outcome = how(case, scene)
    found = faults(case, outcome)
    assert "something hostile was executed" in found
    assert any(fault.startswith("started ['by git: ") for fault in found), found


def test_a_program_that_the_gate_starts_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def main(*args: Any) -> int:
        subprocess.run(["true"], check=True)
        os.system("true")
        (tmp_path / "root" / "stray").write_text("x")
        return 0

    monkeypatch.setattr(stage, "main", main)
    case = Case(name="x", args=("rules", "list"), codes=(0,))
    outcome = play(case, lay_out(case, tmp_path))
    assert [started.partition(" ")[0] for started in outcome.started] == ["true", "os.system"]
    assert outcome.written == ["stray"]


def test_a_name_that_is_looked_up_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def main(*args: Any) -> int:
        import socket

        with socket.socket() as made:
            made.connect_ex(("127.0.0.1", 9))
        return 0

    monkeypatch.setattr(stage, "main", main)
    case = Case(name="x", args=("rules", "list"), codes=(0,))
    assert play(case, lay_out(case, tmp_path)).connected != []


def test_a_process_that_does_not_end_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "PATIENCE", 1)
    monkeypatch.setattr(stage, "_console", lambda: [sys.executable, "-c", "import time; time.sleep(60)"])
    case = Case(name="x", codes=(0,))
    assert play_apart(case, lay_out(case, tmp_path)).code is None


def test_a_process_that_leaves_one_behind_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = "import subprocess as s; s.Popen(['sleep', '60'], stdin=s.DEVNULL, stdout=s.DEVNULL, stderr=s.DEVNULL)"
    monkeypatch.setattr(stage, "_console", lambda: [sys.executable, "-c", left])
    case = Case(name="x", codes=(0,))
    outcome = play_apart(case, lay_out(case, tmp_path))
    assert (outcome.code, outcome.left) == (0, True)


# --- the strict reading ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"1", b"null", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}', b'{"a": 1, "a": 1}', b'{"a": {"b": 1, "b": 2}}', b"\xef\xbb\xbf{}",
        b'{"a": "\\ud800"}', b'{"\\udc00": 1}', b'{"a": "\xff"}', b"{}{}", b'{"a":' * 65 + b"1" + b"}" * 65, b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}", b"{} //", b"{" + b" " * (1 << 20) + b"}",
    ],
)  # fmt: skip
def test_a_strict_reading_refuses(raw: bytes) -> None:
    assert entry_of(raw) is None


@pytest.mark.parametrize(
    "raw", [b"{}", b' {"a": [1, -0.5e3, true, null, "\\u00e9"]}\r', b'{"a":' * 64 + b"1" + b"}" * 64]
)
def test_a_strict_reading_takes_an_object(raw: bytes) -> None:
    assert entry_of(raw) == json.loads(raw)

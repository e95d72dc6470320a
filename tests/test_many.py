"""Many lines together give what each of them gives alone, for any number of processes.

The proofs are held against the judgement that does without them: on clean, mixed and failing logs, and on
logs of which every line was changed at random.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generate import KINDS, baselines, encode, entries
from nsm_gate import engine, parts
from nsm_gate.cli import main
from nsm_gate.commands import check as commands_check
from nsm_gate.lots import Lots
from nsm_gate.model import Report
from nsm_gate.proofs import special
from nsm_gate.tallies import row_of

LINES = 240
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SEEDS = range(4)


def check(folder: Path, *args: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    argv = ["check", "--all", "--no-ci", *args]
    code = main(argv, io.BytesIO(), out, err, {}, str(folder), now=lambda: NOW)
    return code, out.getvalue(), err.getvalue()


def both(folder: Path, monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[int, str, str]:
    """Judge a folder line by line and together; return what both gave."""
    with monkeypatch.context() as patch:
        patch.setattr(engine, "MANY", 10**9)
        alone = check(folder, *args)
    # With code of its own for each shape of a line, and with one code for all.
    counted = []
    for frequent in (1, 10**9):
        reports: list[Report] = []
        with monkeypatch.context() as patch:
            patch.setattr(engine, "MANY", 1)
            patch.setattr(special, "_FREQUENT", frequent)
            run = commands_check.run
            patch.setattr(commands_check, "run", lambda task: reports.append(run(task)) or reports[-1])  # noqa: B023
            together = check(folder, *args, "--jobs", "1")
        assert together[1] == alone[1]
        assert together == alone
        assert reports, alone
        lots = reports[0].lots
        assert isinstance(lots, Lots)
        counted.append([lot.first(len(lot.lines)) for lot in lots._lots])
    assert counted[0] == counted[1]
    # What a line comes to is what its findings and verdicts add up to, line by line.
    for lot in lots._lots:
        for index, row in lot.first(len(lot.lines)):
            made = lots._details(lot.path, index)
            assert (index, row) == (index, row_of(made.run.entry, made.findings, made.verdicts))
    return alone


def write(folder: Path, lines: list[bytes]) -> None:
    (folder / "baselines.jsonl").write_bytes(b"".join(map(encode, baselines())))
    (folder / "training_log.jsonl").write_bytes(b"".join(lines))


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_is_the_same_however_the_lines_are_judged(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, [encode(entry) for entry in entries(LINES, kind)])
    code, text, _ = both(tmp_path, monkeypatch)
    assert code == (kind == "failing")
    assert f"{LINES + 6:,} runs" in text
    code, report, _ = both(tmp_path, monkeypatch, "--output-format", "json")
    counts = json.loads(report)["summary"]
    assert counts["checked"] == LINES + 6
    assert (counts["errors"] >= LINES) == (kind == "failing")


@pytest.mark.parametrize("seed", SEEDS)
def test_no_change_of_a_line_is_proven_clean_that_is_not(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    lines = list(changed([encode(entry) for entry in entries(LINES, seed=seed)], chance))
    write(tmp_path, lines)
    _, report, _ = both(tmp_path, monkeypatch, "--output-format", "json")
    assert json.loads(report)["summary"]["errors"] > LINES // 10
    both(tmp_path, monkeypatch)


def test_waivers_and_severities_count_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = list(changed([encode(entry) for entry in entries(LINES, "mixed")], random.Random(99)))
    write(tmp_path, lines)
    runs = [json.loads(line)["run_data"]["run_id"] for line in lines[:200:9] if _is_run(line)]
    waivers = [
        {"rule": rule, "run": run, "owner": "lab", "reason": "known since long", "expires": "2099-01-01"}
        for run in runs
        for rule in ("criterion-missed", "missing-findings", "duplicate-run", "schema")
    ]
    waivers += [
        {"rule": "criterion-missed", "path": "training_log.jsonl", "line": line, "owner": "lab",
         "reason": "known since long", "expires": "2099-01-01"}
        for line in range(1, LINES, 3)
    ]  # fmt: skip
    severity = {
        "criterion-missed": {"training_log": {"domain_exploration": "error", "hyperparam_search": "ignore"}},
        "missing-findings": "notice",
        "timestamp-order": "error",
    }
    (tmp_path / "nsm-gate.yaml").write_text(json.dumps({"severity": severity, "waivers": waivers}))
    both(tmp_path, monkeypatch, "--output-format", "json")
    both(tmp_path, monkeypatch, "--fail-on", "warning", "--ignore", "run-id-format,time-span")
    both(tmp_path, monkeypatch, "--select", "criterion-missed")


@pytest.mark.parametrize("form", ["text", "json"])
def test_any_number_of_processes_prints_the_same(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART", 200)
    lines = list(changed([encode(entry) for entry in entries(900)], random.Random(5), share=0.1))
    write(tmp_path, lines)
    said = {check(tmp_path, "--jobs", jobs, "--output-format", form) for jobs in ("1", "2", "3", "16")}
    assert len(said) == 1
    assert said.pop()[0] == 1


def _is_run(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line)["run_data"]["run_id"], str)
    except (ValueError, TypeError, KeyError):
        return False


VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 0.5, 1.0, 2, 1e308, -0.0, 10**19, 2**63, "", " ", "x", "TODO", "null", [], {},
    [1], [None], {"a": 1}, "2025-10-21T00:00:00Z", "2025-10-21T00:00:00+00:00", "2025-02-30T00:00:00Z",
    "2025-W43-2T00:00:00Z", "20251021T000000Z", "2025-10-21t00:00:00z", "2099-01-01T00:00:00Z",
    "2025-10-21T00:00:00.123Z", "2025-10-21T00:00:00,123Z", "planning", "causal", "completed", "running",
    "failed", "equal", 0.55, 0.5500000000000001, 0.3, 0.40000000000000002, 0.009, 0.991, "\u00e9: \u003a",
]  # fmt: skip


def changed(lines: list[bytes], chance: random.Random, share: float = 0.5) -> Iterator[bytes]:
    """Yield lines of which some are changed, in what they say or in how they are written."""
    for number, line in enumerate(lines):
        if chance.random() > share:
            yield line
        elif chance.random() < 0.75:
            yield spoiled(json.loads(line), chance)
        else:
            yield from rewritten(line, lines[chance.randrange(number + 1)], chance)


def spoiled(entry: dict[str, Any], chance: random.Random) -> bytes:
    """Return a line with one to three members changed."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        places = list(members(entry))
        holder, name = chance.choice(places)
        how = chance.random()
        if how < 0.55:
            holder[name] = chance.choice(VALUES)
        elif how < 0.7:
            del holder[name]
        elif how < 0.8:
            holder[name + chance.choice(("s", "_", "x"))] = holder.pop(name)
        elif how < 0.9 and isinstance(holder[name], (int, float)):
            holder[name] = holder[name] * chance.choice((1.001, 0.5, 2, -1))
        else:
            holder[chance.choice(("note", "lr", "dropout", "seed", "reason", "corrects"))] = chance.choice(
                VALUES
            )
    return (json.dumps(entry, ensure_ascii=chance.random() < 0.5) + "\n").encode()


def members(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield value, name
            yield from members(inner)
    elif isinstance(value, list):
        for item in value[:3]:
            yield from members(item)


def rewritten(line: bytes, other: bytes, chance: random.Random) -> Iterator[bytes]:
    """Yield a line written otherwise: doubled members, odd spaces, escapes, what is no JSON."""
    at = chance.choice([i for i in range(len(line)) if line[i : i + 3] == b'": '])
    yield chance.choice(
        [
            other,
            line + other,
            b"\n" + line,
            line[:-1] + b"\r\n",
            line[: chance.randrange(len(line))] + b"\n",
            line[:at] + b'" :' + line[at + 2 :],
            line.replace(b'"domain": ', b'"domain": "causal", "domain": ', 1),
            line.replace(b'"domain": ', b'"domain" : "causal", "domain": ', 1),
            line.replace(b'"status": "completed"', b'"status": "completed", "status" :"completed"'),
            line.replace(b'"findings": "', b'"findings": "a\\u003a b: ', 1),
            line.replace(b'"findings": "', b'"seed": 1, "findings": "', 1),
            line.replace(b'"epochs": ', b'"epochs" : 1, "epochs": ', 1).replace(b"No ", b"\\u003ano ", 1),
            line.replace(b'"epoch": 1', b'"epoch": 1, "epoch": 1', 1),
            line.replace(b": 0.", b': NaN, "x": 0.', 1),
            line.replace(b": 0.", b': 1e999, "x": 0.', 1),
            line.replace(b": 0.", b": 00.", 1),
            line.replace(b'"seed": ', b'"seed": ' + b"9" * 400 + b', "seed_": ', 1),
            line.replace(b"e", b"\xff", 1),
            line.replace(b'"findings": "', b'"findings": "\\ud800', 1),
            b"\xef\xbb\xbf" + line,
            b" " + line[:-1] + b" \n",
            line.replace(b", ", b",").replace(b": ", b":"),
            b"[" + line[:-1] + b"]\n",
            b"<<<<<<< ours\n",
        ]
    )

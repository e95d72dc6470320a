"""`nsm-gate fix` mends new lines, byte for byte what it says, and never logged history."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nsm_gate.fixes import FIXES
from nsm_gate.mending import UNASKED
from tests.support import Repo, Result, a_run, edited, gate, lines

LOG = "training_log.jsonl"
RUN = "planning_plain_20251101"


def a(name: str, minute: int = 0, **changes: Any) -> dict[str, Any]:
    """Return a run of this name, logged in this minute."""
    return edited(a_run(f"planning_{name}_20251101", minute), **changes)


def line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry).encode()


def fix(*args: str, cwd: Path, **options: Any) -> Result:
    return gate("fix", *args, cwd=cwd, **options)


@pytest.fixture
def project(tmp_path: Path) -> Repo:
    """A repository with one published run."""
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, [a("old")])
    repo.commit()
    return repo


def appended(repo: Repo, data: bytes) -> bytes:
    """Append bytes to the log; return what it held before."""
    before = (repo.path / LOG).read_bytes()
    (repo.path / LOG).write_bytes(before + data)
    return before


def made(result: Result) -> dict[str, int]:
    """Return the fixes that were made, or would be, by name."""
    found = re.search(r"fix(?:es)? (?:would be )?made in \d+ lines?: (.*)", result.out + result.err)
    return {name: int(count) for count, name in re.findall(r"(\d+) ([a-z-]+)", found[1])} if found else {}


GOOD = line(a("new", 1))
NAIVE = GOOD.replace(b'01:31Z"', b'01:31"')
OFFSET = GOOD.replace(b"01:31Z", b"01:31+02:00")
NAN = GOOD.replace(b'"best_val_accuracy": 0.61', b'"best_val_accuracy": NaN, "best_val_loss": -Infinity')
NULL = GOOD.replace(b'"best_val_accuracy": 0.61', b'"best_val_accuracy": null, "best_val_loss": null')


# --- what is mended -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "wanted", "names"),
    [
        (GOOD + b"\r\n", GOOD + b"\n", {"line-ending": 1}),
        (GOOD + b"\r\r\n", GOOD + b"\n", {"line-ending": 1}),
        (GOOD, GOOD + b"\n", {"line-ending": 1}),
        (GOOD + b"\n\n  \t\n", GOOD + b"\n", {"blank-line": 2}),
        (GOOD + b"\n  ", GOOD + b"\n", {"blank-line": 1}),
        (b"\r\n" + GOOD + b"\n", GOOD + b"\n", {"blank-line": 1}),
        (NAIVE + b"\n", GOOD + b"\n", {"timestamp-naive": 1}),
        (GOOD.replace(b"Z", b"+00:00") + b"\n", GOOD + b"\n", {"utc-offset": 3}),
        (GOOD.replace(b"31Z", b"31.50Z").replace(b"31.50Z", b"31.50") + b"\n", GOOD.replace(b"31Z", b"31.50Z") + b"\n",
         {"timestamp-naive": 1}),
        (NAIVE, GOOD + b"\n", {"timestamp-naive": 1, "line-ending": 1}),
        (GOOD.replace(b"T00:01:31Z", b"T00:01:31\\u002b00:00") + b"\n", GOOD.replace(b"T00:01:31Z", b"T00:01:31\\u002b00:00") + b"\n", {}),
    ],
)  # fmt: skip
def test_a_safe_fix_changes_these_bytes_and_no_others(
    project: Repo, given_: bytes, wanted: bytes, names: dict[str, int]
) -> None:
    before = appended(project, given_)
    result = fix(cwd=project.path, env=project.env)
    assert (project.path / LOG).read_bytes() == before + wanted
    assert (result.code, made(result), result.err) == (int(bool(names)), names, "")
    again = fix(cwd=project.path, env=project.env)
    assert again.code == 0
    assert again.out.startswith("nothing to fix in 1 new line · against ")


@pytest.mark.parametrize(
    ("given_", "wanted", "names"),
    [
        (NAN + b"\n", NULL + b"\n", {"invalid-json": 1}),
        (NAN.replace(b"-Infinity", b"1e999") + b"\n", NULL + b"\n", {"invalid-json": 1}),
        (NAN.replace(b"NaN", b"nan").replace(b"-Infinity", b"-inf") + b"\n", NULL + b"\n", {"invalid-json": 1}),
        (NAN.replace(b"planning_new", b"NaN_new"), NULL.replace(b"planning_new", b"NaN_new") + b"\n",
         {"invalid-json": 1, "line-ending": 1}),
        (OFFSET + b"\n", GOOD.replace(b"2025-11-01T00:01:31Z", b"2025-10-31T22:01:31Z") + b"\n", {"timestamp-not-utc": 1}),
        (GOOD.replace(b"01:31Z", b"01:31.250-00:30") + b"\n",
         GOOD.replace(b"T00:01:31Z", b"T00:31:31.250Z") + b"\n", {"timestamp-not-utc": 1}),
        (line(a("old", 2)) + b"\n", line(a("old_2", 2)) + b"\n", {"duplicate-run": 1}),
    ],
)  # fmt: skip
def test_an_unsafe_fix_is_made_on_request_alone(
    project: Repo, given_: bytes, wanted: bytes, names: dict[str, int]
) -> None:
    before = appended(project, given_)
    safe = fix(cwd=project.path, env=project.env)
    unsafe = [name for name in names if name != "line-ending"]
    assert "nsm-gate fix --unsafe would mend 1: 1 " + unsafe[0] in safe.out
    assert (project.path / LOG).read_bytes() in (before + given_, before + given_ + b"\n")
    (project.path / LOG).write_bytes(before + given_)
    result = fix("--unsafe", cwd=project.path, env=project.env)
    assert (project.path / LOG).read_bytes() == before + wanted
    assert (result.code, made(result)) == (1, names)
    assert fix("--unsafe", cwd=project.path, env=project.env).code == 0


ODD = (
    b'{ "run_data" :{"run_id":"planning_odd_20251101","domain": "plann\\u0069ng",  "status":"failed",'
    b'"error_message": "caf\\u00e9 \\/ \\ud83d\\ude00 \xe6\xbc\xa2", "hyperparameters": {"learning_rate": 1.0e-04,'
    b'"pool_ratio":0.50,"epochs":10E0, "seed":-0}, "dataset_config":{} ,"findings": "stopped early, out of memory"} ,'
    b'\t"timestamp":"2025-11-01T08:00:00" }'
)


def test_how_the_rest_of_a_line_is_written_stays_as_it_is(project: Repo) -> None:
    before = appended(project, ODD + b"\r\n")
    assert fix(cwd=project.path, env=project.env).code == 1
    wanted = ODD.replace(b'T08:00:00"', b'T08:00:00Z"')
    assert (project.path / LOG).read_bytes() == before + wanted + b"\n"


def test_a_line_that_no_fix_makes_valid_is_left_alone(project: Repo) -> None:
    broken = [
        b'{"loss": NaN, "loss": 1}\n', b'{"loss": NaN,}\n', b"[NaN]\n", b'{"loss": NaN', b'{"a": "NaN}\n',
        b'{"loss": nano}\n', b"\xff\n", b'{"loss": NaN, "by": "\xff"}\n', b"<<<<<<< ours\n", b'{"n": ' + b"9" * 5000 + b"}\n",
    ]  # fmt: skip
    for data in broken:
        before = appended(project, data)
        result = fix("--unsafe", cwd=project.path, env=project.env)
        assert (project.path / LOG).read_bytes() == before + data
        assert (result.code, made(result)) == (0, {}), data
        (project.path / LOG).write_bytes(before)


def test_a_line_of_escaped_quotes_is_scanned_once(project: Repo) -> None:
    appended(project, b'{"a": NaN, "' + b'\\"' * 400_000 + b"\n")
    assert fix("--unsafe", cwd=project.path, env=project.env).code == 0


def test_a_naive_time_of_a_log_kind_whose_times_are_not_utc_is_left_to_a_person(tmp_path: Path) -> None:
    from tests.support import a_baseline

    repo = Repo.init(tmp_path / "r")
    repo.write("baselines.jsonl", [a_baseline(timestamp="2025-10-20T00:00:00")])
    result = fix("--unsafe", cwd=repo.path, env=repo.env)
    assert (result.code, made(result)) == (0, {})
    assert "1 timestamp-naive" in result.out


def test_what_a_team_ignores_or_waives_is_left_alone(project: Repo) -> None:
    appended(project, NAIVE + b"\n" + line(a("other", 2)).replace(b"02:31Z", b"02:31") + b"\n")
    before = (project.path / LOG).read_bytes()
    project.write("nsm-gate.yaml", "severity: {timestamp-naive: ignore}\n")
    assert fix(cwd=project.path, env=project.env).code == 0
    project.write(
        "nsm-gate.yaml",
        "waivers: [{rule: timestamp-naive, run: planning_new_20251101, owner: lab, reason: a clock, expires: 2026-12-31}]\n",
    )
    result = fix(cwd=project.path, env=project.env)
    assert made(result) == {"timestamp-naive": 1}
    assert (project.path / LOG).read_bytes() == before.replace(b'02:31"', b'02:31Z"')


# --- run ids ------------------------------------------------------------------------------------------


def ids(repo: Repo, log: str = LOG) -> list[str]:
    return [json.loads(row)["run_data"]["run_id"] for row in (repo.path / log).read_bytes().splitlines()]


def test_each_reused_run_id_gets_a_number_that_nobody_has(project: Repo) -> None:
    appended(project, lines(a("old", 1), a("old_2", 2), a("old", 3), a("other", 4)))
    project.write(f"sub/{LOG}", [a("old_4", 5), a("other", 6)])
    assert fix("--unsafe", cwd=project.path, env=project.env).code == 1
    assert [name.removesuffix("_20251101") for name in ids(project)] == [
        "planning_old", "planning_old_3", "planning_old_2", "planning_old_5", "planning_other_2",
    ]  # fmt: skip
    assert project.check().rules("criterion-unknown") == []


def test_a_run_id_without_a_date_gets_its_number_at_the_end(project: Repo) -> None:
    appended(project, lines(edited(a_run("run7", 1)), edited(a_run("run7", 2))))
    fix("--unsafe", cwd=project.path, env=project.env)
    assert ids(project)[1:] == ["run7", "run7_2"]


def test_a_copy_of_a_line_is_taken_out_rather_than_renamed(project: Repo) -> None:
    before = appended(project, GOOD + b"\n" + GOOD + b"\n" + line(a("old")) + b"\n")
    result = fix("--unsafe", cwd=project.path, env=project.env)
    assert (project.path / LOG).read_bytes() == before + GOOD + b"\n"
    assert made(result) == {"duplicate-run": 2}
    assert "copy of line 2 removed" in result.out
    assert "copy of line 1 removed" in result.out


def test_a_running_line_keeps_its_id_since_the_lines_that_end_it_would_not_follow(project: Repo) -> None:
    appended(project, lines(a("old", 1, status="running"), a("old", 2)))
    result = fix("--unsafe", cwd=project.path, env=project.env)
    assert (result.code, ids(project)) == (0, ["planning_old_20251101"] * 3)
    assert "1 duplicate-run" in result.out


def test_a_baseline_is_not_renamed_it_has_no_run_id_of_its_own(tmp_path: Path) -> None:
    from tests.support import a_baseline

    repo = Repo.init(tmp_path / "r")
    repo.write(
        "baselines.jsonl", [a_baseline(), a_baseline(notes="The same experiment, told in other words.")]
    )
    assert fix("--unsafe", cwd=repo.path, env=repo.env).code == 0


# --- which lines --------------------------------------------------------------------------------------

DIRTY = line(a("dirty")).replace(b"00:31Z", b"00:31") + b"\r\n\n"


def published(tmp_path: Path, *data: bytes) -> Repo:
    """Return a clone whose upstream has the log."""
    origin = Repo.init(tmp_path / "origin")
    origin.write(LOG, b"".join(data))
    origin.commit()
    return Repo.clone(origin, tmp_path / "clone")


def test_logged_history_is_never_touched(tmp_path: Path) -> None:
    clone = published(tmp_path, DIRTY)
    appended(clone, NAIVE)
    fix("--unsafe", "--order", "--spacing", cwd=clone.path, env=clone.env)
    assert (clone.path / LOG).read_bytes().startswith(DIRTY)
    clone.commit()
    assert fix("--unsafe", cwd=clone.path, env=clone.env).code == 0


def test_a_line_that_only_this_clone_has_may_be_mended_until_something_is_staged(tmp_path: Path) -> None:
    clone = published(tmp_path, line(a("old")) + b"\n")
    appended(clone, NAIVE + b"\n")
    clone.commit()
    appended(clone, line(a("third", 3)) + b"\r\n")
    local = (clone.path / LOG).read_bytes()
    clone.git("add", "-A")
    assert made(fix("--diff", cwd=clone.path, env=clone.env)) == {"line-ending": 1}
    clone.git("reset", "-q")
    assert made(fix(cwd=clone.path, env=clone.env)) == {"line-ending": 1, "timestamp-naive": 1}
    assert (clone.path / LOG).read_bytes() == local.replace(b"\r", b"").replace(NAIVE, GOOD)
    assert clone.check().rules() == []


def test_a_line_that_the_base_lacks_but_others_have_is_left_and_said(tmp_path: Path) -> None:
    clone = published(tmp_path, line(a("old")) + b"\n")
    clone.git("tag", "start")
    appended(clone, NAIVE + b"\n")
    clone.commit()
    clone.git("push", "-q", "origin", "HEAD:refs/heads/shared")
    clone.git("update-ref", "refs/remotes/origin/main", "HEAD")
    before = appended(clone, line(a("third", 3)) + b"\r\n")
    result = fix("--base", "start", cwd=clone.path, env=clone.env)
    assert made(result) == {"line-ending": 1}
    assert "left as published: 1 line that the base lacks and others have" in result.out
    assert (clone.path / LOG).read_bytes() == before + line(a("third", 3)) + b"\n"
    # The report offers no edit of it either.
    (naive,) = (f for f in clone.check("--base", "start").findings if f["rule"] == "timestamp-naive")
    assert naive["fix"] is None


def test_under_a_hook_runner_the_first_parent_is_the_base_and_what_is_published_stays(tmp_path: Path) -> None:
    clone = published(tmp_path, line(a("old")) + b"\n", NAIVE + b"\n")
    env = {**clone.env, "PRE_COMMIT": "1"}
    assert fix(cwd=clone.path, env=env).code == 0
    assert (clone.path / LOG).read_bytes().endswith(NAIVE + b"\n")


def test_a_log_that_an_editor_gave_carriage_returns_is_restored(project: Repo) -> None:
    appended(project, line(a("more", 4)).replace(b":04:", b":00:") + b"\n")
    project.commit()
    whole = (project.path / LOG).read_bytes() + NAIVE + b"\n"
    (project.path / LOG).write_bytes(whole.replace(b"\n", b"\r\n"))
    assert "history-rewritten" in [rule for rule, _ in project.check().rules()]
    result = fix(cwd=project.path, env=project.env)
    assert made(result) == {"line-ending": 3, "timestamp-naive": 1}
    assert (project.path / LOG).read_bytes() == whole.replace(NAIVE, GOOD)
    assert project.check().rules() == []


def test_a_published_line_that_was_changed_is_not_mended_into_yet_another(project: Repo) -> None:
    changed = line(a("old", findings="Something quite different from what was logged."))
    changed = changed.replace(b"00:31Z", b"00:31") + b"\r\n"
    (project.path / LOG).write_bytes(changed)
    result = fix("--unsafe", "--order", cwd=project.path, env=project.env)
    assert (project.path / LOG).read_bytes() == changed
    assert "1 history-rewritten" in result.out


def test_a_log_that_was_renamed_is_still_history(tmp_path: Path) -> None:
    clone = published(tmp_path, NAIVE + b"\r\n")
    (clone.path / "moved").mkdir()
    new = clone.path / "moved" / LOG
    (clone.path / LOG).rename(new)
    with open(new, "ab") as file:
        file.write(line(a("third", 3)) + b"\r\n")
    result = fix("--unsafe", cwd=clone.path, env=clone.env)
    assert made(result) == {"line-ending": 1}
    assert new.read_bytes() == NAIVE + b"\r\n" + line(a("third", 3)) + b"\n"


def test_outside_git_nothing_is_known_to_be_new_unless_all_is(tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(NAIVE + b"\n")
    refused = fix(cwd=tmp_path)
    assert refused.code == 2
    assert "outside git nothing tells which lines are logged history" in refused.err
    result = fix("--all", cwd=tmp_path)
    assert (result.code, (tmp_path / LOG).read_bytes()) == (1, GOOD + b"\n")
    assert "git add" not in result.out


def test_all_is_refused_where_git_tells_what_is_logged(project: Repo) -> None:
    result = fix("--all", cwd=project.path, env=project.env)
    assert result.code == 2
    assert "logged history are never fixed" in result.err


@pytest.mark.parametrize("seed", range(40))
def test_no_line_of_a_base_is_touched_over_random_histories(seed: int, tmp_path: Path) -> None:
    pick = random.Random(seed)
    number = 0

    def new_lines() -> bytes:
        nonlocal number
        rows = []
        for _ in range(pick.randrange(4)):
            number += 1
            name = pick.choice([f"r{number}", "same"])
            row = line(a(name, number, status=pick.choice(["completed", "running"])))
            time = pick.choice([b'Z"', b'"', b'+00:00"', b'+05:30"'])
            row = row.replace(b'Z"', time).replace(b"0.61,", pick.choice([b"0.61,", b"NaN,", b"6.1e-1 ,"]))
            rows.append(row + pick.choice([b"\n", b"\n", b"\r\n", b"\n\n", b"\n \n"]))
        return b"".join(rows)

    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, new_lines())
    commits = [repo.commit()]
    for _ in range(pick.randrange(1, 4)):
        appended(repo, new_lines())
        commits.append(repo.commit())
    shared = pick.randrange(len(commits))
    repo.git("update-ref", "refs/remotes/origin/main", commits[shared])
    held = {oid: repo.git("show", f"{oid}:{LOG}", check=True) for oid in commits}
    if pick.random() < 0.3:
        rows = (repo.path / LOG).read_bytes().splitlines(keepends=True)
        rows.insert(pick.randrange(len(rows) + 1), new_lines())
        (repo.path / LOG).write_bytes(b"".join(rows))
    appended(repo, new_lines())
    staged = pick.random() < 0.5
    if staged:
        repo.git("add", "-A")
    appended(repo, pick.choice([b"", new_lines().rstrip(b"\n")]))
    staged = staged and repo.git("diff", "--cached", "--name-only") != ""
    options = [word for word in ("--unsafe", "--order", "--spacing") if pick.random() < 0.5]
    index = repo.git("ls-files", "-s")
    before = (repo.path / LOG).read_bytes()
    first = fix(*options, cwd=repo.path, env=repo.env)
    after = (repo.path / LOG).read_bytes()
    assert first.code == (before != after), first
    # What nobody may touch: of each protected commit at least as much is kept as before.
    for oid in {commits[shared], commits[-1] if staged else commits[shared]}:
        base = held[oid].encode().split(b"\n")[:-1]
        assert kept(base, after.split(b"\n")) >= kept(base, before.split(b"\n")), (staged, options)
    second = fix(*options, cwd=repo.path, env=repo.env)
    assert (second.code, (repo.path / LOG).read_bytes(), made(second)) == (0, after, {})
    assert repo.git("ls-files", "-s") == index
    left = repo.check("--base", commits[-1] if staged else commits[shared]).findings
    for rule in ("line-ending", "blank-line", "timestamp-naive"):
        assert [f for f in left if f["rule"] == rule and f["fix"] is not None] == []


def kept(base: list[bytes], head: list[bytes]) -> int:
    """Return the length of a longest common subsequence, slowly."""
    rows = [0] * (len(head) + 1)
    for one in base:
        previous = rows[:]
        for at, other in enumerate(head):
            rows[at + 1] = previous[at] + 1 if one == other else max(rows[at], previous[at + 1])
    return rows[-1]


# --- the edits of the report --------------------------------------------------------------------------


def apply(content: bytes, findings: list[dict[str, Any]], applicable: tuple[str, ...]) -> bytes:
    """Apply the edits of findings as an agent would, with the documented meaning of columns alone."""
    rows = [row + "\n" for row in content.decode().split("\n")]
    rows[-1] = rows[-1][:-1]
    edits = [
        e for f in findings if f["fix"] and f["fix"]["applicability"] in applicable for e in f["fix"]["edits"]
    ]
    for edit in sorted(edits, key=lambda e: (e["line"], e["column"]), reverse=True):
        row = rows[edit["line"] - 1]
        rows[edit["line"] - 1] = (
            row[: edit["column"] - 1] + edit["replacement"] + row[edit["end_column"] - 1 :]
        )
    return "".join(rows).encode()


def test_the_edits_of_the_findings_do_what_the_command_does(project: Repo) -> None:
    appended(
        project,
        OFFSET
        + b"\n\n"
        + NAN.replace(b"new", "ähnlich_漢".encode())
        + b"\n"
        + line(a("old", 3))
        + b"\r\n"
        + ODD,
    )
    before = (project.path / LOG).read_bytes()
    found = project.check().findings
    safe, all_ = apply(before, found, ("safe",)), apply(before, found, ("safe", "unsafe"))
    assert len({before, safe, all_}) == 3
    fix(cwd=project.path, env=project.env)
    assert (project.path / LOG).read_bytes() == safe
    (project.path / LOG).write_bytes(before)
    fix("--unsafe", cwd=project.path, env=project.env)
    assert (project.path / LOG).read_bytes() == all_


def test_long_logs_get_the_same_fixes(project: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        OFFSET,
        NAIVE.replace(b"new", b"more"),
        line(a("old", 3)),
        line(a("old", 4)),
        b"",
        NAN.replace(b"new", b"nan"),
    ]
    appended(project, b"\n".join(rows))
    whole = (project.path / LOG).read_bytes()
    few = project.check().findings
    text = gate("check", cwd=project.path, env=project.env).out
    assert {f["rule"] for f in few if f["fix"]} == set(FIXES) - {"line-ending"}
    monkeypatch.setattr("nsm_gate.engine.MANY", 2)
    assert project.check("--jobs", "1").findings == few
    many = gate("check", "--jobs", "1", cwd=project.path, env=project.env).out
    assert many.count("nsm-gate fix") == text.count("nsm-gate fix") > 3
    fix("--unsafe", cwd=project.path, env=project.env)
    mended = (project.path / LOG).read_bytes()
    monkeypatch.setattr("nsm_gate.engine.MANY", 1000)
    (project.path / LOG).write_bytes(whole)
    fix("--unsafe", cwd=project.path, env=project.env)
    assert (project.path / LOG).read_bytes() == mended != whole


def test_a_fix_has_the_members_that_the_documentation_names(project: Repo) -> None:
    appended(project, OFFSET + b"\n")
    (found,) = (f for f in project.check().findings if f["rule"] == "timestamp-not-utc")
    edit = {
        "line": 2, "column": found["column"], "end_column": found["end_column"],
        "replacement": '"2025-10-31T22:01:31Z"',
    }  # fmt: skip
    said = "timestamp is 2025-10-31T22:01:31Z in UTC"
    assert found["fix"] == {"applicability": "unsafe", "message": said, "edits": [edit]}


def test_standard_input_gets_edits_too_and_no_word_of_a_command_that_cannot_change_it(tmp_path: Path) -> None:
    found = gate("check", "-", "--output-format", "json", cwd=tmp_path, stdin=NAIVE + b"\n").findings
    assert [f["fix"]["applicability"] for f in found] == ["safe"]
    text = gate("check", "-", cwd=tmp_path, stdin=NAIVE + b"\n").out
    assert "timestamp-naive" in text
    assert "nsm-gate fix" not in text


def test_every_line_of_a_published_log_gets_no_edit(project: Repo) -> None:
    appended(project, NAIVE + b"\n")
    project.commit()
    assert {f["rule"]: f["fix"] for f in project.check("--all").findings} == {"timestamp-naive": None}


def test_the_text_names_the_command_that_does_what_the_hint_says(project: Repo) -> None:
    appended(project, OFFSET + b"\r\n")
    text = gate("check", cwd=project.path, env=project.env).out
    assert "write it in UTC: 2025-10-31T22:01:31Z  (nsm-gate fix --unsafe does it)\n" in text
    assert "open the log with newline='\\n'  (nsm-gate fix does it)\n" in text


# --- layout, on request -------------------------------------------------------------------------------


def test_members_go_into_the_order_of_the_schema_and_nothing_else_moves(project: Repo) -> None:
    row = (
        b'{"run_data": {"domain":"planning" ,"run_id": "planning_x_20251101", "hyperparameters": {"zeta": 1, "seed": 42,'
        b' "epochs": 1e1},"status": "running", "dataset_config": {} }, "timestamp": "2025-11-01T08:00:00Z"}'
    )
    wanted = (
        b'{"timestamp": "2025-11-01T08:00:00Z", "run_data": {"run_id": "planning_x_20251101" ,"domain":"planning", '
        b'"status": "running","dataset_config": {}, "hyperparameters": {"epochs": 1e1, "seed": 42, "zeta": 1} }}'
    )
    before = appended(project, row + b"\n")
    assert fix(cwd=project.path, env=project.env).code == 0
    result = fix("--order", cwd=project.path, env=project.env)
    assert made(result) == {"member-order": 1}
    got = (project.path / LOG).read_bytes().removeprefix(before).rstrip(b"\n")
    assert json.loads(got) == json.loads(row)
    assert list(json.loads(got)["run_data"]) == [
        "run_id",
        "domain",
        "status",
        "dataset_config",
        "hyperparameters",
    ]
    assert sorted(got) == sorted(row)
    assert got == wanted
    assert fix("--order", cwd=project.path, env=project.env).code == 0


def test_spacing_is_that_of_json_dumps_and_numbers_stay(project: Repo) -> None:
    before = appended(project, ODD.replace(b"08:00:00", b"08:00:00Z") + b"\n")
    result = fix("--spacing", cwd=project.path, env=project.env)
    assert made(result) == {"spacing": 1}
    got = (project.path / LOG).read_bytes().removeprefix(before)
    assert b'{"learning_rate": 1.0e-04, "pool_ratio": 0.50, "epochs": 10E0, "seed": -0}' in got
    assert b"caf\\u00e9 \\/ \\ud83d\\ude00 \xe6\xbc\xa2" in got
    assert got.startswith(b'{"run_data": {"run_id": ')


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), values, max_size=4), st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_layout_keeps_every_value(
    tmp_path: Path, more: dict[str, Any], indent: int | None, ascii_: bool
) -> None:
    entry = {**a("new"), **more}
    raw = json.dumps(entry, ensure_ascii=ascii_, indent=indent).replace("\n", "\t").encode("utf-8", "replace")
    (tmp_path / LOG).write_bytes(raw + b"\n")
    fix("--all", "--order", "--spacing", cwd=tmp_path)
    made_ = (tmp_path / LOG).read_bytes()
    assert json.loads(made_) == json.loads(raw)
    assert (
        made_ == json.dumps(json.loads(made_), ensure_ascii=ascii_).encode() + b"\n"
        or b"\\" in raw
        or ascii_ is False
    )
    assert fix("--all", "--order", "--spacing", cwd=tmp_path).code == 0


# --- what is asked for --------------------------------------------------------------------------------


def test_select_and_ignore_name_the_fixes(project: Repo) -> None:
    before = appended(project, GOOD.replace(b"00:01:31Z", b"00:01:31+00:00") + b"\r\n\n")
    assert made(fix("--diff", "--select", "blank-line,utc-offset", cwd=project.path, env=project.env)) == {
        "blank-line": 1, "utc-offset": 1,
    }  # fmt: skip
    assert made(fix("--diff", "--ignore", "blank-line", cwd=project.path, env=project.env)) == {
        "line-ending": 1, "utc-offset": 1,
    }  # fmt: skip
    assert (project.path / LOG).read_bytes().startswith(before)
    wrong = fix("--select", "blank-lines,schema", cwd=project.path, env=project.env)
    assert wrong.code == 2
    assert "there is no fix for 'blank-lines'\n  did you mean 'blank-line'?" in wrong.err
    assert f"there is one for {', '.join((*FIXES, *UNASKED))}" in wrong.err
    empty = fix("--ignore", ",".join((*FIXES, *UNASKED)), cwd=project.path, env=project.env)
    assert (empty.code, "no fix is left to make" in empty.err) == (2, True)


def test_a_path_limits_what_is_fixed(project: Repo) -> None:
    appended(project, GOOD + b"\r\n")
    project.write(f"sub/{LOG}", line(a("sub", 5)) + b"\r\n")
    result = fix(f"sub/{LOG}", cwd=project.path, env=project.env)
    assert made(result) == {"line-ending": 1}
    assert (project.path / LOG).read_bytes().endswith(b"\r\n")
    assert f"to stage what was fixed: git add sub/{LOG}\n" in result.out


def test_what_is_to_be_staged_is_named_as_a_shell_in_this_folder_takes_it(project: Repo) -> None:
    project.write(f"a b/{LOG}", line(a("sub", 5)) + b"\r\n")
    (project.path / "sub").mkdir()
    result = fix(cwd=project.path / "sub", env=project.env)
    assert f"to stage what was fixed: git add '../a b/{LOG}'\n" in result.out


def test_quiet_says_nothing_where_nothing_is_fixed(project: Repo) -> None:
    assert fix("-q", cwd=project.path, env=project.env) == Result(0, "", "")
    appended(project, GOOD + b"\r\n")
    assert "1 fix made in 1 line: 1 line-ending" in fix("-q", cwd=project.path, env=project.env).out


def test_what_remains_is_counted_and_named(project: Repo) -> None:
    appended(project, line(a("new", 1, findings="TODO", hyperparameters__seed=...)) + b"\r\n")
    result = fix(cwd=project.path, env=project.env)
    assert "2 findings remain: 1 missing-findings, 1 missing-hyperparameter\n" in result.out


def test_long_lists_are_cut_unless_all_are_asked_for(project: Repo) -> None:
    rows = b"".join(line(a(f"n{n}", n)) + b"\r\n" for n in range(20))
    before = appended(project, rows)
    short = fix(cwd=project.path, env=project.env)
    assert "  … and 8 more: -v shows all" in short.out
    (project.path / LOG).write_bytes(before + rows)
    assert fix("-v", cwd=project.path, env=project.env).out.count("CRLF becomes a newline alone") == 20


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-",), "standard input cannot be fixed where it lies"),
        (("nothing.jsonl",), "no such file in the work tree"),
        (("sub",), "no such file in the work tree"),
        (("--base", "nowhere"), "'nowhere' (--base nowhere) is no commit of this clone"),
        (("--staged",), "unrecognized arguments: --staged"),
    ],
)
def test_what_cannot_be_done_is_exit_2_and_says_why(project: Repo, args: tuple[str, ...], said: str) -> None:
    result = fix(*args, cwd=project.path, env=project.env)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


# --- staged and unstaged ------------------------------------------------------------------------------


def test_the_index_is_left_to_the_user_and_a_log_staged_in_part_is_named(project: Repo) -> None:
    appended(project, GOOD + b"\r\n")
    project.git("add", "-A")
    index = project.git("ls-files", "-s")
    whole = fix(cwd=project.path, env=project.env)
    assert project.git("ls-files", "-s") == index
    assert "git add -p" not in whole.out
    appended(project, line(a("third", 3)) + b"\r\n")
    part = fix(cwd=project.path, env=project.env)
    assert project.git("ls-files", "-s") == index
    assert made(part) == {"line-ending": 1}
    assert f"  {LOG} had unstaged lines beside the staged ones: git add -p asks for each\n" in part.out


def test_the_whole_way_of_a_hook_leads_to_a_commit(project: Repo) -> None:
    appended(project, NAIVE + b"\r\n")
    project.git("add", "-A")
    assert fix(cwd=project.path, env=project.env).code == 1
    project.git("add", LOG)
    assert fix(cwd=project.path, env=project.env).code == 0
    assert gate("check", "--staged", cwd=project.path, env=project.env).code == 0


# --- check --fix --------------------------------------------------------------------------------------


def test_check_fix_mends_first_and_judges_the_work_tree(project: Repo) -> None:
    appended(project, line(a("new", 1, findings="TODO")).replace(b"01:31Z", b"01:31") + b"\r\n")
    project.git("add", "-A")
    result = project.check("--staged", "--fix")
    assert (result.code, result.json["summary"]["exit_code"]) == (1, 1)
    assert [rule for rule, _ in result.rules()] == ["missing-findings"]
    assert "2 fixes made in 1 line: 1 line-ending, 1 timestamp-naive" in result.err
    # Staged, it is still as it was.
    assert "line-ending" in [rule for rule, _ in project.check("--staged").rules()]


def test_check_fix_fails_once_where_all_could_be_mended_as_a_hook_that_changes_files_does(
    project: Repo,
) -> None:
    appended(project, GOOD + b"\r\n")
    first = project.check("--fix")
    assert (first.code, first.rules(), first.json["summary"]["exit_code"]) == (1, [], 1)
    second = project.check("--fix")
    assert (second.code, second.err) == (0, "")


def test_check_fix_takes_unsafe_fixes_and_the_rules_that_are_selected(project: Repo) -> None:
    appended(project, OFFSET + b"\r\n")
    project.check("--fix", "--select", "timestamp-not-utc")
    assert (project.path / LOG).read_bytes().endswith(OFFSET + b"\r\n")
    project.check("--fix", "--unsafe", "--select", "timestamp-not-utc")
    assert b"+02:00" not in (project.path / LOG).read_bytes()
    assert (project.path / LOG).read_bytes().endswith(b"\r\n")


def test_check_diff_shows_what_fix_would_do_and_nothing_else(project: Repo) -> None:
    appended(project, GOOD + b"\r\n")
    whole = (project.path / LOG).read_bytes()
    result = gate("check", "--diff", cwd=project.path, env=project.env)
    assert result.code == 1
    assert result.out == fix("--diff", cwd=project.path, env=project.env).out
    assert (project.path / LOG).read_bytes() == whole
    assert gate("check", "--unsafe", cwd=project.path, env=project.env).code == 2
    assert gate("check", "-", "--fix", cwd=project.path, env=project.env).code == 2


# --- the diff -----------------------------------------------------------------------------------------


def test_the_diff_is_the_one_that_git_shows(project: Repo) -> None:
    rows = [line(a(f"n{n}", n)) for n in range(1, 30)]
    rows[3] += b"\r"
    rows[4] = rows[4].replace(b'Z"', b'"')
    rows.insert(20, b"")
    appended(project, b"\n".join(rows))
    project.git("add", "-A")
    shown = fix("--diff", cwd=project.path, env=project.env)
    assert shown.code == 1
    fix(cwd=project.path, env=project.env)
    wanted = project.git("diff", "--no-textconv", "--", LOG).split("\n")
    start = next(number for number, row in enumerate(wanted) if row.startswith("--- "))
    assert shown.out.replace("\\u000d", "\r").rstrip("\n").split("\n") == [
        re.sub(r"^(@@ .* @@).*", r"\1", row) for row in wanted[start:]
    ]


def test_the_diff_carries_nothing_that_acts(project: Repo) -> None:
    hostile = a("new", 1, findings="x ::error::forged ##[error]y \x7f\u202e\u2028 and enough words")
    appended(project, json.dumps(hostile, ensure_ascii=False).encode() + b"\r\n")
    out = fix("--diff", cwd=project.path, env=project.env).out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]|::|##\\[", out)


def test_names_of_files_and_runs_cannot_act_in_what_is_printed(project: Repo) -> None:
    folder = "a\n::error::forged##[error]x"
    evil = edited(a_run("x\n::error::forged##[error]\x1b[31m_20251101", 5))
    project.write(f"{folder}/{LOG}", line(evil) + b"\r\n")
    for args in ((), ("--diff",)):
        result = fix(*args, cwd=project.path, env=project.env)
        said = result.out + result.err
        assert not any(row.lstrip().startswith("::") for row in said.split("\n"))
        assert "##[" not in said
        assert "\x1b" not in said


# --- the registry -------------------------------------------------------------------------------------


def test_check_knows_which_rules_have_fixes_without_loading_them(project: Repo) -> None:
    from nsm_gate.commands import check

    assert frozenset(FIXES) == check._MENDED
    appended(project, line(a("new", 1, findings="TODO")) + b"\n")
    program = (
        "import io, os, sys; from nsm_gate.cli import main;"
        "main(['check'], io.BytesIO(), io.StringIO(), io.StringIO(), os.environ, os.getcwd());"
        "print([name for name in sys.modules if name.startswith('nsm_gate.') and ('fix' in name or 'offering' in name)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.path, env=project.env, capture_output=True, check=True
    )
    assert done.stdout == b"[]\n"


def test_every_fix_is_on_the_page_of_the_documentation() -> None:
    from tests.support import ROOT

    page = (ROOT / "docs/fix.md").read_text(encoding="utf-8")
    for name in (*FIXES, *UNASKED):
        assert f"`{name}`" in page

"""The benchmarks: what they generate is what they say, and their table judges right. No times are asserted."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import findings, gate, generate, growth, record, startup, throughput
from benchmarks.growth import Point, exponent
from benchmarks.places import Places, log_of
from benchmarks.processes import BenchError, Command, Runner, Sample
from benchmarks.scale import Scale
from benchmarks.table import Bar, Row, exit_code, paired, render, seconds

LINES = 600


def judge(folder: Path, kind: str) -> dict[str, object]:
    """Generate a log and judge every line of it."""
    generate.write(folder, LINES, kind)
    done = subprocess.run(
        [sys.executable, "-m", "nsm_gate", "check", "--all", "--no-ci", "--output-format", "json"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    return {**json.loads(done.stdout), "code": done.returncode}


# --- the generator ----------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    first, second = (generate.write(tmp_path / name, 200).read_bytes() for name in ("a", "b"))
    assert first == second
    assert generate.write(tmp_path / "c", 200, seed=7).read_bytes() != first
    # Whatever the Python: results of different machines are comparable.
    assert (
        hashlib.sha256(first).hexdigest()
        == "cf950a6d4739e42a3681d7c709e4b78a98dde2b4cbc810dc699c295e2f9cf2bc"
    )


@pytest.mark.parametrize("kind", generate.KINDS)
def test_a_longer_log_begins_with_the_shorter_one(tmp_path, kind):
    short = generate.write(tmp_path / "short", 100, kind).read_bytes()
    long = generate.write(tmp_path / "long", 150, kind).read_bytes()
    assert short.count(b"\n") == 100
    assert long.startswith(short)


def test_lines_are_as_long_as_real_ones(tmp_path):
    size = generate.write(tmp_path, 5000).stat().st_size
    assert 1357 <= size / 5000 <= 1385  # 70,000 of them are 96 MB, 1 percent more or less


def test_the_clean_log_has_no_finding_and_meets_every_criterion(tmp_path):
    report = judge(tmp_path, "clean")
    assert report["findings"] == []
    assert report["code"] == 0
    assert report["summary"]["checked"] == LINES + 6
    assert {verdict["outcome"] for verdict in report["verdicts"]} == {"met", "not-applicable"}
    met = {verdict["criterion"] for verdict in report["verdicts"] if verdict["outcome"] == "met"}
    # Those that compare with another run among them.
    assert {"fusion_effectiveness", "convergence", "q_neural", "mrr", "accuracy"} <= met


def test_the_runs_are_of_all_sorts():
    runs = [entry["run_data"] for entry in generate.entries(LINES)]
    assert {run["status"] for run in runs} == {"completed", "failed", "running"}
    assert len({run["experiment_type"] for run in runs}) == 4
    assert len({run["domain"] for run in runs}) == 3
    dual = {
        run["hyperparameters"]["use_dual_pass"]
        for run in runs
        if run["experiment_type"] == "dual_pass_validation"
    }
    assert dual == {True, False}
    completed = sum(run["status"] == "completed" for run in runs)
    assert 0.8 < completed / LINES < 1
    assert any("corrects" in run for run in runs)
    ended = [run["run_id"] for run in runs if run["status"] == "running"]
    assert any(run["run_id"] in ended and run["status"] == "completed" for run in runs)
    assert any(isinstance(item, dict) for run in runs for item in run["metrics_history"])
    assert any(isinstance(item, float) for run in runs for item in run["metrics_history"])


def test_every_line_of_the_failing_log_has_an_error(tmp_path):
    report = judge(tmp_path, "failing")
    errors = [item for item in report["findings"] if item["severity"] == "error"]
    assert {item["line"] for item in errors if item["path"] == "training_log.jsonl"} == set(
        range(1, LINES + 1)
    )
    assert report["code"] == 1
    assert len({item["rule"] for item in errors}) >= 6


def test_one_run_of_ten_misses_a_criterion_in_the_mixed_log(tmp_path):
    report = judge(tmp_path, "mixed")
    assert {item["rule"] for item in report["findings"]} == {"criterion-missed"}
    assert report["code"] == 0
    missed = {item["line"] for item in report["findings"]}
    assert 0.06 < len(missed) / LINES < 0.12


# --- the table --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bar", "ratio", "holds"),
    [
        (Bar("<=", 3), 3.0, True),
        (Bar("<=", 3), 3.001, False),
        (Bar("<", 1), 1.0, False),
        (Bar("<", 1), 0.999, True),
        (Bar(">=", 20), 20.0, True),
        (Bar(">=", 20), 19.9, False),
        (Bar("<=", 8, aim=5), 7.0, True),  # the aim is not judged
        (Bar("<=", 3), None, False),  # what was not measured does not hold
        (None, 3.0, None),
    ],
)
def test_a_bar_judges_the_ratio(bar, ratio, holds):
    row = Row("this against that", "ours", "theirs", ratio, bar)
    assert row.holds is holds
    assert row.cells()[-1] == {True: "yes", False: "**no**", None: ""}[holds]


def test_the_table_says_what_holds():
    rows = [
        Row("start", seconds([0.2, 0.25, 0.4]), seconds([0.05]), 5.0, Bar("<=", 8, 5)),
        Row("throughput", seconds([2.0, 3.0]), seconds([0.5, 0.5]), 5.004, Bar("<=", 3)),
        Row("not tried", "–", "–", None, Bar("<", 1)),
        Row("told only", "1", "2", 0.5),
    ]
    assert render(rows).splitlines() == [
        "| measure    | ours          | peer         | ratio        | bar         | holds  |",
        "| ---------- | ------------- | ------------ | ------------ | ----------- | ------ |",
        "| start      | 200 / 250 ms  | 50 / 50 ms   | 5.00         | ≤ 8 (aim 5) | yes    |",
        "| throughput | 2.00 / 2.50 s | 500 / 500 ms | 5.00         | ≤ 3         | **no** |",
        "| not tried  | –             | –            | not measured | < 1         | **no** |",
        "| told only  | 1             | 2            | 0.50         |             |        |",
        "",
        "1 of 3 bars hold.",
    ]


def test_only_strict_fails():
    good, bad = Row("a", "", "", 1.0, Bar("<=", 3)), Row("b", "", "", 4.0, Bar("<=", 3))
    assert exit_code([good, bad], strict=False) == 0
    assert exit_code([good, bad], strict=True) == 1
    assert exit_code([good, Row("c", "", "", 9.0)], strict=True) == 0
    assert exit_code([], strict=True) == 1


def test_ratios_are_of_rounds():
    # A machine that was half as fast in the second round has slowed down both.
    assert paired([3.0, 6.0, 3.3], [1.0, 2.0, 1.0]) == 3.0
    assert paired([], [1.0]) is None


@pytest.mark.parametrize("power", [1, 1.5, 2])
def test_the_exponent_is_found_behind_the_start(power):
    lengths = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
    found = exponent([(n, 0.15 + 3e-6 * n**power) for n in lengths])
    assert found == pytest.approx(power, abs=0.011)
    assert exponent([(n, 0.15 + 1e-9 * n) for n in lengths]) == 0  # nothing but the start
    assert exponent([(1_000, 0.1), (2_000, 0.2)]) is None


def test_growth_is_judged_by_the_longest_log():
    scale = Scale(1_000, (1_000, 2_000, 4_000), 1, 1, 1.0, 1)

    def point(lines: int, took: float | None) -> Point:
        sample = Sample(took, 50_000_000, 200_000_000) if took is not None else None
        return Point(lines, lines * 100_000, sample, Sample(0.1, 50_000_000, 160_000_000), 0.1)

    whole = growth.rows([point(1_000, 1.0), point(2_000, 2.0), point(4_000, 4.0)], scale)
    assert [row.holds for row in whole if "time of check --all" in row.measure] == [True]
    assert [row.ratio for row in whole if "check --all, 1,000 lines" in row.measure] == [0.5, 2.0]
    assert [row.holds for row in whole if "memory of 1 line after 1,000" in row.measure] == [True, False]
    cut = growth.rows([point(1_000, 1.0), point(2_000, 2.0), point(4_000, None)], scale)
    [time] = [row for row in cut if "time of check --all" in row.measure]
    assert (time.ours, time.ratio, time.holds) == ("–", None, False)
    assert [row.holds for row in cut if "check --all, 4,000 lines" in row.measure] == [False]
    assert "too long" in growth.table([point(4_000, None)])


def test_results_go_between_the_marks_of_the_page():
    page = (record.FOLDER / "README.md").read_text()
    changed = record.replaced(page, "\n| a table |\n")
    assert changed.partition(record.BEGIN)[2].partition(record.END)[0] == "\n\n| a table |\n\n"
    assert (
        record.replaced(changed, page.partition(record.BEGIN)[2].partition(record.END)[0].strip("\n"))
        != changed
    )
    with pytest.raises(ValueError, match="results:begin"):
        record.replaced("no marks", "results")


# --- processes --------------------------------------------------------------------------------


def command(code: str, folder: Path, expected: int = 0) -> Command:
    return Command([sys.executable, "-c", code], folder, expected)


def quiet(patience: float = 60.0) -> Runner:
    return Runner(patience, lambda text: None)


def test_commands_are_run_in_turn(tmp_path):
    note = "import sys; open('order', 'a').write({!r})"
    times = quiet().rounds({name: command(note.format(name), tmp_path) for name in "abc"}, 2, 60.0)
    assert (tmp_path / "order").read_text() == "abc" * 3  # one round is not counted
    assert [len(found) for found in times.values()] == [2, 2, 2]


def test_rounds_end_with_the_budget(tmp_path):
    times = quiet().rounds({name: command("pass", tmp_path) for name in "ab"}, 50, 0.0)
    assert [len(found) for found in times.values()] == [1, 1]


def test_a_process_that_does_something_else_ends_the_benchmark(tmp_path):
    with pytest.raises(BenchError, match=r"exit code 3, not 0(.|\n)*no such log"):
        quiet().run(command("import sys; print('no such log', file=sys.stderr); sys.exit(3)", tmp_path))
    assert quiet().run(command("import sys; sys.exit(1)", tmp_path, 1)) is not None


def test_what_takes_too_long_is_killed_and_not_tried_again(tmp_path):
    runner = quiet(0.5)
    slow = command("import time; open('begun', 'a').write('x'); time.sleep(600)", tmp_path)
    assert runner.run(slow) is None
    assert runner.rounds({"slow": slow, "fast": command("pass", tmp_path)}, 1, 60.0)["slow"] == []
    assert (tmp_path / "begun").read_text() == "x"


def test_memory_is_that_of_the_whole_tree(tmp_path):
    pytest.importorskip("psutil")
    hold = "import time; data = bytearray(b'x') * 80_000_000; time.sleep(1.0)"
    two = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}]); {hold}"
    # The child holds its memory from before the parent does until after: however slowly it starts, both do at once.
    held = "import sys; data = bytearray(b'x') * 80_000_000; print(flush=True); sys.stdin.read()"
    pipes = "stdin=subprocess.PIPE, stdout=subprocess.PIPE"
    both = (
        f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {held!r}], {pipes}); "
        f"child.stdout.readline(); {hold}; child.stdin.close(); child.wait()"
    )
    after, together = (quiet().run(command(code, tmp_path), memory=True) for code in (two, both))
    assert after is not None
    assert together is not None
    assert 80e6 < after.largest < 140e6
    assert 80e6 < together.largest < 140e6
    assert 80e6 < after.tree < 150e6
    assert 160e6 < together.tree < 280e6


# --- in real repositories ---------------------------------------------------------------------


def test_a_repository_has_its_history_published_and_its_line_staged(tmp_path):
    root = Places(tmp_path).repository("here", 5, appended=1)
    assert len(log_of(root).read_bytes().splitlines()) == 6
    done = subprocess.run([*gate.staged(root).argv], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 appended line" in done.stdout
    tip = subprocess.run(
        ["git", "rev-parse", "@{upstream}", "HEAD"], cwd=root, capture_output=True, text=True, check=True
    )
    assert len(set(tip.stdout.split())) == 1


def test_a_log_is_made_again_only_where_it_is_too_short(tmp_path):
    places = Places(tmp_path)
    log = places.log(10)
    log.write_bytes(b"kept\n")
    assert places.log(5).read_bytes() == b"kept\n"
    assert places.log(11).read_bytes().count(b"\n") == 11


SMALL = Scale(60, (20, 40, 80), 1, 1, 1.0, 10)


def test_many_findings_are_measured_against_as_many_clean_lines(tmp_path):
    [row] = findings.measure(Places(tmp_path), quiet(), SMALL)
    assert row.measure == "check --all, 60 failing lines"
    assert row.ratio is not None


def test_the_start_is_measured_against_two(tmp_path):
    pytest.importorskip("check_jsonschema")
    rows = startup.measure(Places(tmp_path), quiet(), SMALL)
    assert [(row.peer.split(":")[0], row.ratio is not None) for row in rows] == [
        ("python -c pass", True), ("check-jsonschema", True),
    ]  # fmt: skip


def test_throughput_is_measured_against_three(tmp_path):
    pytest.importorskip("orjson")
    pytest.importorskip("sourcemeta_jsonschema")
    rows = throughput.measure(Places(tmp_path), quiet(), SMALL)
    assert [row.peer.split(":")[0] for row in rows[:4]] == [
        "orjson.loads", "orjson.loads", "sourcemeta-jsonschema", "jsonschema",
    ]  # fmt: skip
    known = [row.ratio is not None for row in rows]
    assert known == ([True] * 5 if gate.knows_jobs() else [True, False, True, True, False])
    assert rows[-1].ratio in (1.0, None)


def test_growth_is_measured_and_drawn(tmp_path):
    pytest.importorskip("psutil")
    pytest.importorskip("orjson")
    pytest.importorskip("matplotlib")
    points = growth.measure(Places(tmp_path), quiet(), SMALL)
    assert [point.lines for point in points] == [20, 40, 80]
    assert all(point.all and point.one and point.loads for point in points)
    shutil.copy(record.FOLDER / "README.md", tmp_path)
    record.write("| results |", points, tmp_path)
    assert "| results |\n\n![" in (tmp_path / "README.md").read_text()
    drawn = (tmp_path / "growth.svg").read_text()
    assert drawn.count("check --all") == 2
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", drawn)

"""What CI systems get unasked: formats, bases, GitHub's job summary and outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import Repo, Result, a_run, edited, environment, gate

LOG = "experiments/training_log.jsonl"
SHA = "0123456789abcdef0123456789abcdef01234567"


def pull_request(root: Path, *entries: dict[str, Any], **env: str) -> tuple[Repo, dict[str, str]]:
    """Make a pull request's merge ref that appends entries, and the runner's environment around it."""
    repo = Repo.init(root / "lab")
    repo.write(LOG, [a_run()])
    base = repo.commit("base")
    repo.git("checkout", "-q", "-b", "topic")
    repo.append(LOG, *entries)
    tip = repo.commit("runs")
    repo.git("checkout", "-q", "--detach", base)
    repo.git("merge", "-q", "--no-ff", "-m", "merge", tip)
    event = root / "event.json"
    event.write_text(json.dumps({"pull_request": {"base": {"sha": base}, "head": {"sha": tip}}}))
    runner = {
        "GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event), "GITHUB_REF": "refs/pull/7/merge", "GITHUB_SHA": SHA,
        "GITHUB_SERVER_URL": "https://github.example.com", "GITHUB_REPOSITORY": "lab/runs",
        "GITHUB_STEP_SUMMARY": str(root / "summary.md"), "GITHUB_OUTPUT": str(root / "output.txt"),
    }  # fmt: skip
    return repo, environment(root, **{**runner, **env})


def missed(name: str = "planning_weak_20251101", minute: int = 1) -> dict[str, Any]:
    return edited(a_run(name, minute), final_metrics__accuracy=0.5, best_val_accuracy=0.5)


def outputs(path: Path) -> dict[str, str]:
    """Read an output file as the runner does: NAME<<DELIMITER, the value, the delimiter."""
    found: dict[str, str] = {}
    rows = path.read_text(encoding="utf-8").splitlines()
    while rows:
        name, _, end = rows.pop(0).partition("<<")
        assert end
        value = []
        while rows[0] != end:
            value.append(rows.pop(0))
        rows.pop(0)
        found[name] = "\n".join(value)
    return found


def test_github_gets_annotations_a_group_a_summary_and_outputs_unasked(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, missed())
    result = gate("check", cwd=repo.path, env=env)
    assert (result.code, result.err) == (0, "")
    rows = result.out.splitlines()
    assert rows[0] == "::group::nsm-gate"
    assert rows.count("::endgroup::") == 1
    after = rows[rows.index("::endgroup::") + 1 :]
    assert after[0].startswith(f"::warning file={LOG},line=2,endLine=2,")
    assert "HEAD^1 of the merge ref" in result.out
    assert "judged by the rules of the base" in result.out
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("<!-- nsm-gate report -->\n")
    assert f"https://github.example.com/lab/runs/blob/{SHA}/{LOG}#L2" in summary
    assert "| <code>accuracy</code> | ❌ missed | 0.5 |" in summary
    assert outputs(tmp_path / "output.txt") == {
        "status": "passed", "errors": "0", "warnings": "1", "notices": "0",
        "waived": "0", "runs": "1", "missed": "1",
    }  # fmt: skip


def test_no_ci_turns_base_format_summary_and_outputs_off(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, missed())
    repo.git("checkout", "-q", "main")
    result = gate("check", "--no-ci", cwd=repo.path, env=env)
    assert (result.code, result.err) == (0, "")
    assert "::" not in result.out
    assert "nothing is staged" in result.out
    assert "GitHub" not in result.out
    assert not (tmp_path / "summary.md").exists()
    assert not (tmp_path / "output.txt").exists()


def test_a_format_that_is_asked_for_is_the_only_one(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, missed())
    result = gate("check", "--output-format", "json", cwd=repo.path, env=env)
    assert [f["rule"] for f in result.findings] == ["criterion-missed"]
    assert (tmp_path / "summary.md").exists()


def test_files_can_be_written_beside_what_the_ci_system_reads(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, missed())
    alone = gate("check", cwd=repo.path, env=env)
    comment = tmp_path / "comment.md"
    files = ("--output-format", "auto", "--output-format", f"markdown:{comment}")
    beside = gate("check", *files, cwd=repo.path, env=env)
    assert (beside.code, beside.out) == (alone.code, alone.out)
    assert comment.read_text("utf-8").startswith("<!-- nsm-gate report -->\n")
    elsewhere = gate("check", "--no-ci", *files, cwd=repo.path, env=env)
    assert elsewhere.out == gate("check", "--no-ci", cwd=repo.path, env=env).out
    refused = gate("check", *files, "--output-format", "json", cwd=repo.path, env=env)
    assert refused.code == 2
    assert "two output formats go to standard output" in refused.err


def test_a_deleted_branch_is_not_compared_with_the_default_branch(tmp_path: Path) -> None:
    """GitHub then runs the workflow on the default branch, and names the deleted tip as before."""
    repo, env = pull_request(tmp_path, missed())
    payload = {
        "ref": "refs/heads/topic", "before": repo.git("rev-parse", "topic"), "after": "0" * 40, "deleted": True,
        "repository": {"default_branch": "main"},
    }  # fmt: skip
    Path(env["GITHUB_EVENT_PATH"]).write_text(json.dumps(payload))
    repo.git("checkout", "-q", "main")
    env |= {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
    result = gate("check", "--output-format", "json", cwd=repo.path, env=env)
    assert (result.code, result.findings) == (0, [])


def test_under_a_hook_runner_the_text_stays_text(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, missed(), PRE_COMMIT="1")
    result = gate("check", cwd=repo.path, env=env)
    assert "::" not in result.out
    assert "✗ accuracy" in result.out


def test_the_summary_is_appended_to_what_is_there(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, missed())
    (tmp_path / "summary.md").write_text("of another step\n")
    gate("check", cwd=repo.path, env=env)
    assert (tmp_path / "summary.md").read_text().startswith("of another step\n<!-- nsm-gate report -->\n")


@pytest.mark.parametrize("name", ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"])
def test_a_file_of_the_runner_that_cannot_be_written_is_an_error_and_the_rest_is_written(
    name: str, tmp_path: Path
) -> None:
    repo, env = pull_request(tmp_path, missed())
    result = gate("check", cwd=repo.path, env={**env, name: str(tmp_path)})
    assert result.code == 2
    assert f"{name} cannot be written" in result.err
    assert "::warning file=" in result.out
    assert (tmp_path / ("output.txt" if name == "GITHUB_STEP_SUMMARY" else "summary.md")).exists()


def test_a_machine_gets_no_report_beside_an_error(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, missed())
    result = gate(
        "check", "--output-format", "json", cwd=repo.path, env={**env, "GITHUB_OUTPUT": str(tmp_path)}
    )
    assert result.code == 2
    assert list(result.json) == ["error"]


def test_what_cannot_be_judged_is_said_in_summary_and_outputs(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, missed())
    repo.write("nsm-gate.yaml", "severitty: {schema: error}\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "--no-edit")
    result = gate("check", cwd=repo.path, env=env)
    assert result.code == 2
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "could not judge" in summary
    assert "severitty" in summary
    assert outputs(tmp_path / "output.txt") == {"status": "not-judged"}


def test_a_failing_check_says_so(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, edited(a_run("planning_mute_20251101", 1), findings=None))
    result = gate("check", cwd=repo.path, env=env)
    assert result.code == 1
    assert outputs(tmp_path / "output.txt")["status"] == "failed"


HOSTILE = [
    "x\n::error::forged", "x\r::add-mask::a", "##[error]forged", "</code><img src=x onerror=alert(1)>", "a | b | c",
    "`code` **bold** _it_", "@octocat #1 https://evil.example.com www.evil.example.com", "\x1b[31mred", "\u202eabc",
    "<!-- nsm-gate report -->", "| --- |\n| a |", "]]>", "&lt;b&gt;", "![x](http://e)", "nsm_gate_0\nstatus<<x\npassed\nx",
    "::endgroup::",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_in_its_cell(text: str, tmp_path: Path) -> None:
    hostile = edited(missed(text), findings=None, experiment_type=text, domain=text)
    hostile["run_data"]["run_id"] = text
    repo, env = pull_request(tmp_path, missed(), json.loads(json.dumps(hostile)))
    result = gate("check", cwd=repo.path, env=env)
    assert result.code == 1
    commands = [row for row in re.split(r"[\r\n]", result.out) if row.lstrip().startswith("::")]
    assert all(re.match(r"::(group|endgroup|error|warning|notice)[: ]", row) for row in commands)
    assert sum(row.startswith("::endgroup::") for row in commands) == 1
    assert "##[" not in result.out
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert summary.count("<!-- nsm-gate report -->") == 1
    tags = set(re.findall(r"<[^>]*>", summary)) - {"<code>", "</code>", "</a>", "<!-- nsm-gate report -->"}
    assert all(re.fullmatch(r'<a href="https://github\.example\.com/[^"<>]*">', tag) for tag in tags)
    free = re.sub(r"<code>.*?</code>", "", summary)
    assert not re.search(r"octocat|evil|forged|onerror", free)
    inside = "".join(re.findall(r"<code>(.*?)</code>", summary))
    assert not re.search(r"[`@\[\]|*_<>\\]|www\.|://", inside)
    widths = [len(row.split(" | ")) for row in summary.splitlines() if row.startswith("| <code>")]
    assert set(widths) <= {6, 7}
    assert set(outputs(tmp_path / "output.txt")) == {
        "status", "errors", "warnings", "notices", "waived", "runs", "missed",
    }  # fmt: skip


def test_a_long_report_is_cut_with_a_count(tmp_path: Path) -> None:
    runs = [edited(missed(f"planning_r{i}_20251101", i), findings="x" * 5) for i in range(1, 1500)]
    repo, env = pull_request(tmp_path, *runs)
    gate("check", cwd=repo.path, env=env)
    summary = (tmp_path / "summary.md").read_bytes()
    assert len(summary) <= 900 * 1024
    assert b"more runs or tables" in summary
    assert b"more runs\n" in summary


def test_markdown_in_a_file_fits_into_a_comment(tmp_path: Path) -> None:
    entries = [edited(missed(f"planning_r{i}_20251101", i), findings="x" * 5) for i in range(1, 300)]
    repo, env = pull_request(tmp_path, *entries)
    comment = tmp_path / "comment.md"
    gate("check", "--output-format", f"markdown:{comment}", cwd=repo.path, env=env)
    text = comment.read_text("utf-8")
    assert 60_000 < len(text) <= 65_536
    assert "more runs or tables" in text
    assert text.splitlines()[-1] == (tmp_path / "summary.md").read_text("utf-8").splitlines()[-1]
    # It is cut between rows: what there is of a table is a table.
    widths = [len(row.split(" | ")) for row in text.splitlines() if row.startswith("| <code>")]
    assert len(widths) > 40
    assert set(widths) == {6, 7}


def test_gitlab_gets_text_and_a_code_quality_report(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write(LOG, [a_run()])
    base = repo.commit()
    repo.append(LOG, missed())
    repo.commit()
    env = environment(tmp_path, GITLAB_CI="true", CI="true", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    result = gate("check", cwd=repo.path, env=env)
    assert result.code == 0
    assert "CI_MERGE_REQUEST_DIFF_BASE_SHA" in result.out
    (issue,) = json.loads((repo.path / "gl-code-quality-report.json").read_text())
    assert issue["check_name"] == "criterion-missed"


def test_azure_gets_its_own_commands_and_the_target_branch(tmp_path: Path) -> None:
    repo, _ = pull_request(tmp_path, missed())
    env = environment(
        tmp_path, TF_BUILD="True", BUILD_REASON="PullRequest", BUILD_SOURCEBRANCH="refs/pull/7/merge",
        SYSTEM_PULLREQUEST_TARGETBRANCH="refs/heads/main",
    )  # fmt: skip
    result = gate("check", cwd=repo.path, env=env)
    assert result.code == 0
    assert "##vso[task.logissue type=warning;" in result.out
    assert "judged by the rules of the base" in result.out
    assert "GitHub" not in result.out


def spark(result: Result) -> str:
    found = re.search(r"<code>([▁▂▃▄▅▆▇█]+)</code>", result.out)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "losses, bars",
    [([3, 2, 1], "█▄▁"), ([1.0, 1.0], "▄▄"), (list(range(100)), "▁▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇███")],
)
def test_a_history_is_drawn_small(losses: list[float], bars: str, tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write(LOG, [edited(a_run(), metrics_history=losses)])
    drawn = spark(gate("check", "--all", "--output-format", "markdown", cwd=repo.path))
    assert len(drawn) == min(24, len(losses))
    assert (drawn[0], drawn[-1]) == (bars[0], bars[-1])


def test_a_report_beside_an_output_that_cannot_be_written_is_not_taken_back(tmp_path: Path) -> None:
    repo, env = pull_request(tmp_path, missed())
    (repo.path / "taken").mkdir()
    result = gate("check", "--output-format", "sarif:taken", cwd=repo.path, env=env)
    assert result.code == 2
    assert "could not judge" not in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert (tmp_path / "output.txt").read_text(encoding="utf-8").count("status<<") == 1

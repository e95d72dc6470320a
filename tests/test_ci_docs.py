"""docs/ci.md and action.yml: what their readers' own linters say of them, and what the recipes do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.runner import GitHub, Runner, installed
from tests.support import ROOT, Repo, a_run, edited, environment, gate, with_command

LOG = "experiments/training_log.jsonl"
DOC = (ROOT / "docs/ci.md").read_text("utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
BLOCKS = {
    text.partition("\n")[0].removeprefix("# "): text
    for text in re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
}
WORKFLOWS = [name for name in BLOCKS if name.startswith(".github/workflows/")]
OURS = "example-org/nsm-gate@"


def tool(name: str) -> str:
    """Return a linter that the test group installs, or that is on the path; skip where there is none."""
    found = shutil.which(
        name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    )
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def linted(*command: str | Path, cwd: Path) -> None:
    env = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a folder that holds the action and every block of the page under its own name."""
    for name, text in {**BLOCKS, "action.yml": (ROOT / "action.yml").read_text("utf-8")}.items():
        place = tmp_path / "tree" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    return tmp_path / "tree"


def steps(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (job, step) of a workflow."""
    workflow = yaml.safe_load(BLOCKS[name])
    return [(job, step) for job, told in workflow["jobs"].items() for step in told["steps"]]


# --- linters ------------------------------------------------------------------------------------------


def test_every_block_says_which_file_it_is() -> None:
    assert len(BLOCKS) == len(re.findall(r"```ya?ml", DOC))
    assert len(WORKFLOWS) == 4
    assert set(BLOCKS) - set(WORKFLOWS) == {
        ".gitlab-ci.yml",
        "azure-pipelines.yml",
        ".pre-commit-config.yaml",
    }


@pytest.mark.parametrize("name", ["action.yml", *BLOCKS])
def test_every_file_has_the_form_of_its_kind(name: str, tree: Path) -> None:
    if name == ".pre-commit-config.yaml":
        linted(sys.executable, "-m", "pre_commit", "validate-config", name, cwd=tree)
        return
    kinds = {
        "action.yml": "github-actions",
        ".gitlab-ci.yml": "gitlab-ci",
        "azure-pipelines.yml": "azure-pipelines",
    }
    schema = f"vendor.{kinds.get(name, 'github-workflows')}"
    # As the hooks of check-jsonschema do: Azure's schema has patterns of another dialect.
    extra = {
        ".gitlab-ci.yml": ("--data-transform", "gitlab-ci"),
        "azure-pipelines.yml": ("--regex-variant", "nonunicode"),
    }
    linted(tool("check-jsonschema"), "--builtin-schema", schema, *extra.get(name, ()), name, cwd=tree)
    if name in WORKFLOWS:
        schema = "custom.github-workflows-require-timeout"
        linted(tool("check-jsonschema"), "--builtin-schema", schema, name, cwd=tree)


def test_zizmor_finds_nothing(tree: Path) -> None:
    linted(
        tool("zizmor"), "--offline", "--strict-collection", "--no-progress", "--collect=all", ".", cwd=tree
    )


def test_actionlint_finds_nothing(tree: Path) -> None:
    linted(tool("actionlint"), *WORKFLOWS, cwd=tree)


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"]]
    scripts += [step["run"] for name in WORKFLOWS for _, step in steps(name) if "run" in step]
    assert len(scripts) == 4
    for number, script in enumerate(scripts):
        (tmp_path / f"{number}.sh").write_text(script, "utf-8")
        linted(tool("shellcheck"), "--shell=bash", tmp_path / f"{number}.sh", cwd=tmp_path)


# --- what linters do not ask --------------------------------------------------------------------------


def test_no_text_of_others_becomes_a_part_of_a_command() -> None:
    scripts = list(ACTION["runs"]["steps"])
    scripts += [step for name in WORKFLOWS for _, step in steps(name) if "run" in step]
    for step in scripts:
        assert "${{" not in step["run"]
    for step in ACTION["runs"]["steps"]:
        assert "uses" not in step
        for value in step["env"].values():
            assert re.fullmatch(
                r"\$\{\{ (inputs\.[a-z-]+|steps\.install\.outputs\.python|github\.token) \}\}", value
            )
    used = {value for step in ACTION["runs"]["steps"] for value in step["env"].values()}
    assert {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]} <= used


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_use_what_the_action_has_and_no_right_that_they_do_not_need(name: str) -> None:
    workflow = yaml.safe_load(BLOCKS[name])
    assert workflow["permissions"] == {}
    assert not {"pull_request_target", "workflow_run"} & set(workflow[True])  # YAML takes `on` for true
    for line in re.findall(r"uses: (.*)", BLOCKS[name]):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    for job, told in workflow["jobs"].items():
        reads = any(step.get("uses", "").startswith(OURS) for step in told["steps"])
        allowed = {"contents": "read", "security-events": "write"} if reads else {"pull-requests": "write"}
        assert told["permissions"].items() <= allowed.items(), job
    (ours,) = [step for _, step in steps(name) if step.get("uses", "").startswith(OURS)]
    assert set(ours.get("with", {})) <= set(ACTION["inputs"])
    assert set(re.findall(r"steps\.gate\.outputs\.([\w-]+)", BLOCKS[name])) <= set(ACTION["outputs"])
    for checkout in (step for _, step in steps(name) if step.get("uses", "").startswith("actions/checkout@")):
        assert checkout["with"] == {"persist-credentials": False}  # one commit, and no token on the disk


def test_the_hooks_of_the_page_exist() -> None:
    config = yaml.safe_load(BLOCKS[".pre-commit-config.yaml"])
    offered = [hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))]
    assert [hook["id"] for hook in config["repos"][0]["hooks"]] == offered
    (skipped,) = re.findall(r"`skip: \[(.*)\]`", DOC)
    assert skipped.split(", ") == offered


# --- what the recipes do ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return installed(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def hub(tmp_path: Path) -> GitHub:
    """Return a server whose branch topic appends a run that misses a criterion, and one that says nothing."""
    made = GitHub(tmp_path)
    made.lab.write(LOG, [a_run()])
    made.lab.commit()
    made.push("main")
    made.lab.git("checkout", "-q", "-b", "topic")
    weak = edited(a_run("planning_weak_20251101", 1), final_metrics__accuracy=0.5, best_val_accuracy=0.5)
    made.lab.append(LOG, weak)
    made.lab.commit()
    made.lab.append(LOG, edited(a_run("planning_mute_20251101", 2), findings=None))
    made.lab.commit()
    made.lab.git("checkout", "-q", "main")
    return made


def shell(script: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script of a recipe. Nothing is installed: the command is this checkout's."""
    tools = cwd.parent / "tools"
    env = with_command(env, tools)
    (tools / "pip").write_text('#!/bin/sh\n[ "$1" = install ]\n')
    (tools / "pip").chmod(0o755)
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def junit(path: Path) -> set[str]:
    """Return the names of the cases that fail."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    return {str(case.get("name")) for case in root.iter("testcase") if case.find("failure") is not None}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_workflows_judge_a_pull_request(
    name: str, hub: GitHub, python: dict[str, dict[str, str]]
) -> None:
    event = hub.pull_request("topic", fork=True)
    runner = Runner(hub.root, hub.checkout(event), event)
    (ours,) = [step for _, step in steps(name) if step.get("uses", "").startswith(OURS)]
    temp = runner.env["RUNNER_TEMP"]
    files = {key: value.replace("${{ runner.temp }}", temp) for key, value in ours.get("with", {}).items()}
    done = runner.act(files, python)
    assert (done.code, done.outputs["errors"], done.outputs["runs"]) == (1, "1", "2"), done.log
    for file in files.values():
        assert Path(file).stat().st_size > 0
    for step in (step for _, step in steps(name) if "upload-artifact" in step.get("uses", "")):
        assert Path(step["with"]["path"].replace("${{ runner.temp }}", temp)).exists()
    assert not Repo(runner.workspace, hub.lab.env).git("status", "--porcelain")


@pytest.mark.parametrize("there", [(), (5,), (5, 6)])
def test_a_comment_is_made_once_and_updated_afterwards(there: tuple[int, ...], tmp_path: Path) -> None:
    (told,) = [step for _, step in steps(".github/workflows/nsm-gate-comment.yml") if "run" in step]
    tools = tmp_path / "tools"
    tools.mkdir()
    (tmp_path / "ids").write_text("".join(f"{number}\n" for number in there))
    gh = f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/calls\ncase "$*" in *--jq*) cat {tmp_path}/ids;; esac\n'
    (tools / "gh").write_text(gh)
    (tools / "gh").chmod(0o755)
    env = environment(tmp_path, GH_TOKEN="t", GH_REPO="octo-lab/runs", NUMBER="7")
    assert set(told["env"]) == {"GH_TOKEN", "GH_REPO", "NUMBER"}
    env["PATH"] = f"{tools}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", told["run"]], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    asked, written = (tmp_path / "calls").read_text().splitlines()
    assert asked.startswith("api --paginate repos/octo-lab/runs/issues/7/comments --jq ")
    assert "<!-- nsm-gate report -->" in asked
    place = (
        "--method PATCH repos/octo-lab/runs/issues/comments/5"
        if there
        else "--method POST repos/octo-lab/runs/issues/7/comments"
    )
    assert written == f"api --silent {place} --field body=@comment.md"


@pytest.mark.parametrize("source", ["merge_request_event", "push"])
def test_the_gitlab_job_judges_and_writes_its_reports(source: str, hub: GitHub) -> None:
    job = yaml.safe_load(BLOCKS[".gitlab-ci.yml"])["nsm-gate"]
    base, tip = hub.lab.git("rev-parse", "main"), hub.lab.git("rev-parse", "topic")
    hub.push("topic:refs/heads/main" if source == "push" else "topic")
    work = Repo.init(hub.root / "builds")
    work.git("remote", "add", "origin", hub.url)
    assert job["variables"]["GIT_DEPTH"] == "0"
    work.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*")
    work.git("checkout", "-q", "--detach", tip)
    env = environment(
        hub.root, CI="true", GITLAB_CI="true", CI_PIPELINE_SOURCE=source, CI_COMMIT_BEFORE_SHA=base
    )
    if source == "merge_request_event":
        env["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = base
    (rule,) = [rule for rule in job["rules"] if f'"{source}"' in rule["if"]]
    for name, value in rule.get("variables", {}).items():
        env[name] = env[value.removeprefix("$")]
    done = shell("\n".join(job["script"]), work.path, env)
    assert done.returncode == 1, done.stderr
    assert "planning_weak_20251101" in done.stdout
    assert base[:7] in done.stdout
    reports = job["artifacts"]["reports"]
    issues = json.loads((work.path / reports["codequality"]).read_text("utf-8"))
    assert {(issue["check_name"], issue["location"]["lines"]["begin"]) for issue in issues} == {
        ("criterion-missed", 2), ("missing-findings", 3)
    }  # fmt: skip
    assert len(junit(work.path / reports["junit"])) == 1


def test_the_azure_pipeline_judges_and_writes_its_reports(hub: GitHub) -> None:
    pipeline = yaml.safe_load(BLOCKS["azure-pipelines.yml"])
    event = hub.pull_request("topic")
    checkout, *rest = pipeline["steps"]
    assert (checkout["checkout"], checkout["fetchDepth"]) == ("self", "0")
    work = hub.checkout(event, depth=0)
    temp = hub.root / "agent temp"
    temp.mkdir()
    env = environment(
        hub.root, TF_BUILD="True", BUILD_REASON="PullRequest", BUILD_SOURCEBRANCH="refs/pull/7/merge",
        SYSTEM_PULLREQUEST_TARGETBRANCH="refs/heads/main",
        SYSTEM_PULLREQUEST_SOURCECOMMITID=hub.lab.git("rev-parse", "topic"),
    )  # fmt: skip
    codes = []
    for step in (step for step in rest if "script" in step):
        done = shell(step["script"].replace("$(Agent.TempDirectory)", str(temp)), work, env)
        codes.append(done.returncode)
    assert codes == [0, 1], done.stderr
    issues = re.findall(
        r"^##vso\[task\.logissue type=(\w+);sourcepath=(\S+?);linenumber=(\d+);", done.stdout, re.MULTILINE
    )
    assert issues == [("error", LOG, "3"), ("warning", LOG, "2")]
    (published,) = [step["inputs"] for step in rest if step.get("task") == "PublishTestResults@2"]
    assert len(junit(temp / published["testResultsFiles"])) == 1


def test_the_command_for_elsewhere_runs(hub: GitHub) -> None:
    (command,) = re.findall(r"^\$ nsm-gate (.*)$", DOC, re.MULTILINE)
    hub.push("topic")
    work = Repo.clone(hub.server, hub.root / "clone", "--branch", "topic")
    result = gate(*command.split(), cwd=work.path, env=work.env)
    assert result.code == 1, result.err
    assert "2 appended lines" in result.out
    assert len(junit(work.path / "nsm-gate.xml")) == 1


def test_every_link_of_the_page_leads_somewhere() -> None:
    def anchors(text: str) -> set[str]:
        heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}

    for target in re.findall(r"\]\(([^)]+)\)", DOC):
        page, _, anchor = target.partition("#")
        text = (ROOT / "docs" / page).read_text("utf-8") if page else DOC
        assert not anchor or anchor in anchors(text), target

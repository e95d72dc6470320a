"""The action: its own steps, run by an emulated runner on real repositories with shallow checkouts."""

from __future__ import annotations

import gzip
import html
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.runner import ZEROS, Done, Event, GitHub, Runner, commands, installed, said
from tests.support import ROOT, Repo, a_run, check, edited, gate, lines

LOG = "experiments/training_log.jsonl"
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return installed(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_hub(tmp_path_factory.mktemp("template")).root


@pytest.fixture
def hub(template: Path, tmp_path: Path) -> GitHub:
    """Return what `a_hub` makes, copied."""
    shutil.copytree(template, tmp_path, symlinks=True, dirs_exist_ok=True)
    return GitHub(tmp_path)


@pytest.fixture(scope="module")
def job(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Return a job of a pull request that proposes five runs, for tests that leave its workspace alone."""
    root = tmp_path_factory.mktemp("job")
    shutil.copytree(template, root, symlinks=True, dirs_exist_ok=True)
    hub = GitHub(root)
    event = mixed(hub)
    return Runner(root, hub.checkout(event), event)


def a_hub(root: Path, default: str = "main") -> GitHub:
    """Return a server whose default branch holds runs 0 to 2, a commit each."""
    made = GitHub(root, default)
    for number in range(3):
        log(made, number)
    made.push(default)
    return made


def run(number: int, **changes: Any) -> dict[str, Any]:
    return edited(a_run(f"planning_run{number}_20251101", number), **changes)


def log(hub: GitHub, *numbers: int) -> str:
    """Append a run each, and commit."""
    for number in numbers:
        hub.lab.append(LOG, run(number))
    return hub.lab.commit(f"run {numbers}")


def branch(hub: GitHub, name: str, *numbers: int) -> str:
    """Make a branch of the default branch with a commit for each run; check the default branch out again."""
    hub.lab.git("checkout", "-q", "-b", name)
    for number in numbers:
        log(hub, number)
    tip = hub.lab.git("rev-parse", "HEAD")
    hub.lab.git("checkout", "-q", hub.default)
    return tip


def notes(hub: GitHub, count: int) -> None:
    """Commit that many times beside the logs."""
    for _ in range(count):
        # Two branches would share a commit of one second that says the same.
        hub.lab.git("commit", "-q", "--allow-empty", "-m", f"note {next(NUMBERS)}")


def act(hub: GitHub, event: Event, ready: Any, depth: int = 1, **inputs: str) -> Done:
    """Check out and run the action in a folder of its own."""
    name = f"{event.name}-{depth}"
    work = hub.checkout(event, depth=depth, name=f"{name}/work")
    given = {key.replace("_", "-"): value for key, value in inputs.items()}
    return Runner(hub.root / name, work, event).act(given, ready)


# --- every event, with the checkout's default depth ---------------------------------------------------


@dataclass
class Case:
    """An event, and what the action finds out about it.

    Attributes:
        base: How the report names the base, without its commit.
        runs: Runs that are judged.
        code: Exit code.
        errors: Errors.
        ref: What the workflow checks out instead of what the event names.
    """

    event: Event
    base: str
    runs: int
    code: int = 0
    errors: int = 0
    warnings: int = 0
    ref: str = ""
    inputs: dict[str, str] = field(default_factory=dict)


CASES: dict[str, Callable[[GitHub], Case]] = {}


def case(made: Callable[[GitHub], Case]) -> Callable[[GitHub], Case]:
    CASES[made.__name__] = made
    return made


@case
def a_pull_request(hub: GitHub) -> Case:
    branch(hub, "topic", 3, 4)
    return Case(hub.pull_request("topic"), "HEAD^1 of the merge ref", 2)


@case
def a_pull_request_from_a_fork(hub: GitHub) -> Case:
    branch(hub, "topic", 3)
    return Case(hub.pull_request("topic", fork=True), "HEAD^1 of the merge ref", 1)


@case
def a_pull_request_that_has_merged_main(hub: GitHub) -> Case:
    """A merge below the tip makes a line before a published one a warning; a cut history would hide it."""
    branch(hub, "topic", 3)
    log(hub, 4)
    hub.push("main")
    hub.lab.git("checkout", "-q", "topic")
    hub.lab.git("-c", "merge.default=union", "merge", "-q", "--no-edit", "main")
    notes(hub, 3)
    hub.lab.git("checkout", "-q", "main")
    return Case(hub.pull_request("topic"), "HEAD^1 of the merge ref", 1, warnings=1)


@case
def a_pull_request_whose_event_counts_no_commits(hub: GitHub) -> Case:
    made = a_pull_request_that_has_merged_main(hub)
    del made.event.payload["pull_request"]["commits"]
    return made


@case
def a_pull_request_behind_a_main_that_has_gone_on(hub: GitHub) -> Case:
    branch(hub, "topic", 3)
    notes(hub, 40)
    hub.push("main")
    return Case(hub.pull_request("topic"), "HEAD^1 of the merge ref", 1)


@case
def a_pull_request_whose_head_is_checked_out(hub: GitHub) -> Case:
    tip = branch(hub, "topic", 3, 4)
    notes(hub, 5)
    hub.push("main")
    event = hub.pull_request("topic")
    return Case(event, "merge base of pull_request.base.sha", 2, ref=tip)


@case
def a_pull_request_that_rewrites_a_line(hub: GitHub) -> Case:
    hub.lab.git("checkout", "-q", "-b", "topic")
    hub.lab.write(LOG, [run(0, findings="Reads better than what it showed at first."), run(1), run(2)])
    hub.lab.commit()
    hub.lab.git("checkout", "-q", "main")
    return Case(hub.pull_request("topic"), "HEAD^1 of the merge ref", 1, 1, 1)


@case
def a_pull_request_target_does_not_judge_the_base_for_the_head(hub: GitHub) -> Case:
    branch(hub, "topic", 3)
    return Case(hub.pull_request("topic", kind="pull_request_target"), "", 0, 2)


@case
def a_push(hub: GitHub) -> Case:
    before = hub.lab.git("rev-parse", "HEAD")
    log(hub, 3)
    log(hub, 4, 5)
    return Case(hub.pushed("refs/heads/main", before, hub.push("main")), "the push's before", 3)


@case
def a_push_that_merges(hub: GitHub) -> Case:
    before = hub.lab.git("rev-parse", "HEAD")
    branch(hub, "topic", 3)
    log(hub, 4)
    hub.lab.git("-c", "merge.default=union", "merge", "-q", "--no-edit", "topic")
    notes(hub, 2)
    event = hub.pushed("refs/heads/main", before, hub.push("main"))
    return Case(event, "the push's before", 2, warnings=1)


@case
def a_push_of_more_commits_than_its_event_lists(hub: GitHub) -> Case:
    """The merge among them makes a line before a published one a warning."""
    branch(hub, "topic", 3)
    before = log(hub, 4)
    hub.push("main")
    hub.lab.git("checkout", "-q", "topic")
    hub.lab.git("-c", "merge.default=union", "merge", "-q", "--no-edit", "main")
    notes(hub, 3)
    event = hub.pushed("refs/heads/main", before, hub.push("topic:refs/heads/main"))
    event.payload["commits"] = event.payload["commits"][-1:]
    return Case(event, "the push's before", 1, warnings=1)


@case
def a_force_push_that_rewrites_the_log(hub: GitHub) -> Case:
    before = log(hub, 3)
    hub.push("main")
    hub.lab.git("reset", "-q", "--hard", "HEAD~2")
    log(hub, 4)
    after = hub.push("main", force=True)
    return Case(hub.pushed("refs/heads/main", before, after, forced=True), "the push's before", 1, 1, 2)


@case
def a_force_push_whose_before_nobody_has(hub: GitHub) -> Case:
    before = branch(hub, "topic", 3)
    hub.push("topic")
    branch(hub, "again", 4, 5)
    after = hub.push("again:refs/heads/topic", force=True)
    hub.server.git("reflog", "expire", "--expire=now", "--all")
    hub.server.git("gc", "-q", "--prune=now")
    event = hub.pushed("refs/heads/topic", before, after, forced=True)
    return Case(event, "merge base of origin/main", 2)


@case
def a_new_branch(hub: GitHub) -> Case:
    notes(hub, 4)
    branch(hub, "topic", 3, 4)
    notes(hub, 4)
    hub.push("main")
    return Case(hub.pushed("refs/heads/topic", ZEROS, hub.push("topic")), "merge base of origin/main", 2)


@case
def a_new_branch_without_a_commit_of_its_own(hub: GitHub) -> Case:
    tip = hub.push("main:refs/heads/topic")
    return Case(hub.pushed("refs/heads/topic", ZEROS, tip), "first parent", 1)


@case
def the_first_push_of_the_default_branch(hub: GitHub) -> Case:
    return Case(hub.pushed("refs/heads/main", ZEROS, hub.lab.git("rev-parse", "main")), "first parent", 1)


@case
def a_deleted_branch(hub: GitHub) -> Case:
    before = hub.lab.git("rev-parse", "main")
    return Case(hub.pushed("refs/heads/topic", before, ZEROS), "first parent", 1)


@case
def a_tag(hub: GitHub) -> Case:
    hub.lab.git("tag", "v1")
    hub.push("refs/tags/v1:refs/tags/v1")
    notes(hub, 2)
    tip = hub.lab.git("rev-parse", "v1")
    hub.push("main")
    return Case(hub.pushed("refs/tags/v1", ZEROS, tip), "first parent", 1)


@case
def a_merge_group(hub: GitHub) -> Case:
    branch(hub, "topic", 3, 4)
    log(hub, 5)
    hub.push("main")
    hub.lab.git("checkout", "-q", "topic")
    hub.lab.git("-c", "merge.default=union", "merge", "-q", "--no-edit", "main")
    hub.lab.git("checkout", "-q", "main")
    return Case(hub.merge_group("topic"), "merge_group.base_sha", 2, warnings=2)


@case
def a_schedule(hub: GitHub) -> Case:
    return Case(hub.schedule(), "first parent", 1)


@case
def a_dispatch_on_a_branch(hub: GitHub) -> Case:
    branch(hub, "topic", 3, 4)
    hub.push("topic")
    return Case(hub.workflow_dispatch("refs/heads/topic"), "first parent", 1)


@case
def a_dispatch_on_a_tag(hub: GitHub) -> Case:
    hub.lab.git("tag", "v1")
    hub.push("refs/tags/v1:refs/tags/v1")
    return Case(hub.workflow_dispatch("refs/tags/v1"), "first parent", 1)


def dispatch_with_base(hub: GitHub, base: str, said: str = "") -> Case:
    branch(hub, "topic", 3, 4)
    hub.push("topic")
    notes(hub, 3)
    hub.push("main")
    event = hub.workflow_dispatch("refs/heads/topic")
    return Case(event, f"merge base of {said or base}", 2, inputs={"base": base})


@case
def a_base_that_is_a_branch(hub: GitHub) -> Case:
    return dispatch_with_base(hub, "main")


@case
def a_base_that_is_a_remote_branch(hub: GitHub) -> Case:
    return dispatch_with_base(hub, "origin/main")


@case
def a_base_that_is_a_tag(hub: GitHub) -> Case:
    hub.lab.git("tag", "-m", "first", "v1")
    hub.push("refs/tags/v1:refs/tags/v1")
    return dispatch_with_base(hub, "v1")


@case
def a_base_that_is_a_commit(hub: GitHub) -> Case:
    commit = hub.lab.git("rev-parse", "HEAD")
    return dispatch_with_base(hub, commit, commit[:7])


@case
def a_base_counted_from_the_head(hub: GitHub) -> Case:
    return dispatch_with_base(hub, "HEAD~2")


@pytest.mark.parametrize("name", CASES)
def test_a_checkout_of_one_commit_is_judged_like_a_whole_clone(
    name: str, hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    made = CASES[name](hub)
    done = Runner(hub.root / "1", hub.checkout(made.event, ref=made.ref), made.event).act(made.inputs, ready)
    assert done.base.startswith(made.base), done.log
    assert done.code == made.code, done.log
    if made.code < 2:
        counts = [int(done.outputs[key]) for key in ("errors", "warnings", "runs")]
        assert counts == [made.errors, made.warnings, made.runs], done.log
    work = hub.checkout(made.event, depth=0, ref=made.ref, name="whole")
    runner = Runner(hub.root / "0", work, made.event)
    if "force_push" in name:
        # What no branch holds any more is in no clone: the action asks for it there, too.
        whole = runner.act(made.inputs, ready)
        assert len(whole.fetched) == 1
        assert (whole.outputs, whole.code, whole.base) == (done.outputs, done.code, done.base)
        return
    base = [f"--base={made.inputs['base']}"] if made.inputs else []
    result = gate("check", *base, cwd=work, env=runner.env)
    assert (result.code, said(result.out)) == (done.code, done.base)
    assert totals(result.out) == totals(done.log)


def totals(log: str) -> list[str]:
    return re.findall(r"^\d+ errors?, .*", log, re.MULTILINE)


def test_a_default_branch_of_any_name_is_found(tmp_path: Path, ready: dict[str, dict[str, str]]) -> None:
    hub = a_hub(tmp_path, "trunk/α")
    branch(hub, "topic", 3, 4)
    hub.lab.git("push", "-q", hub.url, "topic")
    tip = hub.lab.git("rev-parse", "topic")
    done = act(hub, hub.pushed("refs/heads/topic", ZEROS, tip), ready)
    assert (done.code, done.outputs["runs"]) == (0, "2"), done.log
    assert done.base.startswith("merge base of origin/trunk/α")


def test_what_is_there_is_not_fetched_again(hub: GitHub, ready: dict[str, dict[str, str]]) -> None:
    branch(hub, "topic", 3)
    event = hub.pull_request("topic")
    work = Repo(hub.checkout(event, depth=3), hub.lab.env)
    work.git("remote", "set-url", "origin", "file:///nowhere")
    done = Runner(hub.root, work.path, event).act({}, ready)
    assert (done.code, done.fetched) == (0, []), done.log


def test_no_more_is_fetched_than_is_needed(hub: GitHub, ready: dict[str, dict[str, str]]) -> None:
    notes(hub, 50)
    hub.push("main")
    branch(hub, "topic", 3, 4)
    event = hub.pull_request("topic")
    work = Repo(hub.checkout(event), hub.lab.env)
    done = Runner(hub.root, work.path, event).act({}, ready)
    assert (done.code, done.fetched) == (0, [f"--deepen=3 {event.sha}"])
    assert int(work.git("rev-list", "--count", "HEAD")) < 10


def test_an_older_common_ancestor_is_not_taken_for_the_point_where_both_part(
    hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    """Both sides merged a line from long ago: it is found first, and the real point hides behind the cut."""
    old = hub.lab.git("rev-parse", "HEAD")
    log(hub, 3)
    parted = hub.lab.git("rev-parse", "HEAD")
    notes(hub, 40)
    for name in ("main", "topic"):
        hub.lab.git("checkout", "-q", "-b", f"{name}-side", old)
        hub.lab.write(f"{name}.txt", name)
        side = hub.lab.commit("aside")
        hub.lab.git("checkout", "-q", *(["-b", "topic", parted] if name == "topic" else ["main"]))
        if name == "topic":
            notes(hub, 40)
            log(hub, 4)
        hub.lab.git("merge", "-q", "--no-edit", side)
    hub.lab.git("checkout", "-q", "main")
    hub.push("main")
    done = act(hub, hub.pushed("refs/heads/topic", ZEROS, hub.push("topic")), ready)
    assert (done.code, done.outputs["runs"]) == (0, "1"), done.log
    assert done.base.startswith(f"merge base of origin/main: {parted[:7]}")


def test_logs_in_a_checkout_of_their_own_folder_are_found(
    hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    branch(hub, "topic", 3)
    event = hub.pull_request("topic")
    hub.checkout(event, name="work/runs of others")
    done = Runner(hub.root, hub.root / "work", event).act({"paths": "runs of others\n"}, ready)
    assert (done.code, done.outputs["runs"]) == (0, "1"), done.log


# --- what cannot be fetched ---------------------------------------------------------------------------


def test_a_base_that_cannot_be_fetched_is_no_pass(hub: GitHub, ready: dict[str, dict[str, str]]) -> None:
    branch(hub, "topic", 3)
    event = hub.pull_request("topic")
    work = Repo(hub.checkout(event), hub.lab.env)
    work.git("remote", "set-url", "origin", "file:///nowhere::error::x")
    done = Runner(hub.root, work.path, event).act({}, ready)
    assert (done.code, done.steps) == (2, {"install": "skipped", "fetch": "failure", "check": "skipped"})
    (told,) = done.annotations("error")
    assert told.properties == {"title": "nsm-gate"}
    assert "cannot be fetched" in told.data
    assert "fetch-depth: 0" in told.data
    assert done.outputs["status"] == "not-judged"
    assert done.outputs["errors"] == ""


@pytest.mark.parametrize(
    "base", ["nothing-is-called-so", "HEAD~9", "a b", "--output=pwned", "0" * 40, "f" * 40]
)
def test_a_base_that_does_not_exist_is_no_pass(
    base: str, hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    done = act(hub, hub.schedule(), ready, base=base)
    assert (done.code, done.outputs["status"]) == (2, "not-judged"), done.log
    assert "is no commit of this clone" in done.log
    assert "is no commit of this clone" in html.unescape(done.summary)
    assert [told.properties for told in done.annotations("error")] == [{"title": "nsm-gate"}]
    assert not list(hub.root.rglob("pwned"))


@pytest.mark.parametrize(
    "name, event",
    [
        ("push", b""), ("push", b"[]"), ("push", b'{"before": 1, "commits": 2, "repository": []}'),
        ("push", b'{"before": "a\\u0000", "repository": {"default_branch": "\\ud800\\u0000"}}'),
        ("pull_request", b"nothing"), ("merge_group", b"[" * 100_000),
    ],
)  # fmt: skip
def test_an_event_file_of_another_shape_is_no_crash(
    name: str, event: bytes, hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    said = Event(name, "refs/heads/main", hub.lab.git("rev-parse", "HEAD"), {})
    runner = Runner(hub.root, hub.checkout(said), said)
    (hub.root / "event.json").write_bytes(event)
    done = runner.act({}, ready)
    assert done.steps["fetch"] == "success"
    assert "Traceback" not in done.log
    assert done.code == 2 or "new branch" in done.base, done.log


class Door(BaseHTTPRequestHandler):
    """GitHub's door to a private repository: one Authorization header, with the job's token."""

    root: Path
    word = "eC1hY2Nlc3MtdG9rZW46Z2hzX3NlY3JldA=="  # x-access-token:ghs_secret

    def do_GET(self) -> None:
        shown = [value.partition(" ")[2] for value in self.headers.get_all("Authorization", [])]
        if shown != [self.word]:
            self.send_response(400 if len(shown) > 1 else 401)
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        env = {
            **os.environ, "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }  # fmt: skip
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        told = dict(row.split(": ", 1) for row in head.decode().split("\r\n"))
        self.send_response(int(told.pop("Status", "200").split()[0]))
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def door(tmp_path: Path) -> Iterator[str]:
    """Return the address of the server behind the door."""
    Door.root = tmp_path
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kept", [False, True])
def test_a_private_repository_is_fetched_with_the_jobs_token(
    kept: bool, hub: GitHub, door: str, ready: dict[str, dict[str, str]]
) -> None:
    """Whether the checkout persists its credentials or not: two headers would be refused as well."""
    branch(hub, "topic", 3)
    event = hub.pull_request("topic")
    work = Repo(hub.checkout(event), hub.lab.env)
    work.git("remote", "set-url", "origin", f"{door}/server.git")
    if kept:
        work.git("config", f"http.{door}/.extraheader", f"AUTHORIZATION: basic {Door.word}")
    settings = (work.path / ".git/config").read_text()
    done = Runner(hub.root, work.path, event, GITHUB_SERVER_URL=door, TOKEN="ghs_secret").act({}, ready)
    assert (done.code, done.outputs["runs"]) == (0, "1"), done.log
    assert (work.path / ".git/config").read_text() == settings
    assert "ghs_secret" not in done.log
    assert Door.word not in done.log


@pytest.mark.parametrize("server", ["the same", "another"])
def test_the_token_is_shown_to_its_own_server_only(
    server: str, hub: GitHub, door: str, ready: dict[str, dict[str, str]]
) -> None:
    branch(hub, "topic", 3)
    event = hub.pull_request("topic")
    work = Repo(hub.checkout(event), hub.lab.env)
    work.git("remote", "set-url", "origin", f"{door}/server.git")
    token = "ghs_secret" if server == "another" else ""
    address = "https://github.example.com" if server == "another" else door
    done = Runner(hub.root, work.path, event, GITHUB_SERVER_URL=address, TOKEN=token).act({}, ready)
    assert done.code == 2
    assert "can be read by the job's token" in done.annotations("error")[0].data


# --- what is published --------------------------------------------------------------------------------


def mixed(hub: GitHub) -> Event:
    """Propose five runs: lines 4 to 8 of the log."""
    hub.lab.git("checkout", "-q", "-b", "topic")
    weak = {"final_metrics__accuracy": 0.5, "best_val_accuracy": 0.5}
    hub.lab.append(
        LOG,
        run(3),
        run(4, **weak),
        run(5, findings="TODO"),
        run(6, start_time="2025-11-01T02:06:00+02:00", **weak),
        run(7, final_metrics__cycle_loss=None),
    )
    hub.lab.commit()
    hub.lab.git("checkout", "-q", "main")
    return hub.pull_request("topic", fork=True)


def test_a_pull_request_shows_its_runs_where_people_look(
    hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    event = mixed(hub)
    work = hub.checkout(event)
    done = Runner(hub.root, work, event).act({"comment-file": "../comment.md"}, ready)
    assert done.code == 1

    def placed(kind: str) -> set[tuple[str, int, int]]:
        found = [told.properties for told in done.annotations(kind)]
        assert all(place["line"] == place["endLine"] for place in found)
        return {(place["file"], int(place["line"]), int(place["col"])) for place in found}

    rows = ["", *(work / LOG).read_text("utf-8").splitlines()]
    assert placed("error") == {
        (LOG, 6, rows[6].index('"TODO"') + 1), (LOG, 7, rows[7].index('"2025-11-01T02:06') + 1)
    }  # fmt: skip
    assert {line for _, line, _ in placed("warning")} == {5, 7, 8}
    assert done.outputs == {
        "status": "failed", "errors": "2", "warnings": "3", "runs": "5", "missed": "2", "sarif-file": "",
    }  # fmt: skip
    assert done.steps == {"install": "skipped", "fetch": "success", "check": "failure"}

    whole = hub.checkout(event, depth=0, name="whole")
    verdicts = check("--base=origin/main", cwd=whole).json["verdicts"]
    summary = html.unescape(re.sub(r"</?code>", "", done.summary))
    for number in range(3, 8):
        name = f"planning_run{number}_20251101"
        asked = [v for v in verdicts if v["run"] == name and v["outcome"] != "not-applicable"]
        assert len(asked) == 5
        section = summary.partition(f"#### {name}")[2].partition("####")[0]
        for verdict in asked:
            sign = {"met": "✅ met", "missed": "❌ missed", "unknown": "❔ unknown"}[verdict["outcome"]]
            assert f"| {verdict['criterion']} | {sign} |" in section
    assert {v["outcome"] for v in verdicts} >= {"met", "missed", "unknown"}
    assert f"https://github.example.com/octo-lab/runs/blob/{event.sha}/{LOG}#L6" in summary
    assert (hub.root / "comment.md").read_text("utf-8") == done.summary


def test_a_passing_check_passes_the_step(hub: GitHub, ready: dict[str, dict[str, str]]) -> None:
    branch(hub, "topic", 3)
    done = act(hub, hub.pull_request("topic"), ready)
    assert (done.code, done.outputs["status"]) == (0, "passed")
    assert [command.name for command in commands(done.log)] == ["group", "endgroup"]


def test_five_thousand_findings_stay_within_the_limits_of_github(
    hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    hub.lab.git("checkout", "-q", "-b", "topic")
    bad = {
        "findings": "TODO", "hyperparameters__seed": ..., "experiment_type": "x" * 5000 + "::error::y",
        "start_time": "2025-11-01T02:06:00+02:00", "end_time": "yesterday", "status": "done",
    }  # fmt: skip
    hub.lab.append(LOG, *(run(number, **bad) for number in range(3, 1003)))
    hub.lab.commit()
    hub.lab.git("checkout", "-q", "main")
    files = {"comment-file": "../comment.md", "sarif-file": "../gate.sarif"}
    event = hub.pull_request("topic")
    done = Runner(hub.root, hub.checkout(event), event).act(files, ready)
    assert done.code == 1, done.log[:2000]
    assert done.outputs["runs"] == "1000"
    assert int(done.outputs["errors"]) + int(done.outputs["warnings"]) >= 5000
    for kind in ("error", "warning", "notice"):
        told = [command for command in commands(done.log) if command.name == kind]
        assert len(told) <= 10, kind
        assert all(len(command.data) <= 4096 for command in told)
    assert len(done.annotations("error")) == 10
    assert "more" in done.annotations("error")[-1].data
    assert 0 < len(done.summary.encode()) < 1 << 20
    assert "more runs or tables" in done.summary
    comment = (hub.root / "comment.md").read_text("utf-8")
    assert 50_000 < len(comment) <= 65_536
    assert comment.startswith("<!-- nsm-gate report -->\n")
    assert "more runs or tables" in comment
    sarif = (hub.root / "gate.sarif").read_bytes()
    assert len(json.loads(sarif)["runs"][0]["results"]) <= 25_000
    assert len(gzip.compress(sarif)) < 10_000_000


def test_sarif_is_written_and_named_where_it_was(hub: GitHub, ready: dict[str, dict[str, str]]) -> None:
    event = mixed(hub)
    runner = Runner(hub.root, hub.checkout(event), event)
    place = f"{hub.root}/temp/gate.sarif"
    done = runner.act({"sarif-file": place}, ready)
    assert (done.code, done.outputs["sarif-file"]) == (1, place), done.log
    report = json.loads(Path(place).read_text("utf-8"))
    assert report["version"] == "2.1.0"
    assert {result["ruleId"] for result in report["runs"][0]["results"]} >= {
        "missing-findings",
        "criterion-missed",
    }
    # The report of an earlier step is not named again by one that writes none.
    done = runner.act({"sarif-file": place, "config": "nothing.yaml"}, ready)
    assert (done.code, done.outputs["status"], done.outputs["sarif-file"]) == (2, "not-judged", "")


def test_a_file_without_a_place_keeps_nothing_else_from_being_written(
    hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    event = mixed(hub)
    place = f"{hub.root}/gate.sarif"
    (hub.root / "taken").touch()
    inputs = {"sarif-file": place, "comment-file": "../taken/comment.md"}
    done = Runner(hub.root, hub.checkout(event), event).act(inputs, ready)
    assert done.code == 2
    assert "taken/comment.md: cannot be written" in done.log
    assert len(done.annotations("error")) > 1
    assert "missing-findings" in done.summary
    assert done.outputs["sarif-file"] == place


# --- inputs -------------------------------------------------------------------------------------------


def test_inputs_reach_the_check(hub: GitHub, ready: dict[str, dict[str, str]]) -> None:
    hub.lab.write("other/training_log.jsonl", [run(10)])
    hub.lab.write("strict.yaml", "severity: {criterion-missed: error}\n")
    hub.lab.commit()
    hub.push("main")
    event = mixed(hub)
    work = hub.checkout(event)

    def outputs(**inputs: str) -> tuple[int, list[str]]:
        given = {key.replace("_", "-"): value for key, value in inputs.items()}
        done = Runner(hub.root, work, event).act(given, ready)
        return done.code, [done.outputs[key] for key in ("errors", "warnings", "runs")]

    assert outputs() == (1, ["2", "3", "5"])
    assert outputs(paths="other\n") == (0, ["0", "0", "0"])
    assert outputs(paths="\n  other/training_log.jsonl \n\nexperiments\n") == (1, ["2", "3", "5"])
    assert outputs(fail_on="never") == (0, ["2", "3", "5"])
    assert outputs(fail_on="") == (1, ["2", "3", "5"])
    assert outputs(config="strict.yaml") == (1, ["4", "1", "5"])
    assert outputs(base="HEAD~0") == (0, ["0", "0", "0"])


def test_a_path_that_looks_like_an_option_is_a_path(hub: GitHub, ready: dict[str, dict[str, str]]) -> None:
    hub.lab.git("checkout", "-q", "-b", "topic")
    for folder in ("--all", "-"):
        hub.lab.write(f"{folder}/training_log.jsonl", [run(5 + len(folder))])
    hub.lab.commit()
    hub.lab.git("checkout", "-q", "main")
    event = hub.pull_request("topic")
    work = hub.checkout(event)
    for paths, runs in (("--all", "1"), ("-", "1"), ("-\n--all", "2")):
        done = Runner(hub.root, work, event).act({"paths": paths}, ready)
        assert (done.code, done.outputs["runs"]) == (0, runs), done.log


def test_whose_rules_judge_is_an_input(hub: GitHub, ready: dict[str, dict[str, str]]) -> None:
    hub.lab.git("checkout", "-q", "-b", "topic")
    hub.lab.write("nsm-gate.yaml", "severity: {missing-findings: ignore}\n")
    hub.lab.append(LOG, run(3, findings=None))
    hub.lab.commit()
    hub.lab.git("checkout", "-q", "main")
    event = hub.pull_request("topic", fork=True)
    work = hub.checkout(event)
    for given, code in ((None, 1), ("base", 1), ("", 1), ("head", 0)):
        inputs = {} if given is None else {"rules-from": given}
        done = Runner(hub.root, work, event).act(inputs, ready)
        assert done.code == code, done.log


def test_a_wrong_input_is_no_pass(hub: GitHub, ready: dict[str, dict[str, str]]) -> None:
    event = hub.schedule()
    work = hub.checkout(event)
    for name, value in (
        ("fail-on", "critical"),
        ("rules-from", "the head"),
        ("paths", "nowhere"),
        ("config", "no.yaml"),
    ):
        done = Runner(hub.root, work, event).act({name: value}, ready)
        assert (done.code, done.outputs["status"]) == (2, "not-judged"), done.log
        (told,) = done.annotations("error")
        assert "nothing was judged" in told.data
        assert value in done.log


# --- hostile names and inputs -------------------------------------------------------------------------

HOSTILE = [
    "x\n::error::forged", "x\r::add-mask::forged", "##[error]forged", "$(touch pwned)", "`touch pwned`", "; touch pwned",
    "' ; touch pwned #", '" ; touch pwned #', "--output=pwned", "-oProxyCommand=touch${IFS}pwned", "x\nstatus<<y\npassed\ny",
    "${{ github.token }}", "\u202epwned", "--upload-pack=touch pwned", "ext::sh -c touch% pwned", "| touch pwned", "&& touch pwned",
]  # fmt: skip


def assert_harmless(done: Done, *folders: Path) -> None:
    """Nothing was run, and no command or output is anybody's but the gate's."""
    for folder in folders:
        assert not [path for path in folder.rglob("*") if path.name == "pwned"]
    for command in commands(done.log):
        assert command.name in ("group", "endgroup", "error", "warning", "notice")
        if command.name == "group":
            assert command.data == "nsm-gate"
        elif command.name != "endgroup":
            title = command.properties["title"]
            assert title == "nsm-gate" or re.match(r"[a-z]+(-[a-z]+)* · |[a-z]+(-[a-z]+)*$", title), command
    assert sum(command.name == "endgroup" for command in commands(done.log)) <= 1
    assert done.outputs["status"] in ("passed", "failed", "not-judged")
    assert all(re.fullmatch(r"\d*", done.outputs[key]) for key in ("errors", "warnings", "runs", "missed"))
    assert not re.search(r"[\x00-\x08\x1b\u202e]", done.log)


OTHERS = ("paths", "config", "rules-from", "fail-on", "sarif-file", "comment-file")


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_inputs_execute_and_forge_nothing(
    number: int, job: Runner, ready: dict[str, dict[str, str]]
) -> None:
    text = HOSTILE[number]
    for name in ("base", OTHERS[number % len(OTHERS)], OTHERS[(number + 3) % len(OTHERS)]):
        done = job.act({name: text}, ready)
        assert done.code in (1, 2)
        assert_harmless(done, job.root)
        assert "Traceback" not in done.log
        for made in job.workspace.iterdir():  # a report may well be called so
            if made.is_file():
                made.unlink()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_versions_install_nothing(text: str, job: Runner) -> None:
    done = job.act({"version": text})
    assert (done.code, done.steps["install"]) == (2, "failure")
    assert "no version" in done.annotations("error")[0].data
    assert_harmless(done, job.root)
    assert not list((job.root / "temp").iterdir())


NAMES = [
    "$(touch${IFS}pwned)", "`touch${IFS}pwned`", ";touch${IFS}pwned", "a'b\"c", "--output=pwned", "a\u202eb", "a{b,c}&&d", "%0A%3A%3Aerror",
    "refs/heads/main", "HEAD",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_hostile_branch_names_execute_and_forge_nothing(
    name: str, hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    hub.lab.git("checkout", "-q", "--detach")
    tip = log(hub, 3)
    hub.lab.git("update-ref", f"refs/heads/{name}", tip)
    hub.lab.git("checkout", "-q", "main")
    event = hub.pull_request(f"refs/heads/{name}", fork=True)
    event.env["GITHUB_HEAD_REF"] = event.payload["pull_request"]["head"]["ref"] = name
    done = Runner(hub.root, hub.checkout(event), event).act({}, ready)
    assert (done.code, done.outputs["runs"]) == (0, "1"), done.log
    assert_harmless(done, hub.root)
    # The name of the default branch goes to git, and into the report.
    hub.push(f"refs/heads/{name}")
    hub.default = name
    event = hub.pushed("refs/heads/new", ZEROS, hub.push("main:refs/heads/new"))
    done = Runner(hub.root, hub.checkout(event, name="second"), event).act({}, ready)
    assert done.code in (0, 2), done.log
    assert_harmless(done, hub.root)
    wanted = f"+refs/heads/{name}:refs/remotes/origin/{name}"
    assert wanted.encode("ascii", "backslashreplace").decode() in done.log


@pytest.mark.parametrize("name", [*NAMES[:8], "x\n::error::forged", "x\r##[error]forged", "x\x1b[31m", " x "])
def test_hostile_file_names_execute_and_forge_nothing(
    name: str, hub: GitHub, ready: dict[str, dict[str, str]]
) -> None:
    hub.lab.git("checkout", "-q", "-b", "topic")
    folder = hub.lab.path / name / "deep"
    folder.mkdir(parents=True)
    (folder / "training_log.jsonl").write_bytes(lines(run(3, findings=None)))
    hub.lab.commit()
    hub.lab.git("checkout", "-q", "main")
    event = hub.pull_request("topic", fork=True)
    done = Runner(hub.root, hub.checkout(event), event).act({"sarif-file": f"../{name.strip()}.sarif"}, ready)
    assert (done.code, done.outputs["errors"]) == (1, "1"), done.log
    assert_harmless(done, hub.root)


def test_nothing_in_the_workspace_is_imported_or_run(hub: GitHub, tmp_path: Path) -> None:
    """Through the real install step, with the workspace on Python's path: every import of the steps is safe."""
    hub.lab.git("checkout", "-q", "-b", "topic")
    trap = f"import os; open({str(tmp_path / 'pwned')!r}, 'w').close(); os._exit(0)\n"
    names = (
        "venv",
        "pip",
        "ensurepip",
        "json",
        "subprocess",
        "secrets",
        "runner",
        "fetch",
        "check",
        "install",
        "jiter",
    )
    for name in (
        *names,
        "sitecustomize",
        "usercustomize",
        "nsm_gate/__init__",
        "nsm_gate/__main__",
        "hatchling/__init__",
    ):
        hub.lab.write(f"{name}.py", trap)
    hub.lab.write("pyproject.toml", '[build-system]\nrequires = ["nothing"]\n')
    hub.lab.write("setup.py", trap)
    hub.lab.append(LOG, run(3, findings=None))
    hub.lab.commit()
    hub.lab.git("checkout", "-q", "main")
    event = hub.pull_request("topic", fork=True)
    work = hub.checkout(event)
    before = Repo(work, hub.lab.env).git("status", "--porcelain", "--ignored")
    done = Runner(
        tmp_path, work, event, **for_pip(), PYTHONPATH=str(work), PYTHONSTARTUP="sitecustomize.py"
    ).act()
    assert not (tmp_path / "pwned").exists()
    assert (done.code, done.outputs["errors"], done.outputs["runs"]) == (1, "1", "1"), done.log
    assert done.steps == {"install": "success", "fetch": "success", "check": "failure"}
    assert Repo(work, hub.lab.env).git("status", "--porcelain", "--ignored") == before


# --- installing ---------------------------------------------------------------------------------------


def for_pip() -> dict[str, str]:
    """Return the machine's settings of pip, with its cache."""
    kept = ("PIP_", "SSL_", "REQUESTS_", "HTTP", "http", "NO_PROXY", "no_proxy")
    settings = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=False
    )
    return {**settings, "PIP_CACHE_DIR": asked.stdout.strip()} if asked.returncode == 0 else settings


def test_a_released_version_is_installed_instead_of_the_checkout(hub: GitHub, tmp_path: Path) -> None:
    source, wheels = tmp_path / "source", tmp_path / "wheels"
    for name in ("nsm_gate", "rules", "schemas"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    init = source / "nsm_gate/__init__.py"
    init.write_text(
        re.sub(r'__version__ = ".*"', '__version__ = "99.1rc2"', init.read_text("utf-8")), "utf-8"
    )
    settings = for_pip()
    subprocess.run(
        [sys.executable, "-I", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, source],
        cwd=tmp_path, env={**os.environ, **settings}, check=True,
    )  # fmt: skip
    settings["PIP_FIND_LINKS"] = f"{settings.get('PIP_FIND_LINKS', '')} {wheels}".strip()
    event = hub.schedule()
    done = Runner(tmp_path, hub.checkout(event), event, **settings).act({"version": "99.1rc2"})
    assert done.code == 0, done.log
    assert "nsm-gate 99.1rc2" in done.log


def test_a_version_that_does_not_exist_is_no_pass(hub: GitHub) -> None:
    event = hub.schedule()
    done = Runner(hub.root, hub.checkout(event), event, PIP_NO_INDEX="1").act({"version": "99.2"})
    assert (done.code, done.outputs["status"]) == (2, "not-judged")
    assert "cannot be installed" in done.annotations("error")[0].data


@pytest.mark.parametrize("found", ["none", "old"])
def test_a_runner_without_a_python_that_serves_is_told_what_to_do(
    found: str, hub: GitHub, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "git"):
        (tools / name).symlink_to(shutil.which(name) or "")
    if found == "old":  # knows -I, and is too old
        script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -c "raise SystemExit(1)"\n'
        (tools / "python3").write_text(script)
        (tools / "python3").chmod(0o755)
    event = hub.schedule()
    work = hub.checkout(event)
    done = Runner(tmp_path, work, event, PATH=str(tools)).act()
    assert (done.code, done.steps["fetch"], done.outputs["status"]) == (2, "skipped", "not-judged")
    assert "Python 3.10" in done.annotations("error")[0].data
    assert "actions/setup-python" in done.annotations("error")[0].data

"""Event payloads and variables of CI systems: what GitHub, GitLab and Azure say of the change, made hostile."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from tests.hostile.case import ANY, FOUND, NEVER_CLEAN, REFUSED, Case, Scene, through
from tests.hostile.stage import LOG
from tests.support import a_run, edited

WRONG = edited(a_run("planning_new_20251102", 5), findings="TODO")
BASE = {
    "GITHUB_ACTIONS": "true",
    "CI": "true",
    "GITHUB_EVENT_PATH": "{outside}/event.json",
    "GITHUB_REF": "refs/heads/main",
}
EVENT = "event.json"


def _start(scene: Scene) -> None:
    """Commit a line with a finding: exit 0 means that it was not judged."""
    scene.script()
    scene.repo.append(LOG, WRONG)
    scene.repo.commit("new")


def event(
    name: str,
    content: bytes | str | Any,
    kind: str = "push",
    codes: tuple[int, ...] = NEVER_CLEAN,
    make: Any = None,
    **members: Any,
) -> Case:
    """Return a case: a payload in the file that the runner names."""

    def laid(scene: Scene) -> None:
        _start(scene)
        data = content(scene) if callable(content) else content
        raw = (
            data
            if isinstance(data, bytes)
            else data.encode()
            if isinstance(data, str)
            else json.dumps(data).encode()
        )
        (scene.outside / EVENT).write_bytes(raw)
        if make is not None:
            make(scene)

    env = {**BASE, "GITHUB_EVENT_NAME": kind, **members.pop("env", {})}
    file = {"file": EVENT} if codes == REFUSED and "file" not in members else {}
    return Case(
        **{
            "name": f"{kind}: {name}",
            "args": ("check",),
            "git": True,
            "env": env,
            "make": laid,
            "codes": codes,
            **file,
            **members,
        }
    )


def _payloads() -> Iterator[Case]:
    for name, raw in {
        "empty": b"", "not JSON": b"{", "html": b"<html>", "binary": b"\xff\xfe\0", "NUL": b"\0", "deep": b"[" * 300_000, "deep objects": b'{"a":' * 100_000, "two": b"{}{}", "bom": b"\xef\xbb\xbf{}", "utf-16": "{}".encode("utf-16"), "lone surrogate": b'{"before": "\\ud800"}', "torn": b'{"before": "abc',
    }.items():  # fmt: skip
        yield event(f"no JSON: {name}", raw, codes=REFUSED)
        if name in ("empty", "deep", "binary"):
            yield event(f"no JSON: {name}", raw, kind="pull_request", codes=REFUSED)
    for name, value in {
        "null": None, "list": [], "text": "x", "number": 1, "empty object": {}, "before null": {"before": None}, "before a number": {"before": 1}, "before a list": {"before": ["HEAD"]}, "before empty": {"before": ""}, "before zeros": {"before": "0" * 40}, "before ones": {"before": "1" * 40}, "before short": {"before": "abc"}, "before an option": {"before": "--output={outside}/x"},
        "before with a newline": {"before": "HEAD\nHEAD"}, "before with a NUL": {"before": "HEAD\0"}, "before a command": {"before": "::error::forged\r\n##[error]x"}, "before a megabyte": {"before": "a" * 1_000_000}, "before a search": {"before": ":/log"}, "before a tree": {"before": "HEAD^{tree}"}, "before a path": {"before": f"HEAD:{LOG}"}, "before of bidi": {"before": "\u202eHEAD"},
        "deleted of text": {"before": "0" * 40, "deleted": "true"}, "deleted of one": {"before": "0" * 40, "deleted": 1}, "default branch an option": {"before": "0" * 40, "repository": {"default_branch": "--upload-pack=x"}}, "default branch up": {"before": "0" * 40, "repository": {"default_branch": "../../HEAD"}}, "default branch of a newline": {"before": "0" * 40, "repository": {"default_branch": "a\nb"}}, "default branch of nobody": {"before": "0" * 40, "repository": {"default_branch": "nobody"}},
        "default branch a number": {"before": "0" * 40, "repository": {"default_branch": 1}}, "repository a list": {"before": "0" * 40, "repository": []}, "members by the ten thousand": {"before": "1" * 40, **{f"k{i}": i for i in range(10_000)}}, "huge numbers": {"before": "1" * 40, "size": 10**400},
    }.items():  # fmt: skip
        yield event(name, value)
    pull: dict[str, Any] = {
        "null": {"pull_request": None}, "list": {"pull_request": []}, "base null": {"pull_request": {"base": None}}, "base text": {"pull_request": {"base": "x"}}, "sha null": {"pull_request": {"base": {"sha": None}}}, "sha a number": {"pull_request": {"base": {"sha": 1}}}, "sha empty": {"pull_request": {"base": {"sha": ""}}}, "sha of nobody": {"pull_request": {"base": {"sha": "1" * 40}, "head": {"sha": "2" * 40}}},
        "sha an option": {"pull_request": {"base": {"sha": "--output={outside}/x"}}}, "sha a range": {"pull_request": {"base": {"sha": "HEAD..HEAD"}}}, "sha a command": {"pull_request": {"base": {"sha": "::error::x"}}}, "sha HEAD with another head": {"pull_request": {"base": {"sha": "HEAD"}, "head": {"sha": "2" * 40}}}, "head a list": {"pull_request": {"base": {"sha": "1" * 40}, "head": []}},
    }  # fmt: skip
    for name, value in pull.items():
        for kind in ("pull_request", "pull_request_target")[: 1 + len(name) % 2]:
            named = "its head" if name == "sha HEAD with another head" else "pull_request.base.sha"
            yield event(name, value, kind=kind, codes=REFUSED, file=named)
    yield event(
        "sha an old line back",
        lambda scene: {
            "pull_request": {"base": {"sha": scene.repo.git("rev-parse", "HEAD~1")}, "head": {"sha": "x"}}
        },
        kind="pull_request",
        codes=FOUND,
        rule="missing-findings",
        file=LOG,
    )
    for name, value in {"null": {"merge_group": None}, "empty": {"merge_group": {}}, "sha a list": {"merge_group": {"base_sha": []}}, "sha of nobody": {"merge_group": {"base_sha": "1" * 40}}, "sha an option": {"merge_group": {"base_sha": "-h"}}}.items():  # fmt: skip
        yield event(name, value, kind="merge_group", codes=REFUSED, file="merge_group.base_sha")
    for kind in (
        "",
        "schedule",
        "workflow_dispatch",
        "PUSH",
        "push ",
        "issue_comment",
        "x" * 5000,
        "::error::x",
        "push\npull_request",
    ):
        yield event(f"event called {kind[:20]!r}", {"before": "1" * 40}, kind=kind)


def _places() -> Iterator[Case]:
    def to(act: Any) -> Any:
        def make(scene: Scene) -> None:
            place = scene.outside / EVENT
            place.unlink()
            act(scene, place)

        return make

    for name, act in {
        "absent": lambda scene, place: None, "a folder": lambda scene, place: place.mkdir(), "a link": lambda scene, place: place.symlink_to("/etc/passwd"), "a link to a device": lambda scene, place: place.symlink_to("/dev/zero"), "a pipe": lambda scene, place: os.mkfifo(place), "too large": lambda scene, place: (place.write_bytes(b"{"), os.truncate(place, 100 << 20)),
    }.items():  # fmt: skip
        yield event(
            f"file is {name}", {}, codes=REFUSED, make=to(act), hides="root:", process=name == "a pipe"
        )
    for path in (
        "",
        "nowhere",
        "/dev/null",
        "/dev/zero",
        "/dev/stdin",
        "a\nb",
        "x" * 5000,
        "/etc/passwd",
        "/proc/self/environ",
        ".",
    ):
        yield event(
            f"file at {path[:20]!r}",
            {},
            codes=REFUSED,
            env={"GITHUB_EVENT_PATH": path},
            file=path[:1000] or "GITHUB_EVENT_PATH",
            hides="root:",
            process=path.startswith("/dev"),
        )
    for ref in (
        "",
        "refs/pull/1/merge",
        "refs/pull/../merge",
        "/merge",
        "x" * 5000 + "/merge",
        "::error::x/merge",
        "refs/tags/v1",
        "\u202e",
    ):
        yield event(
            f"ref {ref[:20]!r}",
            {"pull_request": {"base": {"sha": "1" * 40}, "head": {"sha": ""}}},
            kind="pull_request",
            env={"GITHUB_REF": ref},
            codes=REFUSED,
            file="pull_request.base.sha",
        )

    def merge(scene: Scene) -> None:
        """Make a merge commit as of the merge ref, whose first parent the clone lacks."""
        tree = scene.repo.git("rev-parse", "HEAD^{tree}")
        head = scene.repo.git("rev-parse", "HEAD")
        raw = f"tree {tree}\nparent {'3' * 40}\nparent {head}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nm\n"
        (scene.outside / "commit").write_text(raw)
        oid = scene.repo.git(
            "hash-object", "-t", "commit", "-w", "--literally", str(scene.outside / "commit")
        )
        scene.repo.git("update-ref", "HEAD", oid, check=False)
        (scene.root / ".git/refs/heads/main").write_text(oid + "\n")

    yield event(
        "a merge ref of a parent that is gone",
        {"pull_request": {"base": {"sha": "3" * 40}}},
        kind="pull_request",
        env={"GITHUB_REF": "refs/pull/1/merge"},
        codes=REFUSED,
        make=merge,
        file="3333333",
    )


def _others() -> Iterator[Case]:
    def ci(name: str, env: dict[str, str], codes: tuple[int, ...] = NEVER_CLEAN, **members: Any) -> Case:
        return Case(name=name, args=("check",), git=True, env=env, make=_start, codes=codes, **members)

    for value in (
        "1" * 40,
        "0" * 40,
        "-h",
        "--output={outside}/x",
        "HEAD^{tree}",
        "a\nb",
        "::error::x",
        "\u202e",
        " ",
    ):
        yield ci(
            f"GitLab base {value[:20]!r}",
            {"GITLAB_CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": value},
            REFUSED,
            file="CI_MERGE_REQUEST_DIFF_BASE_SHA",
        )
        yield ci(
            f"Azure target {value[:20]!r}",
            {"TF_BUILD": "True", "BUILD_REASON": "PullRequest", "SYSTEM_PULLREQUEST_TARGETBRANCH": value},
            REFUSED,
            file="SYSTEM_PULLREQUEST_TARGETBRANCH",
        )
    for value in (
        "",
        "refs/heads/",
        "refs/heads/main",
        "refs/heads/../../HEAD",
        "refs/heads/refs/heads/main",
    ):
        codes = ANY if value.endswith("refs/heads/main") else NEVER_CLEAN  # that is what is checked out
        yield ci(
            f"Azure target {value!r}",
            {"TF_BUILD": "True", "BUILD_REASON": "PullRequest", "SYSTEM_PULLREQUEST_TARGETBRANCH": value},
            codes,
        )
    for name, env in {
        "every system at once": {**BASE, "GITLAB_CI": "true", "TF_BUILD": "True", "BUILD_REASON": "PullRequest", "GITHUB_EVENT_NAME": "push"}, "CI of a wish": {"CI": "maybe"}, "GitHub of yes": {"GITHUB_ACTIONS": "yes"}, "Azure without a pull request": {"TF_BUILD": "True", "BUILD_REASON": "\x1b[31m"}, "GitLab false": {"GITLAB_CI": "false", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "1" * 40},
        "a hook's branch of nobody": {"PRE_COMMIT": "1", "PRE_COMMIT_REMOTE_NAME": "origin", "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/nobody"}, "a hook's branch an option": {"PRE_COMMIT": "1", "PRE_COMMIT_REMOTE_NAME": "-x", "PRE_COMMIT_LOCAL_BRANCH": "--all"}, "a hook's target of nobody": {"PRE_COMMIT": "1", "PRE_COMMIT_FROM_REF": "HEAD~1", "PRE_COMMIT_TO_REF": "nobody"}, "a hook's whole push": {"PRE_COMMIT": "1", "PRE_COMMIT_REMOTE_NAME": "origin", "PRE_COMMIT_LOCAL_BRANCH": "main"},
    }.items():  # fmt: skip
        yield ci(name, env)


CASES = through("event payloads", (*_payloads(), *_places(), *_others()))

"""What a CI system or a hook runner says of the change, from its variables and event file."""

from __future__ import annotations

from collections.abc import Mapping

import jiter

from nsm_gate.edge.files import read_file
from nsm_gate.errors import GateError
from nsm_gate.nouns import Any, NamedTuple

_EVENT_LIMIT = 25 << 20


class Said(NamedTuple):
    """What the surroundings say about base and head.

    Attributes:
        kind: `hook-range`, `pull-request`, `push`, `exact` (a base to take as it is), or empty.
        base: A revision: what the surroundings name as the base.
        head: A revision, where it is not HEAD.
        source: Where this was read, in words.
        ref: The ref that the workflow runs for.
        default_branch: Name of the repository's default branch, if it is said.
        tip: Head commit of a pull request.
    """

    kind: str = ""
    base: str = ""
    head: str = ""
    source: str = ""
    ref: str = ""
    default_branch: str = ""
    tip: str = ""


_VARIABLES = ("CI", "GITHUB_", "GITLAB_", "CI_", "TF_BUILD", "BUILD_", "SYSTEM_")


def without(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment as it is where no CI system runs."""
    return {name: value for name, value in environ.items() if not name.startswith(_VARIABLES)}


def system(environ: Mapping[str, str]) -> str:
    """Return the CI system that runs the gate: `github`, `gitlab`, `azure`, or nothing that is known."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    if environ.get("GITLAB_CI", "").lower() == "true":
        return "gitlab"
    return "azure" if environ.get("TF_BUILD", "").lower() == "true" else ""


def in_ci(environ: Mapping[str, str]) -> bool:
    """Return whether a CI system runs the gate."""
    names = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD")
    return any(environ.get(name, "").lower() not in ("", "0", "false") for name in names)


def proposes(environ: Mapping[str, str]) -> bool:
    """Return whether a CI system judges a proposed change: a pull or merge request, a merge queue."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return environ.get("GITHUB_EVENT_NAME") in ("pull_request", "pull_request_target", "merge_group")
    if environ.get("TF_BUILD") and environ.get("BUILD_REASON") == "PullRequest":
        return True
    return bool(environ.get("GITLAB_CI") and environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"))


def under_hook_runner(environ: Mapping[str, str]) -> bool:
    """Return whether pre-commit or prek runs the gate."""
    return environ.get("PRE_COMMIT") == "1"


def hook_range(environ: Mapping[str, str]) -> Said | None:
    """Return the range that pre-commit or prek was asked to check, if it was."""
    first, last = environ.get("PRE_COMMIT_FROM_REF", ""), environ.get("PRE_COMMIT_TO_REF", "")
    if first and last:
        return Said("hook-range", first, last, "PRE_COMMIT_FROM_REF")
    # A push to a remote that has none of the history names no range: only the branch.
    branch = environ.get("PRE_COMMIT_LOCAL_BRANCH", "")
    if branch and environ.get("PRE_COMMIT_REMOTE_NAME"):
        return Said("hook-push", "", last or branch, "PRE_COMMIT_LOCAL_BRANCH")
    return None


def said(environ: Mapping[str, str]) -> Said | None:
    """Return what GitHub, GitLab or Azure say of the change under test."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ)
    base = environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    if environ.get("GITLAB_CI") and base:
        return Said("exact", base, source="CI_MERGE_REQUEST_DIFF_BASE_SHA")
    if environ.get("TF_BUILD") and environ.get("BUILD_REASON") == "PullRequest":
        return Said(
            "pull-request",
            environ.get("SYSTEM_PULLREQUEST_TARGETBRANCH", "").removeprefix("refs/heads/"),
            source="SYSTEM_PULLREQUEST_TARGETBRANCH",
            ref=environ.get("BUILD_SOURCEBRANCH", ""),
            tip=environ.get("SYSTEM_PULLREQUEST_SOURCECOMMITID", ""),
        )
    return None


def _github(environ: Mapping[str, str]) -> Said | None:
    name = environ.get("GITHUB_EVENT_NAME", "")
    if name not in ("pull_request", "pull_request_target", "push", "merge_group"):
        return None
    event = _event(environ)
    ref = environ.get("GITHUB_REF", "")
    default = _text(event, "repository", "default_branch")
    if name == "push":
        if isinstance(event, dict) and event.get("deleted") is True:
            return None  # checked out is the default branch, which the push did not touch
        return Said(
            "push", _text(event, "before"), source="the push's before", ref=ref, default_branch=default
        )
    if name == "merge_group":
        base = _text(event, "merge_group", "base_sha")
        return Said("exact", base, source="merge_group.base_sha", ref=ref, default_branch=default)
    base = _text(event, "pull_request", "base", "sha")
    tip = _text(event, "pull_request", "head", "sha")
    source = "pull_request.base.sha"
    return Said("pull-request", base, source=source, ref=ref, default_branch=default, tip=tip)


def _event(environ: Mapping[str, str]) -> Any:
    path = environ.get("GITHUB_EVENT_PATH", "")
    if not path:
        raise GateError("GITHUB_EVENT_PATH is not set", "name the base with --base")
    try:
        return jiter.from_json(read_file(path, path, _EVENT_LIMIT, "name the base with --base"))
    except ValueError:
        raise GateError("the event file is not JSON", "name the base with --base", path) from None


def _text(event: Any, *members: str) -> str:
    for member in members:
        event = event.get(member) if isinstance(event, dict) else None
    return event if isinstance(event, str) else ""

"""Fetches what a change is compared with, where the checkout does not hold it.

actions/checkout fetches one commit. What has to be there beside it follows from the event, as
nsm_gate/edge/bases.py reads it: the base, and the history down to where both part, since a clone that is cut
above that point names an older one, or none. Where all of it is there, nothing is fetched.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from runner import Refused, given, paths, plain

# What the gate itself asks git with, and nothing of this clone's own runs after a fetch.
_SAFE = (
    "--no-replace-objects", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}",
    "-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "fetch.writeCommitGraph=false",
)  # fmt: skip
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?", re.ASCII)
_GONE = ("not our ref", "unadvertised object", "couldn't find remote ref", "no such remote ref")
_DEFAULTS = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master")
_STEPS = (32, 256)
"""Commits by which a cut history is deepened, before all of it is fetched."""


class Clone:
    """The repository of the workspace."""

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        """Work in a folder of it."""
        self._folder = folder
        self._environ = {**environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
        self._environ.pop("NSM_GATE_TOKEN", None)
        self._secret = self._credentials(environ)

    def ask(self, *args: str) -> str | None:
        """Return what git prints, or None where it fails."""
        done = self._run(*args)
        return None if done.returncode else done.stdout.decode("utf-8", "surrogateescape").strip()

    def commit(self, name: str) -> str | None:
        """Return the object id of the commit that a revision names, or None where it is not here."""
        if not name or "\n" in name:
            return None
        return self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}") or None

    def parents(self, commit: str) -> list[str]:
        """Return the parents that a commit records, those that are cut off too."""
        head = (self.ask("cat-file", "commit", commit) or "").partition("\n\n")[0]
        return [row[7:] for row in head.split("\n") if row.startswith("parent ")]

    def cut(self) -> set[str]:
        """Return the commits whose parents are cut off: none in a full clone."""
        path = self.ask("rev-parse", "--git-path", "shallow") or ""
        try:
            with open(os.path.join(self._folder, path), encoding="ascii") as file:
                return set(file.read().split())
        except OSError:
            return set()

    def fetch(self, *what: str) -> bool:
        """Fetch from origin; return False where origin does not have it.

        Raises:
            Refused: Origin cannot be asked.
        """
        sys.stdout.write(f"nsm-gate fetches: {plain(' '.join(what))}\n")
        options = [word for word in what if word.startswith("--")]
        wanted = [word for word in what if not word.startswith("--")]
        done = self._run(
            "fetch", "--quiet", "--no-tags", "--no-prune", "--no-recurse-submodules",
            *options, "origin", *wanted, secret=self._secret,
        )  # fmt: skip
        if done.returncode == 0:
            return True
        rows = [row.strip() for row in done.stderr.decode("utf-8", "replace").split("\n") if row.strip()]
        if any(sign in row.lower() for row in rows for sign in _GONE):
            return False
        reason = rows[0] if rows else "git gives no reason"
        raise Refused(
            f"what the change is compared with cannot be fetched ({reason})",
            "check out with fetch-depth: 0, or see that origin can be read by the job's token",
        )

    def obtain(self, commit: str) -> bool:
        """See that a commit is here; return False where origin does not have it."""
        if not _COMMIT.fullmatch(commit):
            return False
        return self.commit(commit) is not None or (
            self._shallowly(commit) and self.commit(commit) is not None
        )

    def obtain_branch(self, name: str) -> str | None:
        """See that the remote-tracking branch is here; return its commit, or None."""
        ref = f"refs/remotes/origin/{name}"
        try:
            if b"\0" in os.fsencode(ref) or self.ask("check-ref-format", ref) is None:
                return None
        except UnicodeEncodeError:  # JSON can hold what no name of a branch can
            return None
        if self.commit(ref) is None:
            self._shallowly(f"+refs/heads/{name}:{ref}")
        return self.commit(ref)

    def deepen(self, count: int, tip: str) -> None:
        """Fetch that many commits more below a tip, in a clone that is cut."""
        if self.cut():
            self.fetch(f"--deepen={max(1, min(count, 1000))}", tip)

    def unshallow(self, *tips: str) -> None:
        """Fetch all of the history."""
        if self.cut():
            self.fetch("--unshallow", *tips)

    def join(self, one: str, other: str, *tips: str) -> None:
        """Fetch the history of two commits down to where they part.

        Args:
            one: A commit that is here.
            other: Another one.
            tips: What to ask origin for; both by default.
        """
        for count in _STEPS:
            if self._joined(one, other):
                return
            self.fetch(f"--deepen={count}", *(tips or (one, other)))
        if not self._joined(one, other):
            self.unshallow(*(tips or (one, other)))

    def _joined(self, one: str, other: str) -> bool:
        cut = self.cut()
        if not cut:
            return True
        if self.ask("merge-base", one, other) is None:
            return False
        # A better common ancestor could only hide behind a commit of one side whose parents are cut off.
        apart = self.ask("rev-list", f"{one}...{other}")
        return apart is not None and cut.isdisjoint(apart.split())

    def _shallowly(self, what: str) -> bool:
        # In a full clone, --depth would cut the history that is there.
        return self.fetch("--depth=1", what) if self.cut() else self.fetch(what)

    def _run(self, *args: str, secret: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *_SAFE, *args],
            cwd=self._folder, env={**self._environ, **(secret or {})}, stdin=subprocess.DEVNULL,
            capture_output=True, check=False,
        )  # fmt: skip

    def _credentials(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the settings by which git shows the job's token to its own server, and to no other.

        None where the checkout kept it: a second header of that kind would be refused.
        """
        token, server = environ.get("NSM_GATE_TOKEN", ""), environ.get("GITHUB_SERVER_URL", "").rstrip("/")
        address = self.ask("config", "--get", "remote.origin.url") or ""
        if not token or not server or self.ask("config", "--get-urlmatch", "http.extraheader", address):
            return {}
        said = environ.get("GIT_CONFIG_COUNT", "")
        count = int(said) if said.isdecimal() else 0
        word = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": f"http.{server}/.extraheader",
            f"GIT_CONFIG_VALUE_{count}": f"AUTHORIZATION: basic {word}",
        }


def run(environ: Mapping[str, str]) -> int:
    """See that the base of the judgement is here. What is wrong beside that, the check itself tells."""
    clone = Clone(_start(paths(environ)), environ)
    head = clone.commit("HEAD")
    if head is None:
        return 0
    name = given(environ, "BASE") or environ.get("NSM_GATE_BASE", "")
    if name:
        _named(clone, head, name)
        return 0
    event, ref = _event(environ), environ.get("GITHUB_REF", "")
    match environ.get("GITHUB_EVENT_NAME", ""):
        case "pull_request" | "pull_request_target":
            _pull_request(clone, head, event, ref)
        case "merge_group":
            _exact(clone, head, _text(event, "merge_group", "base_sha"))
        case "push" if not (isinstance(event, dict) and event.get("deleted") is True):
            _push(clone, head, event)
        case _:
            _parted(clone, head, _upstream(clone, _text(event, "repository", "default_branch")))
    return 0


def _named(clone: Clone, head: str, name: str) -> None:
    short = re.sub(r"^(refs/heads/|refs/remotes/origin/|origin/)", "", name)
    found = clone.commit(name) or clone.commit(f"refs/remotes/origin/{name}")
    if found is None and clone.obtain(name):
        found = name
    if found is None:
        found = clone.obtain_branch(short)
    if found is None and clone.ask("check-ref-format", f"refs/tags/{short}") is not None:
        clone.fetch(f"+refs/tags/{short}:refs/tags/{short}")
        found = clone.commit(f"refs/tags/{short}")
    if found is None:  # HEAD~3, say
        clone.unshallow(head)
    else:
        clone.join(head, found)


def _pull_request(clone: Clone, head: str, event: Any, ref: str) -> None:
    parents, tip = clone.parents(head), _text(event, "pull_request", "head", "sha")
    if ref.endswith("/merge") and len(parents) == 2 and tip in ("", parents[1]):
        if not all(map(clone.commit, parents)):
            clone.deepen(_number(event, "pull_request", "commits") + 1, head)
        if all(map(clone.commit, parents)):
            clone.join(*parents, head)
    else:
        _exact(clone, head, _text(event, "pull_request", "base", "sha"))


def _exact(clone: Clone, head: str, base: str) -> None:
    if clone.obtain(base):
        clone.join(head, base)


def _push(clone: Clone, head: str, event: Any) -> None:
    before = _text(event, "before")
    if _COMMIT.fullmatch(before) and before.strip("0"):
        if clone.commit(before) is None:
            commits = event.get("commits")
            clone.deepen(len(commits) if isinstance(commits, list) else 1, head)
        if clone.obtain(before):
            clone.join(head, before)
            return
        # Nobody has it any more. Only of a full clone the check may say so.
        clone.unshallow(head)
    _parted(clone, head, clone.obtain_branch(_text(event, "repository", "default_branch")))


def _upstream(clone: Clone, default: str) -> str | None:
    found = next(filter(None, map(clone.commit, ("@{upstream}", *_DEFAULTS))), None)
    # Where a tag is checked out, a whole clone has these two.
    return clone.obtain_branch(default) if found is None and default in ("main", "master") else found


def _parted(clone: Clone, head: str, other: str | None) -> None:
    """See that the point where another branch parts is here; for a head that it holds, the first parent."""
    if other is not None:
        clone.join(head, other)
    if other is None or clone.ask("merge-base", head, other) == head:
        parents = clone.parents(head)
        if parents and clone.commit(parents[0]) is None:
            clone.deepen(1, head)


def _start(named: list[str]) -> str:
    """Return the folder whose repository the check looks into."""
    first = os.path.realpath(named[0]) if named else os.getcwd()
    folder = first if os.path.isdir(first) else os.path.dirname(first)
    return folder if os.path.isdir(folder) else os.getcwd()


def _event(environ: Mapping[str, str]) -> Any:
    try:
        with open(environ.get("GITHUB_EVENT_PATH", ""), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}  # the check says what is wrong with it


def _member(event: Any, members: tuple[str, ...]) -> Any:
    for member in members:
        event = event.get(member) if isinstance(event, dict) else None
    return event


def _text(event: Any, *members: str) -> str:
    found = _member(event, members)
    return found if isinstance(found, str) else ""


def _number(event: Any, *members: str) -> int:
    found = _member(event, members)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0

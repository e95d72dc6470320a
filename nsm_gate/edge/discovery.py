"""Find the repository around a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping

from nsm_gate.edge.git import BATCH, INDEX, TREE, Git
from nsm_gate.edge.git_process import Command, Done, Talk, said
from nsm_gate.errors import GateError
from nsm_gate.nouns import NamedTuple

# What is there of the last two is printed; an upstream that is not there fails, after all the rest.
_PLACE = ("rev-parse", "--show-toplevel", "--is-shallow-repository", "--git-path", "MERGE_HEAD",
          "--revs-only", "HEAD", "--symbolic-full-name", "@{upstream}")  # fmt: skip


class Ahead:
    """What git is asked while the rest of the gate is still being loaded."""

    def __init__(self, cwd: str, environ: Mapping[str, str]) -> None:
        """Ask where the repository around a folder is; OSError where git cannot be started."""
        self._cwd = cwd
        self._environ = _environment(cwd, environ)
        self._batch: Talk | None = None
        self._lists: dict[tuple[str, ...], Command] = {}
        self._place: Command | None = Command(_PLACE, cwd, self._environ)

    def go_on(self) -> None:
        """Ask what is staged and what is committed, now that it is known where."""
        found = _place_in(self._place.done()) if self._place is not None else None
        if found is not None and not self._lists:
            self._batch = Talk(BATCH, found.root, self._environ)
            for args in (INDEX, (*TREE, found.head)) if found.head else (INDEX,):
                self._lists[args] = Command(args, found.root, self._environ)

    def taken(self, cwd: str, environ: Mapping[str, str]) -> tuple[Done, Git | None] | None:
        """Hand over what was asked, where it was asked of this folder in this environment."""
        if self._place is None or (cwd, environ) != (self._cwd, self._environ):
            return None
        done = self._place.done()
        found = _place_in(done)
        git = _git(found, cwd, environ, self._lists, self._batch) if found is not None else None
        self._place, self._batch, self._lists = None, None, {}
        return done, git

    def close(self) -> None:
        """End what nobody wanted to know."""
        if self._batch is not None:
            self._batch.end()
        for command in (*self._lists.values(), *([self._place] if self._place is not None else ())):
            command.drop()
        self._place, self._batch, self._lists = None, None, {}


class _Place(NamedTuple):
    """A repository.

    Attributes:
        root: The root of its work tree.
        shallow: Whether its history is cut off.
        merge_head: The file that names what an unfinished merge brings in; from the folder that was asked of.
        head: The commit that is checked out; empty where there is none yet.
        upstream: The full name of the upstream of the branch that is; empty where it has none.
    """

    root: str
    shallow: bool
    merge_head: str
    head: str
    upstream: str


def _place_in(done: Done) -> _Place | None:
    """Return the repository that an answer tells of; None where git refuses it."""
    rows = os.fsdecode(done.stdout).split("\n")[:-1]
    if len(rows) < 3:
        return None
    root, shallow, merge_head, *rest = rows
    if shallow not in ("true", "false"):
        raise GateError("the path of the repository holds a line break", "move it to another folder", None)
    upstream = next((row for row in rest if row.startswith("refs/")), "")
    head = next((row for row in rest if not row.startswith("refs/")), "")
    return _Place(root, shallow == "true", merge_head, head, upstream)


def discover(
    cwd: str, environ: Mapping[str, str], *, needed: bool = True, ahead: Ahead | None = None
) -> Git | None:
    """Return the repository around a folder, or None outside of one.

    Args:
        cwd: The folder.
        environ: The environment's variables.
        needed: Whether a missing git is an error where there is a repository.
        ahead: What git has been asked already, perhaps of another folder.

    Raises:
        GateError: There is a repository, but git is missing or refuses it.
    """
    env = _environment(cwd, environ)
    taken = ahead.taken(cwd, env) if ahead is not None else None
    if taken is not None:
        done, git = taken
    else:
        try:
            done, git = Command(_PLACE, cwd, env).done(), None
        except OSError as error:
            if needed and repository_around(cwd, env):
                hint = "install git, or judge every line with --all"
                missing = isinstance(error, FileNotFoundError)
                fact = "is not installed" if missing else f"cannot be run ({error.strerror})"
                raise GateError(f"git {fact}, and the log's history is in git", hint) from None
            return None
    found = _place_in(done)
    if found is not None:
        return git or _git(found, cwd, env)
    why = said(done.stderr)
    broken = repository_around(cwd, env) if needed else None
    if "not a git repository" in why and not env.get("GIT_DIR") and not broken:
        return None
    hint = f"mend {broken}, or judge every line with --all" if broken else ""
    if "dubious ownership" in why:
        trusted = repository_around(cwd, env) or cwd
        hint = f"if you trust it: git config --global --add safe.directory {trusted}"
    elif "work tree" in why:
        hint = "run nsm-gate inside the work tree"
    raise GateError(f"git refuses this repository: {why}", hint)


def _environment(cwd: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of every git command."""
    env = {**environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    # A partial clone would fetch missing objects: allow no protocol at all.
    env |= {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
    # Grafts would move the merge base past a rewrite.
    env["GIT_GRAFT_FILE"] = os.devnull
    # Not GIT_INDEX_FILE: git takes it from the root of the work tree, whatever the folder.
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        if env.get(name):
            env[name] = os.path.join(cwd, env[name])
    return env


def _git(
    place: _Place,
    cwd: str,
    environ: Mapping[str, str],
    begun: Mapping[tuple[str, ...], Command] | None = None,
    batch: Talk | None = None,
) -> Git:
    merge_head = os.path.join(cwd, place.merge_head)
    return Git(place.root, environ, place.shallow, merge_head, place.upstream, begun, batch)


def repository_around(cwd: str, env: Mapping[str, str]) -> str | None:
    """Return the folder around another one that git would look for a repository in, whatever its state."""
    ceilings = env.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
    folder = os.path.abspath(cwd)
    while True:
        place = os.path.join(folder, ".git")
        if os.path.lexists(place) and not _is_empty_folder(place):  # which git passes over
            return folder
        parent = os.path.dirname(folder)
        if parent == folder or parent in ceilings:
            return None
        folder = parent


def _is_empty_folder(place: str) -> bool:
    try:
        return not os.listdir(place)
    except OSError:
        return False

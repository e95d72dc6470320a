"""Where measuring takes place: generated logs, in real git repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

from benchmarks import generate
from benchmarks.processes import BenchError, environment

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "schemas" / "training_log.schema.json"
REAL_LINES = 7
"""How many lines the real training_log has, the first of its kind."""

_LIMITS = "limits: {file: 4GiB, seconds: 3600}\n"


def program(name: str) -> str:
    """Return the path of a program of this environment.

    Raises:
        BenchError: It is not installed.
    """
    found = Path(sys.executable).parent / name
    if not found.exists():
        raise BenchError(f"{name} is not installed beside {sys.executable}: use make bench")
    return str(found)


class Places:
    """A folder with generated logs, and the repositories made from them."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; the logs that it holds already are used again, if the same code made them."""
        self.folder = folder
        self._made: dict[str, tuple[int, str, int]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def log(self, lines: int, kind: str = "clean") -> Path:
        """Return a training_log of at least so many lines."""
        made = self.folder / f"{kind}-{_version()}"
        log, count = made / "training_log.jsonl", made / "count"
        if not count.exists() or int(count.read_text()) < lines:
            generate.write(made, lines, kind)
            count.write_text(str(lines))
        return log

    def repository(self, name: str, lines: int, kind: str = "clean", *, appended: int = 0) -> Path:
        """Make a repository whose logs are committed and pushed, unless the last of that name was the same.

        Args:
            name: What its folder is called.
            lines: How many lines of the training_log are committed.
            kind: Which generated log.
            appended: How many lines more are staged.
        """
        log, root = self.log(lines + appended, kind), self.folder / name
        if self._made.get(name) == (lines, kind, appended):
            return root
        self._made[name] = (lines, kind, appended)
        shutil.rmtree(root, ignore_errors=True)
        target = root / "experiments" / "training_log.jsonl"
        target.parent.mkdir(parents=True)
        shutil.copy(log.with_name("baselines.jsonl"), root)
        (root / "nsm-gate.yaml").write_text(_LIMITS)
        with log.open("rb") as source, target.open("wb") as file:
            file.writelines(islice(source, lines))
            git(root, "init", "--quiet", "--initial-branch=main")
            file.flush()
            git(root, "add", ".")
            git(root, "-c", "gc.auto=0", "commit", "--quiet", "--message=Log runs")
            file.writelines(islice(source, appended))
        # As after a push: the remote's branch is the published history.
        git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
        git(root, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
        git(root, "config", "branch.main.remote", "origin")
        git(root, "config", "branch.main.merge", "refs/heads/main")
        git(root, "config", "remote.origin.url", str(self.folder / "nowhere"))
        git(root, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        git(root, "add", ".")
        return root


def git(folder: Path, *arguments: str) -> None:
    """Run git.

    Raises:
        BenchError: It failed.
    """
    names = {f"GIT_{who}_{what}": text for who in ("AUTHOR", "COMMITTER") for what, text in _WHO.items()}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**environment(), **names},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"git {' '.join(arguments)}: {done.stderr.strip()}")


_WHO = {"NAME": "bench", "EMAIL": "bench@example.org"}


def _version() -> str:
    """Return what changes when generated logs do."""
    import hashlib

    code = hashlib.sha256()
    for name in ("generate", "lab", "mistakes", "results"):
        code.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return code.hexdigest()[:12]


def sample(log: Path, count: int, step: int, target: Path) -> Path:
    """Write every step-th line of a log, so many of them, to another file."""
    with log.open("rb") as source, target.open("wb") as file:
        file.writelines(islice(source, 0, count * step, step))
    return target


def log_of(root: Path) -> Path:
    """Return the training_log of a repository."""
    return root / "experiments" / "training_log.jsonl"


def size(path: Path) -> int:
    """Return the bytes of a file."""
    return os.stat(path).st_size

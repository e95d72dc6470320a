"""Starts git: nothing else of the gate starts a program.

By `posix_spawn`: `subprocess` takes as long to load as git takes to answer. A process here is as much of a
`subprocess.Popen` as is used of one, and is one where there is no `posix_spawn`. Every process begins where
`-C` says, has the environment that it is given, inherits no open file but its three streams, and runs with
nothing of this repository's own: see `edge.git` for which commands may be run.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence

from nsm_gate.nouns import Any, BinaryIO, NamedTuple
from nsm_gate.whereabouts import HERE

_SAFE = ("--no-replace-objects", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")


MOST = 256 << 20
"""Bytes of an answer, after which git is killed: eleven objects make a tree of ten thousand million files."""


class Done(NamedTuple):
    """A command that has ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Command:
    """A command that answers once: it gets no input."""

    def __init__(self, args: Sequence[str], folder: str, environ: Mapping[str, str]) -> None:
        """Start it; FileNotFoundError where there is no git."""
        self._name = args[0]
        self._process = _started(args, folder, environ, asked=False)
        self._done: Done | None = None

    def done(self) -> Done:
        """Return what it answers, once it has ended."""
        if self._done is None:
            with HERE.busy(f"git {self._name}"):
                out, err = self._process.communicate()
                self._done = Done(self._process.wait(), out, err)
        return self._done

    def drop(self) -> None:
        """End it, where nobody has waited for its answer."""
        if self._done is None:
            self._process.kill()
            self.done()


class Talk:
    """A command that answers questions, line by line."""

    def __init__(self, args: Sequence[str], folder: str, environ: Mapping[str, str]) -> None:
        """Start it; FileNotFoundError where there is no git."""
        self._process = _started(args, folder, environ, asked=True)
        self.stdin: BinaryIO = self._process.stdin
        self.stdout: BinaryIO = self._process.stdout

    def kill(self) -> None:
        """Kill it, in the middle of an answer."""
        self._process.kill()

    def end(self) -> None:
        """Ask nothing more, and wait for its end."""
        try:
            self.stdin.close()
        except BrokenPipeError:
            self.kill()  # it has ended already, or it does not read
        self.stdout.close()
        self._process.wait()


def said(stderr: bytes) -> str:
    """Return the first row of what git complains of."""
    rows = [row.strip() for row in stderr.decode("utf-8", "replace").split("\n") if row.strip()]
    at = next((n for n, row in enumerate(rows) if row.startswith(("fatal: ", "error: "))), 0)
    # What follows a colon stands on the next row.
    told = rows[at : at + 2 if rows[at].endswith(":") else at + 1] if rows else ["no reason given"]
    return " ".join(told).removeprefix("fatal: ").removeprefix("error: ")


def run(args: Sequence[str], folder: str, environ: Mapping[str, str]) -> Done:
    """Run a command to its end."""
    return Command(args, folder, environ).done()


def _started(args: Sequence[str], folder: str, environ: Mapping[str, str], *, asked: bool) -> Any:
    words = ["git", "-C", folder, *_SAFE, *args]
    if hasattr(os, "posix_spawn"):
        return _Spawned(words, environ, asked=asked)
    import subprocess

    kept, none = subprocess.PIPE, subprocess.DEVNULL
    streams = (kept, kept, none) if asked else (none, kept, kept)
    return subprocess.Popen(words, env=dict(environ), stdin=streams[0], stdout=streams[1], stderr=streams[2])


class _Spawned:
    """A process with its standard output kept, and its standard input or what it complains of."""

    def __init__(self, words: list[str], environ: Mapping[str, str], *, asked: bool) -> None:
        place = _place(words[0], environ)
        out, other = _pipe(), _pipe()
        kept = [out[0], other[1] if asked else other[0]]
        given = [(out[1], 1), (other[0], 0) if asked else (other[1], 2)]
        null = (os.POSIX_SPAWN_OPEN, 2 if asked else 0, os.devnull, os.O_RDWR, 0)
        moved = [(os.POSIX_SPAWN_DUP2, handle, number) for handle, number in given]
        try:
            self._pid = os.posix_spawn(
                place, words, dict(environ), file_actions=[null, *moved], setsigdef=_IGNORED
            )
        except BaseException:
            for handle in kept:
                os.close(handle)
            raise
        finally:
            for handle, _ in given:
                os.close(handle)
        self.stdout = os.fdopen(kept[0], "rb")
        self.stdin = os.fdopen(kept[1], "wb") if asked else None
        self.stderr = None if asked else os.fdopen(kept[1], "rb")
        self._code: int | None = None

    def communicate(self) -> tuple[bytes, bytes]:
        """Return what it writes, up to `MOST` bytes: of both at once, since it waits where one is unread."""
        import select

        size = 0
        files = {file.fileno(): file for file in (self.stdout, self.stderr) if file is not None}
        read: dict[int, list[bytes]] = {handle: [] for handle in files}
        poll = select.poll()
        for handle in files:
            poll.register(handle, select.POLLIN)
        while files:
            for handle, _ in poll.poll():
                data = os.read(handle, 1 << 16)
                read[handle].append(data)
                size += len(data)
                if size > MOST:
                    self.kill()
                    data = b""
                if not data:
                    poll.unregister(handle)
                    files.pop(handle).close()
        out, err = (b"".join(parts) for parts in read.values())
        return out, err

    def wait(self) -> int:
        """Return its exit code; the number of a signal that ended it, negative."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._code

    def kill(self) -> None:
        """Kill it, where it has not been waited for."""
        if self._code is None:
            os.kill(self._pid, 9)


_IGNORED = (13, 25)
"""SIGPIPE and SIGXFSZ, which Python ignores, and what it starts should not."""


def _place(name: str, environ: Mapping[str, str]) -> str:
    """Return where a program lies."""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        place = os.path.join(folder, name)
        if os.access(place, os.X_OK) and os.path.isfile(place):
            return place
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)


def _pipe() -> tuple[int, int]:
    """Return the ends of a pipe, neither of which is a standard stream, even where one of those is closed."""
    ends = os.pipe()
    if min(ends) > 2:
        return ends
    import fcntl

    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]

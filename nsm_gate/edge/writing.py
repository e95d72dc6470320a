"""Write files whole: made without overwriting, or replaced in one step; never through a link."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable

from nsm_gate.errors import GateError
from nsm_gate.nouns import dataclass

_MOST = 8 << 20


@dataclass(frozen=True, slots=True)
class Taken:
    """A place that holds something which is left alone, and why."""

    reason: str


def standing(root: str, path: str) -> bytes | Taken | None:
    """Return what stands at a path below a root: a file's content, None, or why it is left alone."""
    steps = path.split("/")
    place = root
    for number, step in enumerate(steps, 1):
        place = os.path.join(place, step)
        try:
            info = os.lstat(place)
        except FileNotFoundError:
            return None
        except OSError as error:
            return Taken(f"cannot be read: {error.strerror}")
        shown = "/".join(steps[:number])
        if stat.S_ISLNK(info.st_mode):
            return Taken(f"{shown} is a symbolic link, which can point anywhere")
        if number < len(steps):
            if not stat.S_ISDIR(info.st_mode):
                return Taken(f"{shown} is not a folder")
        elif not stat.S_ISREG(info.st_mode):
            return Taken(f"{shown} is not a regular file")
        elif info.st_size > _MOST:
            return Taken(f"{shown} is over {_MOST:,} bytes")
    try:
        with open(place, "rb") as file:
            return file.read()
    except OSError as error:
        return Taken(f"cannot be read: {error.strerror}")


def create(root: str, path: str, data: bytes) -> None:
    """Make a file, and the folders above it, below a root.

    Raises:
        GateError: Something stands there already, or the file system refuses.
    """
    place = os.path.join(root, path)
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if standing(root, path) is not None:
            raise FileExistsError(17, "something stands there already")
        temporary = _written(place, [data], None)
        try:
            _take(temporary, place)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
    except OSError as error:
        raise GateError(f"cannot be written: {error.strerror}", "nothing of it was written", path) from None


def amend(root: str, path: str, before: bytes, data: bytes) -> None:
    """Give a file more content than it had.

    Args:
        root: The folder that the path starts at.
        path: The file.
        before: What it held when it was looked at.
        data: What it is to hold.

    Raises:
        GateError: It has changed meanwhile, or the file system refuses.
    """
    if standing(root, path) != before:
        raise GateError("it was changed meanwhile", "run the command again", path)
    try:
        replace(os.path.join(root, path), [data])
    except OSError as error:
        raise GateError(f"cannot be written: {error.strerror}", "nothing of it was changed", path) from None


def write_whole(place: str, data: bytes) -> None:
    """Make a file or replace a regular one, in one step; its folder must exist.

    Raises:
        OSError: The folder is missing, or something other than a regular file stands there.
    """
    if os.path.lexists(place):
        replace(place, [data])
        return
    temporary = _written(place, [data], None)
    try:
        _take(temporary, place)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _take(temporary: str, place: str) -> None:
    """Give a new file its name. A link, unlike a rename, never replaces what came there meanwhile."""
    try:
        os.link(temporary, place)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(place):
            raise FileExistsError(17, "something stands there already") from None
        os.rename(temporary, place)


def replace(place: str, chunks: Iterable[bytes]) -> None:
    """Replace a regular file in one step, with its permissions and owner kept; OSError where that fails.

    Who may not give a file away owns the new one.
    """
    info = os.lstat(place)
    if not stat.S_ISREG(info.st_mode):
        raise OSError(22, "not a regular file")
    temporary = _written(place, chunks, stat.S_IMODE(info.st_mode))
    try:
        made = os.lstat(temporary)
        if (made.st_uid, made.st_gid) != (info.st_uid, info.st_gid):
            with contextlib.suppress(PermissionError):
                os.chown(temporary, info.st_uid, info.st_gid)
                os.chmod(temporary, stat.S_IMODE(info.st_mode))  # giving it away may have cleared bits
        os.replace(temporary, place)
    except OSError:
        os.unlink(temporary)
        raise


def _written(place: str, chunks: Iterable[bytes], mode: int | None) -> str:
    """Write a new file beside a place, and onto the disk; return its path."""
    folder = os.path.dirname(place) or "."
    temporary = os.path.join(folder, f".nsm-gate-{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, 0o666)
    try:
        with open(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(handle)
        if mode is not None:
            os.chmod(temporary, mode)
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary

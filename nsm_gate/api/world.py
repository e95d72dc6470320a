"""What the Python API hands to the commands: the world as the program has it, and one kind of error."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.errors import GateError, GateErrors

PathLike = str | os.PathLike[str]


def surroundings(cwd: PathLike | None = None) -> Surroundings:
    """Return the world in which a command runs: the program's environment, and nothing to write on.

    Args:
        cwd: The folder that paths start at; the current one where it is None.
    """
    folder = os.getcwd() if cwd is None else os.path.abspath(os.fspath(cwd))
    if not os.path.isdir(folder):
        raise GateError("no such folder", "give cwd a folder", folder)
    return Surroundings(io.BytesIO(), io.StringIO(), io.StringIO(), os.environ, folder, now)


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(timezone.utc)


def text(path: PathLike | None) -> str | None:
    """Return a path as text."""
    return None if path is None else os.fspath(path)


@contextmanager
def one_error() -> Iterator[None]:
    """Raise several errors as one: a program catches one."""
    try:
        yield
    except GateErrors as errors:
        first = errors.errors[0]
        if len(errors.errors) == 1:
            raise first from None
        raise GateError(str(errors), first.hint) from None

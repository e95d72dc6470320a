"""One hostile input: what it is, the entrance that it goes through, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support import Repo

CLEAN, FOUND, REFUSED = (0,), (1,), (2,)
"""Exit codes: judged and clean, judged with findings, not judged."""
NEVER_CLEAN = (1, 2)
ANY = (0, 1, 2)


@dataclass(frozen=True)
class Scene:
    """The place that a case is played in.

    Attributes:
        root: Where the gate runs.
        outside: A folder beside it, which nothing may be read from or written to.
        marker: A file that everything hostile leaves if it is ever executed.
        repo: The repository at the root, where the case asks for one.
    """

    root: Path
    outside: Path
    marker: Path
    repo: Repo

    def script(self, name: str = "evil") -> Path:
        """Return a program that leaves the marker, and passes its input on so that its caller goes on."""
        place = self.outside / name
        place.write_text(f"#!/bin/sh\necho ran >> '{self.marker}'\ncat\n")
        place.chmod(0o755)
        return place


Make = Callable[[Scene], object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A hostile input.

    Attributes:
        name: Says what is hostile about it; unique in its entrance.
        entrance: What it comes in by.
        args: The command line. `check` is asked for JSON unless it says otherwise.
        files: What lies in the folder: path -> content.
        stdin: Standard input.
        env: Variables set beside the usual ones; `{outside}` stands for the folder beside the root.
        make: Prepares what files cannot say, such as the state of git.
        git: Whether the root is a repository with a committed log of two runs.
        codes: The exit codes that are right; without 0, the input is never judged clean.
        rule: A rule that reports an error, where findings are right.
        file: What every failure must name: the file at fault, or the ref, option or variable.
        says: A word that the output must hold.
        hides: A word that no output may hold, whatever is read.
        writes: Files that the command may write; None, any.
        process: Whether it needs a process of its own: it may take the interpreter down, or block.
    """

    name: str
    entrance: str = ""
    args: Sequence[str] = ("check", "--all")
    files: Mapping[str, bytes | str] = field(default_factory=dict)
    stdin: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)
    make: Make | None = None
    git: bool = False
    codes: Sequence[int] = ANY
    rule: str = ""
    file: str = ""
    says: str = ""
    hides: str = ""
    writes: Sequence[str] | None = ()
    process: bool = False

    @property
    def id(self) -> str:
        """Return the entrance and the name."""
        return f"{self.entrance}/{self.name}"

    @property
    def command(self) -> tuple[str, ...]:
        """Return the command line, with JSON asked for where nothing else is."""
        args = tuple(self.args)
        if args[:1] == ("check",) and not any(a.startswith(("--output-format", "--help")) for a in args):
            return ("check", "--output-format", "json", *args[1:])
        return args


def through(entrance: str, cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return cases as inputs of one entrance."""
    return tuple(replace(case, entrance=entrance) for case in cases)

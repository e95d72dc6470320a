"""What a command sees of the world: streams, environment, folder and clock, all handed in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime

from nsm_gate.commands.watch import Watch
from nsm_gate.nouns import TYPE_CHECKING, BinaryIO, NamedTuple, TextIO

if TYPE_CHECKING:
    from nsm_gate.edge.discovery import Ahead


class Surroundings(NamedTuple):
    """The edges of the program.

    Attributes:
        now: Returns the current time, in UTC.
        watch: Is told how long the judgement may take, and what it is at.
        ahead: What git has been asked already of the folder.
    """

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO
    environ: Mapping[str, str]
    cwd: str
    now: Callable[[], datetime]
    watch: Watch = Watch()
    ahead: Ahead | None = None

    @staticmethod
    def is_terminal(stream: TextIO) -> bool:
        """Return whether a stream is a terminal."""
        try:
            return stream.isatty()
        except ValueError:
            return False

    def colored(self, wish: str) -> bool:
        """Return whether to write colours: the option, then NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE."""
        if wish != "auto":
            return wish == "always"
        if self.environ.get("NO_COLOR"):
            return False
        forced = (self.environ.get(name, "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE"))
        if any(value not in ("", "0") for value in forced):
            return True
        return self.is_terminal(self.stdout) and self.environ.get("TERM") != "dumb"

    def width(self) -> int:
        """Return the columns to fill: the terminal's, within reason, else 100."""
        if not self.is_terminal(self.stdout):
            return 100
        try:
            columns = os.get_terminal_size(self.stdout.fileno()).columns
        except (OSError, ValueError):
            columns = 100
        return max(60, min(120, columns or 100))

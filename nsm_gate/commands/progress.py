"""Progress of long work, on a terminal's stderr only."""

from __future__ import annotations

import time
from types import TracebackType

from nsm_gate.commands.surroundings import Surroundings

_QUIET_SECONDS = 1.0
_PAUSE_SECONDS = 0.2
_HEARTBEAT = 500  # lines between two signs of life to the watch


class Progress:
    """Shows how many lines are judged, once the work has taken a second; leaves nothing behind."""

    def __init__(self, world: Surroundings) -> None:
        """Begin to count time."""
        self._watch = world.watch
        self._stream = world.stderr
        self._terminal = world.is_terminal(world.stderr)
        self._began = self._last = time.monotonic()
        self._shown = False

    def __enter__(self) -> Progress:
        """Return the progress itself."""
        return self

    def tick(self, count: int) -> None:
        """Say that this many lines are judged."""
        if count % _HEARTBEAT == 0:
            self._watch.tell()
        if not self._terminal:
            return
        now = time.monotonic()
        if now - self._began > _QUIET_SECONDS and now - self._last > _PAUSE_SECONDS:
            self._last = now
            self._shown = True
            self._stream.write(f"\rjudged {count:,} lines")
            self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the line."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

"""Work on parts of a log in forked processes, so that it takes as many cores as there are.

A worker has all that this process has, as it is when it is forked, and gives back what it makes through a
pipe. Nothing is shared, and the parts come back in their order: the result is the same for any number of
workers. A worker that fails, or is killed, fails the whole: a part that is missing must not pass.
"""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Callable, Iterator, Sequence

from nsm_gate.errors import GateError
from nsm_gate.nouns import Any, BinaryIO
from nsm_gate.whereabouts import HERE

_LEAST = 2
"""Parts below which forking is not worth it."""
_LENGTH = 8  # bytes of the length that stands before what a worker gives back


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread_over(
    jobs: int,
    work: Callable[[int, int], Any],
    parts: Sequence[tuple[int, int]],
    begin: Callable[[int], None],
) -> Iterator[Any]:
    """Yield what the work gives for each part, in order.

    Args:
        jobs: How many processes work.
        work: Start and stop of a part -> what is made of it; values that can be pickled.
        parts: In order.
        begin: Called in each worker with its number, from 1.

    Raises:
        GateError: A worker ended without giving back all of its parts.
    """
    jobs = min(jobs, len(parts))
    if jobs < _LEAST or not hasattr(os, "fork"):
        yield from (work(start, stop) for start, stop in parts)
        return
    # Whole stretches, not every second part: what a worker has learned of the lines it uses further.
    workers = [_Worker(number, parts[number::jobs], work, begin) for number in range(jobs)]
    try:
        for number in range(len(parts)):
            yield workers[number % jobs].result()
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    def __init__(
        self,
        number: int,
        parts: Sequence[tuple[int, int]],
        work: Callable[[int, int], Any],
        begin: Callable[[int], None],
    ) -> None:
        reader, writer = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            code = 1
            try:
                os.close(reader)
                begin(number + 1)
                # What is there already is not looked through for garbage, nor copied for it.
                gc.freeze()
                gc.disable()
                with os.fdopen(writer, "wb") as pipe:
                    _serve(parts, work, pipe)
                HERE.file("")  # it is at nothing any more
                code = 0
            finally:
                os._exit(code)
        os.close(writer)
        self._pipe: BinaryIO = os.fdopen(reader, "rb")

    def result(self) -> Any:
        """Return what the next part gave; raise what the worker raised."""
        head = self._pipe.read(_LENGTH)
        size = int.from_bytes(head, "little")
        data = self._pipe.read(size) if len(head) == _LENGTH else b""
        if not size or len(data) != size:
            fact = "a worker ended before its lines were judged"
            raise GateError(fact, "look at the machine's memory, or use --jobs 1")
        failed, made = pickle.loads(data)  # noqa: S301  # of this program's own child
        if failed:
            raise made
        return made

    def end(self) -> None:
        """Wait for the process; what it has not given back is not wanted."""
        self._pipe.close()
        os.waitpid(self._child, 0)


def _serve(parts: Sequence[tuple[int, int]], work: Callable[[int, int], Any], pipe: BinaryIO) -> None:
    for start, stop in parts:
        try:
            row: tuple[bool, Any] = (False, work(start, stop))
        except GateError as error:
            row = (True, error)
        HERE.line(0)  # it waits until the part is taken: that is nobody's fault
        data = pickle.dumps(row, pickle.HIGHEST_PROTOCOL)
        pipe.write(len(data).to_bytes(_LENGTH, "little") + data)
        pipe.flush()
        if row[0]:
            return

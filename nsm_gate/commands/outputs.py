"""`--output-format FMT[:PATH]` of the commands that print what the logs hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence

from nsm_gate.commands.sparing import spare
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.edge.bases import Comparison
from nsm_gate.edge.files import write_chunks
from nsm_gate.edge.logs import Logs
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.names import suggestion
from nsm_gate.nouns import NamedTuple
from nsm_gate.policy import Policy


class Output(NamedTuple):
    """A format, and the file that it goes to; None for standard output."""

    format: str
    path: str | None


def outputs(wanted: Sequence[str], formats: Iterable[str]) -> list[Output]:
    """Return what `--output-format` asks for.

    Raises:
        GateError: There is no such format, or two of them go to standard output.
    """
    known = list(formats)
    made = []
    for item in wanted:
        name, _, path = item.partition(":")
        if name not in known:
            hint = suggestion(name, known) or f"the formats are {', '.join(known)}"
            raise GateError(f"no output format is called {name!r}", hint)
        made.append(Output(name, path or None))
    if sum(output.path is None for output in made) > 1:
        raise GateError("two output formats go to standard output", "give all but one a file: FMT:PATH")
    return made


def write(
    wanted: Sequence[Output],
    make: Callable[[Output], Iterable[str]],
    world: Surroundings,
    policy: Policy,
    read: Collection[str] = (),
) -> None:
    """Write files first, then standard output.

    Args:
        wanted: The outputs.
        make: Returns the text of an output, in pieces.
        world: Where the command runs.
        policy: Knows what is a log, which is never overwritten.
        read: Files that were read, which are not overwritten either.

    Raises:
        GateErrors: Why files cannot be written; then nothing goes to standard output.
    """
    errors = []
    files = [output for output in wanted if output.path]
    _spare(files, world, policy, read)
    for output in files:
        path = output.path or ""
        try:
            write_chunks(os.path.join(world.cwd, path), make(output))
        except FileNotFoundError:
            errors.append(GateError("the folder of the output does not exist", "create it first", path))
        except OSError as error:
            errors.append(GateError(f"cannot be written: {error.strerror}", "choose another path", path))
    if errors:
        raise GateErrors(tuple(errors))
    for output in wanted:
        if output.path is None:
            for piece in make(output):
                world.stdout.write(piece)


def _spare(wanted: Iterable[Output], world: Surroundings, policy: Policy, read: Collection[str]) -> None:
    """Refuse an output that would overwrite what is read, a log or anything else of the repository."""
    paths = [output.path for output in wanted if output.path]
    if not paths:
        return
    sources = {os.path.realpath(source) for source in read}
    with opened(world) as space:
        logs = Logs(policy, Comparison(space.work, (), (), "none", "only read"), space.git)
        for path in paths:
            if os.path.realpath(os.path.join(world.cwd, path)) in sources:
                raise GateError("the output would overwrite a log", "choose another path", path)
            spare(path, world, space, logs)

"""`nsm-gate new`: a skeleton entry, to be filled in and appended.

What does the work is imported where it is done: the hook pays for every import of every command.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

from nsm_gate.commands.kinds import kind_called
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.errors import GateError
from nsm_gate.model import Json, Path
from nsm_gate.names import suggestion
from nsm_gate.nouns import TypeVar
from nsm_gate.policy import LogKind
from nsm_gate.render.untrusted import plain

_EPILOG = """\
What is known is filled in: the time, the type, the domain and a run id. All else is null, or TODO: log a
value where there is one, leave null where there is none. The skeleton does not pass nsm-gate check as it is;
what has to be filled in for that is listed on standard error. Exit codes: 0 printed, 2 not printed.
"""
_LISTED = 40

Named = TypeVar("Named")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "type", nargs="?", metavar="TYPE", help="experiment type, where the log kind has them"
    )
    parser.add_argument("--domain", metavar="D", help="domain, where the log kind has them")
    parser.add_argument("--log", metavar="KIND", help="log kind (default: the one that has experiment types)")
    parser.add_argument("--run-id", metavar="ID", help="the run's name (default: {type}_{domain}_{YYYYMMDD})")
    parser.add_argument("--pretty", action="store_true", help="indented, to be read; a log takes one line")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Print the skeleton, and on stderr what has to be filled in."""
    from nsm_gate.commands.judging import errors_of
    from nsm_gate.skeleton import Asked, skeleton

    with opened(world) as space:
        policy = space.policy(space.work, None)
    kind = kind_called(policy, args.log)
    chosen = _pick(args.type, "experiment type", "TYPE", kind.experiment_type, policy.experiment_types, kind)
    domain = _pick(args.domain, "domain", "--domain", kind.domain, policy.domains, kind)
    if args.run_id is not None and kind.run_id is None:
        raise GateError(f"runs of {kind.name} have no name", "leave --run-id out")
    now = world.now()
    world.watch.tell(seconds=policy.limits.seconds, at=kind.schema_path)
    entry = skeleton(policy, Asked(kind, chosen, domain, args.run_id, now))
    asked = errors_of(policy, kind, entry, now)
    marked = not asked
    world.stdout.write(_printed(_unnamed(entry, kind) if marked else entry, args.pretty, marked) + "\n")
    shown = [f"{found.message}: {found.hint}" if found.hint else found.message for found in asked]
    shown = shown or ["write values for TODO and null: this log kind refuses no null of its own"]
    world.stderr.write("to fill in before it passes nsm-gate check:\n")
    world.stderr.write("".join(f"  {plain(row)}\n" for row in shown[:_LISTED]))
    if len(shown) > _LISTED:
        world.stderr.write(f"  and {len(shown) - _LISTED} more\n")
    return 0


def _pick(
    name: str | None, what: str, option: str, place: Path | None, known: Mapping[str, Named], kind: LogKind
) -> Named | None:
    """Return the type or domain of a name; GateError where it is missing, unknown or not wanted."""
    if place is None:
        if name is not None:
            raise GateError(f"runs of {kind.name} have no {what}", f"leave {option} out")
        return None
    options = ", ".join(known) or "none yet"
    if name is None:
        if not known:
            return None
        raise GateError(f"which {what}?", f"give {option}: {options}")
    if name not in known:
        hint = suggestion(name, known) or f"the policy knows {options}; nsm-gate init writes a new one"
        raise GateError(f"no {what} is called {name!r}", hint)
    return known[name]


# --- printing ---------------------------------------------------------------------------------------

_MARK = "\x00to do"
"""Stands for a bare TODO, which is not JSON. It cannot be in a name: it is replaced as JSON writes it."""


def _unnamed(entry: dict[str, Json], kind: LogKind) -> dict[str, Json]:
    """Mark what identifies the run: where nothing else refuses the skeleton, it is no JSON as it is."""
    for path in kind.key or ((next(iter(entry), "TODO"),),):
        holder = entry
        for name in path[:-1]:
            inner = holder.setdefault(name, {})
            holder = inner if isinstance(inner, dict) else {}
        holder[path[-1]] = _MARK
    return entry


def _printed(entry: Json, pretty: bool, marked: bool = False) -> str:
    """Return JSON that is safe on a terminal and in a CI log: what is escaped there is an escape of JSON."""
    made = json.dumps(entry, indent=2 if pretty else None)
    if marked:
        made = made.replace(json.dumps(_MARK), "TODO")
    return "\n".join(plain(row, len(row) + 1) for row in made.split("\n"))

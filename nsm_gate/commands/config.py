"""`nsm-gate config`: what is in force here."""

from __future__ import annotations

import argparse
import json

from nsm_gate.checks import DEFAULTS
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.errors import GateError
from nsm_gate.names import suggestion
from nsm_gate.render.untrusted import plain
from nsm_gate.settings import Setting, settings

_SHOW = """\
Every setting that is in force, and the file and line that it comes from. What a pack sets stands at
nsm:rules/... (or PACKAGE:rules/...), what nobody sets at `default`. Severities are those of each rule, then
where they differ by log kind and experiment type. Long values are cut; --output-format json gives them whole.
"""
_WIDEST = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    sub = parser.add_subparsers(dest="what", metavar="show [NAME]", required=True)
    said = "every setting with the file and line that it comes from"
    show = sub.add_parser("show", help=said, description=_SHOW)
    show.add_argument(
        "name", nargs="?", default="", metavar="NAME",
        help="only settings that begin so: severity, limits, log.training_log, ...",
    )  # fmt: skip
    show.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    show.add_argument("--output-format", choices=("text", "json"), default="text")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Print the settings."""
    with opened(world) as space:
        policy, sources = space.rules(space.work, args.config, examples=True)
    every = list(settings(policy, sources, DEFAULTS))
    wanted = [setting for setting in every if setting.name.startswith(args.name)]
    if not wanted:
        heads = {".".join(s.name.split(".")[:count]) for s in every for count in (1, 2, 3)}
        hint = suggestion(args.name, heads) or "nsm-gate config show without a name shows them all"
        raise GateError(f"no setting begins with {args.name!r}", hint)
    world.stdout.write(_json(wanted) if args.output_format == "json" else _text(wanted))
    return 0


def _json(found: list[Setting]) -> str:
    rows = [{"name": s.name, "value": s.value, "path": s.path, "line": s.line} for s in found]
    return json.dumps({"version": 1, "settings": rows}, ensure_ascii=True, indent=1) + "\n"


def _text(found: list[Setting]) -> str:
    rows = [(plain(s.name, 200), plain(s.shown, _WIDEST), plain(s.place)) for s in found]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "".join(f"{name.ljust(first)}  {shown.ljust(second)}  {place}\n" for name, shown, place in rows)

"""The whole command line, as argparse reads it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

from nsm_gate import __version__
from nsm_gate.errors import Misread
from nsm_gate.nouns import Any, NoReturn, Protocol


class Declares(Protocol):
    """What a module of a command offers here."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""


class _Parser(argparse.ArgumentParser):
    def __init__(self, *args: Any, **options: Any) -> None:
        # An abbreviation would change its meaning when an option is added.
        super().__init__(*args, **{**options, "allow_abbrev": False})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(_joined(args or ()), namespace)

    def error(self, message: str) -> NoReturn:
        raise Misread(f"{self.format_usage()}{self.prog}: {message}\n")


def _joined(argv: Sequence[str]) -> list[str]:
    """Return arguments in which `--sort -accuracy` is one: argparse takes the value for an option."""
    made: list[str] = []
    for word in argv:
        if made and made[-1] == "--sort" and "--" not in made and word.startswith("-"):
            made[-1] = f"--sort={word}"
        else:
            made.append(word)
    return made


def parse(
    argv: Sequence[str], commands: Mapping[str, str], module: Callable[[str], Declares]
) -> argparse.Namespace:
    """Return the arguments.

    Args:
        argv: The command line.
        commands: What each command does.
        module: Imports the module of a command.

    Raises:
        Misread: They do not parse.
        SystemExit: It asked for --help or --version, which is printed.
    """
    parser = _Parser(prog="nsm-gate", description="The gate in front of a log of experiments.")
    parser.add_argument("--version", action="version", version=f"nsm-gate {__version__}")
    sub = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    # The first word is the command: no option before it takes a value.
    chosen = next((word for word in argv if not word.startswith("-")), None)
    for name, said in commands.items():
        command = sub.add_parser(name, help=said, description=said)
        if name == chosen:
            module(name).add_arguments(command)
    args = parser.parse_args(argv)
    if args.command is None:
        raise Misread(parser.format_help())
    return args

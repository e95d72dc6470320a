"""`nsm-gate runs`: ask the logs, in the rule language, which runs there are and how they compare.

What does the work is imported where it is done: the hook pays for every import of every command.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from nsm_gate.commands.surroundings import Surroundings

_EPILOG = """\
EXPR, NAME and METRIC are the rule language's: status, accuracy, hyperparameters.seed, metrics["val/loss"],
entry.timestamp, last(metrics_history.val_loss); and run, log, line, logged, verdict.accuracy,
margin.accuracy, verdicts.missed. A run is represented by its latest line. In this order: --where and its
like choose runs, then --best or --last; --sort orders them; --limit cuts. Exit codes: 0 answered, also with
no run; 2 not answered.
"""
_HEARTBEAT = 500  # rows between two signs of life to the watch
_FORMATS = ("table", "json", "jsonl", "csv", "markdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "logs", nargs="*", metavar="LOG",
        help="logs or folders; - reads standard input (default: every log of the kinds that have experiment "
        "types)",
    )  # fmt: skip
    parser.add_argument(
        "--where", action="append", metavar="EXPR",
        help="runs of which this is true, such as 'accuracy > 0.6'; repeatable: all must be true",
    )  # fmt: skip
    parser.add_argument("--status", metavar="S", help="runs of this status: running, completed, failed")
    parser.add_argument("--domain", metavar="D", help="runs of this domain")
    parser.add_argument("--type", metavar="T", help="runs of this experiment type")
    parser.add_argument("--last", type=_number, metavar="N", help="the N runs that were logged last")
    parser.add_argument(
        "--best", metavar="METRIC",
        help="the best run by accuracy, say; max(NAME) or min(NAME) where no criterion tells what is better",
    )  # fmt: skip
    parser.add_argument("--per", metavar="NAME", help="with --best or --last: of each value of NAME")
    parser.add_argument(
        "--sort", metavar="[-]NAME", help="order of the runs; - puts the largest first (default: as logged)"
    )
    parser.add_argument("--limit", type=_number, metavar="N", help="at most N runs, in that order")
    parser.add_argument(
        "--columns", metavar="NAME,...",
        help="what to show of each run; with --group-by, the metrics to compare",
    )  # fmt: skip
    parser.add_argument("--count-by", metavar="NAME,...", help="how many runs there are of each value")
    parser.add_argument(
        "--group-by", metavar="NAME,...", help="compare metrics by each value: count, mean, best"
    )
    parser.add_argument(
        "--all-lines", action="store_true", help="every line, not only the latest of each run"
    )
    parser.add_argument("--log", metavar="KIND", help="log kind to look for, or of a file of another name")
    parser.add_argument(
        "--output-format", action="append", metavar="FMT[:PATH]",
        help=f"one of {', '.join(_FORMATS)}, to a file where PATH is given; repeatable (default: table)",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("-v", "--verbose", action="store_true", help="show long values in full")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Answer; the exit code does not tell what the answer is."""
    from nsm_gate.commands.answering import Source, answered
    from nsm_gate.commands.asking import Asked
    from nsm_gate.commands.outputs import Output, outputs, write
    from nsm_gate.render.listing import FORMATS, is_exact
    from nsm_gate.render.style import Style
    from nsm_gate.render.untrusted import plain

    args.output_format = args.output_format or ["table"]
    wanted = outputs(args.output_format, FORMATS)
    world.watch.tell(formats=args.output_format)
    asked = Asked(
        args.where or (), args.status, args.domain, args.type, args.best, args.last, args.per, args.sort,
        args.limit, args.columns, args.count_by, args.group_by, args.all_lines,
    )  # fmt: skip
    kinds = {is_exact(output.format) for output in wanted}
    answer = answered(
        Source(args.logs, args.log, args.config), asked, world, exact=True in kinds, people=False in kinds
    )
    for note in answer.notes:
        world.stderr.write(f"nsm-gate: {plain(note)}\n")
    width = world.width() if Surroundings.is_terminal(world.stdout) else 0

    def make(output: Output) -> Iterator[str]:
        style = Style()._replace(width=0, verbose=args.verbose)
        if output.path is None:
            style = style._replace(color=world.colored(args.color), width=width)
        for number, piece in enumerate(FORMATS[output.format](answer.listing, style)):
            if number % _HEARTBEAT == 0:
                world.watch.tell()
            yield piece

    write(wanted, make, world, answer.policy, answer.places)
    return 0


def _number(text: str) -> int:
    """Return a whole number; argparse says what is wrong with another text."""
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)

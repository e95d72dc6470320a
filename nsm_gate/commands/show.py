"""`nsm-gate show RUN`: one run in full, or what it has otherwise than another one.

What does the work is imported where it is done: the hook pays for every import of every command.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.nouns import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nsm_gate.commands.one_run import OneRun, Shelf
    from nsm_gate.differences import Compared
    from nsm_gate.policy import Policy
    from nsm_gate.records import Record
    from nsm_gate.render.show import Side

_EPILOG = """\
REF is a reference of the rules, such as single_pass or best_baseline, which picks the strongest comparable
run that was logged before; or the name of any run. The verdicts are those of the line as it was logged. Exit
codes: 0 shown, 2 not shown.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EPILOG
    parser.add_argument("run", metavar="RUN", help="name of a run, as the logs have it")
    parser.add_argument("logs", nargs="*", metavar="LOG", help="logs or folders to look in (default: all)")
    parser.add_argument("--diff", metavar="REF", help="show what differs from a reference or another run")
    parser.add_argument("--line", type=int, metavar="N", help="the line, where several are of this run")
    parser.add_argument("--log", metavar="KIND", help="log kind to look for, or of a file of another name")
    parser.add_argument(
        "--output-format", action="append", metavar="FMT[:PATH]",
        help="text or json, to a file where PATH is given; repeatable (default: text)",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("-v", "--verbose", action="store_true", help="show long values in full")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Show the run; the exit code does not tell the verdict."""
    from nsm_gate.commands.judged_logs import shelf_of
    from nsm_gate.commands.one_run import one_run
    from nsm_gate.commands.open_logs import OpenLogs
    from nsm_gate.commands.outputs import Output, outputs, write
    from nsm_gate.commands.workspace import opened
    from nsm_gate.differences import compare
    from nsm_gate.render.style import Style

    args.output_format = args.output_format or ["text"]
    wanted = outputs(args.output_format, ("text", "json"))
    world.watch.tell(formats=args.output_format)
    with opened(world, args.logs) as space:
        policy = space.policy(space.work, args.config)
        world.watch.tell(seconds=policy.limits.seconds)
        opened_logs = OpenLogs(space, policy, world, args.log, every=True)
        shelf = shelf_of(space, policy, opened_logs.logs)
        found = one_run(args.run, args.line, shelf, policy, world)
        side = compared = None
        if args.diff is not None:
            side = _other(args.diff, found, shelf, policy)
            compared = compare(_exact(found.record), _exact(side.record), _metrics(policy))
        places = [log.path for log in opened_logs.logs]

    def make(output: Output) -> list[str]:
        if output.format == "json":
            return [_document(found, side, compared)]
        style = Style(verbose=args.verbose)
        if output.path is None:
            style = style._replace(color=world.colored(args.color), width=world.width())
        return [_text(found, side, compared, policy, style)]

    write(wanted, make, world, policy, places)
    return 0


def _exact(record: Record) -> Record:
    """Return a run with its numbers as the log has them."""
    from nsm_gate.exact import load

    line = record.entry.line
    return record._replace(entry=record.entry._replace(value=load(line.raw)))


def _metrics(policy: Policy) -> set[str]:
    return {metric for domain in policy.domains.values() for metric in domain.metrics}


def _other(asked: str, found: OneRun, shelf: Shelf, policy: Policy) -> Side:
    """Return the run that `--diff` means: a reference's, else the one of that name.

    Raises:
        GateError: No run is comparable, or nothing is called so.
    """
    from nsm_gate.commands.one_run import latest, names_of
    from nsm_gate.errors import GateError
    from nsm_gate.names import suggestion
    from nsm_gate.render.show import Side

    record = found.record
    kind = policy.experiment_types.get(record.experiment_type or "")
    references = {**record.kind.references, **(kind.references if kind else {})}
    if asked in references:
        picked = found.candidates.pick(references[asked], record)
        if picked.record is None:
            hint = f"nsm-gate explain {record.name} shows which runs were considered, and why none was picked"
            raise GateError(picked.reason, hint)
        return Side(picked.record, asked)
    names = {name for name, _, _ in names_of(shelf.logs)}
    if asked not in names:
        hint = suggestion(asked, [*references, *sorted(names)])
        hint = hint or f"the references of this run are {', '.join(references) or 'none'}"
        raise GateError(f"no reference and no run is called {asked!r}", hint)
    return Side(latest(asked, shelf), "")


def _text(found: OneRun, side: Side | None, compared: Compared | None, policy: Policy, style: Any) -> str:
    from nsm_gate.directions import directions
    from nsm_gate.pointers import dotted
    from nsm_gate.render import show
    from nsm_gate.sheet import sheet

    if side is None or compared is None:
        made = sheet(found.record, _metrics(policy))
        return show.whole(made, found.record, found.report, found.lines, style)
    ways = directions(policy, [found.record.kind])
    better = {dotted(path): way for path, way in ways.items()}
    return show.differences(compared, found.record, side, better, style)


def _document(found: OneRun, side: Side | None, compared: Compared | None) -> str:
    """Return the JSON document: the entries byte by byte, the rest by members, one on a line."""
    from nsm_gate.exact import text_of
    from nsm_gate.render.json import finding, verdict
    from nsm_gate.render.listing.objects import entry, safe

    record, report = found.record, found.report
    members: Mapping[str, Any] = {
        "path": record.path, "line": record.line, "lines": [each.line for each in found.lines],
        "log": record.kind.name, "findings": [finding(each) for each in report.findings],
        "verdicts": [verdict(each) for each in report.verdicts],
    }  # fmt: skip
    rows = [f'"entry": {entry(record.entry.line.raw)}']
    rows += [f'"{name}": {safe(text_of(value))}' for name, value in members.items()]
    if side is not None and compared is not None:
        other = side.record
        about = {
            "reference": side.reference or None,
            "run": other.name,
            "path": other.path,
            "line": other.line,
        }
        rows.append(f'"against": {safe(text_of(about))[:-1]}, "entry": {entry(other.entry.line.raw)}}}')
        every = [
            {"group": each.group, "name": each.name, "run": each.mine, "against": each.theirs}
            for each in compared.differences
        ]
        rows.append(f'"differences": {safe(text_of(every))}')
    return "{\n" + ",\n".join(rows) + "\n}\n"

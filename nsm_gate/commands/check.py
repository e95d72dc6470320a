"""`nsm-gate check`: judge the lines that a change appends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from nsm_gate.changes import compare
from nsm_gate.checks import BY_ID
from nsm_gate.commands.progress import Progress
from nsm_gate.commands.publish import blob, formats, group, publish
from nsm_gate.commands.ruling import ruling
from nsm_gate.commands.sparing import spare
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.edge import ci
from nsm_gate.edge.bases import resolve
from nsm_gate.edge.files import write_file
from nsm_gate.edge.logs import Logs
from nsm_gate.engine import Spread, Task, run
from nsm_gate.errors import GateError, GateErrors, Unwritten
from nsm_gate.history import Book, LogInput
from nsm_gate.jsonl import decode
from nsm_gate.lines import Lines
from nsm_gate.model import Entry, Line, Report, Severity
from nsm_gate.nouns import TYPE_CHECKING, Any, replace
from nsm_gate.policy import LogKind, Policy
from nsm_gate.render import FORMATS
from nsm_gate.render.style import COMMENT, STDIN, Style
from nsm_gate.whereabouts import HERE

if TYPE_CHECKING:
    import argparse

_SCREENFUL = 40
"""Rows that a hook prints: a screen of an ordinary terminal, with what the runner says around them."""
_MENDED = frozenset(
    ("invalid-json", "blank-line", "line-ending", "duplicate-run", "timestamp-not-utc", "timestamp-naive")
)
"""The rules of whose findings a machine mends some, as `nsm_gate.fixes` has them."""
_MACHINES = ("json", "jsonl", "sarif", "junit", "gitlab", "rdjson")
"""Formats of which a part is worse than nothing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options. Their names follow ruff's."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="logs or folders; - reads standard input")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--base", metavar="REF", help="judge what is new since the merge base with REF")
    which.add_argument("--staged", action="store_true", help="judge what is staged (for the hook)")
    which.add_argument("--all", action="store_true", help="judge every line")
    parser.add_argument(
        "--output-format", action="append", metavar="FMT[:PATH]",
        help=f"one of {', '.join(FORMATS)}, to a file where PATH is given, or auto, which is what the CI "
        "system reads and text elsewhere; repeatable (default: auto)",
    )  # fmt: skip
    parser.add_argument(
        "--fail-on", choices=("error", "warning", "notice", "never"), default="error",
        help="severity from which the exit code is 1 (default: error)",
    )  # fmt: skip
    parser.add_argument(
        "--select", action="append", metavar="RULE", help="report only these rules (comma-separated)"
    )
    parser.add_argument("--ignore", action="append", metavar="RULE", help="do not report these rules")
    parser.add_argument(
        "--rules-from", choices=("base", "head"),
        help="whose rules judge (default: the base's on a CI pull request, else the head's)",
    )  # fmt: skip
    parser.add_argument(
        "--fix", action="store_true",
        help="first fix what a machine can, as nsm-gate fix does; then the work tree is judged",
    )  # fmt: skip
    parser.add_argument("--unsafe", action="store_true", help="with --fix or --diff: unsafe fixes too")
    parser.add_argument("--diff", action="store_true", help="show what --fix would do, and nothing else")
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument(
        "--stdin-log", metavar="KIND", help="log kind of standard input (default: by its members)"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="processes that judge a long log (default: the cores)"
    )
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument(
        "--no-ci", action="store_true",
        help="take no base, format, summary or outputs from the CI system that runs the gate",
    )  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing where nothing is found")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every run and criterion")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Judge, write one output a format, and return the exit code."""
    if args.no_ci:
        world = world._replace(environ=ci.without(world.environ))
    asked, own = args.output_format or ["auto"], formats(world.environ)
    grouped = "auto" in asked and own == ["github"]
    wanted = args.output_format = [form for item in asked for form in (own if item == "auto" else [item])]
    outputs = _outputs(wanted)
    world.watch.tell(formats=wanted)
    rules = _rules(args.select, args.ignore)
    fixes = 0
    if args.fix or args.diff or args.unsafe:
        from nsm_gate.commands.fix import fix_first

        fixes = fix_first(args, world, rules)
        if args.diff:
            return int(bool(fixes))
    report = replace(_report(args, world, rules), fixes=fixes)
    world.watch.keep(report)
    world.watch.tell(at="the report")
    # Files first: where one cannot be written, a machine's standard output holds the error and nothing else.
    wrong = [
        error for name, path in outputs if path is not None for error in _write(world, name, path, report)
    ]
    wrong += publish(report, world)
    for name, path in outputs:
        if path is None and not (wrong and name in _MACHINES):
            style = Style(world.colored(args.color), world.width(), args.verbose, args.quiet)
            if ci.under_hook_runner(world.environ):
                style = style._replace(rows=_SCREENFUL)
            if grouped:
                world.stdout.write(group(FORMATS["text"](report, style)))
            world.stdout.write(FORMATS[name](report, style))
    if wrong:
        # What was written stays, beside the error: it is the report of this run.
        failed = {error.path for error in wrong}
        args.output_format = [i for i in wanted if ":" not in i or i.partition(":")[2] in failed]
        raise Unwritten(tuple(wrong))
    return report.exit_code


def report_of(args: argparse.Namespace, world: Surroundings) -> Report:
    """Judge as the command does, and write nothing."""
    return _report(args, world, _rules(args.select, args.ignore))


def _report(args: argparse.Namespace, world: Surroundings, rules: Sequence[str]) -> Report:
    fail_on = None if args.fail_on == "never" else Severity.of(args.fail_on)
    if "-" in args.paths:
        return _stdin_report(args, world, rules, fail_on)
    with opened(world, args.paths, needs_git=not args.all) as space:
        git, work = space.git, space.work
        comparison = resolve(
            git, work, world.environ, every_line=args.all, staged=args.staged, base=_base(args.base)
        )
        if args.fix:
            comparison = comparison._replace(head=work)  # what was fixed is not staged
        policy, governance = ruling(space, comparison, args.rules_from, args.config, world)
        rules = _with_enforced(rules, args.ignore, policy)
        for tree in (comparison.head, work):
            tree.limit = policy.limits.file  # type: ignore[attr-defined]
        world.watch.tell(seconds=policy.limits.seconds)
        logs = Logs(policy, comparison, git)
        for path in (item.partition(":")[2] for item in args.output_format or ()):
            if path:
                spare(path, world, space, logs)
        inputs = logs.select(space.paths)
        with Progress(world) as progress:
            report = run(
                Task(
                    policy, inputs, logs.books_of, len(comparison.bases), world.now(),
                    comparison.base, comparison.why, rules, fail_on, progress.tick,
                    lambda path: world.watch.tell(at=path),
                    complete=args.all and not args.paths, governance=governance,
                    spread=_spread(args.jobs, world),
                )
            )  # fmt: skip
        return _offered(report, inputs, logs.books_of, comparison, git, policy.limits.file)


def _stdin_report(
    args: argparse.Namespace, world: Surroundings, rules: Sequence[str], fail_on: Severity | None
) -> Report:
    if len(args.paths) > 1 or args.base or args.staged:
        raise GateError("standard input is judged alone, every line of it", "give - and nothing else")
    if args.rules_from == "base":
        raise GateError("standard input has no base to read the rules from", "leave --rules-from out")
    why = "every line of standard input is judged"
    with opened(world) as space:
        policy = space.policy(space.work, args.config)
    rules = _with_enforced(rules, args.ignore, policy)
    world.watch.tell(seconds=policy.limits.seconds, at=STDIN)
    with HERE.busy("the reading of standard input"):
        try:
            data = world.stdin.read(policy.limits.file + 1)
        except OSError as error:
            raise GateError(
                f"cannot be read: {error.strerror}", "pipe the lines of a log into it", STDIN
            ) from None
    if len(data) > policy.limits.file:
        raise GateError(f"over the limit of {policy.limits.file:,} bytes", "raise limits.file", STDIN)
    lines = Lines(data)
    kind = _kind(args.stdin_log, policy, lines)
    book = Book(STDIN, kind, lines, lines.terminated, compare((), (), lines), policy.limits.line)

    def books_of(name: str) -> Sequence[Book]:
        return [book] if name == kind.name else []

    inputs = [LogInput(book, "none")]
    with Progress(world) as progress:
        report = run(
            Task(
                policy, inputs, books_of, 0, world.now(), "none", why, rules, fail_on, progress.tick,
                spread=_spread(args.jobs, world),
            )
        )  # fmt: skip
    return _offered(report, inputs, books_of, None, None, policy.limits.file)


def _offered(report: Report, *about: Any) -> Report:
    """Return the report with its fixes; a run that finds nothing to mend does not pay for them."""
    if report.lots is not None:
        # Of many lines, findings are made when they are looked at.
        nothing = not any(report.lots.gravest.values())
    else:
        nothing = _MENDED.isdisjoint(finding.rule for finding in report.findings)
    if nothing:
        return report
    from nsm_gate.commands.offering import offered

    return offered(report, *about)


def _base(given: Any) -> str | None:
    """Return the word that --base names: argparse makes an empty list of a lone `--`."""
    return "--" if isinstance(given, list) else given


def _spread(jobs: int | None, world: Surroundings) -> Spread:
    """Return what does work on parts of a log, in as many processes as were asked for."""
    if jobs is not None and jobs < 1:
        raise GateError(f"--jobs {jobs}: there is no work without a process", "give 1 or more")

    def spread(work: Callable[[int, int], Any], parts: Sequence[tuple[int, int]], /) -> Iterable[Any]:
        from nsm_gate.edge.workers import cores, spread_over  # where there are few lines, nothing is spread

        return spread_over(cores() if jobs is None else jobs, work, parts, world.watch.work)

    return spread


def _kind(name: str | None, policy: Policy, lines: Sequence[bytes]) -> LogKind:
    """Return the log kind of standard input: the one named, or the one whose members it has."""
    if name is not None:
        if name not in policy.logs:
            known = ", ".join(policy.logs)
            raise GateError(f"no log kind is called {name!r}", f"the policy knows {known}")
        return policy.logs[name]
    if len(policy.logs) == 1:
        return next(iter(policy.logs.values()))
    for raw in lines:
        decoded = decode(Line(1, raw), policy.limits.line)
        if isinstance(decoded, Entry):
            members = set(decoded.value)
            counts = {
                kind.name: len(members & set(kind.schema.get("required", ())))
                for kind in policy.logs.values()
            }
            best = max(counts, key=lambda kind: counts[kind])
            if counts[best] and list(counts.values()).count(counts[best]) == 1:
                return policy.logs[best]
            break
    hint = f"name it with --stdin-log: {', '.join(policy.logs)}"
    raise GateError("the log kind of standard input cannot be told", hint, STDIN)


def _outputs(wanted: Sequence[str]) -> list[tuple[str, str | None]]:
    outputs: list[tuple[str, str | None]] = []
    for item in wanted:
        name, _, path = item.partition(":")
        if name not in FORMATS:
            raise GateError(f"no output format is called {name!r}", f"the formats are {', '.join(FORMATS)}")
        outputs.append((name, path or None))
    if sum(path is None for _, path in outputs) > 1:
        raise GateError("two output formats go to standard output", "give all but one a file: FMT:PATH")
    files = [os.path.normpath(path) for _, path in outputs if path is not None]
    twice = next((path for path in files if files.count(path) > 1), None)
    if twice is not None:
        raise GateError("two output formats go to this file", "give each a file of its own", twice)
    return outputs


def _write(world: Surroundings, name: str, path: str, report: Report) -> Iterator[GateError]:
    """Write a report to a file; yield why that cannot be done."""
    # Markdown in a file is meant for a comment: the job summary is written unasked.
    style = Style(blob=blob(world.environ), limit=COMMENT)
    try:
        write_file(os.path.join(world.cwd, path), FORMATS[name](report, style))
    except FileNotFoundError:
        yield GateError("the folder of the output does not exist", "create it first", path)
    except OSError as error:
        yield GateError(f"cannot be written: {error.strerror}", "choose another path", path)


def _rules(select: Sequence[str] | None, ignore: Sequence[str] | None) -> list[str]:
    chosen = _named(select) if select else list(BY_ID)
    dropped = _named(ignore)
    if not set(chosen) - set(dropped):
        raise GateError("no rule is left to report", "name a rule with --select, or ignore fewer")
    unknown = [rule for rule in (*chosen, *dropped) if rule not in BY_ID]
    if unknown:
        raise GateErrors(
            tuple(
                GateError(f"no rule is called {rule!r}", "nsm-gate rules list shows them") for rule in unknown
            )
        )
    return [rule for rule in chosen if rule not in dropped]


def _named(items: Sequence[str] | None) -> list[str]:
    return [rule for item in items or () for rule in item.split(",") if rule]


def _with_enforced(rules: Sequence[str], ignore: Sequence[str] | None, policy: Policy) -> list[str]:
    """Return the rules to report: what a pack enforces is reported whatever is selected."""
    refused = [rule for rule in _named(ignore) if rule in policy.enforced]
    if refused:
        hint = f"take it out of --ignore: {policy.pack} has it reported always"
        raise GateErrors(
            tuple(GateError(f"rule {rule!r} is enforced by {policy.pack}", hint) for rule in refused)
        )
    return [*rules, *(rule for rule in BY_ID if rule in policy.enforced and rule not in rules)]

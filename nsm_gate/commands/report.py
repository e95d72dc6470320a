"""`nsm-gate report`: what the logs hold, as one page for people."""

from __future__ import annotations

import argparse
import os

from nsm_gate.commands.progress import Progress
from nsm_gate.commands.sparing import spare
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.edge.bases import Comparison
from nsm_gate.edge.logs import Logs
from nsm_gate.edge.report_assets import assets
from nsm_gate.edge.writing import write_whole
from nsm_gate.engine import Task, run
from nsm_gate.errors import GateError
from nsm_gate.names import plural
from nsm_gate.render.untrusted import plain
from nsm_gate.report import html, markdown
from nsm_gate.report.collect import collect
from nsm_gate.report.nouns import Results

_HTML, _MARKDOWN = (".html", ".htm"), (".md", ".markdown")
_TITLE = "Experiment report"
_EPILOG = """\
The ending of FILE says the form. FILE.html is one page that opens from disk and needs no network, with
filters, charts and a page for each run; it needs the extra nsm-gate[report]. FILE.md is a table of the runs
by domain. Both hold the verdicts. The exit code does not: it is 0 where the report is written, and 2 where
it cannot be.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EPILOG
    parser.add_argument("paths", nargs="*", metavar="LOG", help="logs or folders (default: every log)")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the report to write: FILE.html or FILE.md"
    )
    parser.add_argument("--title", default=_TITLE, metavar="TEXT", help=f"its heading (default: {_TITLE})")
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Judge every line, write the report, and say what it holds."""
    path, title = args.output, args.title.strip() or _TITLE
    ending = os.path.splitext(path)[1].lower()
    if ending not in (*_HTML, *_MARKDOWN):
        raise GateError("the form of the report cannot be told", "call it FILE.html or FILE.md", path)
    # Before the judgement, which may take long: without them there is no page.
    parts = assets() if ending in _HTML else None
    with Progress(world) as progress:
        results = _results(args, world, progress)
        if parts is None:
            content = markdown.render(results, title, world.now())
        else:
            content = html.render(results, title, world.now(), parts, progress.tick)
    try:
        write_whole(os.path.join(world.cwd, path), content.encode("utf-8", "backslashreplace"))
    except FileNotFoundError:
        raise GateError("the folder of the output does not exist", "create it first", path) from None
    except OSError as error:
        raise GateError(f"cannot be written: {error.strerror}", "choose another path", path) from None
    held = f"{plural(len(results.runs), 'run')} of {plural(len(results.logs), 'log')}"
    left = f"; {plural(results.lines, 'line')} without a run, listed in it" if results.lines else ""
    world.stdout.write(f"wrote {plain(path)}: {held}{left}\n")
    return 0


def _results(args: argparse.Namespace, world: Surroundings, progress: Progress) -> Results:
    with opened(world, args.paths) as space:
        policy = space.policy(space.work, args.config)
        space.work.limit = policy.limits.file
        world.watch.tell(seconds=policy.limits.seconds)
        why = "every line is reported"
        logs = Logs(policy, Comparison(space.work, (), (), "none", why), space.git)
        inputs = logs.select(space.paths)
        spare(args.output, world, space, logs)
        report = run(
            Task(
                policy, inputs, logs.books_of, 0, world.now(), "none", why,
                tick=progress.tick, begin=lambda path: world.watch.tell(at=path), complete=not args.paths,
                whole=True,
            )
        )  # fmt: skip
        books = [item.book for item in inputs if item.fault is None and item.gone is None]
        return collect(report, books, policy, logs.books_of, progress.tick)

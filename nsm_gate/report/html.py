"""The report as one HTML page that needs nothing else and can do nothing else.

Text of a log reaches the page in two ways only: through Jinja2 with autoescape, or as JSON in a block that no
browser executes, from which the page's script makes text nodes. A Content-Security-Policy allows the two
scripts and the style sheet by their hashes, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from nsm_gate import __version__
from nsm_gate.edge.report_assets import Assets
from nsm_gate.model import Json
from nsm_gate.nouns import Any
from nsm_gate.render.untrusted import visible
from nsm_gate.report import tally, words
from nsm_gate.report.nouns import OUTCOMES, Results
from nsm_gate.report.payload import CHUNK, details, index

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_MOST = 500


def render(
    results: Results,
    title: str,
    now: datetime,
    parts: Assets,
    tick: Callable[[int], None] = lambda _count: None,
) -> str:
    """Return the page.

    Args:
        results: What it shows.
        title: Its heading.
        now: The time that it is made at.
        parts: Templates, style and scripts.
        tick: Called with the number of runs that are written, for progress.
    """
    from jinja2 import DictLoader, Environment, StrictUndefined  # of the extra `report`
    from markupsafe import Markup

    scripts = [inline(script, "script") for script in (parts.plotting, parts.script)]
    style = inline(parts.style, "style")
    environment = Environment(
        loader=DictLoader(parts.templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(visible=_visible, number=words.number, thousands=lambda n: f"{n:,}")
    told = list(details(results, tick))
    chunks = [told[start : start + CHUNK] for start in range(0, len(told), CHUNK)]
    return environment.get_template("report.html.j2").render(
        title=title,
        policy=policy(scripts, style),
        style=Markup(style),  # noqa: S704 - our own, and made unable to end its element
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        index=Markup(block(index(results, title))),  # noqa: S704 - escaped as a block of JSON
        chunks=[Markup(block(chunk)) for chunk in chunks],  # noqa: S704
        results=results,
        headline=words.headline(results),
        leftovers=words.leftovers(results),
        found=words.found(results),
        outcomes=tally.outcomes(results.runs),
        order=OUTCOMES,
        outcome_words=words.OUTCOME_WORDS,
        grouped=_by_type(tally.groups(results.runs)),
        asked=_by_type(tally.criteria(results.runs)),
        several={run.log for run in results.runs if run.experiment_type},
        most=_MOST,
        made=words.minute(now),
        version=__version__,
    )


def _by_type(rows: Sequence[Any]) -> list[tuple[tuple[str, str], list[Any]]]:
    """Return rows by log kind and experiment type, in their order."""
    return [
        (key, list(held)) for key, held in itertools.groupby(rows, key=lambda r: (r.log, r.experiment_type))
    ]


def inline(source: str, element: str) -> str:
    """Return a script or style sheet of ours that cannot end its element."""
    made = re.sub(rf"</({element})", r"<\\/\1", source, flags=re.IGNORECASE).replace("<!--", "<\\!--")
    return f"\n{made.strip()}\n"


def block(value: Json) -> str:
    """Return JSON as the content of a `<script type="application/json">`: it has no `<`, `>` or `&`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: _ESCAPES[found[0]], text)


def policy(scripts: list[str], style: str) -> str:
    """Return a Content-Security-Policy: these scripts, this style, and nothing from anywhere."""
    allowed = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _visible(value: Any, limit: int = 500) -> str:
    return visible(str(value), limit)

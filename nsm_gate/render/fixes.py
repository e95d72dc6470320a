"""What was fixed and what remains, as a person reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from nsm_gate.mending import Done, Mended, Wish
from nsm_gate.names import plural
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import plain

_ROWS = 12
"""How many fixes of one log are listed."""


def render(
    mended: Mended,
    style: Style,
    written: Collection[str],
    stage: Sequence[tuple[str, bool]],
    wish: Wish,
    *,
    dry: bool = False,
    brief: bool = False,
) -> str:
    """Return the fixes by log, what remains, and what is left to do.

    Args:
        mended: What became of the logs.
        style: Colours, width, and whether every fix is listed.
        written: The logs that were changed.
        stage: What has to be staged, as a shell takes it, and whether only a part of it was staged before.
        wish: Which fixes were asked for.
        dry: Whether nothing was changed, only shown.
        brief: Whether what remains is told elsewhere.
    """
    done = [item for item in mended.done if item.path in written]
    remaining = [finding for finding in mended.report.findings if finding.waived is None]
    if style.quiet and not done:
        return ""
    rows = [] if dry else list(_listed(done, style))
    base = mended.report.base
    against = "" if base == "none" else f" · against {plain(base)} ({plain(mended.report.why)})"
    lines = len({(item.path, item.line) for item in done})
    if done:
        verb = "would be made" if dry else "made"
        fact = f"{plural(len(done), 'fix', 'fixes')} {verb} in {plural(lines, 'line')}"
        rows.append(f"{style.paint(fact, 'good')}: {_counts(item.name for item in done)}")
    else:
        rows.append(f"nothing to fix in {plural(mended.new, 'new line')}{against}")
    if mended.logged:
        logged = plural(mended.logged, "line")
        hint = "a correction is a new line that names the run in corrects and says why in reason"
        rows += [f"left as published: {logged} that the base lacks and others have", f"  {hint}"]
    if remaining and not brief:
        fact = f"{plural(len(remaining), 'finding')} {'remains' if len(remaining) == 1 else 'remain'}"
        rows.append(f"{fact}: {_counts(finding.rule for finding in remaining)}")
        offered = [f.rule for f in remaining if f.fix and not f.fix.safe and f.rule in wish.names]
        if offered and not wish.unsafe:
            rows.append(f"  nsm-gate fix --unsafe would mend {len(offered):,}: {_counts(offered)}")
    if stage and not dry:
        rows.append(f"to stage what was fixed: git add {' '.join(plain(name) for name, _ in stage)}")
    for name in (name for name, parted in stage if parted):
        rows.append(f"  {plain(name)} had unstaged lines beside the staged ones: git add -p asks for each")
    return "".join(f"{row}\n" for row in rows)


def _listed(done: list[Done], style: Style) -> Iterator[str]:
    by_log: dict[str, list[Done]] = {}
    for item in done:
        by_log.setdefault(item.path, []).append(item)
    for path, items in by_log.items():
        yield style.paint(plain(path), "bold")
        shown = items if style.verbose else items[:_ROWS]
        width = max(len(str(item.line)) for item in shown)
        names = max(len(item.name) for item in shown)
        for item in shown:
            run = f"  {style.paint(plain(item.run, 80), 'dim')}" if item.run else ""
            yield f"  line {item.line:>{width}}  {item.name:<{names}}  {plain(item.message)}{run}"
        if len(shown) < len(items):
            yield f"  … and {len(items) - len(shown):,} more: -v shows all"


def _counts(names: Iterable[str]) -> str:
    counts = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {name}" for name, count in counts)

"""Which paths a policy's globs mean.

Not `re` nor `fnmatch`: a pattern of many stars would backtrack for hours. `*` and `?` stay inside a
folder, `**` crosses folders (and matches none).
"""

from __future__ import annotations

from collections.abc import Iterable


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Return whether a path from the repository root matches one of the patterns."""
    return any(_matches(path, pattern) for pattern in patterns)


def _matches(path: str, pattern: str) -> bool:
    last = pattern[pattern.rfind("/") + 1 :]
    # Most paths of a repository are turned away here, by the file name.
    if "*" not in last and "?" not in last and not path.endswith(last):
        return False
    return _folders(path.split("/"), pattern.removeprefix("./").split("/"))


def _folders(parts: list[str], pattern: list[str]) -> bool:
    # Reachable positions in `parts`, pattern segment by pattern segment: linear in both.
    reach = {0}
    for segment in pattern:
        if segment == "**":
            reach = set(range(min(reach), len(parts) + 1)) if reach else reach
        else:
            reach = {at + 1 for at in reach if at < len(parts) and _segment(parts[at], segment)}
    return len(parts) in reach


def _segment(text: str, pattern: str) -> bool:
    at = mark = 0
    star = -1
    wild = 0
    while at < len(text):
        if wild < len(pattern) and pattern[wild] == "*":
            star, mark = wild, at
            wild += 1
        elif wild < len(pattern) and pattern[wild] in ("?", text[at]):
            at += 1
            wild += 1
        elif star >= 0:
            mark += 1
            at, wild = mark, star + 1
        else:
            return False
    return pattern[wild:].strip("*") == ""

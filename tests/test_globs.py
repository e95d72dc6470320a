"""Globs say which files are logs: `*` and `?` stay inside a folder, `**` crosses folders."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm_gate.globs import matches
from tests.support import Repo, a_run


@pytest.mark.parametrize(
    "pattern, hits, misses",
    [
        ("a.jsonl", ["a.jsonl"], ["b/a.jsonl", "a.jsonl/b", "a-jsonl", "xa.jsonl", ""]),
        ("**/a.jsonl", ["a.jsonl", "b/a.jsonl", "b/c/a.jsonl"], ["xa.jsonl", "b/xa.jsonl", "a.jsonl/b"]),
        ("logs/**", ["logs/a", "logs/a/b", "logs"], ["log/a", "logsx/a", "b/logs/a"]),
        ("logs/**/a", ["logs/a", "logs/b/a", "logs/b/c/a"], ["a", "logs/b", "logs/b/xa"]),
        ("**", ["a", "a/b/c", ""], []),
        ("**/**/a", ["a", "b/a"], ["b"]),
        ("*.jsonl", ["a.jsonl", ".jsonl"], ["b/a.jsonl", "a.json", "a.jsonl.bak"]),
        ("*/a", ["b/a", "/a"], ["a", "b/c/a"]),
        (
            "runs/*/log-*.jsonl",
            ["runs/x/log-1.jsonl", "runs//log-.jsonl"],
            ["runs/log-1.jsonl", "runs/x/y/log-1.jsonl"],
        ),
        ("a?c", ["abc", "a?c", "aéc", "a😀c"], ["ac", "a/c", "abbc"]),
        ("a*b*c", ["abc", "aXbYc", "abbcc"], ["acb", "ab", "a/b/c"]),
        ("a**b", ["ab", "axxb"], ["a/b", "a/x/b"]),
        ("**a", ["a", "xa"], ["b/a"]),
        ("./a", ["a"], ["./a", "b/a"]),
        ("[ab].jsonl", ["[ab].jsonl"], ["a.jsonl"]),
        ("{a,b}", ["{a,b}"], ["a"]),
        ("a.+(b|c)$", ["a.+(b|c)$"], ["abb"]),
        ("A", ["A"], ["a"]),
        ("", [""], ["a"]),
        ("é/日*", ["é/日本"], ["e/日本"]),
    ],
)
def test_a_glob_means(pattern: str, hits: list[str], misses: list[str]) -> None:
    assert [path for path in hits if not matches(path, [pattern])] == []
    assert [path for path in misses if matches(path, [pattern])] == []


def test_any_of_several_globs_is_enough_and_none_matches_nothing() -> None:
    assert matches("b", ["a", "b"])
    assert not matches("c", ["a", "b"])
    assert not matches("c", [])


def oracle(pattern: str) -> Callable[[str], bool]:
    """Translate a glob of single characters into a regular expression."""
    segments = pattern.removeprefix("./").split("/")
    # Each path is given a final slash, so that `**` is any number of folders that end in one.
    parts = [
        "(?:[^/]*/)*" if segment == "**"
        else "".join({"*": "[^/]*", "?": "[^/]"}.get(char) or re.escape(char) for char in segment) + "/"
        for segment in segments
    ]  # fmt: skip
    compiled = re.compile("".join(parts), re.DOTALL)
    return lambda path: compiled.fullmatch(path + "/") is not None


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.text("ab*?.", max_size=4) | st.just("**"), min_size=1, max_size=4).map("/".join),
    st.lists(st.text("ab.*", max_size=4), min_size=1, max_size=4).map("/".join),
)
def test_it_agrees_with_a_regular_expression(pattern: str, path: str) -> None:
    assert matches(path, [pattern]) is oracle(pattern)(path)


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_characters="*?/"), max_size=4), min_size=1, max_size=4).map(
        "/".join
    )
)
def test_a_glob_without_stars_matches_itself_alone(path: str) -> None:
    if path.startswith("./"):
        return
    assert matches(path, [path])
    assert not matches(path + "x", [path])
    assert not matches("x" + path, [path])
    assert matches("x/" + path, ["**/" + path])


def test_many_stars_do_not_backtrack() -> None:
    # A regular expression or fnmatch would not come back from these.
    assert not matches("a" * 5000, ["*a" * 40 + "b"])
    assert matches("a" * 5000, ["*a" * 40])
    assert not matches("a/" * 500 + "b", ["**/a/" * 40 + "c"])
    assert matches("a/" * 500 + "b", ["**/a/" * 40 + "**/b"])
    assert not matches("a/" * 500, ["/".join(["**"] * 200) + "/b"])


def test_globs_choose_and_exclude_logs(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    places = [
        "training_log.jsonl",
        "a/training_log.jsonl",
        "a/b/training_log.jsonl",
        "c/old_training_log.jsonl",
    ]
    for number, place in enumerate(places):
        repo.write(place, [a_run(f"run_{number}_20251101", number)])
    repo.write("nsm-gate.yaml", "exclude: ['a/*/*.jsonl']\n")
    result = repo.check("--all")
    assert [log["path"] for log in result.json["logs"]] == ["a/training_log.jsonl", "training_log.jsonl"]
    assert result.findings == []

"""Texts of the rule language: what is no expression, what is one and explodes, and what must never be met."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.hostile.case import ANY, CLEAN, FOUND, REFUSED, Case, through
from tests.hostile.rules_files import CONFIG, FILE, RUN
from tests.hostile.stage import LOG
from tests.support import edited, lines

BARE = edited(RUN, goal_achievement_rate=..., temporal_ordering_acc=...)
"""A run that no criterion of its domain judges."""
MET = '"outcome": "met"'


def criterion(name: str, test: Any, codes: tuple[int, ...] = REFUSED, **members: Any) -> Case:
    """Return a case: one criterion called accuracy, and a run that it judges."""
    text = json.dumps({"experiment_type": "odd", "criteria": {"accuracy": test}}, ensure_ascii=False)
    files = {"nsm-gate.yaml": CONFIG, FILE: text, LOG: lines(members.pop("entry", BARE))}
    return Case(
        **{"name": name, "codes": codes, "file": FILE if codes == REFUSED else "", "files": files, **members}
    )


def _not_the_language() -> Iterator[Case]:
    for text in (
        "__import__('os').system('touch marker')", "().__class__.__bases__[0].__subclasses__()", "open('/etc/passwd')", "exec('1')", "eval('1')", "lambda: 1", "[x for x in y]", "x if y else z",
        "accuracy := 1", "accuracy = 0.5", "accuracy; accuracy", "accuracy ** 1000000000", "2 ** 2 ** 2 ** 2 ** 2", "accuracy // 0", "accuracy % 0", "accuracy @ 1", "~accuracy", "accuracy << 9999999", "accuracy & 1", "accuracy | 1",
        "accuracy ^ 1", "!accuracy", "accuracy && accuracy", "accuracy || accuracy", "accuracy <> 1", "accuracy === 1", "accuracy is None", "accuracy is not null", "not", "and", "or", "in", ">", ">=", "> >", "> > 1", "> 1 2", "> 1,", "> (1", "> 1)", "> [1", "> 1]",
        "> 'a", '> "a', "> 'a\\'b'", "> f'{x}'", "> 1e", "> 1e99999", "> 0x10", "> 1_000", "> 1.2.3", "> .", "> ..", "1 .. ", ".. 1", "1..2", "0.4 .. 0.2", "1 .. 2 .. 3", "> 1 .. 2", "> accuracy > 1", "1 < 2 > ", "accuracy.", ".accuracy", "accuracy..b", "accuracy.1", "accuracy[0]", "accuracy[-1]",
        "accuracy['x'", "accuracy[accuracy]", "accuracy()", "accuracy(1)", "max", "max()", "max(", "abs()", "abs(1, 2)", "abs(*accuracy)", "abs(x=1)", "close(accuracy, 1, tolerance=)", "close(accuracy, 1, tolerance=1, tolerance=2)", "decreasing()", "decreasing(loss_history, bumps='x', x=1)", "lookup(1)",
        "print(accuracy)", "len.__globals__", "accuracy.__class__", "__class__ > 1", "known", "known(1 > 2 > 3", "this", "this.accuracy > 1", "entry.__dict__", "> $accuracy", "> {accuracy}", "> ${accuracy}", "> %s", "> `id`", "> \\", "> #", "> ?", "> 1 // comment", "> 1 # comment", "> 1\x00",
        "> １", "> ∞", "> 1\u00a0", "＞ 1", "≥ 1", "accuracy ≥ 1", "> NaN", "> nan", "> Infinity", "> -Infinity", "> inf", "> None", "> null", "> undefined", "> true > false", "", " ", "\t", "\n", "\u2028", "?", "achieved achieved", "achieved(", "stable(x)", "converged(accuracy, last=0, last=0)", "true", "1", "1 > 0", "'a' == 'a'", "not true", "known(1)",
    ):  # fmt: skip
        yield criterion(f"no test: {text[:40]!r}", text)
    for name, text in {
        "longer than the limit": "> " + "1 + " * 400 + "1", "a million characters": "> " + "(" * 5000, "parentheses 33 deep": "> " + "(" * 33 + "1" + ")" * 33, "parentheses 400 deep": "> " + "(" * 400 + "1" + ")" * 400,
        "lists in lists": "accuracy in " + "[" * 300 + "1" + "]" * 300, "calls in calls": "> " + "abs(" * 200 + "1" + ")" * 200, "digits": "> " + "9" * 990, "dots": "a" + ".a" * 480 + " > 1", "quotes": "> " + "'" * 900, "too many arguments": "> max(" + "1," * 40 + "1)",
    }.items():  # fmt: skip
        yield criterion(f"too much: {name}", text, ANY if name == "digits" else REFUSED)
    for name, form in {
        "when of no language": {"assert": "> 0.5", "when": "os.system('x')"}, "when of another tongue": {"assert": "> 0.5", "when": "accuracy > 0.5 &&"}, "above of no language": {"above": "import os"}, "below of a chain": {"below": "1 < 2"}, "by of no number": {"above": 0.5, "by": "a lot"},
        "branch of no language": {"first": [{"if": "x = 1", "then": "> 1"}]}, "branch to nowhere": {"first": [{"if": "accuracy > 1", "then": ">>"}]}, "series of no name": {"series": "zzz.yyy", "is": "stable"},
    }.items():  # fmt: skip
        yield criterion(f"form: {name}", form)


def _explosive() -> Iterator[Case]:
    """What parses, judged over values that break arithmetic: an answer or unknown, never an error."""
    for name, text in {
        "by zero": "> 1 / 0", "zero by zero": "> 0 / 0", "by itself less itself": "> 1 / (accuracy - accuracy)", "text with a number": "> 'a'", "text in a number": "'a' in accuracy", "number in a text": "accuracy in 'abc'", "text plus text": "> 'a' + 'b'",
        "true plus true": "> true + true", "list over a number": "> [1, 2]", "len of a number": "> len(accuracy)", "mean of a text": "> mean(findings)", "max of texts": "> max('a', 'b')", "last of nothing": "> last(metrics_history.val_loss)", "standard error of minus one": "> standard_error(-1, 5)",
        "standard error of much": "> standard_error(0.5, 1e300)", "relative change of zero": "> relative_change(accuracy, 0)", "lookup of no lists": "> lookup(1, 1, 1)", "tolerance of a text": "close(accuracy, 1, tolerance='x')", "bumps beyond all": "decreasing(loss_history, bumps=1e300)",
        "last beyond all": "stable(loss_history, last=1e300)", "last of minus one": "stable(loss_history, last=-1)", "last of half": "converged(loss_history, last=0.5)", "achieved of a list": "achieved(loss_history)", "no_nan of a text": "no_nan(findings)", "the entry itself": "entry",
    }.items():  # fmt: skip
        yield criterion(f"explosive: {name}", text, CLEAN, says="criterion-unknown", hides=MET)
    for name, text in {
        "products of the largest": "> " + " * ".join(["9e999"] * 90), "quotients of the least": "> " + " / ".join(["1e-999"] * 90), "close to the largest": "close(accuracy, 9e999 * 9e999)", "tolerance below zero": "close(accuracy, 1, tolerance=-1)",
        "minus signs": "> " + "-" * 900 + "1", "not signs": "not " * 240 + "accuracy > 1",
    }.items():  # fmt: skip
        yield criterion(f"explosive: {name}", text, CLEAN, says="criterion-missed", hides=MET)
    yield criterion("explosive: largest less largest", "> 9e999 * 9e999 - 9e999 * 9e999", CLEAN, says=MET)
    for name, value in {
        "text": "0.9",
        "true": True,
        "list": [0.9],
        "object": {"a": 0.9},
        "nan as text": "NaN",
    }.items():
        for which, text in {"threshold": "> 0.55", "arithmetic": "> 0.5 + accuracy * 0 - 1e-30", "negation": "not (accuracy < 0.1)", "series": {"series": "accuracy", "is": "stable"}}.items():  # fmt: skip
            yield criterion(
                f"operand: {name} under {which}",
                text,
                FOUND,
                entry=edited(BARE, final_metrics__accuracy=value),
                rule="schema",
                hides=MET,
            )
    for which, text in {
        "a threshold": "> 0.55",
        "a negation": "not (accuracy < 0.1)",
        "a call": "> min(accuracy, 1e300)",
    }.items():
        entry = edited(BARE, final_metrics__accuracy=None, best_val_accuracy=None)
        yield criterion(
            f"operand: null under {which}", text, CLEAN, entry=entry, says="criterion-unknown", hides=MET
        )
    yield criterion("an achieved that is none", "achieved", CLEAN, says="criterion-missed", hides=MET)
    yield criterion(
        "a series of twenty thousand",
        {"series": "loss_history", "is": "decreasing"},
        CLEAN,
        entry=edited(BARE, metrics_history=[1.0] * 20_000),
        says="criterion-missed",
        hides=MET,
    )
    yield criterion(
        "a series of objects",
        {"series": "loss_history", "is": "no_nan"},
        CLEAN,
        entry=edited(BARE, metrics_history=[{}] * 1000),
        says="criterion-unknown",
        hides=MET,
    )


CASES = through("expressions", (*_not_the_language(), *_explosive()))

"""The words of a query: names and expressions of the rule language, several in one argument."""

from __future__ import annotations

from nsm_gate.expressions import Call, Node
from nsm_gate.nouns import NamedTuple
from nsm_gate.parser import ExpressionError, parse


class Term(NamedTuple):
    """A name or expression that a query reads of each run.

    Attributes:
        text: As it was written; heads its column.
        descending: Whether a dash before it asks for the largest first.
    """

    text: str
    node: Node
    descending: bool = False


class Best(NamedTuple):
    """Which of several runs is the best.

    Attributes:
        largest: Whether more is better; None where that is for the policy to say.
    """

    term: Term
    largest: bool | None


def terms(text: str, *, signed: bool = False) -> tuple[Term, ...]:
    """Parse `a, b.c, max(x, y)`; ExpressionError where a part is no expression.

    Args:
        text: What was asked for.
        signed: Whether a dash before a part means that it is wanted in descending order.
    """
    made = []
    at = 0
    for part in _parts(text):
        word = part.strip()
        start = at + len(part) - len(part.lstrip())
        descending = signed and word.startswith("-")
        word, start = (word[1:].lstrip(), start + 1) if descending else (word, start)
        try:
            made.append(Term(word, parse(word), descending))
        except ExpressionError as error:
            raise ExpressionError(str(error), start + error.column, error.hint) from None
        at += len(part) + 1
    return tuple(made)


def best(text: str) -> Best:
    """Parse `accuracy`, `max(accuracy)` or `min(balance_delta)`."""
    term = Term(text.strip(), parse(text))
    node = term.node
    if isinstance(node, Call) and node.name in ("max", "min") and len(node.args) == 1:
        inner = text.strip()[len(node.name) :].strip()[1:-1].strip()
        return Best(Term(inner, node.args[0]), node.name == "max")
    return Best(term, None)


def _parts(text: str) -> list[str]:
    """Return what stands between the commas that are neither in brackets nor in quotes."""
    parts, start, depth, quote = [], 0, 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == "," and depth <= 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]

"""What lint says of the rules."""

from __future__ import annotations

from nsm_gate.model import Severity
from nsm_gate.nouns import NamedTuple
from nsm_gate.strict_yaml import Node


class Remark(NamedTuple):
    """A fact about a place of the rules, and the remedy.

    Attributes:
        severity: An error or a warning.
    """

    path: str
    line: int
    severity: Severity
    message: str
    hint: str


def error(node: Node, message: str, hint: str) -> Remark:
    """Return a remark on what cannot be meant."""
    return Remark(node.path, node.line, Severity.ERROR, message, hint)


def warning(node: Node, message: str, hint: str) -> Remark:
    """Return a remark on what may be meant, but is odd."""
    return Remark(node.path, node.line, Severity.WARNING, message, hint)

"""What all parts of a proof are written of: a log kind, the rules, and the variables of its entries."""

from __future__ import annotations

from nsm_gate.model import Path
from nsm_gate.policy import LogKind, Policy
from nsm_gate.proofs.code import FALSE, TRUE, Constants
from nsm_gate.proofs.laws import Laws
from nsm_gate.proofs.outline import Outline
from nsm_gate.proofs.terms import Terms
from nsm_gate.proofs.types import Types
from nsm_gate.proofs.variables import Names


class Frame:
    """A log kind whose proof is written.

    Attributes:
        outline: The shape of its entries; each place is a variable.
        types: What decoding checks.
        laws: The schema's code.
        names: The variables of the rules' names.
        terms: The code of expressions.
        constants: What the code names.
    """

    def __init__(self, kind: LogKind, policy: Policy, outline: Outline) -> None:
        """Make the types; Unsupported where they cannot be."""
        self.kind = kind
        self.policy = policy
        self.outline = outline
        self.constants = Constants()
        self.types = Types(outline)
        self.laws = Laws(outline, self.types, self.constants)
        self.names = Names(kind, outline, self.constants)
        self.terms = Terms(self.names, self.constants)

    def variable(self, path: Path | None) -> tuple[str, frozenset[str]]:
        """Return the variable of a path and the types it may have; None and null where no line has it."""
        slot = self.outline.find(path) if path else None
        if slot is None:
            return "None", frozenset({"null"})
        return slot.name, slot.kinds | ({"null"} if slot.optional or len(path or ()) > 1 else frozenset())

    def known(self, path: Path) -> str:
        """Return code that holds where a member is there and not null."""
        slot = self.outline.find(path)
        return FALSE if slot is None else slot.known

    @property
    def completed(self) -> str:
        """Return code that holds where the run is completed."""
        if self.kind.status is None:
            return TRUE
        return f"({self.variable(self.kind.status)[0]} == 'completed')"

    def metric(self, metric: str) -> Path:
        """Return where a metric of a domain stands."""
        return self.kind.run + tuple(metric.split("."))

"""The gate in front of a log of experiments.

For Python programs there are `check` and `read_runs`, which do what the commands `check` and `runs` do, with
`LinesLeftOut` and the parts of a `Report`: `Finding`, `Outcome`, `Severity` and `Verdict`; and `append` and
`run`, which log a run, with `Appended`, `EntryRefused` and `Run`; and `GateError`. Each is imported when it
is first asked for: a hook needs none of them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not imported: a hook imports this package, and needs none of what follows
if TYPE_CHECKING:
    from nsm_gate.api.append import EntryRefused as EntryRefused
    from nsm_gate.api.append import append as append
    from nsm_gate.api.check import check as check
    from nsm_gate.api.read_runs import LinesLeftOut as LinesLeftOut
    from nsm_gate.api.read_runs import read_runs as read_runs
    from nsm_gate.api.run import Run as Run
    from nsm_gate.api.run import run as run
    from nsm_gate.entries import Appended as Appended
    from nsm_gate.errors import GateError as GateError
    from nsm_gate.model import Finding as Finding
    from nsm_gate.model import Outcome as Outcome
    from nsm_gate.model import Report as Report
    from nsm_gate.model import Severity as Severity
    from nsm_gate.model import Verdict as Verdict
    from nsm_gate.nouns import Any

__version__ = "0.1.0"

HOME = "https://git.example.org/nsm-gate"
"""The address of this repository, as README.md gives it; reports link to it."""

_API = {
    "Appended": "entries",
    "EntryRefused": "api.append",
    "Finding": "model",
    "GateError": "errors",
    "LinesLeftOut": "api.read_runs",
    "Outcome": "model",
    "Report": "model",
    "Run": "api.run",
    "Severity": "model",
    "Verdict": "model",
    "append": "api.append",
    "check": "api.check",
    "read_runs": "api.read_runs",
    "run": "api.run",
}
"""Name -> the module of this package that has it."""


def __getattr__(name: str) -> Any:
    """Import a part of the Python API."""
    if name not in _API:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = getattr(importlib.import_module(f"{__name__}.{_API[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the names that this module has, also before they are imported."""
    return sorted({*globals(), *_API})

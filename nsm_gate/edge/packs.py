"""Where the bundled pack is: in the wheel beside the code, in a checkout at the top level.

The only module that knows both places.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nsm_gate.errors import GateError

_HERE = Path(__file__).resolve().parent.parent
_PLACES = (_HERE / "_pack", _HERE.parent)


def _root() -> Path:
    for place in _PLACES:
        if (place / "rules" / "logs").is_dir() and (place / "schemas").is_dir():
            return place
    raise GateError("the bundled rules are missing from this installation", "reinstall nsm-gate")


def rules(*, examples: bool = True) -> list[tuple[str, bytes]]:
    """Return the pack's rules files in order: display path and content.

    Args:
        examples: Whether their examples are wanted: the last member of each file, and half of its length.
    """
    root = _root()
    files = sorted((root / "rules").rglob("*.yaml"))
    read = [(f"nsm:{file.relative_to(root).as_posix()}", file.read_bytes()) for file in files]
    return read if examples else [(path, data.partition(b"\nexamples:\n")[0]) for path, data in read]


def files() -> list[tuple[str, bytes]]:
    """Return every rules file and schema of the pack in order: display path and content."""
    root = _root()
    schemas = sorted((root / "schemas").glob("*.json"))
    return [*rules(), *((f"nsm:{file.relative_to(root).as_posix()}", file.read_bytes()) for file in schemas)]


def fingerprint(content: Iterable[tuple[str, bytes]]) -> str:
    """Return the SHA-256 of a pack's files, in hexadecimal digits.

    Args:
        content: Display path and content of each file.
    """
    import hashlib  # only where the configuration pins the pack, or somebody asks for it

    total = hashlib.sha256()
    for path, data in content:
        total.update(f"{path} {len(data)}\n".encode() + data)
    return total.hexdigest()


def schema(name: str) -> bytes | None:
    """Return the content of one of the pack's schemas, or None."""
    file = _root() / "schemas" / name
    try:
        return file.read_bytes() if file.name == name and file.is_file() else None
    except (OSError, ValueError):  # no name that a file can have, such as one of 5,000 characters
        return None

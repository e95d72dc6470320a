"""Where the bundled pack is: in the wheel beside the code, in a checkout at the top level.

The only module that knows both places.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping

import jiter

from nsm_gate.errors import GateError
from nsm_gate.nouns import Any
from nsm_gate.policy import Policy

_HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_PLACES = (os.path.join(_HERE, "_pack"), os.path.dirname(_HERE))


def _root() -> str:
    for place in _PLACES:
        if os.path.isdir(os.path.join(place, "rules", "logs")) and os.path.isdir(
            os.path.join(place, "schemas")
        ):
            return place
    raise GateError("the bundled rules are missing from this installation", "reinstall nsm-gate")


def _below(root: str, folder: str, ending: str) -> Iterator[str]:
    """Yield the files below a folder, from the root and with forward slashes."""
    for item in os.scandir(os.path.join(root, folder)):
        if item.is_dir(follow_symlinks=False):
            yield from _below(root, f"{folder}/{item.name}", ending)
        elif item.name.endswith(ending):
            yield f"{folder}/{item.name}"


def _read(folder: str, ending: str) -> list[tuple[str, bytes]]:
    """Return the files below a folder of the pack in order: display path and content."""
    root = _root()
    # As paths are ordered: folder by folder.
    paths = sorted(_below(root, folder, ending), key=lambda path: path.split("/"))
    return [(f"nsm:{path}", _content(os.path.join(root, path))) for path in paths]


def _content(place: str) -> bytes:
    with open(place, "rb", buffering=0) as file:
        return file.readall()


def rules(*, examples: bool = True) -> list[tuple[str, bytes]]:
    """Return the pack's rules files in order: display path and content.

    Args:
        examples: Whether their examples are wanted: the last member of each file, and half of its length.
    """
    read = _read("rules", ".yaml")
    return read if examples else [(path, data.partition(b"\nexamples:\n")[0]) for path, data in read]


def files() -> list[tuple[str, bytes]]:
    """Return every rules file and schema of the pack in order: display path and content."""
    return [*rules(), *_read("schemas", ".json")]


def fingerprint(content: Iterable[tuple[str, bytes]]) -> str:
    """Return the SHA-256 of a pack's files, in hexadecimal digits.

    Args:
        content: Display path and content of each file.
    """
    total = _sha256()()
    for path, data in content:
        total.update(f"{path} {len(data)}\n".encode() + data)
    digits: str = total.hexdigest()
    return digits


def _sha256() -> Any:
    """Return `hashlib.sha256`, as `random` does without the 5 ms that OpenSSL takes to load."""
    try:
        return __import__("_sha2" if sys.version_info >= (3, 12) else "_sha256").sha256
    except ImportError:
        import hashlib

        return hashlib.sha256


def compiled() -> Policy | None:
    """Return the pack's policy as it comes with the package, or None where the pack is another by now."""
    from nsm_gate.edge import bundled

    content = files()
    if fingerprint(content) != bundled.PACK:
        return None
    schemas = {path.rpartition("/")[2]: data for path, data in content}

    def decoded(name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = jiter.from_json(
            schemas[name], allow_inf_nan=False, catch_duplicate_keys=True
        )
        return found

    return bundled.policy(decoded)


def schema(name: str) -> bytes | None:
    """Return the content of one of the pack's schemas, or None."""
    place = os.path.join(_root(), "schemas", name)
    # There is none, either, of a name that no file can have, such as one of 5,000 characters.
    return _content(place) if os.path.basename(name) == name and os.path.isfile(place) else None

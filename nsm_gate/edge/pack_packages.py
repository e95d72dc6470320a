"""Packs that installed packages ship: found on the import path and read as data.

Nothing is imported: a pack is data, and an import runs code. Nor is anything taken from the repository that
is judged or from the current folder, which `python -m` puts on the import path: a change could bring its own
pack.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection, Iterator, Mapping
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder

from nsm_gate.edge.files import read_file
from nsm_gate.edge.shapes import check_shape
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.names import suggestion
from nsm_gate.nouns import Any, dataclass
from nsm_gate.schema import Validator
from nsm_gate.strict_yaml import Node, load

PACK = "nsm-gate-pack.yaml"


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package that ships a pack.

    Attributes:
        name: As Python imports it.
        folder: Where it lies, with links resolved.
        config: Root of its nsm-gate-pack.yaml.
    """

    name: str
    folder: str
    config: Node

    @property
    def bundled(self) -> bool:
        """Return whether it builds on the bundled pack."""
        node = self.config.get("extends")
        return node is None or node.value == "nsm"

    def rules(self) -> list[tuple[str, bytes]]:
        """Return its rules files in order: display path and content.

        Raises:
            GateError: A file is a link, or cannot be read.
        """
        paths = sorted(self._paths("rules"))
        return [
            (self._shown(path), self._content(path)) for path in paths if path.endswith((".yaml", ".yml"))
        ]

    def files(self) -> list[tuple[str, bytes]]:
        """Return every file that decides something, in order: display path and content."""
        paths = [PACK, *sorted(self._paths("rules")), *sorted(self._paths("schemas"))]
        return [(self._shown(path), self._content(path)) for path in paths]

    def schema(self, name: str) -> tuple[str, bytes] | None:
        """Return the display path and content of one of its schemas, or None."""
        path = f"schemas/{name}"
        if "/" in name or os.sep in name or not os.path.lexists(os.path.join(self.folder, path)):
            return None
        return self._shown(path), self._content(path)

    def owns(self, path: str) -> bool:
        """Return whether a display path is of one of its files."""
        return path.startswith(self._shown(""))

    def _shown(self, path: str) -> str:
        return f"{self.name}:{path}"

    def _paths(self, top: str) -> Iterator[str]:
        """Yield the files below a folder; GateError where a folder is a link."""

        def refuse(error: OSError) -> None:
            raise GateError(f"cannot be read: {error.strerror}", "install the pack again", self._shown(top))

        place = os.path.join(self.folder, top)
        if not os.path.lexists(place):
            return
        if os.path.islink(place):
            raise _link(self._shown(top))
        for folder, folders, files in os.walk(place, onerror=refuse):
            inside = os.path.relpath(folder, self.folder).replace(os.sep, "/")
            for name in folders:
                if os.path.islink(os.path.join(folder, name)):
                    raise _link(self._shown(f"{inside}/{name}"))
            yield from (f"{inside}/{name}" for name in files)

    def _content(self, path: str) -> bytes:
        return _content(self.folder, path, self._shown(path))


def read_package(extends: Node, untrusted: Collection[str], shape: Mapping[str, Any]) -> Package:
    """Return the package that `extends:` names.

    Args:
        extends: The name, at its place in the repository's configuration.
        untrusted: Folders that the change under judgement may write to: no pack is taken from there.
        shape: JSON Schema of nsm-gate-pack.yaml.

    Raises:
        GateErrors: Every mistake of its nsm-gate-pack.yaml.
        GateError: There is no such package, or none that may be used.
    """
    name = str(extends.value).replace("-", "_")
    folder = _folder(extends, name, [_real(place) for place in untrusted])
    if not os.path.lexists(os.path.join(folder, PACK)):
        hint = f"it needs {PACK} beside its __init__.py: does its wheel hold the YAML files?"
        raise extends.error(f"the package {name!r} ships no pack: {folder} has no {PACK}", hint)
    shown = f"{name}:{PACK}"
    root, errors = load(_content(folder, PACK, shown), shown)
    if root is None or errors:
        raise GateErrors(tuple(errors) or (GateError("the file is empty", f"write pack: {name}", shown),))
    if not isinstance(root.value, dict):
        raise root.error("the file is not a mapping", "write `key: value` lines")
    errors = check_shape(root, Validator(shape, PACK))
    said = root.get("pack")
    if not errors and said is not None and str(said.value).replace("-", "_") != name:
        errors = [
            said.error(f"the pack is called {said.value!r}, its package {name!r}", f"write pack: {name}")
        ]
    if errors:
        raise GateErrors(tuple(errors))
    return Package(name, folder, root)


def _folder(extends: Node, name: str, roots: Collection[str]) -> str:
    """Return the folder of a package, found as an import would find it but for the untrusted places."""
    sites = _sites()
    path = [entry for entry in sys.path if _real(entry) in sites or not _inside(_real(entry), roots)]
    spec = PathFinder.find_spec(name, path) or _found_otherwise(name)
    if spec is None:
        hint = f"install {name} beside nsm-gate; for pre-commit, list it in additional_dependencies"
        raise extends.error(
            f"the package {name!r} is not installed", suggestion(name, ("nsm", "none")) or hint
        )
    parts = list(spec.submodule_search_locations or ())
    origin = spec.origin if spec.has_location and spec.origin else None
    place = _real(os.path.dirname(origin) if origin and parts else origin or (parts[0] if parts else ""))
    if place in roots or (_inside(place, roots) and os.path.dirname(place) not in sites):
        raise extends.error(
            f"the package {name!r} lies in {place}: in the repository that is judged, or the current folder",
            "a change could bring its own pack: install it from elsewhere, not in editable mode",
        )
    if not parts:
        hint = "name a package that ships a pack"
        raise extends.error(f"{name!r} is a module, not a package", suggestion(name, ("nsm",)) or hint)
    if origin is None:
        hint = f"add an __init__.py beside its {PACK}, and install it again"
        raise extends.error(f"the package {name!r} has no __init__.py", hint)
    if not os.path.isdir(place):
        raise extends.error(f"the package {name!r} lies in an archive", "install it unpacked, with pip")
    return place


def _found_otherwise(name: str) -> ModuleSpec | None:
    """Return what the finders of editable installs know, or what lies where no pack is taken from."""
    for finder in sys.meta_path:
        if finder not in (BuiltinImporter, FrozenImporter, PathFinder):
            find_spec = getattr(finder, "find_spec", None)  # as the import itself passes over old ones
            spec = find_spec(name, None) if find_spec else None
            if isinstance(spec, ModuleSpec):
                return spec
    return PathFinder.find_spec(name)


def _sites() -> set[str]:
    """Return where this interpreter's packages are installed, which may be a folder of the repository.

    Whoever writes there has changed the gate itself.
    """
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    return {_real(sysconfig.get_path(kind, scheme)) for scheme in schemes for kind in ("purelib", "platlib")}


def _real(place: str) -> str:
    return os.path.normcase(os.path.realpath(place))


def _inside(place: str, roots: Collection[str]) -> bool:
    return any(place == root or place.startswith(root.rstrip(os.sep) + os.sep) for root in roots)


def _link(shown: str) -> GateError:
    return GateError("it is a link", "install the file itself: a link can point anywhere", shown)


def _content(folder: str, path: str, shown: str) -> bytes:
    """Return a file of a package; GateError where it or a folder on the way is a link."""
    place = folder
    for part in path.split("/"):
        place = os.path.join(place, part)
        if os.path.islink(place):
            raise _link(shown)
    if not os.path.isfile(place):
        raise GateError("it is not a regular file", "install the pack again", shown)
    return read_file(place, shown, None)

"""jsonschema-rs, without what its import costs besides the engine itself.

Its package imports `typing`, and the compiled module, which tells when it was built, parses that date with
`email.utils`: that brings the socket, URL and mail modules in, half of the time of a clean run of the hook,
for a program that never goes to the network. So the compiled module is imported from a package that holds
nothing else, and hands its date to a stand-in. Both are gone afterwards. Where the compiled module is not
where it is today, the package is imported as usual.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableSequence
from importlib.machinery import PathFinder
from types import ModuleType

from nsm_gate.nouns import Any

_PACKAGE = "jsonschema_rs"
_COMPILED = f"{_PACKAGE}.{_PACKAGE}"


class _StandIn(ModuleType):
    """Stands for a module until more is asked of it than a date."""

    @staticmethod
    def parsedate_to_datetime(date: str) -> str:
        """Return the date as it is: nobody reads when the engine was built."""
        return date

    def __getattr__(self, name: str) -> Any:
        """Return another member, of the module itself."""
        _forget({self.__name__: self})
        __import__(self.__name__)
        return getattr(sys.modules[self.__name__], name)


def engine() -> Any:
    """Return the module of jsonschema-rs that holds its validators."""
    if _COMPILED not in sys.modules:
        spec = PathFinder.find_spec(_PACKAGE)
        places = spec.submodule_search_locations if spec is not None else None
        if places is None or PathFinder.find_spec(_COMPILED, places) is None:
            return __import__(_PACKAGE)
        _load(places)
    return sys.modules[_COMPILED]


def _load(places: MutableSequence[str]) -> None:
    package = ModuleType(_PACKAGE)
    package.__path__ = places
    modules = {_PACKAGE: package}
    if "email.utils" not in sys.modules:
        modules["email.utils"] = _StandIn("email.utils")
        modules |= {} if "email" in sys.modules else {"email": _StandIn("email")}
    sys.modules.update(modules)
    try:
        __import__(_COMPILED)
    finally:
        _forget(modules)


def _forget(modules: Mapping[str, ModuleType]) -> None:
    """Take modules out of those that are imported, where they still are what was put there."""
    for name, module in modules.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]

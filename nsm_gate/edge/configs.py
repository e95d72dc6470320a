"""Where a repository configures the gate, and that configuration as nodes.

Nothing that reads YAML or TOML is imported before there is some: most repositories have no configuration,
and a hook pays for every import.
"""

from __future__ import annotations

import sys

from nsm_gate.edge.trees import REGULAR, Tree
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.nouns import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nsm_gate.strict_yaml import Node

CONFIG = "nsm-gate.yaml"
PYPROJECT = "pyproject.toml"


def present(tree: Tree) -> bool:
    """Return whether a file of a tree configures the gate, or may do so."""
    return own_file(tree, CONFIG) is not None or b"nsm-gate" in (own_file(tree, PYPROJECT) or b"")


def configured(tree: Tree) -> tuple[str, list[str]]:
    """Return which file configures the gate, or an empty name, and the folders of rules that it names."""
    config, name = read(tree, None)
    return name, folders(config)


def read(tree: Tree, config_path: str | None) -> tuple[Node | None, str]:
    """Return the configuration of a tree, None where there is none, and what holds it.

    Args:
        tree: Where it is read from.
        config_path: Another file than the usual ones.

    Raises:
        GateError: It is not there, not a regular file, or there are two.
        GateErrors: It is not YAML, or not TOML.
    """
    if config_path is not None:
        data = tree.read(config_path)
        if data is None and tree.item(config_path) is not None:
            raise GateError("it is not a regular file", "name a file", config_path or "/")
        if data is None:
            raise GateError(
                f"configuration {config_path!r} is not there", f"looked in {tree.label}", config_path
            )
        root = _pyproject(data, config_path) if config_path.endswith(".toml") else _yaml(data, config_path)
        if root is None:
            raise GateError("there is no [tool.nsm-gate]", "add it, or name another file", config_path)
        return root, config_path
    data = own_file(tree, CONFIG)
    pyproject = own_file(tree, PYPROJECT)
    table = _pyproject(pyproject, PYPROJECT) if pyproject and b"nsm-gate" in pyproject else None
    if data is not None and table is not None:
        raise GateError(
            f"both {CONFIG} and [tool.nsm-gate] in {PYPROJECT} configure the gate",
            "keep one of the two", PYPROJECT, table.line, table.column,
        )  # fmt: skip
    if data is not None:
        return _yaml(data, CONFIG), CONFIG
    return table, f"[tool.nsm-gate] of {PYPROJECT}" if table else ""


def own_file(tree: Tree, path: str) -> bytes | None:
    """Return a file's content, None where there is none; a link is an error, not an absence."""
    item = tree.item(path)
    if item is None:
        return None
    if item.mode not in REGULAR:
        raise GateError("it is not a regular file", "commit the file itself: a link can point anywhere", path)
    return tree.read(path)


def _yaml(data: bytes, path: str) -> Node:
    from nsm_gate.strict_yaml import Node, load

    root, errors = load(data, path)
    if errors:
        raise GateErrors(tuple(errors))
    if root is None or root.value is None:
        return Node({}, path, 1, 1)
    if not isinstance(root.value, dict):
        raise root.error("the file is not a mapping", "write `key: value` lines")
    return root


def _pyproject(data: bytes, path: str) -> Node | None:
    """Return [tool.nsm-gate] as nodes. TOML parsers give no places, so keys are looked up by name."""
    # Imported here: most repositories configure the gate elsewhere, and a hook pays for every import.
    import re

    from nsm_gate.strict_yaml import MAX_BYTES, MAX_DEPTH, Node

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if len(data) > MAX_BYTES:
        raise GateError(f"file is over {MAX_BYTES // 1024} KiB", f"configure the gate in {CONFIG}", path)
    try:
        text = data.decode("utf-8")
        tool = tomllib.loads(text).get("tool")
    except (ValueError, RecursionError) as error:
        raise GateError(f"not TOML: {str(error)[:200]}", "", path) from None
    table = tool.get("nsm-gate") if isinstance(tool, dict) else None
    if table is None:
        return None
    rows = text.split("\n")
    header = re.compile(r"\s*\[\s*tool\s*\.\s*[\"']?nsm-gate")
    start = next((number for number, row in enumerate(rows, 1) if header.match(row)), 1)

    def place(key: str | None) -> tuple[int, int]:
        for number, row in enumerate(rows[start - 1 :] if key else (), start):
            found = re.search(rf"(?<![\w-])[\"']?{re.escape(str(key))}(?![\w-])", row)
            if found:
                return number, found.start() + 1
        return start, 1

    def node(value: Any, key: str | None, depth: int = 0) -> Node:
        line, column = place(key)
        if depth > MAX_DEPTH:
            raise GateError(f"nested deeper than {MAX_DEPTH}", "flatten it", path, line, column)
        if isinstance(value, dict):
            members = {name: node(inner, name, depth + 1) for name, inner in value.items()}
            keys = {name: place(name) for name in value}
            return Node(members, path, line, column, keys=keys)
        if isinstance(value, list):
            return Node([node(inner, key, depth + 1) for inner in value], path, line, column)
        plain = value if isinstance(value, (str, int, float, bool)) else str(value)
        return Node(plain, path, line, column)

    return node(table, None)


def usable(config: Node | None) -> Node | None:
    """Return what of a configuration with mistakes still says which rules files there are."""
    if config is None:
        return None
    from nsm_gate.strict_yaml import Node

    kept: dict[str, Node] = {}
    for name, node in config.items():
        listed = isinstance(node.value, list) and all(isinstance(item.value, str) for item in node.value)
        if (name == "rules" and listed) or (name == "extends" and node.value in ("nsm", "none")):
            kept[name] = node
    return Node(kept, config.path, config.line, config.column, keys=config.keys)


def folders(config: Node | None) -> list[str]:
    """Return the folders of rules that a configuration names."""
    node = config.get("rules") if config else None
    return [str(item.value).rstrip("/") for item in node.value] if node else []

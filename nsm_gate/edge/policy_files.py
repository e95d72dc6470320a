"""Find, read and merge the YAML of a judgement: the pack, then the repository's own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from nsm_gate.edge import config_build, configs, packs
from nsm_gate.edge.configs import CONFIG, own_file
from nsm_gate.edge.policy_build import KINDS, build
from nsm_gate.edge.shapes import check_shape, own_schema
from nsm_gate.edge.trees import Tree
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.nouns import TYPE_CHECKING
from nsm_gate.policy import Policy
from nsm_gate.schema import Validator
from nsm_gate.sources import Sources
from nsm_gate.strict_yaml import Node, load

if TYPE_CHECKING:
    from nsm_gate.edge.enforcement import Enforced
    from nsm_gate.edge.pack_packages import Package

_MERGED = ("criteria", "names", "references", "assertions", "severity", "rates", "times")


def read_rules(
    tree: Tree,
    config_path: str | None,
    rule_ids: Collection[str],
    *,
    untrusted: Collection[str] = (),
    examples: bool = False,
    begin: Callable[[float], None] = lambda _seconds: None,
) -> tuple[Policy, Sources]:
    """Return the policy that a tree's configuration and the packs make together, and what it is made of.

    Args:
        tree: Where the configuration and the repository's rules are read from.
        config_path: Another configuration file than the default ones.
        rule_ids: Every rule that a configuration may name.
        untrusted: Folders that the judged change may write to: no installed pack is taken from there.
        examples: Whether the examples of the rules are wanted, too.
        begin: Called with `limits.seconds` before the rules and schemas are read.

    Raises:
        GateErrors: All mistakes of all files.
    """
    config, config_name = configs.read(tree, config_path)
    errors: list[GateError] = []
    if config is not None:
        errors += check_shape(config, Validator(own_schema("config.schema.json"), CONFIG))
    if errors:
        config = configs.usable(config)  # the mistakes of rules files are told with them
    begin(config_build.limits(config, []).seconds)
    extends = config.get("extends") if config else None
    package = _package(extends, untrusted)
    bundled = package.bundled if package else extends is None or extends.value == "nsm"
    read = packs.rules(examples=examples) if bundled else []
    pack = _files(read, errors)
    enforced = None
    if package is not None:
        pack, enforced = _with_package(pack, package, rule_ids, errors)
    folders = configs.folders(config)
    found = _repository_rules(tree, folders, config, errors)
    own = _files(found, errors)
    if enforced is not None:
        from nsm_gate.edge.violations import violations

        errors += violations(enforced, own, config)
    merged = {kind: _merge(pack[kind], own[kind]) for kind in KINDS}
    if not merged["log"] and not errors:
        raise GateError("the policy knows no log kind", "extend the nsm pack or add a log kind", config_name)

    def find(node: Node) -> tuple[str, bytes] | None:
        name = str(node.value)
        if name.startswith("/") or ".." in name.split("/"):
            return None  # a schema is part of the repository, or of the pack
        beside = node.path.rpartition("/")[0]
        of_package = package is not None and package.owns(node.path)
        for folder in (beside, *(f"{folder.rstrip('/')}/schemas" for folder in folders), "schemas"):
            if node.path.startswith("nsm:") or of_package:
                break
            path = f"{folder}/{name}" if folder else name
            data = tree.read(path)
            if data is not None:
                return path, data
        shipped = package.schema(name) if package and not node.path.startswith("nsm:") else None
        if shipped is not None:
            return shipped
        data = packs.schema(name)
        return None if data is None else (f"nsm:schemas/{name}", data)

    # By node: two log kinds may name a schema alike and find another one each.
    schemas: dict[int, tuple[str, bytes]] = {}

    def schema_of(node: Node) -> tuple[str, bytes] | None:
        place = find(node)
        if place is not None:
            schemas[id(node)] = place
        return place

    names = ["the nsm pack"] if bundled else []
    names += [package.name] if package else []
    names += [config_name] if config_name else []
    policy = build(merged, config, schema_of, rule_ids, " and ".join(names), errors, examples=examples)
    if policy.pinned or examples:
        shipped = [*(packs.files() if bundled else ()), *(package.files() if package else ())]
        policy = policy._replace(fingerprint=packs.fingerprint(shipped))
    read = [*read, *(package.rules() if package and examples else ()), *found]
    files = [*([config.path] if config else ()), *([package.config.path] if package else ())]
    sources = Sources(
        config, merged, pack, own, tuple(dict.fromkeys([*files, *(path for path, _ in read)])),
        {name: schemas[id(root.value["schema"])] for name, root in merged["log"].items()},
        package.config if package else None,
    )  # fmt: skip
    if enforced is None:
        return policy, sources
    severities = config_build.layered(enforced.severities, policy.severities)
    held = policy._replace(severities=severities, enforced=frozenset(enforced.rules), pack=enforced.pack)
    return held, sources


def _package(extends: Node | None, untrusted: Collection[str]) -> Package | None:
    """Return the installed package that a configuration extends, if it extends one."""
    if extends is None or extends.value in ("nsm", "none"):
        return None
    # Imported here: most repositories extend the bundled pack, and a hook pays for every import.
    from nsm_gate.edge.pack_packages import read_package

    return read_package(extends, untrusted, own_schema("pack.schema.json"))


def _with_package(
    pack: Mapping[str, Mapping[str, Node]],
    package: Package,
    rule_ids: Collection[str],
    errors: list[GateError],
) -> tuple[dict[str, dict[str, Node]], Enforced]:
    """Return a package's files merged over those that it builds on, and what it enforces.

    Raises:
        GateErrors: The pack itself is wrong, so that nothing tells what it would say of the repository.
    """
    from nsm_gate.edge.enforcement import Enforced

    shipped = _files(package.rules(), errors)
    merged = {kind: _merge(pack[kind], shipped[kind]) for kind in KINDS}
    severities = config_build.severities(
        package.config, rule_ids, merged["log"], merged["experiment_type"], errors
    )
    enforced = Enforced.read(package.name, package.config.get("enforce"), merged, severities, errors)
    if errors:
        raise GateErrors(tuple(errors))
    return merged, enforced


def _repository_rules(
    tree: Tree, folders: list[str], config: Node | None, errors: list[GateError]
) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    paths = sorted(tree.paths()) if folders else []
    for index, folder in enumerate(folders):
        prefix = "" if folder in ("", ".") else folder.removeprefix("./") + "/"
        inside = [p for p in paths if p.startswith(prefix) and p.endswith((".yaml", ".yml")) and p != CONFIG]
        if not inside and config is not None:
            node = config.at("rules", index)
            hint = f"add a *.yaml file to it in {tree.label}, or take it out of rules"
            errors.append(node.error(f"folder {folder!r} holds no rules", hint))
        for path in inside:
            try:
                data = own_file(tree, path)
            except GateError as error:
                errors.append(error)
                continue
            if data is not None and (path, data) not in found:
                found.append((path, data))
    return found


def _files(files: list[tuple[str, bytes]], errors: list[GateError]) -> dict[str, dict[str, Node]]:
    """Read rules files into kind -> name -> root; the same name twice in one source is a mistake."""
    built: dict[str, dict[str, Node]] = {kind: {} for kind in KINDS}
    # Compiled once for all files.
    validator = Validator(own_schema("rules.schema.json"), "rules.schema.json") if files else None
    for path, data in files:
        root, mistakes = load(data, path)
        errors += mistakes
        if root is None or mistakes:
            continue
        kinds = [kind for kind in KINDS if root.get(kind)]
        if not kinds:
            hint = "begin the file with log:, experiment_type: or domain:"
            errors.append(root.error("the file does not say what it defines", hint))
            continue
        # A log kind says by these members where its runs have them.
        if len(kinds) > 1 and "log" not in kinds:
            fact = f"the file defines {' and '.join(kinds)}"
            errors.append(GateError(fact, "give each a file of its own", path, *root.keys[kinds[1]]))
            continue
        kind = kinds[0]
        shape = check_shape(root, validator) if validator else []
        errors += shape
        if shape and validator:
            root = _sound(root, kind, validator)
            if root is None:
                continue
        name = str(root.value[kind].value)
        if name in built[kind]:
            first = built[kind][name]
            errors.append(root.error(f"{kind} {name!r} is already defined in {first.path}", "keep one"))
            continue
        built[kind][name] = root
    return built


def _sound(root: Node, kind: str, validator: Validator) -> Node | None:
    """Return a file without the criteria that break its shape, so that mistakes of the others are told too.

    None where it is not criteria and examples alone that break it.
    """
    criteria = root.get("criteria")

    def made(members: dict[str, Node], asked: dict[str, Node]) -> Node:
        inner = Node(asked, root.path, root.line, root.column, keys=criteria.keys if criteria else {})
        return Node({**members, "criteria": inner}, root.path, root.line, root.column, keys=root.keys)

    name = {kind: root.value[kind]}
    items = criteria.items() if criteria else ()
    sound = {key: node for key, node in items if not check_shape(made(name, {key: node}), validator)}
    rest = made({key: node for key, node in root.items() if key != "examples"}, sound)
    return None if check_shape(rest, validator) else rest


def _merge(pack: Mapping[str, Node], own: Mapping[str, Node]) -> dict[str, Node]:
    """Merge the repository's files over the pack's, member by member and criterion by criterion."""
    merged = dict(pack)
    for name, root in own.items():
        base = pack.get(name)
        replace = root.get("replace")
        if base is None or (replace and replace.value is True):
            merged[name] = root
            continue
        members = {**base.value, **root.value}
        if root.get("examples") is None:
            members.pop("examples", None)  # they were written for other criteria
        for key in _MERGED:
            if base.get(key) and root.get(key):
                inner = Node({**base.value[key].value, **root.value[key].value}, root.path, root.line, 1)
                inner.keys = {**base.value[key].keys, **root.value[key].keys}
                members[key] = inner
        merged[name] = Node(members, root.path, root.line, root.column, keys={**base.keys, **root.keys})
    return merged

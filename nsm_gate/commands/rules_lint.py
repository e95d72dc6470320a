"""`nsm-gate rules lint`: what is wrong with rules that load.

What keeps the rules from loading is exit 2, as for every command. Then each schema is held against its
meta-schema by the reference implementation, and both engines against each other on every example. Named are
names and references that nothing reads, files that no run meets, and tests that the schema makes constant.
Exit codes: 0 no error, 1 an error (with --strict a warning, too), 2 the rules do not load.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.edge import packs
from nsm_gate.lint.reach import constant
from nsm_gate.lint.remark import Remark
from nsm_gate.lint.shape import doubled, idle
from nsm_gate.lint.unused import unused
from nsm_gate.model import Severity
from nsm_gate.names import plural
from nsm_gate.policy import Example, Policy
from nsm_gate.render.untrusted import plain
from nsm_gate.sources import Sources
from nsm_gate.whereabouts import HERE

_OWN = ("config", "pack", "rules")
"""The schemas of our own YAML."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument("--strict", action="store_true", help="fail on warnings, too")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Print a line for each fault, and what was read; return 1 on an error."""
    with opened(world) as space:
        policy, sources = space.rules(space.work, args.config, examples=True)
    world.watch.tell(seconds=policy.limits.seconds)
    schemas = _schemas(sources)
    found: list[Remark] = [
        *unused(policy, sources),
        *idle(policy, sources),
        *doubled(policy, sources),
        *constant(policy, sources),
    ]
    agreed = 0
    for remark in _judged(policy, sources, schemas, world):
        if remark is None:
            agreed += 1
        else:
            found.append(remark)
    remarks = sorted(set(found), key=lambda r: (r.path, r.line, -r.severity, r.message))
    for remark in remarks:
        hint = f" ({plain(remark.hint)})" if remark.hint else ""
        place = f"{plain(remark.path)}:{remark.line}"
        world.stdout.write(f"{place}: {remark.severity.word}  {plain(remark.message)}{hint}\n")
    errors = sum(remark.severity is Severity.ERROR for remark in remarks)
    warnings = len(remarks) - errors
    world.stdout.write(
        f"read {plural(len(sources.files), 'YAML file')} and {plural(len(schemas), 'schema')}"
        f" · both engines agree on {plural(agreed, 'entry', 'entries')} of examples"
        f" · {_count(errors, 'error')}, {_count(warnings, 'warning')}\n"
    )
    return int(errors > 0 or (args.strict and warnings > 0))


def _schemas(sources: Sources) -> dict[str, bytes]:
    """Return every schema of the policy and of our own YAML: display path -> content."""
    own = {f"nsm:schemas/{word}.schema.json": packs.schema(f"{word}.schema.json") for word in _OWN}
    return {**{path: data for path, data in own.items() if data}, **dict(sources.schemas.values())}


def _judged(
    policy: Policy, sources: Sources, schemas: Mapping[str, bytes], world: Surroundings
) -> Iterator[Remark | None]:
    """Yield what the reference implementation says; None for each entry on which both engines agree."""
    import jiter

    world.watch.tell(at="the reference implementation")
    # Imported here: the reference implementation takes longer to import than all else.
    from nsm_gate.lint.engines import compared, malformed

    for path, data in schemas.items():
        world.watch.tell(at=path)
        yield from malformed(path, data, jiter.from_json(data))

    def begin(example: Example) -> None:
        world.watch.tell(at=example.path)
        HERE.line(example.line)

    places = {name: path for name, (path, _) in sources.schemas.items()}
    yield from compared(policy, places, begin)


def _count(count: int, word: str) -> str:
    return plural(count, word) if count else f"no {word}s"

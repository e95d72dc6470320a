"""`nsm_gate.nouns`: each class that it makes is what the standard library would have made of it."""

from __future__ import annotations

import collections
import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
from typing import Any

import pytest

import nsm_gate
from nsm_gate import nouns
from nsm_gate.edge.trees import Item
from nsm_gate.errors import GateError
from nsm_gate.expressions import Literal, Name
from nsm_gate.model import Line
from nsm_gate.schema import SchemaError


def _classes() -> list[Any]:
    found: dict[Any, None] = {}
    for module in pkgutil.walk_packages(nsm_gate.__path__, "nsm_gate."):
        if not module.name.startswith(("nsm_gate.__main__", "nsm_gate._pack")):
            members = vars(importlib.import_module(module.name)).values()
            found |= {
                member: None
                for member in members
                if isinstance(member, type) and {"_nouns", "_fields"} & vars(member).keys()
            }
    return list(found)


CLASSES = _classes()


def _original(cls: Any) -> Any:
    """Make the class of the standard library's own maker."""
    if hasattr(cls, "_fields"):
        return collections.namedtuple(cls.__name__, cls._fields, defaults=cls._field_defaults.values())
    fields: list[Any] = []
    for name, default in cls._nouns.items():
        made = dataclasses.field()
        if isinstance(default, nouns._Field):
            made = dataclasses.field(compare=default.compare, repr=default.repr)
            made.default = dataclasses.MISSING if default.make else default.default
            made.default_factory = default.make or dataclasses.MISSING
        elif default is not nouns._ABSENT:
            made = dataclasses.field(default=default)
        fields.append((name, Any, made))
    frozen = "__setattr__" in vars(cls)
    return dataclasses.make_dataclass(cls.__name__, fields, frozen=frozen, slots="__slots__" in vars(cls))


def _contents(noun: Any) -> list[Any]:
    return [getattr(noun, name) for name in noun.__match_args__]


def test_there_are_classes_to_look_at():
    assert len(CLASSES) > 60
    assert any(hasattr(cls, "_nouns") for cls in CLASSES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_a_noun_is_made_as_the_original_makes_it(cls):
    original = _original(cls)
    parameters = inspect.signature(original).parameters
    names = list(parameters)
    all_of_it = [f"a {name}" for name in names]
    needed = {name: f"a {name}" for name, p in parameters.items() if p.default is p.empty}
    good = [
        (all_of_it, {}),
        ([], dict(zip(names, all_of_it, strict=True))),
        ([], needed),
        (all_of_it[:1], {**needed}),
    ]
    if names[0] in needed:
        good[-1][1].pop(names[0])
    bad = [([*all_of_it, "more"], {}), (all_of_it, {names[0]: "again"}), ([], {**needed, "not_a_field": 1})]
    bad += [([], {name: value for name, value in needed.items() if name != left}) for left in needed]
    assert cls.__match_args__ == original.__match_args__ == tuple(names)
    # The second time a compiled constructor has taken over.
    for _ in range(2):
        for args, named in good:
            ours, theirs = cls(*args, **named), original(*args, **named)
            assert _contents(ours) == _contents(theirs)
            assert ours == cls(*args, **named)
            if "__repr__" not in vars(cls) or cls.__repr__.__module__ == nouns.__name__:
                assert repr(ours) == repr(theirs)
        for args, named in bad:
            for maker in (cls, original):
                with pytest.raises(TypeError):
                    maker(*args, **named)
        for _ in range(nouns.BUSY):
            cls(*all_of_it)
    assert list(inspect.signature(cls).parameters) == names


@pytest.mark.parametrize("times", (1, nouns.BUSY + 1))
def test_defaults_are_made_anew(times):
    class Kept(nouns.NamedTuple):
        one: int
        two: str = "two"

    @nouns.dataclass(slots=True)
    class Listed:
        one: int
        more: list[int] = nouns.field(default_factory=list)
        hidden: int = nouns.field(default=3, compare=False, repr=False)

    for _ in range(times):
        listed = Listed(1)
        listed.more.append(2)
    assert Listed(1) == Listed(1, [], 4) != listed
    assert repr(listed).endswith("Listed(one=1, more=[2])")
    assert Kept(1) == Kept(one=1, two="two") == (1, "two")
    assert not hasattr(listed, "__dict__")
    assert not hasattr(Kept(1), "__dict__")


def test_a_frozen_noun_stays_as_it_is():
    name = Name(("accuracy",))
    for change in (lambda: setattr(name, "path", ()), lambda: delattr(name, "path")):
        with pytest.raises(AttributeError):
            change()
    with pytest.raises(AttributeError):
        Line(1, b"").number = 2
    assert len({name, Name(("accuracy",)), Name(("accuracy",), gaps=True)}) == 2
    assert name != ("accuracy",)
    assert Literal("x", "x") != Name(("x",))


def test_what_may_change_has_no_hash():
    with pytest.raises(TypeError):
        hash(GateError("a fact"))


@pytest.mark.parametrize("copied", (copy.copy, copy.deepcopy, lambda noun: pickle.loads(pickle.dumps(noun))))
@pytest.mark.parametrize(
    "noun",
    (Line(1, b"{}", False), Name(("a", "b"), True), Item("100644"), SchemaError("a", path="b", steps=(1,))),
)
def test_a_noun_can_be_copied(noun, copied):
    assert copied(noun) == noun
    assert _contents(copied(noun)) == _contents(noun)


def test_replace():
    error = SchemaError("a fact", "a remedy", steps=("x",))
    assert nouns.replace(error, line=2) == SchemaError("a fact", "a remedy", line=2, steps=("x",))
    assert Line(1, b"")._replace(raw=b"x") == Line(1, b"x")
    assert Line(1, b"")._asdict() == {"number": 1, "raw": b"", "terminated": True}
    with pytest.raises(TypeError):
        nouns.replace(error, never=1)
    with pytest.raises(ValueError):
        Line(1, b"")._replace(never=1)

"""What the package uses of `typing` and `dataclasses`, at a tenth of the price.

`NamedTuple` and `dataclass` write source text there for every class and compile it, 0.4 to 1.6 ms a class,
and dataclasses import `inspect`: a third of the time of a clean run of the hook. Here a class is made as it
stands, and its constructor is compiled once it proves to be busy; the tests hold every class against its
original. The words for types mean nothing while the program runs, and loading `typing` takes as long as half
of the interpreter's own start. To type checkers all of them are the originals (`nouns.pyi`).
"""

from __future__ import annotations

from operator import attrgetter, itemgetter

TYPE_CHECKING = False


class Any:
    """Says nothing of a value's type."""


class Protocol:
    """Stands where an interface is described."""


class TypeVar:
    """Stands for a type that is not known yet."""

    def __init__(self, name, *, bound=None):
        """Say nothing."""


BinaryIO = Final = NoReturn = TextIO = Any

try:  # what `collections.namedtuple` uses, and its way out where there is no C
    from _collections import _tuplegetter
except ImportError:

    def _tuplegetter(index, _doc):
        return property(itemgetter(index))


BUSY = 50
"""Calls of a constructor that cost as much as compiling one."""
_ABSENT = object()
_set = object.__setattr__


class _Field:
    __slots__ = ("compare", "default", "make", "repr")

    def __init__(self, default, make, compare, shown):
        self.default, self.make, self.compare, self.repr = default, make, compare, shown


def field(*, default=_ABSENT, default_factory=None, compare=True, repr=True):  # noqa: A002
    """Say how a field of a dataclass differs from a plain one."""
    return _Field(default, default_factory, compare, repr)


def _filled(owner, fields, args, named):
    """Return the value of every field in order.

    Args:
        owner: The class.
        fields: Name -> default.
        args: What is given by place.
        named: What is given by name.
    """
    names = list(fields)
    if len(args) > len(names):
        raise TypeError(f"{owner.__name__} takes {len(names)} values, not {len(args)}")
    values = list(args)
    for name in names[len(args) :]:
        value = named.pop(name, _ABSENT)
        if value is _ABSENT:
            value = fields[name]
            if type(value) is _Field:
                value = value.make() if value.make else value.default
        if value is _ABSENT:
            raise TypeError(f"{owner.__name__} needs {name!r}")
        values.append(value)
    if named:
        raise TypeError(f"{owner.__name__} does not take {next(iter(named))!r}, or has it already")
    return values


def _shown(self, names):
    inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
    return f"{type(self).__qualname__}({inner})"


def _owner(cls, name, member):
    """Return the class among those that a class inherits from which has a member of its own."""
    return next(one for one in cls.__mro__ if one.__dict__.get(name) is member)


# --- named tuples ---------------------------------------------------------------------------------


class _Tuples(type):
    """Makes annotations the fields of a tuple."""

    def __new__(cls, name, bases, space):
        names = tuple(space.get("__annotations__", ()))
        space["__slots__"] = ()
        if names:
            fields = {name: space.pop(name, _ABSENT) for name in names}
            space["_fields"] = space["__match_args__"] = names
            space["_field_defaults"] = {name: given for name, given in fields.items() if given is not _ABSENT}
            space["__new__"] = _maker(fields)
            for index, field_name in enumerate(names):
                space[field_name] = _tuplegetter(index, "")
        return type.__new__(cls, name, bases, space)


def _maker(fields):
    """Return the constructor of a named tuple, which has itself compiled."""
    size, calls = len(fields), 0

    def new(cls, /, *args, **named):
        nonlocal calls
        calls += 1
        if calls == BUSY:
            _owner(cls, "__new__", made).__new__ = _compiled_new(fields)
        if named or len(args) != size:
            args = _filled(cls, fields, args, named)
        return tuple.__new__(cls, args)

    made = staticmethod(new)
    return made


def _compiled_new(fields):
    names = ", ".join(fields)
    made = eval(f"lambda _cls, {names}: _new(_cls, ({names},))", {"_new": tuple.__new__})
    made.__defaults__ = tuple(given for given in fields.values() if given is not _ABSENT)
    return staticmethod(made)


class NamedTuple(tuple, metaclass=_Tuples):
    """A tuple with named fields, as of `typing.NamedTuple`."""

    @classmethod
    def _make(cls, values):
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"{cls.__name__} takes {len(cls._fields)} values, not {len(made)}")
        return made

    def _replace(self, /, **changes):
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"no such fields: {list(changes)!r}")
        return made

    def _asdict(self):
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self):
        return _shown(self, self._fields)

    def __getnewargs__(self):
        return tuple(self)


# --- dataclasses ----------------------------------------------------------------------------------


def dataclass(cls=None, /, *, frozen=False, slots=False):
    """Make annotations the fields of a class, as `dataclasses.dataclass`."""
    if cls is None:
        return lambda cls: dataclass(cls, frozen=frozen, slots=slots)
    space = {name: own for name, own in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    given = {name: space.pop(name, _ABSENT) for name in space.get("__annotations__", ())}
    fields = {**getattr(cls, "_nouns", {}), **given}
    shown = [name for name, default in fields.items() if getattr(default, "repr", True)]
    key = attrgetter(*(name for name, default in fields.items() if getattr(default, "compare", True)))

    def equal(self, other):
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    made = {
        "_nouns": fields,
        "__match_args__": tuple(fields),
        "__init__": _initialiser(fields, frozen),
        "__repr__": lambda self: _shown(self, shown),
        "__eq__": equal,
        "__hash__": (lambda self: hash(key(self))) if frozen else None,
    }
    if frozen:
        made |= {"__setattr__": _refuse, "__delattr__": _refuse}
    if slots:
        # A class is told its slots when it is made: as the original, make it again.
        made |= {"__slots__": tuple(given), "__qualname__": cls.__qualname__}
        made |= {"__getstate__": _state, "__setstate__": _set_state}
        return type(cls)(cls.__name__, cls.__bases__, {**made, **space})
    for name, member in made.items():
        if name not in space:
            setattr(cls, name, member)
    for name, default in given.items():
        if type(default) is _Field:
            delattr(cls, name)
    return cls


def _initialiser(fields, frozen):
    """Return the initialiser of a dataclass, which has itself compiled."""
    size, calls = len(fields), 0

    def initialise(self, /, *args, **named):
        nonlocal calls
        calls += 1
        if calls == BUSY:
            cls = type(self)
            _owner(cls, "__init__", initialise).__init__ = _compiled_init(fields, frozen)
        if named or len(args) != size:
            args = _filled(type(self), fields, args, named)
        for name, value in zip(fields, args, strict=True):
            _set(self, name, value)

    return initialise


def _compiled_init(fields, frozen):
    space, args, rows = {"_absent": _ABSENT, "_set": _set}, [], []
    for name, default in fields.items():
        value, make = name, getattr(default, "make", None)
        if make is not None:
            space[f"_make_{name}"] = make
            value = f"_make_{name}() if {name} is _absent else {name}"
        elif default is not _ABSENT:
            space[f"_default_{name}"] = default.default if type(default) is _Field else default
        args.append(name if default is _ABSENT else f"{name}={'_absent' if make else f'_default_{name}'}")
        rows.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    exec(f"def __init__(self, {', '.join(args)}):\n " + "\n ".join(rows), space)
    return space["__init__"]


def _refuse(self, name, *_value):
    raise AttributeError(f"cannot change {name!r} of a frozen {type(self).__name__}")


def _state(self):
    return [getattr(self, name) for name in self._nouns]


def _set_state(self, values):
    for name, value in zip(self._nouns, values, strict=True):
        _set(self, name, value)


def replace(noun, /, **changes):
    """Return a copy of a dataclass's instance with some fields changed."""
    return type(noun)(**{name: getattr(noun, name) for name in noun._nouns} | changes)

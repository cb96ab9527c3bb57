"""L0: dataclasses that cost next to nothing until one is made: ``from postdeploy.lazy_dataclass import dataclass``.

The standard library writes six functions for each class when it is imported, half a millisecond a class, which for the
facts of this package was longer than a check takes. Here only ``__init__`` is written, when the first object is made;
the rest is shared by all classes. Type checkers see the originals, and the functions of the standard library work on
these classes, too.

A field may have a default or a ``default_factory``; nothing else of the original's parameters is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn

__all__ = ["asdict", "dataclass", "field", "replace"]

_MISSING: Final = object()
_OWN: Final = "__lazy_fields__"


class _Field:
    """A field of a class; what is given as its default, or makes one, unless it is missing."""

    __slots__ = ("annotation", "default", "factory", "kw_only", "name")

    def __init__(self, default: Any = _MISSING, factory: Any = _MISSING) -> None:
        self.name = self.annotation = ""
        self.default = default
        self.factory = factory
        self.kw_only = False


class _StandardFields:
    """``__dataclass_fields__`` as the standard library has it, made when somebody asks for it."""

    def __init__(self, fields: tuple[_Field, ...]) -> None:
        self._fields = fields

    def __get__(self, _instance: object, owner: type) -> Any:
        import dataclasses

        like = dataclasses.make_dataclass(owner.__name__, map(_as_standard, self._fields))
        return like.__dataclass_fields__  # type: ignore[attr-defined]


def _dataclass(*, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True) -> Any:
    """``dataclasses.dataclass`` with these parameters, which mean what they mean there."""

    def decorated(cls: type) -> type:
        fields = tuple(_fields_of(cls, kw_only=kw_only))
        if slots:
            cls = _slotted(cls, tuple(field.name for field in fields))
        _add_methods(cls, fields, frozen=frozen, eq=eq)
        return cls

    return decorated


def _field(*, default_factory: Callable[[], Any]) -> Any:
    return _Field(factory=default_factory)


def _replace(instance: Any, /, **changes: Any) -> Any:
    for field in getattr(instance, _OWN):
        if field.name not in changes:
            changes[field.name] = getattr(instance, field.name)
    return type(instance)(**changes)


def _asdict(instance: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(instance, field.name)) for field in getattr(instance, _OWN)}


def _plain(value: Any) -> Any:
    if hasattr(type(value), _OWN):
        return _asdict(value)
    if type(value) in {list, tuple}:
        return type(value)(map(_plain, value))
    if type(value) is dict:
        return {_plain(key): _plain(each) for key, each in value.items()}
    from copy import deepcopy  # which most of what starts this package never needs

    return deepcopy(value)


def _fields_of(cls: type, *, kw_only: bool) -> Iterator[_Field]:
    """Those of the bases first; one of the same name takes the place of an inherited one."""
    found = {field.name: field for base in reversed(cls.__mro__[1:]) for field in base.__dict__.get(_OWN, ())}
    for name, annotation in cls.__annotations__.items():
        if str(annotation).startswith("ClassVar"):
            continue
        default = cls.__dict__.get(name, _MISSING)
        field = default if isinstance(default, _Field) else _Field(default)
        if field is default:
            delattr(cls, name)
        field.name, field.annotation, field.kw_only = name, annotation, kw_only
        found[name] = field
    yield from found.values()


def _slotted(cls: type, names: tuple[str, ...]) -> type:
    """The class once more, since slots cannot be added to one."""
    left = {"__dict__", "__weakref__", *names}
    namespace = {name: value for name, value in cls.__dict__.items() if name not in left}
    again = type(cls)(cls.__name__, cls.__bases__, namespace | {"__slots__": names})
    again.__qualname__ = cls.__qualname__
    return again


def _add_methods(cls: Any, fields: tuple[_Field, ...], *, frozen: bool, eq: bool) -> None:
    names = tuple(field.name for field in fields)
    values = _values_of(names)
    methods: dict[str, Any] = {"__init__": _first_init(cls, fields, frozen=frozen), "__repr__": _repr}
    if eq:
        methods |= {"__eq__": _eq(values), "__hash__": _hash(values) if frozen else None}
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        methods |= {"__getstate__": _getstate, "__setstate__": _setstate} if "__slots__" in cls.__dict__ else {}
    methods["__match_args__"] = tuple(field.name for field in fields if not field.kw_only)
    own = set(cls.__dict__)
    if "__eq__" in own and cls.__dict__.get("__hash__", _MISSING) is None:
        own.discard("__hash__")  # Python set it because of the class's own __eq__
    for name, method in methods.items():
        if name not in own or name == "__init__":
            setattr(cls, name, method)
    setattr(cls, _OWN, fields)
    cls.__dataclass_fields__ = _StandardFields(fields)


def _values_of(names: tuple[str, ...]) -> Callable[[Any], Any]:
    """What makes up an object, for comparisons with its equals."""
    return attrgetter(*names) if names else lambda _instance: ()


def _eq(values: Callable[[Any], Any]) -> Callable[[Any, object], Any]:
    def equal(self: Any, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or values(self) == values(other)

    return equal


def _hash(values: Callable[[Any], Any]) -> Callable[[Any], int]:
    return lambda self: hash(values(self))


def _repr(self: Any) -> str:
    told = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in getattr(self, _OWN))
    return f"{type(self).__qualname__}({told})"


def _refuse(self: Any, name: str, *_value: Any) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"{type(self).__name__} is frozen, {name!r} stays as it is")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in getattr(self, _OWN)]


def _setstate(self: Any, state: list[Any]) -> None:
    for field, value in zip(getattr(self, _OWN), state, strict=True):
        object.__setattr__(self, field.name, value)


def _first_init(cls: Any, fields: tuple[_Field, ...], *, frozen: bool) -> Callable[..., None]:
    """An ``__init__`` that writes the one that takes its place."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  # as tracebacks show it
        cls.__init__ = written = _written_init(cls, fields, frozen=frozen)
        written(self, *args, **kwargs)

    return __init__


def _written_init(cls: Any, fields: tuple[_Field, ...], *, frozen: bool) -> Callable[..., None]:
    names: dict[str, Any] = {"_MISSING": _MISSING}
    words, body = ["self"], []
    for field in sorted(fields, key=lambda each: each.kw_only):
        if field.kw_only and "*" not in words:
            words.append("*")
        words.append(_parameter(field, names))
        body.append(_assignment(cls, field, names, frozen=frozen))
    body += ["self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    lines = "\n ".join(body or ["pass"])
    exec(f"def __init__({', '.join(words)}):\n {lines}", names)  # noqa: S102  # as dataclasses does; names of fields only
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _parameter(field: _Field, names: dict[str, Any]) -> str:
    if field.factory is not _MISSING:
        return f"{field.name}=_MISSING"
    if field.default is _MISSING:
        return field.name
    names[f"_default_{field.name}"] = field.default
    return f"{field.name}=_default_{field.name}"


def _assignment(cls: Any, field: _Field, names: dict[str, Any], *, frozen: bool) -> str:
    name = value = field.name
    if field.factory is not _MISSING:
        names[f"_make_{name}"] = field.factory
        value = f"_make_{name}() if {name} is _MISSING else {name}"
    if not frozen:
        return f"self.{name} = {value}"
    if "__slots__" not in cls.__dict__:
        return f"self.__dict__[{name!r}] = {value}"
    names[f"_set_{name}"] = cls.__dict__[name].__set__
    return f"_set_{name}(self, {value})"


def _as_standard(field: _Field) -> tuple[str, Any, Any]:
    import dataclasses

    given: dict[str, Any] = {"kw_only": field.kw_only}
    if field.factory is not _MISSING:
        given["default_factory"] = field.factory
    elif field.default is not _MISSING:
        given["default"] = field.default
    return field.name, field.annotation, dataclasses.field(**given)


if TYPE_CHECKING:
    from dataclasses import asdict, dataclass, field, replace
else:
    asdict, dataclass, field, replace = _asdict, _dataclass, _field, _replace

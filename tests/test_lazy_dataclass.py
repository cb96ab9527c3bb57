"""What the lazy dataclasses have in common with those of the standard library, and what they do later."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from typing import Any, ClassVar

import pytest

from postdeploy.lazy_dataclass import asdict, dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Point:
    """A fact."""

    x: int
    names: dict[str, int] = field(default_factory=dict)
    label: str = "here"


@dataclass(frozen=True, kw_only=True)
class Base:
    """What others build upon."""

    KINDS: ClassVar[tuple[str, ...]] = ()
    place: str
    spent: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Derived(Base):
    """A field of its own, and another default."""

    KINDS: ClassVar[tuple[str, ...]] = ("one",)
    spent: float = 1.0
    status: int


@dataclass(slots=True)
class Tally:
    """Something that changes."""

    count: int = 0
    seen: list[Point] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Unique:
    """Equal to itself only."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class Own:
    """Methods of its own."""

    x: int

    def __eq__(self, other: object) -> bool:
        """Whatever is of the class is equal."""
        return isinstance(other, Own)

    def __hash__(self) -> int:
        """As equals have it."""
        return 7

    def __repr__(self) -> str:
        """One word."""
        return "own"


@dataclass(slots=True)
class Derives:
    """Works something out when it is made."""

    x: int

    def __post_init__(self) -> None:
        """Twice as much."""
        self.x *= 2


@dataclass(frozen=True, slots=True)
class Nothing:
    """No field at all."""


def test_values_and_defaults() -> None:
    """Fields are given by position or name; a factory makes a new default each time."""
    assert (Point(1, {"a": 2}).x, Point(x=1, label="there").label, Point(1).label) == (1, "there", "here")
    assert Point(1).names == {}
    assert Point(1).names is not Point(1).names


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, {}, "", 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1})])
def test_wrong_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Too few, too many, twice or unknown is a TypeError, also for the first object of a class."""

    @dataclass(frozen=True, slots=True)
    class Fresh:
        x: int
        names: dict[str, int] = field(default_factory=dict)
        label: str = "here"

    for cls in (Fresh, Point):
        with pytest.raises(TypeError):
            cls(*args, **kwargs)


def test_equality_and_hash() -> None:
    """Objects of one class are equal where their fields are, and only then; hashes follow."""
    assert Base(place="a") == Base(place="a") != Base(place="b")
    assert hash(Base(place="a")) == hash(Base(place="a"))
    assert Point(1) != (1, {}, "here")  # type: ignore[comparison-overlap]
    assert Derived(place="a", status=1) != Base(place="a", spent=1.0)
    assert Tally() == Tally()
    assert Nothing() == Nothing()
    assert Unique() != Unique()
    with pytest.raises(TypeError):
        hash(Tally())


def test_own_methods_stay() -> None:
    """What a class says itself is not replaced."""
    assert (repr(Own(1)), hash(Own(1)), Own(1) == Own(2)) == ("own", 7, True)
    assert Derives(4).x == 8


def test_frozen() -> None:
    """Nothing of a frozen object can be set or deleted, and slots have room for nothing else."""
    for fact in (Point(1), Base(place="a")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            fact.x = 2  # type: ignore[misc,union-attr]
        with pytest.raises(dataclasses.FrozenInstanceError):
            del fact.x  # type: ignore[union-attr]
    tally = Tally()
    tally.count += 1
    assert tally.count == 1
    with pytest.raises(AttributeError):
        tally.other = 1  # type: ignore[attr-defined]


def test_inheritance() -> None:
    """Fields of the bases come first, with the default of the class that names them last; class variables are none."""
    derived = Derived(place="a", status=200)
    assert repr(derived) == "Derived(place='a', spent=1.0, status=200)"
    assert (derived.KINDS, Derived.__match_args__) == (("one",), ())
    with pytest.raises(TypeError):
        Derived("a", status=200)  # type: ignore[call-arg]


def test_patterns() -> None:
    """Objects can be matched by position."""
    match Point(3):
        case Point(x, _, label):
            assert (x, label) == (3, "here")


def test_copies() -> None:
    """Objects can be copied and pickled, whether they can be changed or not."""
    for one in (Point(1, {"a": 2}), Derived(place="a", status=1), Tally(2, [Point(1)])):
        assert copy.deepcopy(one) == copy.copy(one) == pickle.loads(pickle.dumps(one)) == one


def test_replace_and_asdict() -> None:
    """They do what those of the standard library do, which work, too."""
    tally = Tally(1, [Point(1), Point(2, {"a": 1})])
    assert replace(tally, count=2) == dataclasses.replace(tally, count=2) == Tally(2, tally.seen)
    assert asdict(tally) == dataclasses.asdict(tally)
    assert [each.name for each in dataclasses.fields(Derived)] == ["place", "spent", "status"]
    assert dataclasses.is_dataclass(Point)
    assert asdict(tally)["seen"][1]["names"] is not tally.seen[1].names


def test_nothing_is_written_before_the_first_object() -> None:
    """A class that nobody makes an object of costs neither code nor the import of the standard library's module."""
    script = (
        "import sys; from postdeploy.lazy_dataclass import dataclass\n"
        "@dataclass(frozen=True, slots=True)\nclass A:\n x: int\n"
        "first = A.__init__; print(A(1) == A(1), A.__init__ is not first, 'dataclasses' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "True", "False"]

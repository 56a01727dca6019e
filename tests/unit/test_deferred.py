"""A deferred dataclass is the standard library's, later."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import pkgutil
import threading
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, field
from importlib import import_module
from typing import Any, ClassVar

import pytest

import safecelery.lint
import safecelery.policy
from safecelery.deferred import _Deferred, dataclass

SHAPES: list[dict[str, bool]] = [
    {},
    {"frozen": True},
    {"frozen": True, "kw_only": True},
    {"eq": False},
    {"frozen": True, "eq": False},
    {"frozen": True, "order": True},
]


def pair(**options: bool) -> tuple[Any, Any]:
    """One class of each kind, of the same text."""

    class Point:
        """Two numbers and more."""

        origin: ClassVar[str] = "here"
        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list, compare=False)

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("x")

        @property
        def both(self) -> tuple[int, int]:
            return self.x, self.y

    theirs = type("Point", (), dict(vars(Point)))
    return dataclass(slots=True, **options)(Point), dataclasses.dataclass(slots=True, **options)(theirs)


@pytest.mark.parametrize("options", SHAPES, ids=str)
def test_it_does_what_the_standard_librarys_does(options: dict[str, bool]) -> None:
    seen = []
    for cls in pair(**options):
        one, same, other = cls(x=1), cls(x=1, tags=["a"]), cls(x=3, y=1)
        seen.append(
            (
                str(inspect.signature(type(one))), vars(cls)["__init__"].__annotations__,
                cls.__init__.__qualname__.rpartition("<locals>.")[2],
                one.both, one == same, one != other, one == 1, type(hash_of(one)), hash_of(one) == hash_of(same),
                repr(dataclasses.replace(one, y=9)).partition("Point")[2], dataclasses.asdict(other),
                [each.name for each in dataclasses.fields(cls)], str(inspect.signature(cls)), cls.__match_args__,
                cls.origin, cls.__slots__, hasattr(one, "__dict__"), failure(lambda cls=cls: cls()),
                failure(lambda cls=cls: cls(x=-1)), failure(lambda cls=cls: cls(x=1, z=1)),
                failure(lambda one=one: setattr(one, "x", 5)), failure(lambda one=one: delattr(one, "y")),
                failure(lambda one=one, other=other: one < other), cls.__doc__, cls.__name__, cls.__module__,
            )
        )  # fmt: skip
    assert seen[0] == seen[1]


def hash_of(thing: object) -> int | None:
    try:
        return hash(thing)
    except TypeError:
        return None


def failure(act: Any) -> str:
    try:
        return f"fine: {act()}"
    except (TypeError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {str(error).rpartition('.')[2]}"


def test_a_class_whose_fields_ask_for_more_is_the_librarys_from_the_start() -> None:
    class Asking:
        x: int = field(kw_only=True)
        y: int = field(init=False, default_factory=lambda: 3)
        z: dataclasses.InitVar[int] = 4

        def __post_init__(self, z: int) -> None:
            self.y += z

    class Selfish:
        self: int

    made = dataclass(slots=True)(Asking)(x=1, z=10)
    assert (made.x, made.y) == (1, 13)
    assert failure(lambda: dataclass(slots=True)(Asking)(1)).startswith("TypeError")
    assert dataclass(slots=True)(Selfish)(5).self == 5


def test_a_subclass_of_a_frozen_one_may_have_attributes_of_its_own() -> None:
    cls, _ = pair(frozen=True)
    one = type("More", (cls,), {})(1)
    one.more = 2
    assert one.more == 2
    assert "cannot assign to field 'x'" in failure(lambda: setattr(one, "x", 2))
    assert "cannot delete field 'y'" in failure(lambda: delattr(one, "y"))
    del one.more
    assert "more" in failure(lambda: delattr(one, "more"))


def test_nothing_is_written_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, ...]] = []
    write = _Deferred._write
    monkeypatch.setattr(
        _Deferred, "_write", lambda self, names, **less: (written.append(names), write(self, names, **less))[1]
    )
    ours, _ = pair(frozen=True)
    assert written == []
    one, two = ours(1), ours(1)
    assert written == []
    assert one == two
    assert len({one, two}) == 1
    assert repr(one).endswith("Point(x=1, y=2, tags=[])")
    assert len(written) == 1


@pytest.mark.parametrize(
    "first", [dataclasses.fields, dataclasses.is_dataclass, inspect.signature], ids=lambda f: f.__name__
)
def test_the_class_may_be_asked_before_there_is_an_instance(first: Any) -> None:
    ours, _ = pair(frozen=True)
    first(ours)
    assert [each.name for each in dataclasses.fields(ours)] == ["x", "y", "tags"]
    assert ours(4).both == (4, 2)


def test_a_frozen_one_refuses_a_change_from_its_first_moment() -> None:
    ours, _ = pair(frozen=True)
    one = ours(1)
    with pytest.raises(FrozenInstanceError):
        one.x = 2
    assert one.x == 1


@dataclass(frozen=True, slots=True)
class Carried:
    """At module level, where pickle finds it."""

    x: int
    rest: tuple[str, ...] = ()


def test_an_instance_survives_pickle_and_copy() -> None:
    one = Carried(1, ("a",))
    for again in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
        assert again == one
        assert again is not one


def test_many_threads_may_need_it_at_once() -> None:
    for _ in range(20):
        ours, _ = pair(frozen=True)
        gate, made = threading.Barrier(4), []

        def make(ours: Any = ours, gate: threading.Barrier = gate, made: list[Any] = made) -> None:
            gate.wait()
            one = ours(1)
            made.append((hash(one), one == ours(1), one.tags))

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 4
        assert {(equal, tuple(tags)) for _, equal, tags in made} == {(True, ())}


def test_what_it_cannot_defer_is_refused() -> None:
    with pytest.raises(TypeError, match="slots=True"):
        dataclass(slots=False)
    with pytest.raises(TypeError, match="frozen, kw_only, order"):
        dataclass(slots=True, unsafe_hash=True)
    with pytest.raises(TypeError, match="inherits fields"):

        @dataclass(slots=True)
        class More(Carried):
            z: int


def every_deferred() -> Iterator[type]:
    for package in (safecelery.lint, safecelery.policy):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for value in vars(import_module(found.name)).values():
                if isinstance(value, type) and value.__module__ == found.name and "__dataclass_fields__" in vars(value):
                    yield value


def test_every_deferred_class_of_ours_is_one_that_can_be() -> None:
    """Each is written, so that a default of a wrong kind or a forgotten annotation shows here."""
    classes = list(every_deferred())
    assert len(classes) > 60
    for cls in classes:
        fields = dataclasses.fields(cls)
        assert list(cls.__slots__) == [each.name for each in fields], cls  # type: ignore[attr-defined]
        assert list(inspect.signature(cls).parameters) == [each.name for each in fields if each.init], cls

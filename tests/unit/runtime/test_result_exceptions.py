"""Exceptions out of results: of a table, of the task's own word, or a neutral one."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from celery.exceptions import (
    Ignore,
    MaxRetriesExceededError,
    Reject,
    Retry,
    SoftTimeLimitExceeded,
    TaskRevokedError,
    WorkerLostError,
)
from hypothesis import given
from hypothesis import strategies as st

from safecelery import RemoteError, SettingsError, TransientError
from safecelery.errors import ResultRefused, ResultTooLarge
from safecelery.runtime.results.exceptions import ALLOWED, named, rebuild


class Declared(Exception):
    """What a task throws."""


class Fatal(BaseException):
    """What nobody may throw."""


class Explosive(Exception):
    """Cannot be made."""

    def __init__(self, *_: Any) -> None:
        raise SystemError("its constructor fails")


class Imposter(Exception):
    """Makes something else."""

    def __new__(cls, *_: Any) -> Any:
        return KeyboardInterrupt()


HERE = __name__


def stored(kind: type[BaseException], *args: Any) -> dict[str, Any]:
    """As Celery writes it (celery/backends/base.py, ``prepare_exception``)."""
    return {"exc_type": kind.__qualname__, "exc_module": kind.__module__, "exc_message": list(args)}


@pytest.mark.parametrize("kind", [Retry, Ignore, Reject])
def test_none_that_a_worker_takes_for_its_own_tasks_word(kind: type[Exception]) -> None:
    again = rebuild(stored(kind, "later"), {})
    assert isinstance(again, RemoteError)
    assert again.text == "later"


@pytest.mark.parametrize(
    "made",
    [
        ValueError("a", 1), KeyError("k"), FileNotFoundError(2, "gone"), TimeoutError(), TaskRevokedError("no"),
        SoftTimeLimitExceeded(), WorkerLostError("lost"), MaxRetriesExceededError("enough"),
        TransientError("soon"), RemoteError("x.Y", "text"), ResultRefused("stale", "t", "old"), ResultTooLarge("9"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_one_of_the_table_is_itself(made: Exception) -> None:
    again = rebuild(stored(type(made), *made.args), {})
    assert type(again) is type(made)
    assert str(again) == str(made)


@pytest.mark.parametrize(
    "kind",
    [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, StopAsyncIteration, SyntaxError, BaseException],
)
def test_what_ends_processes_and_loops_is_not_in_it(kind: type[BaseException]) -> None:
    found = rebuild(stored(kind, "why"), {}, [kind])
    if kind in (SystemExit, KeyboardInterrupt, GeneratorExit, BaseException):
        assert isinstance(found, RemoteError)
    assert isinstance(rebuild(stored(kind, "why"), {}), RemoteError)


def test_nothing_of_the_table_is_more_than_an_exception() -> None:
    assert all(issubclass(kind, Exception) for kind in ALLOWED.values())
    assert all(name == f"{kind.__module__}.{kind.__qualname__}" for name, kind in ALLOWED.items())
    ends = {getattr(builtins, name) for name in ("StopIteration", "StopAsyncIteration", "SyntaxError")}
    assert not ends & set(ALLOWED.values())


def test_what_the_task_throws_is_itself_and_only_there() -> None:
    assert isinstance(rebuild(stored(Declared, "why"), {}, [KeyError, Declared]), Declared)
    other = rebuild(stored(Declared, "why"), {})
    assert isinstance(other, RemoteError)
    assert (other.type_name, other.text) == (f"{HERE}.Declared", "why")
    assert str(other) == f"{HERE}.Declared: why"


def test_a_task_that_declares_to_end_the_process_does_not() -> None:
    assert isinstance(rebuild(stored(Fatal, "why"), {}, [Fatal, SystemExit, "text", None]), RemoteError)


def test_the_settings_name_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(rebuild(stored(Declared, "why"), named([f"{HERE}:Declared"])), Declared)
    for name in ("no.such.module:Class", f"{HERE}:Fatal", "os:system", f"{HERE}:nothing", "builtins:SystemExit"):
        with pytest.raises(SettingsError, match=r"results\.exceptions"):
            named([name])


@pytest.mark.parametrize("kind", [Explosive, Imposter])
def test_a_class_that_cannot_be_made_is_told(kind: type[Exception]) -> None:
    assert isinstance(rebuild(stored(kind, "why"), {}, [kind]), RemoteError)


@pytest.mark.parametrize(
    "arguments", [["x" * 20_000], list(range(17)), [[[[[[1]]]]]], [{"a": "x" * 20_000}], [list(range(2_000))]], ids=str
)
def test_an_exception_with_very_much_in_it_is_cut(arguments: list[Any]) -> None:
    found = rebuild(stored(ValueError, *arguments), {})
    assert isinstance(found, RemoteError)
    assert len(str(found)) < 17_000


@pytest.mark.parametrize("name", ["os.system", "x" * 5_000, "a\nb", ""])
def test_a_name_is_only_text(name: str) -> None:
    found = rebuild({"exc_type": name, "exc_module": "os", "exc_message": "touch pwned"}, {})
    assert isinstance(found, RemoteError)
    assert len(found.type_name) < 300
    assert found.type_name.isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(value=JSON | st.fixed_dictionaries({"exc_type": JSON, "exc_module": JSON, "exc_message": JSON}))
def test_whatever_is_stored_becomes_an_exception_and_never_raises(value: Any) -> None:
    assert isinstance(rebuild(value, {}), Exception)


@given(name=st.sampled_from(sorted(ALLOWED)), message=JSON)
def test_so_does_every_class_of_the_table_with_any_arguments(name: str, message: Any) -> None:
    module, _, kind = name.rpartition(".")
    assert isinstance(rebuild({"exc_type": kind, "exc_module": module, "exc_message": message}, {}), Exception)

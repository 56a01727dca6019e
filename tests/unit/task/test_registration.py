"""The gate at registration: by decorator, shared_task and class; every violation, with file, line and fix."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import celery
import pytest
from celery import shared_task
from celery._state import _on_app_finalizers

from safecelery import PolicyViolationError, SafeCelery, SafeTask, SettingsError, UnknownOptionError
from safecelery.task import task_facts
from tests.unit.apps import an_app

GOOD: dict[str, Any] = {"time_limit": 30, "soft_time_limit": 25}


@pytest.fixture
def app(tmp_path: Path) -> SafeCelery:
    return an_app(tmp_path, memory=True)


@pytest.fixture
def shared_tasks_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Celery offers shared tasks to every app of the process, those of other tests and later ones too."""
    monkeypatch.setattr(celery._state, "_apps", WeakSet())
    before = set(_on_app_finalizers)
    yield
    for added in set(_on_app_finalizers) - before:
        _on_app_finalizers.discard(added)


def here() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


# By decorator -----------------------------------------------------------------------------------------------------


def test_safe_options_are_on_without_being_asked_for(app: SafeCelery) -> None:
    @app.task(**GOOD)
    def charge() -> None: ...

    facts = task_facts(charge)
    assert (facts.acks_late, facts.reject_on_worker_lost, facts.retry_on_worker_lost) == (True, True, True)
    assert facts.retry_backoff
    assert facts.retry_jitter
    assert isinstance(facts.max_retries, int)
    assert facts.serializer == "json"
    assert facts.autoretry_for == (
        "safecelery.errors.TransientError", "builtins.ConnectionError", "builtins.TimeoutError",
    )  # fmt: skip


def test_a_bare_decorator_fails_where_it_is_written(app: SafeCelery) -> None:
    line = here() + 3
    with pytest.raises(PolicyViolationError) as caught:

        @app.task
        def endless() -> None: ...

    text = str(caught.value)
    assert "SFC401" in text
    assert "SFC402" in text
    assert f"{__file__}:{line}" in text
    assert text.count("fix: ") == len(caught.value.violations)
    assert "endless" not in str(sorted(app.tasks))


BROKEN: list[tuple[dict[str, Any], set[str]]] = [
    ({"time_limit": 30}, {"SFC402"}),
    ({"soft_time_limit": 30}, {"SFC401"}),
    ({"time_limit": 0, "soft_time_limit": 0}, {"SFC403"}),
    ({"time_limit": 20, "soft_time_limit": 25}, {"SFC404"}),
    ({"time_limit": 10**6, "soft_time_limit": 25}, {"SFC405"}),
    ({"time_limit": True, "soft_time_limit": 25}, {"SFC403"}),
    ({"time_limit": "30", "soft_time_limit": 25}, {"SFC403"}),
    ({"time_limit": float("inf"), "soft_time_limit": 25}, {"SFC403"}),
    (GOOD | {"acks_late": False}, {"SFC501"}),
    (GOOD | {"reject_on_worker_lost": False}, {"SFC502"}),
    (GOOD | {"retry_on_worker_lost": False}, {"SFC503"}),
    (GOOD | {"max_retries": None}, {"SFC601"}),
    (GOOD | {"max_retries": 10**6}, {"SFC603"}),
    (GOOD | {"retry_backoff": False}, {"SFC604"}),
    (GOOD | {"retry_jitter": False}, {"SFC605"}),
    (GOOD | {"serializer": "pickle"}, {"SFC106"}),
    ({"acks_late": False, "serializer": "pickle"}, {"SFC401", "SFC402", "SFC501", "SFC106"}),
]  # fmt: skip


@pytest.mark.parametrize(("options", "rules"), BROKEN)
def test_every_violation_is_listed_at_once(app: SafeCelery, options: dict[str, Any], rules: set[str]) -> None:
    with pytest.raises(PolicyViolationError) as caught:

        @app.task(**options)
        def careless() -> None: ...

    assert rules <= {violation.code for violation in caught.value.violations}  # type: ignore[attr-defined]


def test_a_refused_task_leaves_nothing_behind(app: SafeCelery) -> None:
    def again() -> None: ...

    with pytest.raises(PolicyViolationError):
        app.task(name="orders.again")(again)
    app.task(name="orders.again", **GOOD)(again)
    assert app.tasks["orders.again"].time_limit == 30


@pytest.mark.parametrize(
    ("option", "nearest"),
    [("time_limt", "time_limit"), ("autoretry_fr", "autoretry_for"), ("max_retrys", "max_retries")],
)
def test_a_misspelt_option_is_refused_with_the_right_name(app: SafeCelery, option: str, nearest: str) -> None:
    with pytest.raises(UnknownOptionError, match=rf"'{option}' \(did you mean '{nearest}'\?\)") as caught:

        @app.task(**GOOD, **{option: 5})
        def typo() -> None: ...

    assert Path(__file__).name in str(caught.value)


@pytest.mark.parametrize("option", ["Request", "Strategy"])
def test_an_option_that_would_take_a_guard_away_is_refused(app: SafeCelery, option: str) -> None:
    with pytest.raises(UnknownOptionError, match=option):
        app.task(**GOOD, **{option: "celery.worker.request:Request"})(lambda: None)


def test_a_third_party_base_is_refused(app: SafeCelery) -> None:
    with pytest.raises(SettingsError, match=r"Task is not a SafeTask"):

        @app.task(base=celery.Task, **GOOD)
        def foreign() -> None: ...


def test_annotations_that_nobody_can_resolve_are_refused_early(app: SafeCelery) -> None:
    def unresolvable(x: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(SettingsError, match=r"annotations cannot be resolved.*TYPE_CHECKING"):
        app.task(name="orders.unresolvable", **GOOD)(unresolvable)


# By class ---------------------------------------------------------------------------------------------------------


def test_a_class_passes_the_same_gate(app: SafeCelery) -> None:
    class Charge(SafeTask[[int], int]):
        name = "orders.charge"
        time_limit, soft_time_limit = 30, 25

        def run(self, amount: int) -> int:
            return amount

    charge = app.register_task(Charge())
    assert charge.granted_limits == (30, 25)
    assert charge(5) == 5


def test_a_class_that_breaks_the_policy_is_refused_with_its_line(app: SafeCelery) -> None:
    line = here() + 2

    class Endless(SafeTask[[], None]):
        name = "orders.endless"
        acks_late = False

        def run(self) -> None: ...

    with pytest.raises(PolicyViolationError) as caught:
        app.register_task(Endless())
    assert "SFC501" in str(caught.value)
    assert f"{__file__}:{line}" in str(caught.value)


def test_a_misspelt_class_attribute_is_a_violation(app: SafeCelery) -> None:
    class Typo(SafeTask[[], None]):
        name = "orders.typo"
        time_limit, soft_time_limt = 30, 25
        soft_time_limit = 25
        helper = "the class's own business"

        def run(self) -> None: ...

    with pytest.raises(PolicyViolationError, match=r"SFC901(.|\n)*did you mean 'soft_time_limit'"):
        app.register_task(Typo())


def test_a_base_class_of_ones_own_may_state_the_limits(app: SafeCelery) -> None:
    class Base(SafeTask[..., Any]):
        abstract = True
        time_limit, soft_time_limit = 30, 25

    @app.task(base=Base)
    def inherits() -> None: ...

    assert inherits.granted_limits == (30, 25)


def test_a_class_that_is_no_safe_task_is_refused(app: SafeCelery) -> None:
    class Plain(celery.Task):
        name = "orders.plain"

        def run(self) -> None: ...

    with pytest.raises(SettingsError, match="is not a SafeTask; inherit"):
        app.register_task(Plain())


# shared_task ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shared_tasks_are_forgotten")
def test_shared_tasks_are_reported_together_and_again_at_each_later_use(tmp_path: Path) -> None:
    @shared_task(name="orders.first_endless")
    def first() -> None: ...

    @shared_task(name="orders.second_endless", time_limit=5)
    def second() -> None: ...

    app = an_app(tmp_path, memory=True)
    for _ in range(2):
        with pytest.raises(PolicyViolationError) as caught:
            app.finalize()
        assert "orders.first_endless" in str(caught.value)
        assert "orders.second_endless" in str(caught.value)
    with pytest.raises(PolicyViolationError, match="first_endless"):
        _ = app.tasks


@pytest.mark.usefixtures("shared_tasks_are_forgotten")
def test_a_shared_task_passes_and_is_safe(tmp_path: Path) -> None:
    @shared_task(name="orders.shared_well", **GOOD)
    def well(x: int) -> int:
        return x

    app = an_app(tmp_path, memory=True)
    assert isinstance(app.tasks["orders.shared_well"], SafeTask)
    assert app.tasks["orders.shared_well"].acks_late is True


def test_tasks_stay_in_their_app(tmp_path: Path, app: SafeCelery) -> None:
    @app.task(name="orders.private", **GOOD)
    def private() -> None: ...

    other = an_app(tmp_path, name="other", memory=True)
    assert "orders.private" not in other.tasks


def test_celerys_own_tasks_get_the_policys_limits(app: SafeCelery) -> None:
    limits = app.guard.policy.limits
    own = [task for name, task in app.tasks.items() if name.startswith("celery.")]
    assert own
    for task in own:
        hard, soft = task.granted_limits
        assert 0 < soft < hard <= limits.max_time_limit_s

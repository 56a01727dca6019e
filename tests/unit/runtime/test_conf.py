"""The configuration of a hardened app: whose word counts, and that no change goes unnoticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery import create_app
from safecelery.runtime.conf import VersionedDict
from safecelery.runtime.facts import app_facts
from tests.unit.apps import BROKER, an_app, settings_in

KEYS = st.sampled_from("abc")
OPERATIONS = st.one_of(
    st.tuples(st.just("__setitem__"), KEYS, st.integers()),
    st.tuples(st.just("setdefault"), KEYS, st.integers()),
    st.tuples(st.just("pop"), KEYS, st.just(None)),
    st.tuples(st.just("update"), st.dictionaries(KEYS, st.integers())),
    st.tuples(st.just("__ior__"), st.dictionaries(KEYS, st.integers())),
    st.tuples(st.just("clear")),
)


@given(st.lists(OPERATIONS, max_size=10))
def test_whatever_changes_the_contents_changes_the_version(operations: list[tuple[Any, ...]]) -> None:
    ours, plain = VersionedDict(), {}
    for name, *arguments in operations:
        before, version = dict(plain), ours.version
        assert getattr(ours, name)(*arguments) == getattr(plain, name)(*arguments)
        assert ours == plain
        if plain != before:
            assert ours.version > version


def test_deleting_and_popping_items_counts_too() -> None:
    changes = VersionedDict(a=1, b=2)
    del changes["a"]
    changes.popitem()
    assert changes.version == 2


def test_every_mutating_method_of_a_dict_is_covered() -> None:
    """Python's own list; a new method in a later version would show up here."""
    reading = {"copy", "fromkeys", "get", "items", "keys", "values"}
    public = {name for name in vars(dict) if not name.startswith("_")} | {"__setitem__", "__delitem__", "__ior__"}
    assert public - reading <= set(vars(VersionedDict))


def test_the_projects_own_settings_win_over_our_defaults(tmp_path: Path) -> None:
    app = create_app("orders", settings_in(tmp_path), set_as_current=False)
    app.config_from_object({"task_default_queue": "theirs", "worker_prefetch_multiplier": 4})
    assert app.conf.task_default_queue == "theirs"
    assert app.conf.worker_prefetch_multiplier == 4
    assert app.conf.task_acks_late is True


def test_settings_of_safecelery_win_over_the_projects(tmp_path: Path) -> None:
    app = create_app("orders", settings_in(tmp_path, results={"url": BROKER}), set_as_current=False)
    app.config_from_object({"broker_url": "redis://plain.example/0", "result_backend": "redis://plain.example/0"})
    assert app.conf.broker_url == BROKER
    assert app.conf.result_backend == BROKER


def test_without_a_result_backend_results_are_off(tmp_path: Path) -> None:
    assert an_app(tmp_path).conf.result_backend == "disabled://"


def test_late_defaults_of_extensions_do_not_hide_ours(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    app.add_defaults({"task_acks_late": False, "imports": ()})
    facts = app_facts(app, app.guard)
    assert facts.unknown_settings == ()


@pytest.mark.parametrize(
    ("given", "unknown"),
    [
        ({"task_time_limt": 30}, ("task_time_limt",)),
        ({"task_time_limit": 30, "TASK_TIME_LIMT": 5}, ()),
        ({"_private": 1}, ()),
    ],
)
def test_unknown_lower_case_names_are_facts(tmp_path: Path, given: dict[str, Any], unknown: tuple[str, ...]) -> None:
    app = an_app(tmp_path)
    app.conf.update(given)
    assert app_facts(app, app.guard).unknown_settings == unknown


class Namespaced:
    """A settings object, as Django's is."""

    CELERY_TASK_TRACK_STARTED = True
    CELERY_TSK_TIME_LIMIT = 30
    CELERY_TRACK_STARTED = True  # the name of Celery 3, which is read beside a namespace
    CELERY_SAFECELERY_NOTE = "ours"
    OTHER_THING = 1


def test_in_a_namespace_only_names_with_its_prefix_are_settings(tmp_path: Path) -> None:
    app = create_app("orders", settings_in(tmp_path, broker={}), set_as_current=False)
    app.config_from_object(Namespaced(), namespace="CELERY")
    app.guard.settings = settings_in(tmp_path)
    assert app_facts(app, app.guard).unknown_settings == ("CELERY_TSK_TIME_LIMIT",)


def test_facts_carry_no_password(tmp_path: Path) -> None:
    app = an_app(tmp_path, results={"url": BROKER})
    assert "correct-horse" not in repr(app_facts(app, app.guard))

"""Which names Celery reads: held against the installed Celery, not against what this package believes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from celery import Celery
from celery.app.defaults import _TO_NEW_KEY, SETTING_KEYS
from celery.exceptions import ImproperlyConfigured

from safecelery.policy.setting_names import OLD_NAMES, advice, is_stray, mixed, read_as
from safecelery.policy.vocabulary import SETTINGS


def celery_reads(name: str, namespace: str | None, setting: str) -> bool:
    app = Celery("probe", set_as_current=False)
    app.config_from_object(SimpleNamespace(**{name: "marker"}), namespace=namespace)
    return app.conf.get(setting) == "marker"


def test_the_old_names_are_celerys() -> None:
    assert {old: new for old, new in OLD_NAMES.items() if new in SETTING_KEYS} == _TO_NEW_KEY


@pytest.mark.parametrize("namespace", [None, "CELERY"])
@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("task_time_limit", "task_time_limit"),
        ("TASK_TIME_LIMIT", "task_time_limit"),
        ("CELERY_TASK_TIME_LIMIT", "task_time_limit"),
        ("CELERYD_TASK_TIME_LIMIT", "task_time_limit"),
        ("CELERY_task_time_limit", "task_time_limit"),
        ("CELERY_Task_Time_Limit", "task_time_limit"),
        ("CELERY_ACKS_LATE", "task_acks_late"),
        ("CELERY_TASK_ACKS_LATE", "task_acks_late"),
        ("CELERYD_MAX_TASKS_PER_CHILD", "worker_max_tasks_per_child"),
        ("CELERY_CELERYD_MAX_TASKS_PER_CHILD", "worker_max_tasks_per_child"),
        ("BROKER_HEARTBEAT", "broker_heartbeat"),
        ("ENABLE_UTC", "enable_utc"),
        ("TASK_TRACK_STARTED", "task_track_started"),
    ],
)
def test_a_name_is_read_exactly_if_celery_reads_it(name: str, setting: str, namespace: str | None) -> None:
    assert (read_as(name, namespace) == setting) == celery_reads(name, namespace, setting)


@pytest.mark.parametrize(
    ("name", "namespace", "told"),
    [
        ("TASK_TIME_LIMIT", None, "write task_time_limit"),
        ("TASK_TIME_LIMIT", "CELERY", "write CELERY_TASK_TIME_LIMIT"),
        ("CELERY_TASK_TIME_LIMIT", None, "write task_time_limit"),
        ("CELERY_TIME_LIMIT", "CELERY", "write CELERY_TASK_TIME_LIMIT"),
        ("CELERYD_TIME_LIMIT", "CELERY", "write CELERY_TASK_TIME_LIMIT"),
        ("CELERY_CELERYD_MAX_TASKS_PER_CHILD", "CELERY", "write CELERY_WORKER_MAX_TASKS_PER_CHILD"),
        ("CELERY_MAX_TASKS_PER_CHILD", None, "write worker_max_tasks_per_child"),
        ("CELERY_TASK_TIME_LIMT", "CELERY", "did you mean CELERY_TASK_TIME_LIMIT?"),
        ("CELERY_BROKER", "CELERY", "did you mean CELERY_BROKER_URL?"),
        ("task_acks_lat", None, "did you mean task_acks_late?"),
        ("SHOP_TASK_ACKS_LATE", "SHOP", "write SHOP_TASK_ACKS_LATE"),
        ("CELERY_SHOE_SIZE", "CELERY", ""),
    ],
)
def test_the_advice_names_what_celery_reads(name: str, namespace: str | None, told: str) -> None:
    assert advice(name, namespace) == told


@pytest.mark.parametrize("old", sorted(OLD_NAMES))
@pytest.mark.parametrize("namespace", [None, "CELERY"])
def test_what_is_advised_for_an_old_name_is_read(old: str, namespace: str | None) -> None:
    spelt = advice(old, namespace).removeprefix("write ")
    assert read_as(spelt, namespace) in SETTINGS


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("TASK_TIME_LIMIT", None),
        ("WORKER_CONCURRENCY", "CELERY"),
        ("CELERY_TASK_TIME_LIMIT", None),
        ("CELERY_TASK_TIME_LIMT", "CELERY"),
        ("CELERY_BROKER", "CELERY"),
    ],
)
def test_a_name_meant_for_celery_is_stray_if_celery_does_not_read_it(name: str, namespace: str | None) -> None:
    assert is_stray(name, namespace)


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("CELERYD_TASK_TIME_LIMIT", "CELERY"),
        ("CELERY_TASK_TIME_LIMIT", "CELERY"),
        ("BROKER_URL", None),
        ("DATABASE_URL", "CELERY"),
        ("REDIS_HOST", "CELERY"),
        ("IMPORTS", "CELERY"),
        ("CELERY_SHOE_SIZE", "CELERY"),
        ("CELERY_WORKER_LIGHT_CONCURRENCY", "CELERY"),
        ("CELERY_TASK_LOCK_TIMEOUT", "CELERY"),
        ("DEBUG", None),
        ("_TASK_TIME_LIMIT", None),
    ],
)
def test_what_celery_reads_and_what_is_somebody_elses_is_not_stray(name: str, namespace: str | None) -> None:
    assert not is_stray(name, namespace)


@pytest.mark.parametrize(
    ("names", "namespace"),
    [
        (("task_acks_late", "CELERYD_TASK_TIME_LIMIT"), None),
        (("task_acks_late", "CELERYD_CONCURRENCY", "CELERY_ALWAYS_EAGER"), None),
        (("task_time_limit", "CELERYD_TASK_TIME_LIMIT"), None),
        (("CELERYD_CONCURRENCY", "CELERY_ALWAYS_EAGER"), None),
        (("task_acks_late", "TASK_TIME_LIMIT"), None),
        (("CELERY_TASK_ACKS_LATE", "CELERYD_CONCURRENCY"), "CELERY"),
        (("BROKER_URL", "task_acks_late"), None),
        ((), None),
    ],
)
def test_names_are_mixed_exactly_if_celery_refuses_them(names: tuple[str, ...], namespace: str | None) -> None:
    app = Celery("probe", set_as_current=False)
    app.config_from_object(SimpleNamespace(**dict.fromkeys(names, 1)), namespace=namespace)
    try:
        refused = not app.conf.finalize()
    except ImproperlyConfigured:
        refused = True
    assert bool(mixed(names, namespace)) == refused

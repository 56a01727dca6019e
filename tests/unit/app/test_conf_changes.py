"""A change of app.conf that breaks the policy is caught before it is used: at publish and at the next connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safecelery import PolicyViolationError, SafeCelery
from tests.unit.apps import BROKER, an_app

Change = Callable[[SafeCelery], Any]


def item(app: SafeCelery) -> None:
    app.conf["task_serializer"] = "pickle"


def attribute(app: SafeCelery) -> None:
    app.conf.accept_content = ["json", "pickle"]


def update(app: SafeCelery) -> None:
    app.conf.update(result_serializer="pickle")


def update_with_a_dict(app: SafeCelery) -> None:
    app.conf.update({"event_serializer": "yaml"})


def setdefault(app: SafeCelery) -> None:
    app.conf.changes.setdefault("task_protocol", 1)


def misspelt(app: SafeCelery) -> None:
    app.conf.task_time_limt = 30


def plain_results(app: SafeCelery) -> None:
    app.conf.result_backend = "redis://plain.example/0"


CHANGES: dict[Change, str] = {
    item: "SFC101",
    attribute: "SFC104",
    update: "SFC102",
    update_with_a_dict: "SFC103",
    setdefault: "SFC303",
    misspelt: "SFC903",
    plain_results: "SFC201",
}


@pytest.mark.parametrize(("change", "rule"), CHANGES.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_change_is_caught_at_the_next_publish(tmp_path: Path, change: Change, rule: str) -> None:
    app = an_app(tmp_path, memory=True)
    app.send_task("orders.fine")
    change(app)
    with pytest.raises(PolicyViolationError, match=rule):
        app.send_task("orders.not-fine")


@pytest.mark.parametrize(("change", "rule"), CHANGES.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_change_is_caught_at_the_next_connection(tmp_path: Path, change: Change, rule: str) -> None:
    app = an_app(tmp_path, memory=True)
    change(app)
    with pytest.raises(PolicyViolationError, match=rule):
        app.connection_for_write()
    with pytest.raises(PolicyViolationError, match=rule):
        app.guard.enforce_configuration(consumes=True)


def test_a_change_that_keeps_the_policy_is_fine(tmp_path: Path) -> None:
    app = an_app(tmp_path, memory=True)
    app.conf.task_default_priority = 3
    app.conf.update(worker_prefetch_multiplier=2)
    app.send_task("orders.fine")


def test_a_change_that_is_taken_back_is_fine(tmp_path: Path) -> None:
    app = an_app(tmp_path, memory=True)
    app.conf.task_serializer = "pickle"
    app.conf.task_serializer = "json"
    app.send_task("orders.fine")


def weaken_the_chain(app: SafeCelery) -> None:
    app.conf.broker_use_ssl["ssl_cert_reqs"] = ssl.CERT_NONE


def weaken_the_name(app: SafeCelery) -> None:
    app.conf.broker_use_ssl["ssl_check_hostname"] = False


def empty_the_options(app: SafeCelery) -> None:
    app.conf.broker_use_ssl.clear()


def another_url(app: SafeCelery) -> None:
    app.conf.broker_url = "redis://plain.example/0"


def a_read_url(app: SafeCelery) -> None:
    app.conf.broker_read_url = "redis://plain.example/0"


@pytest.mark.parametrize("change", [weaken_the_chain, weaken_the_name, empty_the_options, another_url, a_read_url])
def test_tls_options_changed_in_place_are_caught_at_the_next_connection(tmp_path: Path, change: Change) -> None:
    app = an_app(tmp_path)
    app.connection_for_write()
    change(app)
    with pytest.raises(PolicyViolationError, match="SFC20"):
        app.connection_for_write()
    with pytest.raises(PolicyViolationError, match="SFC20"):
        app.connection_for_read()


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"ssl_cert_reqs": ssl.CERT_NONE}, "SFC202"),
        ({"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": False}, "SFC203"),
        ({"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}, "SFC204|unknown"),
        (True, "SFC201"),
    ],
)
def test_unverified_tls_in_the_configuration_is_refused(tmp_path: Path, options: Any, rule: str) -> None:
    app = an_app(tmp_path)
    app.conf.broker_use_ssl = options
    with pytest.raises(PolicyViolationError, match=rule):
        app.connection_for_write()


def test_a_content_list_changed_in_place_is_caught(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    app.conf.accept_content = ["json"]
    app.connection_for_write()
    app.conf.accept_content.append("pickle")
    with pytest.raises(PolicyViolationError, match="SFC104"):
        app.connection_for_write()


@pytest.mark.parametrize("url", ["redis://plain.example/0", f"{BROKER};redis://plain.example/0", "amqp://a.example//"])
def test_a_url_that_a_caller_brings_is_held_to_the_policy(tmp_path: Path, url: str) -> None:
    app = an_app(tmp_path)
    for connect in (app.connection, app.connection_for_write, app.connection_for_read):
        with pytest.raises(PolicyViolationError, match="SFC20"):
            connect(url)


@pytest.mark.parametrize("options", [False, True, {}, {"ssl_cert_reqs": ssl.CERT_NONE}])
def test_tls_options_that_a_caller_brings_are_held_to_the_policy(tmp_path: Path, options: Any) -> None:
    app = an_app(tmp_path)
    with pytest.raises(PolicyViolationError, match="SFC20"):
        app.connection_for_write(BROKER, ssl=options)


def test_a_callers_url_that_keeps_the_policy_is_fine(tmp_path: Path) -> None:
    an_app(tmp_path).connection_for_write(BROKER.replace("/0", "/7"))


@pytest.mark.parametrize("name", ["CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"])
def test_celerys_own_variables_do_not_get_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """They win over every setting in celery/app/utils.py, and `celery --broker` sets one."""
    monkeypatch.setenv(name, "redis://plain.example/0")
    with pytest.raises(PolicyViolationError, match="SFC201"):
        an_app(tmp_path)


def test_celerys_result_variable_does_not_get_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "redis://plain.example/0")
    with pytest.raises(PolicyViolationError, match="SFC201"):
        an_app(tmp_path)

"""Source against live: what agrees, what is wrong, what is only open."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.audit.compare import compare


def value(found: Any, state: str = "known", env: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"state": state, "value": found, "env": list(env), "because": [{"file": "a.py", "line": 3, "what": "said"}]}


def task(name: str = "shop.add", line: int = 7, file: str = "shop/tasks.py", **options: Any) -> dict[str, Any]:
    return {"name": name, "file": file, "line": line, "options": options}


def document(*tasks: dict[str, Any], app: str = "shop", **conf: Any) -> dict[str, Any]:
    return {"apps": [{"name": app, "file": "shop/celery.py", "line": 3, "conf": conf}], "tasks": list(tasks)}


@pytest.mark.parametrize(
    ("option", "source", "live"),
    [
        ("time_limit_effective", 30, 30.0),
        ("acks_late", False, None),
        ("reject_on_worker_lost", None, False),
        ("retry_jitter", True, None),
        ("retry_backoff_max", None, 600),
        ("autoretry_for", [], None),
        ("autoretry_for", ["requests.RequestException"], ["requests.exceptions.RequestException"]),
        ("autoretry_for", ["a.B", "c.D"], ["c.D", "a.B"]),
    ],
)
def test_what_means_the_same_agrees(option: str, source: Any, live: Any) -> None:
    found = compare(document(task(**{option: value(source)})), document(task(**{option: value(live)})))
    assert found.differences == []
    assert found.agrees
    assert (found.tasks, found.compared) == (1, 1)


@pytest.mark.parametrize(
    ("option", "source", "live"),
    [
        ("time_limit_effective", 30, 60),
        ("time_limit_effective", 0, None),
        ("time_limit_effective", 1, True),
        ("acks_late", True, None),
        ("max_retries", None, 3),
        ("serializer", "json", "pickle"),
        ("autoretry_for", ["builtins.OSError"], ["builtins.ValueError"]),
    ],
)
def test_what_differs_is_said_with_both_values_and_the_evidence(option: str, source: Any, live: Any) -> None:
    found = compare(document(task(**{option: value(source)})), document(task(**{option: value(live)})))
    (difference,) = found.differences
    assert (difference.kind, difference.subject, difference.option) == ("differs", "shop.add", option)
    assert (difference.source, difference.live, difference.because) == (source, live, "said at a.py:3")
    assert (difference.file, difference.line) == ("shop/tasks.py", 7)
    assert not found.agrees


def test_an_unknown_value_is_shown_and_is_no_disagreement() -> None:
    found = compare(
        document(task(time_limit_effective=value(None, "unknown"))), document(task(time_limit_effective=value(30)))
    )
    assert [item.kind for item in found.differences] == ["abstained"]
    assert found.agrees


def test_the_default_of_an_environment_variable_may_differ() -> None:
    source = document(task(time_limit_effective=value(30, "default", ("LIMIT",))))
    found = compare(source, document(task(time_limit_effective=value(60))))
    assert [(item.kind, item.env) for item in found.differences] == [("environment", ("LIMIT",))]
    assert found.agrees


def test_a_default_that_depends_on_nothing_must_be_right() -> None:
    source = document(task(time_limit_effective=value(30, "default")))
    assert not compare(source, document(task(time_limit_effective=value(60)))).agrees


def test_settings_are_compared_for_the_app_of_that_name() -> None:
    source = document(task_time_limit=value(30), broker_url=value("redis://:****@h/0"))
    live = document(task_time_limit=value(60), broker_url=value("redis://:***@h/0"), timezone=value("UTC"))
    (difference,) = compare(source, live).differences
    assert (difference.subject, difference.option) == ("app shop", "task_time_limit")
    other = document(app="other", task_time_limit=value(30))
    assert not compare(other, live).agrees  # the only app there is
    other["apps"].append({"name": "third", "file": "x.py", "line": 1, "conf": {}})
    assert compare(other, live).compared == 0


def test_tasks_are_joined_by_place_first_then_by_name() -> None:
    options = {"acks_late": value(True)}
    assert compare(document(task("?", 7, **options)), document(task("shop.add", 7, **options))).differences == []
    assert compare(document(task("shop.add", 9, **options)), document(task("shop.add", 7, **options))).differences == []


def test_a_task_that_source_does_not_know_is_wrong_and_one_that_is_not_imported_is_not() -> None:
    found = compare(document(task("shop.idle", 40)), document(task("shop.add", 7)))
    assert [(item.kind, item.subject) for item in found.differences] == [
        ("unseen", "shop.add"),
        ("not-registered", "shop.idle"),
    ]
    assert not found.agrees
    assert compare(document(task("shop.idle", 40)), document()).agrees


def test_tasks_of_installed_packages_are_nobodys_source() -> None:
    live = document(task("pkg.job", file="/usr/lib/python3/pkg.py"), task("x", file=".venv/lib/site-packages/x.py"))
    found = compare(document(), live)
    assert (found.differences, found.tasks) == ([], 0)


def test_the_json_form_holds_everything() -> None:
    found = compare(document(task(acks_late=value(True))), document(task(acks_late=value(False)))).as_json()
    assert (found["schema"], found["agrees"], found["tasks"], found["compared"]) == (1, False, 1, 1)
    assert found["differences"][0]["option"] == "acks_late"

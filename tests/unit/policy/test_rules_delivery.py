"""Rules of delivery beyond their pages: what decides, what leaves them undecided, and values of any type."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.policy import ABSENT, UNKNOWN, load_policy
from safecelery.policy.broker import broker_scheme, visibility_timeout
from safecelery.policy.facts import CallFacts, Facts, QueueFacts, RouteFacts, SettingsFacts, TaskFacts
from safecelery.policy.rule import PASS, Fail, Undecided, Verdict
from safecelery.policy.rules import BY_CODE, CATALOGUE, CODE_BY_NAME
from safecelery.policy.rules.waits import longest_wait, total_wait
from safecelery.policy.setting_defaults import SETTING_DEFAULTS
from tests.unit.policy.policy_builders import (
    a_call,
    a_place_in_code,
    a_queue,
    a_route,
    a_schedule,
    a_task,
    some_settings,
)

LIMITS = load_policy("baseline").limits
REDIS = "rediss://redis.example:6379/0"
RABBIT = "amqps://rabbit.example//"


def told(name: str, facts: Facts) -> Verdict:
    return BY_CODE[CODE_BY_NAME[name]].check(facts, LIMITS)


def word(verdict: Verdict) -> str:
    return "pass" if verdict is PASS else "fail" if isinstance(verdict, Fail) else "undecided"


class TestBroker:
    @pytest.mark.parametrize(
        ("stated", "scheme"),
        [
            ({}, "amqp"),
            ({"broker_url": REDIS}, "rediss"),
            ({"broker_url": [REDIS, RABBIT]}, "rediss"),
            ({"broker_url": f"{REDIS};{RABBIT}"}, "rediss"),
            ({"broker_url": None, "broker_read_url": REDIS}, "rediss"),
            ({"broker_transport": "redis"}, "redis"),
            ({"broker_url": UNKNOWN}, UNKNOWN),
            ({"broker_url": "redis.example"}, UNKNOWN),
            ({"broker_url": 3}, UNKNOWN),
        ],
    )
    def test_is_what_the_first_url_says(self, stated: dict[str, Any], scheme: object) -> None:
        assert broker_scheme(some_settings(stated)) == scheme

    @pytest.mark.parametrize(
        ("stated", "seconds"),
        [
            ({"broker_url": REDIS}, 3600),
            ({"broker_url": "sqs://"}, 1800),
            ({"broker_url": RABBIT, "broker_transport_options": {"visibility_timeout": 5}}, ABSENT),
            ({"broker_url": REDIS, "broker_transport_options": {"visibility_timeout": "5"}}, "5"),
            ({"broker_url": REDIS, "broker_transport_options": {"visibility_timeout": UNKNOWN}}, UNKNOWN),
            ({"broker_url": REDIS, "broker_transport_options": UNKNOWN}, UNKNOWN),
            ({"broker_url": REDIS, "broker_transport_options": None}, 3600),
            ({"broker_url": UNKNOWN}, UNKNOWN),
        ],
    )
    def test_delivers_again_after_its_own_time(self, stated: dict[str, Any], seconds: object) -> None:
        assert visibility_timeout(some_settings(stated)) == seconds

    def test_of_a_configuration_that_is_read_in_part_is_unknown(self) -> None:
        assert visibility_timeout(some_settings({}, complete=False)) is UNKNOWN


@pytest.mark.parametrize(
    ("rule", "facts", "verdict"),
    [
        ("visibility-timeout-too-short", some_settings({"broker_url": UNKNOWN}), "undecided"),
        ("limit-beyond-visibility-timeout", a_task(time_limit=3600, visibility_timeout_s=3600), "fail"),
        ("limit-beyond-visibility-timeout", a_task(time_limit=3600, visibility_timeout_s=60, acks_late=False), "pass"),
        ("limit-beyond-visibility-timeout", a_task(time_limit=None, visibility_timeout_s=60), "pass"),
        ("limit-beyond-visibility-timeout", a_task(time_limit=3600, visibility_timeout_s=UNKNOWN), "undecided"),
        ("call-beyond-visibility-timeout", a_call(delay_s=60, visibility_timeout_s=UNKNOWN), "undecided"),
        ("call-beyond-visibility-timeout", a_call(visibility_timeout_s=UNKNOWN), "pass"),
        ("call-beyond-visibility-timeout", a_call(delay_s=-9, visibility_timeout_s=5), "pass"),
        (
            "retry-beyond-visibility-timeout",
            a_task(visibility_timeout_s=16, default_retry_delay=1),
            "fail",
        ),
        (
            "retry-beyond-visibility-timeout",
            a_task(visibility_timeout_s=17, default_retry_delay=1),
            "pass",
        ),
        ("retry-beyond-visibility-timeout", a_task(visibility_timeout_s=900, max_retries=UNKNOWN), "undecided"),
        ("queue-without-delivery-limit", a_queue(broker=UNKNOWN, arguments={}), "undecided"),
        ("queue-without-delivery-limit", a_queue(arguments=UNKNOWN), "undecided"),
        ("queue-without-delivery-limit", a_queue(arguments={"x-queue-type": "quorum"}), "pass"),
        ("queue-without-delivery-limit", a_queue(arguments={"x-queue-type": "stream"}), "pass"),
        ("queue-not-durable", a_queue(durable=UNKNOWN), "undecided"),
        ("queue-not-durable", a_queue(durable=False, broker="sqs"), "pass"),
        ("route-to-undeclared-queue", a_route(declared=UNKNOWN, created=False), "undecided"),
        ("route-to-undeclared-queue", a_route(declared=UNKNOWN, created=True), "pass"),
        ("route-to-unread-queue", a_route(consumed=UNKNOWN), "undecided"),
        ("route-matches-no-task", a_route(matches=UNKNOWN), "undecided"),
        ("call-expires-before-it-is-due", a_call(expires_s=60, delay_s=60), "fail"),
        ("call-expires-before-it-is-due", a_call(expires_s=60, delay_s=UNKNOWN), "undecided"),
        ("call-expires-before-it-is-due", a_call(expires_s=-1, delay_s=UNKNOWN), "fail"),
        ("timeout-loops", a_task(acks_on_timeout=False, time_limit=None), "pass"),
        ("timeout-loops", a_task(acks_on_timeout=False, acks_late=False), "pass"),
        ("timeout-loops", a_task(acks_on_timeout=UNKNOWN), "undecided"),
        ("timeout-loops", a_task(acks_on_timeout=False), "fail"),
        ("message-rejected-back", a_place_in_code(kind="reject-requeue", certain=False), "undecided"),
        ("message-rejected-back", a_place_in_code(kind="retry-swallowed"), "pass"),
        ("schedule-piles-up", a_schedule(period_s=60, expires_s=ABSENT), "fail"),
        ("schedule-piles-up", a_schedule(period_s=60, expires_s=ABSENT, task_expires_s=50), "pass"),
        ("schedule-piles-up", a_schedule(period_s=60, expires_s=ABSENT, task_expires_s=UNKNOWN), "undecided"),
        ("schedule-piles-up", a_schedule(period_s=601, expires_s=ABSENT), "pass"),
        ("prefetch-unlimited", some_settings({"worker_prefetch_multiplier": False}), "fail"),
        ("prefetch-behind-long-tasks", some_settings({}, longest_limit_s=None), "fail"),
        ("prefetch-behind-long-tasks", some_settings({}, longest_limit_s=UNKNOWN), "undecided"),
        ("prefetch-behind-long-tasks", some_settings({"worker_disable_prefetch": True}, longest_limit_s=None), "pass"),
        ("lost-connection-runs-task-twice", some_settings({}, longest_limit_s=UNKNOWN), "undecided"),
        ("publish-retries-unbounded", some_settings({"task_publish_retry_policy": {}}), "fail"),
        ("publish-retries-unbounded", some_settings({"task_publish_retry_policy": {"max_retries": 0}}), "pass"),
        ("publish-retries-unbounded", some_settings({"task_publish_retry_policy": UNKNOWN}), "undecided"),
        ("deduplication-without-results", some_settings({"worker_deduplicate_successful_tasks": UNKNOWN}), "undecided"),
        (
            "messages-not-persistent",
            some_settings({"task_default_delivery_mode": 1, "broker_url": UNKNOWN}),
            "undecided",
        ),
        ("broker-acknowledgements-off", some_settings({"broker_url": REDIS}, complete=False), "undecided"),
        ("broker-acknowledgements-off", some_settings({"broker_url": RABBIT}), "pass"),
    ],
)
def test_edges(rule: str, facts: Facts, verdict: str) -> None:
    assert word(told(rule, facts)) == verdict


@pytest.mark.parametrize(
    ("change", "longest", "total"),
    [
        ({"max_retries": 3}, 4, 7),
        ({"max_retries": 3, "retry_backoff": 10}, 40, 70),
        ({"max_retries": 3, "retry_backoff": 10, "retry_backoff_max": 15}, 15, 40),
        ({"max_retries": 3, "retry_backoff": 0.5}, 4, 7),
        ({"max_retries": None}, 600, 33_423),
        ({"max_retries": 2, "retry_backoff": False, "default_retry_delay": 30}, 30, 60),
        ({"max_retries": 2, "retry_backoff": False, "retry_kwargs": {"countdown": 5}}, 5, 10),
        ({"max_retries": 0}, None, None),
        ({"autoretry_for": ()}, None, None),
        ({"max_retries": UNKNOWN}, UNKNOWN, UNKNOWN),
        ({"retry_backoff": False, "retry_kwargs": UNKNOWN}, UNKNOWN, UNKNOWN),
        ({"retry_backoff_max": float("inf")}, None, None),
    ],
)
def test_waits_are_added_up_as_celery_waits(change: dict[str, Any], longest: object, total: object) -> None:
    task = a_task(**change)
    assert longest_wait(task) == longest
    assert total_wait(task) == total


HOSTILE: list[object] = [
    UNKNOWN,
    None,
    True,
    0,
    -1,
    10**5000,
    float("nan"),
    "x",
    "",
    (),
    [],
    {},
    {"max_retries": "x"},
    object(),
    ABSENT,
    UNKNOWN,
]
KINDS = {
    TaskFacts: (a_task, "acks_on_timeout default_retry_delay expires_s visibility_timeout_s does_io duplicate_of"),
    CallFacts: (a_call, "delay_s expires_s visibility_timeout_s"),
    QueueFacts: (a_queue, "broker arguments durable delivery_mode"),
    RouteFacts: (a_route, "queue declared created consumed matches"),
}


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_any_value_in_any_field_gives_a_verdict(kind: type, value: object) -> None:
    build, names = KINDS[kind]
    for name in names.split():
        facts = build(**{name: value})
        for rule in CATALOGUE:
            if rule.subject is kind:
                assert isinstance(rule.check(facts, LIMITS), type(PASS) | Fail | Undecided)


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
def test_any_value_of_any_setting_gives_a_verdict(value: object) -> None:
    for name in SETTING_DEFAULTS:
        facts = some_settings({"broker_url": REDIS, name: value}, longest_limit_s=None, commands_bound_children=False)
        for rule in CATALOGUE:
            if rule.subject is SettingsFacts:
                assert isinstance(rule.check(facts, LIMITS), type(PASS) | Fail | Undecided), (name, rule)


@pytest.mark.parametrize("code", ["SFC502", "SFC503"])
def test_what_happens_to_a_message_that_is_already_acknowledged_is_one_rule_s_business(code: str) -> None:
    early = a_task(acks_late=False, reject_on_worker_lost=None, retry_on_worker_lost=False)
    assert BY_CODE[code].check(early, LIMITS) is PASS


def test_a_task_that_is_not_given_back_does_not_loop() -> None:
    lost = a_task(acks_late=True, reject_on_worker_lost=None, retry_on_worker_lost=False)
    assert BY_CODE["SFC503"].check(lost, LIMITS) is PASS
    assert isinstance(BY_CODE["SFC502"].check(lost, LIMITS), Fail)

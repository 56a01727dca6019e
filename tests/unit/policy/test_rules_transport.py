"""Edges of the rules about connections: what they leave alone, and that no message shows a secret."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.policy import UNKNOWN, load_policy
from safecelery.policy.rule import PASS, Fail, Undecided, Verdict
from safecelery.policy.rules import BY_CODE, CODE_BY_NAME
from tests.unit.policy.policy_builders import some_settings

BASELINE_LIMITS = load_policy("baseline").limits


def ask_transport(name: str, *, production: Any = True, **stated: Any) -> Verdict:
    facts = some_settings(stated, production=production)
    return BY_CODE[CODE_BY_NAME[name]].check(facts, BASELINE_LIMITS)


def shown_by(verdict: Verdict) -> str:
    assert isinstance(verdict, Fail)
    return verdict.detail


@pytest.mark.parametrize(
    "url",
    [
        "amqp://guest:guest@rabbit.example",
        "redis://:secret@localhost:6379/0",
        "redis://:secret@127.0.0.1/0",
        "amqp://shop:<password>@rabbit.example",
        "amqp://shop:${PASSWORD}@rabbit.example",
        "amqp://shop:{password}@rabbit.example",
        "amqp://shop:***@rabbit.example",
        "redis://redis.example/0",
        UNKNOWN,
        None,
    ],
)
def test_what_is_no_secret_may_stand_in_the_source(url: object) -> None:
    assert ask_transport("password-in-url", broker_url=url) is PASS


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("broker_url", "amqps://shop:Eech4oox@rabbit.example"),
        ("broker_url", "amqps://a@one.example;amqps://shop:Eech4oox@two.example"),
        ("broker_read_url", ["amqps://shop:Eech4oox@rabbit.example"]),
        ("result_backend", "db+postgresql://shop:Eech4oox@db.example/shop"),
        ("broker_url", "sqs://AKIAIOSFODNN7EXAMPLE:Eech4oox@"),
        ("result_backend", "azureblockblob://DefaultEndpointsProtocol=https;AccountKey=Eech4oox"),
    ],
)
def test_a_password_in_a_url_is_reported_and_not_repeated(setting: str, value: object) -> None:
    assert "Eech4oox" not in shown_by(ask_transport("password-in-url", **{setting: value}))


def test_a_secret_deep_in_transport_options_is_found_and_not_repeated() -> None:
    options = {"predefined_queues": {"shop": {"secret_access_key": "Eech4oox"}}}
    detail = shown_by(ask_transport("secret-in-settings", broker_transport_options=options))
    assert "secret_access_key" in detail
    assert "Eech4oox" not in detail


def test_tls_is_asked_for_in_vain_only_where_it_can_be_told() -> None:
    assert isinstance(ask_transport("tls-switched-on-in-vain", broker_url=UNKNOWN, broker_use_ssl=True), Undecided)
    assert ask_transport("tls-switched-on-in-vain", broker_url="amqp://h", broker_use_ssl=True) is PASS
    assert ask_transport("tls-switched-on-in-vain", broker_url="redis://h", broker_use_ssl=False) is PASS
    by_url = "rediss://h?ssl_cert_reqs=required"
    assert ask_transport("tls-switched-on-in-vain", broker_url=by_url, broker_use_ssl=True) is PASS


def test_one_member_of_a_failover_list_is_enough() -> None:
    urls = "amqps://a.example;redis://b.example"
    assert "b.example" in shown_by(ask_transport("tls-switched-on-in-vain", broker_url=urls, broker_use_ssl=True))


def test_an_unreadable_requirement_is_not_a_switch_that_is_off() -> None:
    verdict = ask_transport("tls-verification-switched-off", broker_use_ssl={"ssl_cert_reqs": UNKNOWN})
    assert isinstance(verdict, Undecided)
    assert isinstance(ask_transport("tls-verification-switched-off", broker_use_ssl=UNKNOWN), Undecided)
    assert ask_transport("tls-verification-switched-off", broker_use_ssl=True) is PASS


def test_amqp_reads_tls_from_its_transport_options_and_redis_does_not() -> None:
    options = {"ssl": {"ca_certs": "/ca"}}
    name = "tls-options-nobody-reads"
    assert ask_transport(name, broker_url="amqp://h", broker_transport_options=options) is PASS
    assert "ssl" in shown_by(ask_transport(name, broker_url="redis://h", broker_transport_options=options))


def test_confirms_are_asked_of_rabbitmq_alone() -> None:
    assert isinstance(ask_transport("publisher-confirms-off", broker_url=UNKNOWN), Undecided)
    assert ask_transport("publisher-confirms-off", broker_url="redis://h") is PASS
    assert ask_transport("publisher-confirms-off") is PASS
    options = {"confirm_publish": UNKNOWN}
    verdict = ask_transport("publisher-confirms-off", broker_url="amqp://h", broker_transport_options=options)
    assert isinstance(verdict, Undecided)


def test_a_memory_broker_is_for_tests() -> None:
    assert ask_transport("broker-of-one-process", production=False, broker_url="memory://") is PASS
    assert isinstance(ask_transport("broker-of-one-process", production=UNKNOWN, broker_url="memory://"), Undecided)

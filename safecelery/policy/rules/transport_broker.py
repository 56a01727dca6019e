"""2xx: how the connection to the broker behaves when something goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from safecelery.policy.facts import ABSENT, UNKNOWN, SettingsFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict
from safecelery.policy.settings_reading import broker_urls, families, key_of, result_store, setting, stated
from safecelery.policy.stock_tls import broker_family, masked_url, url_parts

__all__ = ["RULES"]

_ONE_PROCESS: Final = ("memory", "filesystem")
_REDELIVERING: Final = frozenset({"redis", "sqs", "slmq", "pgmq", "azureservicebus", "azurestoragequeues"})
"""Transports that read visibility_timeout (kombu/transport/)."""


def _one_process(facts: SettingsFacts, _: Limits) -> Verdict:
    urls = broker_urls(facts)
    if urls is UNKNOWN:
        return unreadable("the broker URL")
    for url in urls:
        if (url_parts(url)[0] or url) in _ONE_PROCESS:
            if facts.production is True:
                return Fail(f"the broker is {masked_url(url)}")
            if facts.production is UNKNOWN:
                return Undecided(
                    f"the broker is {masked_url(url)}, and it cannot be determined whether this is production"
                )
    return PASS


def _confirms(facts: SettingsFacts, _: Limits) -> Verdict:
    kinds = families(facts)
    if kinds is UNKNOWN:
        return unreadable("the kind of broker")
    if "amqp" not in kinds or not broker_urls(facts):
        return PASS
    options = setting(facts, "broker_transport_options")
    asked = key_of(options, "confirm_publish")
    if asked is UNKNOWN:
        return unreadable("confirm_publish in broker_transport_options")
    return PASS if asked is True else Fail(f"confirm_publish is {'not stated' if asked is ABSENT else shown(asked)}")


def _redis_timeout(facts: SettingsFacts, _: Limits) -> Verdict:
    value = stated(facts, "redis_socket_timeout")
    if value is ABSENT or value is UNKNOWN or value not in (None, False, 0):
        return PASS
    kind = result_store(facts)
    if kind is UNKNOWN:
        return unreadable("the kind of result backend")
    return Fail(f"redis_socket_timeout is {shown(value)}") if broker_family(kind) == "redis" else PASS


def _other_transport(facts: SettingsFacts, _: Limits) -> Verdict:
    options = stated(facts, "broker_transport_options")
    if not isinstance(options, Mapping):
        return PASS
    kinds = families(facts)
    if kinds is UNKNOWN:
        asked = sorted(key for key in ("visibility_timeout", "confirm_publish") if key in options)
        return Undecided(f"{asked[0]} is stated, and the kind of broker cannot be determined") if asked else PASS
    if "visibility_timeout" in options and kinds == {"amqp"}:
        return Fail("visibility_timeout is stated, and RabbitMQ has none: its own limit is consumer_timeout")
    if (
        options.get("confirm_publish") is True
        and kinds
        and "amqp" not in kinds
        and kinds <= (_REDELIVERING | {"local"})
    ):
        return Fail(f"confirm_publish is stated, and only AMQP confirms; the broker is {', '.join(sorted(kinds))}")
    return PASS


def _plain_sqs(facts: SettingsFacts, _: Limits) -> Verdict:
    kinds = families(facts)
    if kinds is UNKNOWN or "sqs" not in kinds:
        return PASS
    value = key_of(setting(facts, "broker_transport_options"), "is_secure")
    return Fail("is_secure is False in broker_transport_options") if value is False else PASS


RULES = (
    Rule(
        code="SFC215",
        name="broker-of-one-process",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_one_process,
        message="sends tasks to a broker that ends with the process or lives on one host's disk",
        fix="use Redis or RabbitMQ; keep memory:// and filesystem:// for tests",
    ),
    Rule(
        code="SFC216",
        name="publisher-confirms-off",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_confirms,
        message="does not wait for RabbitMQ to say that it has a message, so one may be lost without an error",
        fix="set broker_transport_options = {'confirm_publish': True}",
    ),
    Rule(
        code="SFC217",
        name="redis-socket-timeout-off",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_redis_timeout,
        message="waits for ever for a Redis that does not answer",
        fix="leave redis_socket_timeout out (120 s), or state a number of seconds",
    ),
    Rule(
        code="SFC218",
        name="option-of-another-broker",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_other_transport,
        message="states a safety option that its broker does not have",
        fix="remove it, and set what this broker has instead",
    ),
    Rule(
        code="SFC219",
        name="sqs-over-plain-http",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_plain_sqs,
        message="talks to SQS without TLS, its signed requests readable",
        fix="remove is_secure from broker_transport_options; it is needed for local emulators only",
    ),
)

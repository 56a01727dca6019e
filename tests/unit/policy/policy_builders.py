"""Facts that keep every rule of the baseline, for tests to break one at a time; and rule pages read as facts."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from typing import Any

from safecelery.policy.facts import (
    ABSENT,
    UNKNOWN,
    AppFacts,
    CallFacts,
    CodeFacts,
    DeployFacts,
    Facts,
    FileFacts,
    PackageFacts,
    Place,
    QueueFacts,
    RouteFacts,
    ScheduleFacts,
    SettingsFacts,
    SuppressionFacts,
    TaskFacts,
    TransportFacts,
    TrustFacts,
    VerdictFacts,
    WaiverFacts,
)

WHERE = Place("shop/tasks.py", 7)
TODAY = date(2025, 6, 15)


def a_task(**changes: Any) -> TaskFacts:
    facts: dict[str, Any] = {
        "name": "shop.charge",
        "where": WHERE,
        "serializer": "json",
        "time_limit": 30,
        "soft_time_limit": 25,
        "acks_late": True,
        "reject_on_worker_lost": True,
        "retry_on_worker_lost": True,
        "autoretry_for": ("builtins.ConnectionError",),
        "retry_backoff": True,
        "retry_backoff_max": 600,
        "retry_jitter": True,
        "max_retries": 5,
        "unknown_options": (),
        "acks_on_timeout": True,
        "retry_kwargs": {},
        "dont_autoretry_for": (),
        "default_retry_delay": 180,
        "expires_s": None,
        "routing_options": (),
        "does_io": False,
        "visibility_timeout_s": ABSENT,
        "duplicate_of": None,
        "named": True,
        "imported": True,
    }
    return TaskFacts(**(facts | changes))


def a_call(**changes: Any) -> CallFacts:
    facts: dict[str, Any] = {
        "task": "shop.charge",
        "where": WHERE,
        "time_limit": ABSENT,
        "soft_time_limit": ABSENT,
        "task_time_limit": 30,
        "task_soft_time_limit": 25,
        "serializer": ABSENT,
        "retries": ABSENT,
        "unknown_options": (),
        "visibility_timeout_s": ABSENT,
        "task_expires_s": None,
    }
    return CallFacts(**(facts | changes))


def a_transport(**changes: Any) -> TransportFacts:
    facts: dict[str, Any] = {
        "role": "broker",
        "where": Place("settings"),
        "production": True,
        "url": "rediss://shop:***@redis.example:6379/0",
        "scheme": "rediss",
        "tls": True,
        "verified": True,
        "host_checked": True,
        "tls_floor": "TLSv1.2",
        "local": False,
        "password": "set",
    }
    return TransportFacts(**(facts | changes))


def an_app(**changes: Any) -> AppFacts:
    facts: dict[str, Any] = {
        "where": Place("settings"),
        "production": True,
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "accept_content": frozenset({"json"}),
        "result_accept_content": None,
        "signing": True,
        "trusted_keys": 1,
        "brokers": (a_transport(),),
        "results": a_transport(role="results"),
        "worker_pool": "prefork",
        "task_protocol": 2,
        "unknown_settings": (),
        "report_mode": (),
    }
    return AppFacts(**(facts | changes))


def a_waiver_on(**changes: Any) -> WaiverFacts:
    facts: dict[str, Any] = {
        "where": Place("policy.toml waivers #1"),
        "waived": "SFC501 early-acknowledgement",
        "owner": "payments",
        "expires": date(2025, 12, 31),
        "today": TODAY,
    }
    return WaiverFacts(**(facts | changes))


def a_suppression(**changes: Any) -> SuppressionFacts:
    facts: dict[str, Any] = {"where": WHERE, "text": "safecelery: ignore[SFC401] the driver has its own time limit"}
    return SuppressionFacts(**(facts | changes))


def a_verdict(**changes: Any) -> VerdictFacts:
    facts: dict[str, Any] = {"where": WHERE, "rule": "SFC401 hard-time-limit-missing", "about": "shop.charge"}
    return VerdictFacts(**(facts | changes))


def some_settings(stated: dict[str, Any] | None = None, **changes: Any) -> SettingsFacts:
    """An app that states nothing, or just ``stated``; the rest are Celery's defaults."""
    facts: dict[str, Any] = {"app": "shop", "where": Place("shop/celery.py", 3), "production": True}
    return SettingsFacts(**(facts | {"stated": stated or {}} | changes))


def a_schedule(**changes: Any) -> ScheduleFacts:
    facts: dict[str, Any] = {
        "entry": "hourly",
        "where": WHERE,
        "task": "shop.charge",
        "registered": True,
        "period_s": 3600,
        "task_time_limit": 30,
        "expires_s": 1800,
        "task_expires_s": None,
        "args_problem": None,
        "unknown_keys": (),
    }
    return ScheduleFacts(**(facts | changes))


def a_queue(**changes: Any) -> QueueFacts:
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 5, "x-dead-letter-exchange": "dead"}
    facts: dict[str, Any] = {"name": "billing", "where": WHERE, "broker": "amqps", "arguments": arguments}
    return QueueFacts(**(facts | changes))


def a_route(**changes: Any) -> RouteFacts:
    facts: dict[str, Any] = {
        "task": "shop.*",
        "where": WHERE,
        "queue": "billing",
        "declared": True,
        "created": False,
        "consumed": True,
        "matches": True,
    }
    return RouteFacts(**(facts | changes))


def a_place_in_code(**changes: Any) -> CodeFacts:
    facts: dict[str, Any] = {"kind": "", "where": WHERE, "task": "shop.charge", "detail": "what was met"}
    return CodeFacts(**(facts | changes))


def a_trusted_key(**changes: Any) -> TrustFacts:
    facts: dict[str, Any] = {
        "kid": "billing.1",
        "where": Place("trust.toml", 1),
        "expires_s": 31_536_000,
        "send": ("billing.*",),
        "queues": ("billing",),
        "control": (),
        "revoked": False,
    }
    return TrustFacts(**(facts | changes))


def a_process(**changes: Any) -> DeployFacts:
    facts: dict[str, Any] = {"role": "worker", "where": Place("Procfile", 1), "command": "celery -A shop worker"}
    return DeployFacts(**(facts | changes))


def a_package(**changes: Any) -> PackageFacts:
    facts: dict[str, Any] = {
        "name": "celery",
        "where": Place("requirements.txt", 1),
        "version": (5, 7, 0),
        "specifier": "==5.7.0",
    }
    return PackageFacts(**(facts | changes))


def a_file(**changes: Any) -> FileFacts:
    facts: dict[str, Any] = {"where": Place("keys/worker.pem"), "kind": "private-key", "detail": "a private key"}
    return FileFacts(**(facts | changes))


BUILDERS = {
    "task": a_task,
    "call": a_call,
    "transport": a_transport,
    "app": an_app,
    "waiver": a_waiver_on,
    "suppression": a_suppression,
    "verdict": a_verdict,
    "settings": some_settings,
    "schedule": a_schedule,
    "queue": a_queue,
    "route": a_route,
    "code": a_place_in_code,
    "trust": a_trusted_key,
    "process": a_process,
    "package": a_package,
    "file": a_file,
}

_WORDS = {"UNKNOWN": UNKNOWN, "ABSENT": ABSENT, "None": None}
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections(page: str) -> dict[str, str]:
    """The second-level headings of a page, each with its text."""
    return {title.strip(): body for title, body in _SECTION.findall(page)}


def facts_in(section: str) -> list[Facts]:
    """The facts of every fenced block of ``toml facts``, which lists fields."""
    found: list[Facts] = []
    for language, text in _BLOCK.findall(section):
        if language != "toml facts":
            raise ValueError(f"a block of {language!r}: use 'toml facts'")
        found.append(facts_from_toml(tomllib.loads(text)))
    return found


def facts_from_toml(table: dict[str, Any]) -> Facts:
    build = BUILDERS[table.pop("subject")]
    return build(**{key: _value(key, value) for key, value in table.items()})


def _value(key: str, value: Any) -> Any:
    if isinstance(value, str):
        return _WORDS.get(value, value)
    if isinstance(value, dict):
        return {name: _value("", item) for name, item in value.items()}
    if key == "brokers":
        return tuple(a_transport(**entry) for entry in value)
    if isinstance(value, list):
        return frozenset(value) if key.endswith("accept_content") else tuple(value)
    return value

"""The edges of the rules about processes that the pages do not show."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest

from safecelery.policy import load_policy
from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts, FileFacts, Place
from safecelery.policy.rule import PASS, Fail, Undecided, Verdict
from safecelery.policy.rules import BY_CODE, CATALOGUE, CODE_BY_NAME

LIMITS = load_policy("baseline").limits
RULES = [rule for rule in CATALOGUE if rule.subject is DeployFacts]


def a_process(**changes: Any) -> DeployFacts:
    known: dict[str, Any] = {"role": "worker", "where": Place("Procfile", 1), "command": "celery -A shop worker"}
    return DeployFacts(**(known | changes))


def ask(name: str, **changes: Any) -> Verdict:
    return BY_CODE[CODE_BY_NAME[name]].check(a_process(**changes), LIMITS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
@pytest.mark.parametrize("role", ["worker", "beat", "flower", "broker", "other"])
def test_any_value_of_any_type_gives_a_verdict(rule: Any, role: str) -> None:
    names = [field.name for field in fields(DeployFacts) if field.name not in ("role", "where", "production")]
    for value in (UNKNOWN, ABSENT, None, True, -1, 10**400, math.nan, math.inf, "", "x,y", (), ("",), [1], {}):
        for name in names:
            verdict = rule.check(a_process(role=role, **{name: value}), LIMITS)
            assert verdict is PASS or isinstance(verdict, Fail | Undecided)
        verdict = rule.check(replace(a_process(role=role), **dict.fromkeys(names, value)), LIMITS)
        assert verdict is PASS or isinstance(verdict, Fail | Undecided)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_files_for_development_are_left_alone(rule: Any) -> None:
    for role in ("worker", "beat", "flower", "broker"):
        process = a_process(
            role=role, production=False, pool="solo", time_limit=0, root=True, forces_root=True, restarts=False,
            health_check=False, authenticated=False, open_api=True, published=("0.0.0.0:1",), password="none",
            secrets_in_command=("-b",), statedb="/tmp/x", embedded_beat=True, beats=2, overlaps=True, loglevel="debug",
        )  # fmt: skip
        assert rule.check(process, LIMITS) is PASS


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("worker-pool-ignores-time-limits", {"pool": UNKNOWN}),
        ("worker-pool-not-allowed", {"pool": UNKNOWN}),
        ("worker-time-limit-too-high", {"time_limit": UNKNOWN}),
        ("worker-time-limits-out-of-order", {"time_limit": UNKNOWN, "soft_time_limit": 3}),
        ("worker-prefetch-out-of-range", {"prefetch_multiplier": UNKNOWN}),
        ("unknown-command-option", {"unknown_options": UNKNOWN}),
        ("process-runs-as-root", {"root": UNKNOWN}),
        ("root-forced", {"forces_root": UNKNOWN}),
        ("worker-state-file", {"statedb": UNKNOWN}),
        ("beat-schedule-file-default", {"role": "beat", "settings_scheduler": UNKNOWN}),
        ("beat-schedule-file-default", {"role": "beat", "settings_schedule_file": UNKNOWN}),
        ("beat-inside-worker", {"embedded_beat": UNKNOWN}),
        ("beat-more-than-once", {"role": "beat", "beats": UNKNOWN}),
        ("beat-overlaps-on-rollout", {"role": "beat", "overlaps": UNKNOWN}),
        ("health-check-missing", {"health_check": UNKNOWN}),
        ("worker-child-lifetime-unbounded", {"settings_bound_children": UNKNOWN}),
        ("ui-without-authentication", {"role": "flower", "authenticated": UNKNOWN}),
        ("ui-published-to-all", {"role": "flower", "published": UNKNOWN}),
        ("broker-service-without-password", {"role": "broker", "password": UNKNOWN}),
        ("broker-service-published", {"role": "broker", "published": UNKNOWN}),
        ("debug-log-level", {"loglevel": UNKNOWN}),
        ("stop-grace-too-short", {"stop_grace_s": UNKNOWN, "time_limit": 30}),
        ("stop-grace-too-short", {"stop_grace_s": 10, "longest_task_s": UNKNOWN}),
        ("restart-policy-missing", {"restarts": UNKNOWN}),
    ],
)
def test_what_cannot_be_known_is_undecided(name: str, unknown: dict[str, Any]) -> None:
    assert isinstance(ask(name, **unknown), Undecided)


BEAT_IN_TMP = {"role": "beat", "schedule_file": "/tmp/s"}
SHELF = "celery.beat:PersistentScheduler"


@pytest.mark.parametrize(
    ("name", "facts", "plain", "unknown", "hardened"),
    [
        ("worker-state-file", {"statedb": "/var/lib/w"}, Fail, Undecided, PASS),
        ("pickled-file-in-shared-directory", {"statedb": "/tmp/w"}, Fail, Undecided, PASS),
        ("pickled-file-in-shared-directory", BEAT_IN_TMP, Fail, Undecided, PASS),
        ("pickled-file-in-shared-directory", BEAT_IN_TMP | {"scheduler": SHELF}, Fail, Fail, Fail),
        ("pickled-file-in-shared-directory", BEAT_IN_TMP | {"scheduler": "redbeat"}, PASS, PASS, PASS),
        ("beat-schedule-file-default", {"role": "beat"}, Fail, Undecided, PASS),
        ("beat-schedule-file-default", {"role": "beat", "settings_scheduler": SHELF}, Fail, Fail, Fail),
    ],
)  # fmt: skip
def test_state_files_of_an_app_of_ours_are_no_pickles(
    name: str, facts: dict[str, Any], plain: Any, unknown: Any, hardened: Any
) -> None:
    for value, expected in ((False, plain), (UNKNOWN, unknown), (True, hardened)):
        verdict = ask(name, hardened=value, **facts)
        assert verdict is PASS if expected is PASS else isinstance(verdict, expected), value


class TestStopGrace:
    def test_the_longest_task_counts_where_the_command_line_says_nothing(self) -> None:
        assert isinstance(ask("stop-grace-too-short", stop_grace_s=10, longest_task_s=300), Fail)
        assert ask("stop-grace-too-short", stop_grace_s=300, longest_task_s=300) is PASS

    def test_no_limit_to_compare_with_is_no_finding(self) -> None:
        assert ask("stop-grace-too-short", stop_grace_s=10) is PASS

    def test_for_ever_is_enough(self) -> None:
        assert ask("stop-grace-too-short", stop_grace_s=math.inf, time_limit=300) is PASS


class TestBeat:
    def test_a_scheduler_with_a_lock_may_run_twice_wherever_it_is_stated(self) -> None:
        lock = "redbeat.RedBeatScheduler"
        assert ask("beat-more-than-once", role="beat", beats=2, settings_scheduler=lock) is PASS
        assert ask("beat-overlaps-on-rollout", role="beat", overlaps=True, scheduler=lock) is PASS

    def test_a_database_scheduler_takes_no_lock(self) -> None:
        scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
        assert isinstance(ask("beat-more-than-once", role="beat", beats=2, scheduler=scheduler), Fail)

    def test_the_file_of_the_settings_counts(self) -> None:
        assert ask("beat-schedule-file-default", role="beat", settings_schedule_file="/var/lib/x") is PASS
        assert isinstance(ask("pickled-file-in-shared-directory", role="beat", settings_schedule_file="/tmp/x"), Fail)


def test_a_misspelt_option_is_met_with_the_right_one() -> None:
    verdict = ask("unknown-command-option", unknown_options=("--maxtasksperchild",))
    assert isinstance(verdict, Fail)
    assert "--max-tasks-per-child" in verdict.detail


def test_many_connections_are_no_many_processes() -> None:
    assert ask("worker-size-out-of-range", concurrency=5000, pool="gevent") is PASS
    assert isinstance(ask("worker-size-out-of-range", concurrency=5000), Fail)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o777])
def test_any_bit_for_others_opens_a_key(mode: int) -> None:
    file = FileFacts(where=Place("a.pem"), kind="private-key", detail="a private key", mode=mode)
    assert isinstance(BY_CODE["SFC331"].check(file, LIMITS), Fail)
    assert isinstance(BY_CODE["SFC331"].check(replace(file, mode=UNKNOWN), LIMITS), Undecided)
    assert BY_CODE["SFC330"].check(replace(file, in_repository=False), LIMITS) is PASS

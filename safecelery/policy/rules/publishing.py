"""5xx, settings that decide what becomes of a message on its way: published again, fetched ahead, acknowledged."""

from __future__ import annotations

from collections.abc import Mapping

from safecelery.policy.broker import REDIS, broker_scheme, transport_option
from safecelery.policy.facts import ABSENT, UNKNOWN, SettingsFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, is_count, is_duration, is_on, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES"]

_LONG_S = 300  # what waits behind such a task waits long enough for somebody to notice


def _prefetch_bounded(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("worker_prefetch_multiplier")
    if value is UNKNOWN:
        return unreadable("worker_prefetch_multiplier")
    if isinstance(value, int) and not value:
        return Fail(f"worker_prefetch_multiplier is {shown(value)}")
    return PASS


def _prefetch_behind_long(settings: SettingsFacts, _: Limits) -> Verdict:
    multiplier, longest = settings.value("worker_prefetch_multiplier"), settings.longest_limit_s
    disabled = settings.value("worker_disable_prefetch")
    if longest is ABSENT or (multiplier is not UNKNOWN and not (is_count(multiplier) and multiplier > 1)):
        return PASS
    if is_on(disabled) or (is_duration(longest) and longest < _LONG_S):
        return PASS
    unread = first_unknown(
        worker_prefetch_multiplier=multiplier, worker_disable_prefetch=disabled, the_longest_time_limit=longest
    )
    if unread is not None:
        return unread
    takes = f"{shown(longest)} s" if is_duration(longest) else "any time"
    return Fail(f"worker_prefetch_multiplier is {shown(multiplier)}, a late-acknowledged task may take {takes}")


def _cancelled_on_loss(settings: SettingsFacts, _: Limits) -> Verdict:
    name = "worker_cancel_long_running_tasks_on_connection_loss"
    value, longest = settings.value(name), settings.longest_limit_s
    if longest is ABSENT or is_on(value):
        return PASS
    return first_unknown(**{name: value}, the_list_of_tasks=longest) or Fail(f"{name} is {shown(value)}")


def _publish_retry(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("task_publish_retry")
    if value is UNKNOWN:
        return unreadable("task_publish_retry")
    return PASS if is_on(value) else Fail(f"task_publish_retry is {shown(value)}")


def _publish_ends(settings: SettingsFacts, _: Limits) -> Verdict:
    value, policy = settings.value("task_publish_retry"), settings.value("task_publish_retry_policy")
    if value is not UNKNOWN and not is_on(value):
        return PASS
    if policy is not UNKNOWN and not isinstance(policy, Mapping):
        return PASS
    most = policy.get("max_retries", ABSENT) if isinstance(policy, Mapping) else UNKNOWN
    if most is not UNKNOWN and most is not None and most is not ABSENT:
        return PASS
    unread = first_unknown(task_publish_retry=value, task_publish_retry_policy=most)
    if unread is not None:
        return unread
    return Fail(f"task_publish_retry_policy has {'no max_retries' if most is ABSENT else 'max_retries None'}")


def _reconnects(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("broker_connection_retry")
    if value is UNKNOWN:
        return unreadable("broker_connection_retry")
    return PASS if is_on(value) else Fail(f"broker_connection_retry is {shown(value)}")


_KEEPS_NOTHING = ("disabled", "rpc", "cache+memory")


def _deduplicates(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("worker_deduplicate_successful_tasks")
    if value is not UNKNOWN and not is_on(value):
        return PASS
    backend, ignored = settings.value("result_backend"), settings.value("task_ignore_result")
    missing = backend in (None, "") or (isinstance(backend, str) and backend.startswith(_KEEPS_NOTHING))
    if backend is not UNKNOWN and not missing and ignored is not UNKNOWN and not is_on(ignored):
        return PASS
    if value is UNKNOWN or not (missing or is_on(ignored)):
        unread = first_unknown(
            worker_deduplicate_successful_tasks=value, result_backend=backend, task_ignore_result=ignored
        )
        return unread or PASS
    return Fail("there is no result backend that keeps results" if missing else "task_ignore_result is on")


def _persistent(settings: SettingsFacts, _: Limits) -> Verdict:
    mode, scheme = settings.value("task_default_delivery_mode"), broker_scheme(settings)
    if mode is UNKNOWN:
        return unreadable("task_default_delivery_mode")
    if mode not in (1, "1", "transient") or scheme in REDIS:
        return PASS
    return unreadable("the broker") if scheme is UNKNOWN else Fail(f"task_default_delivery_mode is {shown(mode)}")


def _acknowledges(settings: SettingsFacts, _: Limits) -> Verdict:
    scheme, value = broker_scheme(settings), transport_option(settings, "ack_emulation")
    if (scheme is not UNKNOWN and scheme not in REDIS) or value is ABSENT or is_on(value):
        return PASS
    return first_unknown(the_broker=scheme, broker_transport_options=value) or Fail(f"ack_emulation is {shown(value)}")


RULES = (
    Rule(
        code="SFC520",
        name="prefetch-unlimited",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_prefetch_bounded,
        message="lets one worker fetch the whole queue into its memory",
        fix="set worker_prefetch_multiplier to 1, or to a small number for very short tasks",
    ),
    Rule(
        code="SFC521",
        name="prefetch-behind-long-tasks",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_prefetch_behind_long,
        message="fetches tasks ahead that then wait behind a long one while other workers are idle",
        fix="set worker_prefetch_multiplier = 1",
    ),
    Rule(
        code="SFC522",
        name="lost-connection-runs-task-twice",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_cancelled_on_loss,
        message="keeps late-acknowledged tasks running after a lost connection, while the broker delivers them again",
        fix="set worker_cancel_long_running_tasks_on_connection_loss = True (the default from Celery 6)",
    ),
    Rule(
        code="SFC523",
        name="publish-retry-off",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_publish_retry,
        message="loses a task at the first hiccup of the broker while it is sent",
        fix="leave task_publish_retry at True",
    ),
    Rule(
        code="SFC524",
        name="publish-retries-unbounded",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_publish_ends,
        message="blocks the sender, a web request for instance, for as long as the broker is down",
        fix="state max_retries in task_publish_retry_policy; a policy of your own replaces Celery's whole default",
    ),
    Rule(
        code="SFC525",
        name="broker-reconnect-off",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_reconnects,
        message="ends its workers when the broker's connection breaks",
        fix="leave broker_connection_retry at True",
    ),
    Rule(
        code="SFC526",
        name="deduplication-without-results",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_deduplicates,
        message="asks for successful tasks not to run again, but keeps no results to know them by",
        fix="make tasks safe to run twice; Celery knows a success only by its stored result",
    ),
    Rule(
        code="SFC527",
        name="messages-not-persistent",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_persistent,
        message="sends messages that a restart of the broker loses",
        fix="leave task_default_delivery_mode at 2 (persistent)",
    ),
    Rule(
        code="SFC528",
        name="broker-acknowledgements-off",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_acknowledges,
        message="turns acknowledgements off on Redis, so a worker that dies takes every message it fetched with it",
        fix="remove ack_emulation from broker_transport_options",
    ),
)

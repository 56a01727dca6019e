"""9xx, settings: values that a service in production should not have."""

from __future__ import annotations

from safecelery.policy.broker import RABBITMQ, broker_scheme
from safecelery.policy.facts import ABSENT, UNKNOWN, SettingsFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, is_count, is_duration, is_on, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.rules.annotations import annotated

__all__ = ["RULES"]


def _in_production(settings: SettingsFacts, verdict: Verdict) -> Verdict:
    if verdict is PASS or settings.production is False:
        return PASS
    if settings.production is UNKNOWN:
        return unreadable("whether these settings are those of production")
    return verdict


def _not_eager(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("task_always_eager")
    if value is UNKNOWN:
        return _in_production(settings, unreadable("task_always_eager"))
    return _in_production(settings, Fail(f"task_always_eager is {shown(value)}")) if is_on(value) else PASS


def _control_closed(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("worker_enable_remote_control")
    if settings.signing is True or (value is not UNKNOWN and not is_on(value)):
        return PASS
    unread = first_unknown(worker_enable_remote_control=value, whether_messages_are_signed=settings.signing)
    return unread or Fail("anybody who can write to the broker may shut workers down or change their limits")


def _no_pool_restarts(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("worker_pool_restarts")
    if value is UNKNOWN:
        return unreadable("worker_pool_restarts")
    return Fail(f"worker_pool_restarts is {shown(value)}") if is_on(value) else PASS


def _no_state_file(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("worker_state_db")
    if settings.signing is True:
        return PASS  # a worker of ours keeps JSON there
    if value is UNKNOWN:
        return unreadable("worker_state_db")
    return Fail(f"worker_state_db is {shown(value)}") if is_on(value) else PASS


_SHELVES = ("celery.beat:PersistentScheduler", "celery.beat.PersistentScheduler")


def _schedule_file(settings: SettingsFacts, _: Limits) -> Verdict:
    scheduler, path = settings.value("beat_scheduler"), settings.value("beat_schedule_filename")
    entries = settings.value("beat_schedule")
    if settings.signing is True and settings.complete and "beat_scheduler" not in settings.stated:
        return PASS  # the scheduler of our apps keeps JSON
    if (scheduler is not UNKNOWN and scheduler not in _SHELVES) or (entries is not UNKNOWN and not is_on(entries)):
        return PASS
    if isinstance(path, str) and path.startswith("/") and not path.startswith(("/tmp/", "/var/tmp/")):  # noqa: S108
        return PASS
    unread = first_unknown(beat_scheduler=scheduler, beat_schedule=entries, beat_schedule_filename=path)
    return unread or Fail(f"beat_schedule_filename is {shown(path)}")


def _children_replaced(settings: SettingsFacts, _: Limits) -> Verdict:
    tasks, memory = settings.value("worker_max_tasks_per_child"), settings.value("worker_max_memory_per_child")
    pool = settings.value("worker_pool")
    if is_on(tasks) or is_on(memory) or settings.commands_bound_children is True:
        return PASS
    if isinstance(pool, str) and pool not in ("prefork", "processes"):
        return PASS
    unread = first_unknown(
        worker_max_tasks_per_child=tasks,
        worker_max_memory_per_child=memory,
        worker_pool=pool,
        the_workers_command_lines=settings.commands_bound_children,
    )
    return unread or Fail("neither worker_max_tasks_per_child nor worker_max_memory_per_child is set")


_LEAST_KIB, _MOST_KIB = 20_000, 100_000_000  # a Python process with Celery takes some 40 MB; nobody means 100 GB


def _memory_in_kib(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("worker_max_memory_per_child")
    if value is UNKNOWN:
        return unreadable("worker_max_memory_per_child")
    if not is_count(value) or not value or _LEAST_KIB <= value <= _MOST_KIB:
        return PASS
    unit = "looks like megabytes" if value < _LEAST_KIB else "looks like bytes"
    return Fail(f"worker_max_memory_per_child is {shown(value)}, which {unit}; the unit is KiB")


def _utc(settings: SettingsFacts, _: Limits) -> Verdict:
    value, zone = settings.value("enable_utc"), settings.value("timezone")
    if is_on(value) or is_on(zone):
        return PASS
    return first_unknown(enable_utc=value, timezone=zone) or Fail(f"enable_utc is {shown(value)}, timezone is not set")


def _missing_queues(settings: SettingsFacts, _: Limits) -> Verdict:
    queues, create = settings.value("task_queues"), settings.value("task_create_missing_queues")
    if (queues is not UNKNOWN and not is_on(queues)) or (create is not UNKNOWN and not is_on(create)):
        return PASS
    unread = first_unknown(task_create_missing_queues=create, task_queues=queues)
    return unread or Fail("task_queues lists the queues, task_create_missing_queues is on")


def _connections_pooled(settings: SettingsFacts, _: Limits) -> Verdict:
    value = settings.value("broker_pool_limit")
    if value is UNKNOWN:
        return unreadable("broker_pool_limit")
    return PASS if is_on(value) else Fail(f"broker_pool_limit is {shown(value)}")


def _heartbeat(settings: SettingsFacts, _: Limits) -> Verdict:
    value, scheme = settings.value("broker_heartbeat"), broker_scheme(settings)
    if is_on(value) or (scheme is not UNKNOWN and scheme not in RABBITMQ):
        return PASS
    return first_unknown(broker_heartbeat=value, the_broker=scheme) or Fail(f"broker_heartbeat is {shown(value)}")


_GUARDS = ("time_limit", "soft_time_limit")


def _annotations_guard(settings: SettingsFacts, _: Limits) -> Verdict:
    if settings.value("task_annotations") is UNKNOWN:
        return unreadable("task_annotations")
    lifted, unread = [], []
    for pattern, option, value in annotated(settings):
        if value is UNKNOWN and option in (*_GUARDS, "acks_late", "max_retries"):
            unread.append(f"{option} of {pattern!r}")
        elif (
            (option in _GUARDS and not is_duration(value))
            or (option == "acks_late" and not is_on(value))
            or (option == "max_retries" and value is None)
        ):
            lifted.append(f"{option}={shown(value)} for {pattern!r}")
    if lifted:
        return Fail(", ".join(lifted))
    return unreadable(*unread) if unread else PASS


_NOTICEABLE_S = 600


def _start_tracked(settings: SettingsFacts, _: Limits) -> Verdict:
    longest, tracked = settings.longest_limit_s, settings.value("task_track_started")
    backend = settings.value("result_backend")
    if is_on(tracked) or longest is ABSENT or longest is None or (backend is not UNKNOWN and not is_on(backend)):
        return PASS
    if longest is not UNKNOWN and not (is_duration(longest) and longest >= _NOTICEABLE_S):
        return PASS
    unread = first_unknown(task_track_started=tracked, the_longest_time_limit=longest, result_backend=backend)
    return unread or Fail(f"a task may run {shown(longest)} s, task_track_started is {shown(tracked)}")


RULES = (
    Rule(
        code="SFC907",
        name="eager-in-production",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_not_eager,
        message="runs tasks inside the caller, without a worker, a limit or a retry delay",
        fix="set task_always_eager in the settings of tests only",
    ),
    Rule(
        code="SFC908",
        name="remote-control-open",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_control_closed,
        message="obeys remote control commands that nobody signed",
        fix="set worker_enable_remote_control = False, or use create_app, which checks who sent a command",
    ),
    Rule(
        code="SFC909",
        name="pool-restart-by-message",
        subject=SettingsFacts,
        severity=Severity.CRITICAL,
        check=_no_pool_restarts,
        message="lets a message on the broker import and reload modules of its choice",
        fix="leave worker_pool_restarts at False; replace workers by deploying them",
    ),
    Rule(
        code="SFC910",
        name="worker-state-is-pickle",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_no_state_file,
        message="loads a pickle file at start, which runs code for whoever can write that file",
        fix="leave worker_state_db out; revoke tasks through the result backend or by a flag that the task reads",
    ),
    Rule(
        code="SFC911",
        name="schedule-file-in-the-open",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_schedule_file,
        message="keeps beat's schedule in a pickle file where others may be able to write",
        fix="set beat_schedule_filename to a path in a directory where only beat's user may write",
    ),
    Rule(
        code="SFC912",
        name="child-lifetime-unbounded",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_children_replaced,
        message="never replaces a worker process, so a leak grows until the host is out of memory",
        fix="set worker_max_tasks_per_child or worker_max_memory_per_child (KiB)",
    ),
    Rule(
        code="SFC913",
        name="memory-limit-in-the-wrong-unit",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_memory_in_kib,
        message="states a memory limit for worker processes that cannot be meant",
        fix="state worker_max_memory_per_child in KiB: 300_000 is about 300 MB",
    ),
    Rule(
        code="SFC914",
        name="clock-of-the-host",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_utc,
        message="reads crontab entries and times without a zone by the clock of whatever host it runs on",
        fix="leave enable_utc at True, and set timezone where crontab entries are meant in local time",
    ),
    Rule(
        code="SFC915",
        name="misspelt-queue-is-created",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_missing_queues,
        message="creates a queue for every misspelt name, which no worker then reads",
        fix="set task_create_missing_queues = False, so that an unknown queue raises where it is used",
    ),
    Rule(
        code="SFC917",
        name="broker-connections-not-pooled",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_connections_pooled,
        message="opens a new connection to the broker for every message it sends",
        fix="leave broker_pool_limit at 10, or state how many threads send at once",
    ),
    Rule(
        code="SFC918",
        name="broker-heartbeat-off",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_heartbeat,
        message="does not notice a dead connection to RabbitMQ, and waits on it",
        fix="leave broker_heartbeat at 120, or lower it",
    ),
    Rule(
        code="SFC919",
        name="annotation-lifts-guard",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_annotations_guard,
        message="takes limits or late acknowledgement away from tasks whose own declaration states them",
        fix="remove the entry from task_annotations, and state the value on the task",
    ),
    Rule(
        code="SFC927",
        name="start-not-tracked",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_start_tracked,
        message="shows a task that runs for long as PENDING, like one that was lost",
        fix="set task_track_started = True",
    ),
)

"""9xx: how processes run. As whom, with what around them, and what they leave behind."""

from __future__ import annotations

from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_duration, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict
from safecelery.policy.rules.deployed import among, in_production, must_be, texts
from safecelery.policy.vocabulary import POOLS_ENFORCING_LIMITS

__all__ = ["RULES"]

_SHARED_DIRECTORIES = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108  # what is compared with, not used
_IN_FILES = frozenset({"persistent", "celery.beat.PersistentScheduler", "celery.beat:PersistentScheduler"})
"""Schedulers that keep their schedule in a shelve file (celery/beat.py)."""
_LOCKING = "redbeat"


def _shared(path: object) -> bool:
    return isinstance(path, str) and path.startswith(_SHARED_DIRECTORIES)


@in_production("worker", "beat", "flower")
def _root(process: DeployFacts, _: Limits) -> Verdict:
    return must_be(process.root, False, "it has no user but root", "its user is the image's, which cannot be seen")


@in_production("worker", "beat")
def _forces_root(process: DeployFacts, _: Limits) -> Verdict:
    return must_be(process.forces_root, False, "C_FORCE_ROOT is set", "C_FORCE_ROOT comes from outside")


@in_production("worker")
def _state_file(process: DeployFacts, _: Limits) -> Verdict:
    if process.statedb is ABSENT or process.statedb == "" or process.hardened is True:
        return PASS
    if UNKNOWN in (process.hardened, process.statedb):
        return unreadable("which app it runs" if process.hardened is UNKNOWN else "--statedb")
    return Fail(f"--statedb is {shown(process.statedb)}")


def _scheduler(process: DeployFacts) -> object:
    return process.settings_scheduler if process.scheduler is ABSENT else process.scheduler


def _schedule(process: DeployFacts) -> object:
    return process.settings_schedule_file if process.schedule_file is ABSENT else process.schedule_file


def _shelved(process: DeployFacts) -> bool:
    """Its schedule is, or may be, in a pickle; an app of ours has another scheduler by itself."""
    scheduler = _scheduler(process)
    return process.hardened is not True if scheduler is ABSENT else scheduler is UNKNOWN or among(scheduler, _IN_FILES)


@in_production("beat")
def _schedule_file(process: DeployFacts, _: Limits) -> Verdict:
    scheduler, file = _scheduler(process), _schedule(process)
    if scheduler is UNKNOWN:
        return unreadable("the scheduler")
    if not _shelved(process):
        return PASS
    if scheduler is ABSENT and process.hardened is UNKNOWN:
        return unreadable("which app it runs")
    if file is ABSENT:
        return Fail("it is celerybeat-schedule in the directory beat was started in")
    return unreadable("the schedule file") if file is UNKNOWN else PASS


@in_production("worker", "beat")
def _schedule_shared(process: DeployFacts, _: Limits) -> Verdict:
    if _shelved(process) and _shared(path := _schedule(process)):
        failed, sure = Fail(f"the schedule is {shown(path)}"), _scheduler(process) is not ABSENT
    elif process.hardened is not True and _shared(process.statedb):
        failed, sure = Fail(f"--statedb is {shown(process.statedb)}"), False
    else:
        return PASS
    return failed if sure or process.hardened is False else unreadable("which app it runs")


@in_production("worker", "beat")
def _pid_file(process: DeployFacts, _: Limits) -> Verdict:
    return Fail(f"--pidfile is {shown(process.pidfile)}") if _shared(process.pidfile) else PASS


@in_production("worker")
def _embedded_beat(process: DeployFacts, _: Limits) -> Verdict:
    return must_be(process.embedded_beat, False, "--beat", "the options cannot be determined")


def _locks(process: DeployFacts) -> bool:
    scheduler = _scheduler(process)
    return isinstance(scheduler, str) and _LOCKING in scheduler.lower()


@in_production("beat", "worker")
def _beats(process: DeployFacts, _: Limits) -> Verdict:
    if (process.role == "worker" and process.embedded_beat is not True) or _locks(process):
        return PASS
    count = process.beats
    if count is UNKNOWN:
        return Undecided("how many are started is set from outside")
    return Fail(f"{count} of them are started") if isinstance(count, int) and count > 1 else PASS


@in_production("beat")
def _overlap(process: DeployFacts, _: Limits) -> Verdict:
    if _locks(process):
        return PASS
    return must_be(process.overlaps, False, "the rollout starts the new one first", "the rollout strategy is unknown")


@in_production("worker", "beat")
def _health(process: DeployFacts, _: Limits) -> Verdict:
    return must_be(process.health_check, True, "nothing checks it", "its image or template may check it")


@in_production("worker")
def _child_lifetime(process: DeployFacts, _: Limits) -> Verdict:
    if process.pool is not ABSENT and not among(process.pool, POOLS_ENFORCING_LIMITS):
        return PASS  # other pools have no children
    if process.max_tasks_per_child is not ABSENT or process.max_memory_per_child is not ABSENT:
        return PASS
    if process.settings_bound_children is True:
        return PASS
    if process.settings_bound_children is UNKNOWN:
        return unreadable("worker_max_tasks_per_child")
    return Fail("neither --max-tasks-per-child nor --max-memory-per-child is given")


@in_production("worker", "beat")
def _log_level(process: DeployFacts, _: Limits) -> Verdict:
    level = process.loglevel
    if level is UNKNOWN:
        return unreadable("--loglevel")
    return Fail("--loglevel is debug") if isinstance(level, str) and level.lower() == "debug" else PASS


@in_production("worker")
def _stop_grace(process: DeployFacts, _: Limits) -> Verdict:
    longest = process.time_limit if is_duration(process.time_limit) else process.longest_task_s
    grace = process.stop_grace_s
    if longest is ABSENT or grace is ABSENT:
        return PASS
    if longest is UNKNOWN or grace is UNKNOWN:
        return unreadable("the grace" if grace is UNKNOWN else "the longest time limit")
    if isinstance(longest, int | float) and isinstance(grace, int | float) and grace < longest:
        return Fail(f"it has {shown(grace)} s, a task may take {shown(longest)} s")
    return PASS


@in_production("worker", "beat")
def _restarts(process: DeployFacts, _: Limits) -> Verdict:
    return must_be(process.restarts, True, "no restart policy", "the restart policy cannot be determined")


@in_production("worker")
def _heartbeat(process: DeployFacts, _: Limits) -> Verdict:
    return Fail("--without-heartbeat") if "--without-heartbeat" in texts(process.options) else PASS


RULES = (
    Rule(
        code="SFC950",
        name="process-runs-as-root",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_root,
        message="runs as root, and so does every task",
        fix="give it a user of its own: USER in the Dockerfile, user: in Compose, runAsNonRoot, User= in the unit",
    ),
    Rule(
        code="SFC951",
        name="root-forced",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_forces_root,
        message="is told to run as root even with pickle",
        fix="remove C_FORCE_ROOT, and run as another user",
    ),
    Rule(
        code="SFC952",
        name="worker-state-file",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_state_file,
        message="keeps its revoked tasks in a file that it unpickles at start",
        fix="remove --statedb; let messages expire instead of revoking them for ever",
    ),
    Rule(
        code="SFC953",
        name="beat-schedule-file-default",
        subject=DeployFacts,
        severity=Severity.LOW,
        check=_schedule_file,
        message="keeps its schedule in a pickled file wherever it happens to start",
        fix="give --schedule a path in a directory only beat can write, such as /var/lib/shop/celerybeat-schedule",
    ),
    Rule(
        code="SFC954",
        name="beat-inside-worker",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_embedded_beat,
        message="runs beat inside the worker, once for each worker that is started",
        fix="start celery beat as one process of its own",
    ),
    Rule(
        code="SFC955",
        name="beat-more-than-once",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_beats,
        message="is one of several beats without a lock, so every periodic task is sent several times",
        fix="start one beat, or use a scheduler with a lock such as redbeat.RedBeatScheduler",
    ),
    Rule(
        code="SFC956",
        name="health-check-missing",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_health,
        message="has no health check, so a hung one is not noticed",
        fix="add one: celery inspect ping for a worker, the age of its last run for beat",
    ),
    Rule(
        code="SFC957",
        name="worker-child-lifetime-unbounded",
        subject=DeployFacts,
        severity=Severity.LOW,
        check=_child_lifetime,
        message="keeps its child processes for ever, with all the memory that tasks leak",
        fix="give --max-tasks-per-child=1000, or --max-memory-per-child in KiB",
    ),
    Rule(
        code="SFC966",
        name="debug-log-level",
        subject=DeployFacts,
        severity=Severity.LOW,
        check=_log_level,
        message="logs everything, arguments of tasks included",
        fix="use --loglevel=info",
    ),
    Rule(
        code="SFC967",
        name="stop-grace-too-short",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_stop_grace,
        message="is killed at each deployment before its longest task can end",
        fix="raise stop_grace_period, terminationGracePeriodSeconds, TimeoutStopSec or stopwaitsecs above it",
    ),
    Rule(
        code="SFC968",
        name="restart-policy-missing",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_restarts,
        message="stays down when it ends",
        fix="add restart: unless-stopped, Restart=always or autorestart=true",
    ),
    Rule(
        code="SFC969",
        name="worker-heartbeat-off",
        subject=DeployFacts,
        severity=Severity.LOW,
        check=_heartbeat,
        message="sends no heartbeats, so monitors show a dead worker as a silent one",
        fix="remove --without-heartbeat; it costs one small event in two seconds",
    ),
    Rule(
        code="SFC970",
        name="pid-file-in-shared-directory",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_pid_file,
        message="writes its process id where every user may put another one",
        fix="use a directory of its own, such as RuntimeDirectory= in the unit gives",
    ),
    Rule(
        code="SFC972",
        name="beat-overlaps-on-rollout",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_overlap,
        message="runs twice during each rollout",
        fix="set strategy.type: Recreate on its Deployment",
    ),
    Rule(
        code="SFC973",
        name="pickled-file-in-shared-directory",
        subject=DeployFacts,
        severity=Severity.CRITICAL,
        check=_schedule_shared,
        message="unpickles a file from a directory every user of the host can write",
        fix="move the file to a directory that only this process can write",
    ),
)

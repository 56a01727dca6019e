"""Command lines: pools, limits, queues. What stands there wins over the settings, and no gate in code sees it."""

from __future__ import annotations

from safecelery.errors import did_you_mean
from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_count, is_duration, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.rules.deployed import among, in_production, texts
from safecelery.policy.vocabulary import POOLS_ENFORCING_LIMITS

__all__ = ["RULES"]

_MOST_CHILDREN = 256  # more processes than any machine that one worker should fill
_MOST_PREFETCH = 4  # Celery's own default


@in_production("worker")
def _pool(process: DeployFacts, _: Limits) -> Verdict:
    if process.pool is ABSENT or among(process.pool, POOLS_ENFORCING_LIMITS):
        return PASS
    if process.pool is UNKNOWN:
        return unreadable("the pool")
    count = process.tasks_with_limits
    void = f", which leaves the time limits of {count} task{'s' if count != 1 else ''} without effect" if count else ""
    return Fail(f"--pool is {shown(process.pool)}{void}")


@in_production("worker")
def _pool_allowed(process: DeployFacts, limits: Limits) -> Verdict:
    if process.pool is ABSENT or among(process.pool, limits.allowed_pools):
        return PASS
    if process.pool is UNKNOWN:
        return unreadable("the pool")
    return Fail(f"--pool is {shown(process.pool)}, the policy allows {', '.join(limits.allowed_pools)}")


@in_production("worker")
def _durations(process: DeployFacts, _: Limits) -> Verdict:
    for option, value in (("--time-limit", process.time_limit), ("--soft-time-limit", process.soft_time_limit)):
        if value is not UNKNOWN and value is not ABSENT and not is_duration(value):
            return Fail(f"{option} is {shown(value)}")
    return PASS  # of what cannot be read, SFC433 says so: once is enough


@in_production("worker")
def _within(process: DeployFacts, limits: Limits) -> Verdict:
    unread = []
    for option, value, most in (
        ("--time-limit", process.time_limit, limits.max_time_limit_s),
        ("--soft-time-limit", process.soft_time_limit, limits.max_soft_time_limit_s),
    ):
        if value is UNKNOWN:
            unread.append(option)
        elif is_duration(value) and value > most:
            return Fail(f"{option} is {shown(value)}, the policy allows {shown(most)}")
    return unreadable(*unread) if unread else PASS


@in_production("worker")
def _in_order(process: DeployFacts, _: Limits) -> Verdict:
    hard, soft = process.time_limit, process.soft_time_limit
    if is_duration(hard) and is_duration(soft):
        return PASS if soft < hard else Fail(f"--soft-time-limit is {shown(soft)}, --time-limit is {shown(hard)}")
    if hard is UNKNOWN and soft is UNKNOWN:
        return PASS  # SFC433 says so
    unread = [n for n, v in (("--time-limit", hard), ("--soft-time-limit", soft)) if v is UNKNOWN]
    return unreadable(*unread) if unread else PASS


@in_production("worker")
def _size(process: DeployFacts, _: Limits) -> Verdict:
    children = process.pool is ABSENT or among(process.pool, POOLS_ENFORCING_LIMITS)
    size = process.concurrency
    if size is not ABSENT and size is not UNKNOWN and size != "auto":
        if not is_count(size):
            return Fail(f"--concurrency is {shown(size)}")
        if size == 0:
            return Fail("--concurrency is 0, which Celery reads as not given")
        if children and size > _MOST_CHILDREN:
            return Fail(f"--concurrency is {shown(size)}, each of them a process")
    scale = process.autoscale
    if isinstance(scale, str):
        parts = scale.split(",")
        if len(parts) > 2 or not all(part.strip().isdecimal() and len(part) < 9 for part in parts):
            return Fail(f"--autoscale is {shown(scale)}, not MAX,MIN")
        most = max(int(part) for part in parts)
        if most == 0 or (children and most > _MOST_CHILDREN):
            return Fail(f"--autoscale is {shown(scale)}")
    return PASS


@in_production("worker")
def _queues(process: DeployFacts, _: Limits) -> Verdict:
    queues = process.queues
    if not isinstance(queues, tuple) or all(queue.strip() for queue in texts(queues)):
        return PASS
    return Fail(f"the list is {shown(','.join(texts(queues)))}")


@in_production("worker")
def _prefetch(process: DeployFacts, _: Limits) -> Verdict:
    value = process.prefetch_multiplier
    if value is ABSENT:
        return PASS
    if value is UNKNOWN:
        return unreadable("--prefetch-multiplier")
    if not is_count(value):
        return Fail(f"--prefetch-multiplier is {shown(value)}")
    if value == 0:
        return Fail("--prefetch-multiplier is 0, which Celery reads as not given")
    if value > _MOST_PREFETCH:
        return Fail(f"--prefetch-multiplier is {shown(value)}")
    return PASS


@in_production("worker")
def _purge(process: DeployFacts, _: Limits) -> Verdict:
    return Fail("--purge") if "--purge" in texts(process.options) else PASS


@in_production("worker", "beat", "flower")
def _known_options(process: DeployFacts, _: Limits) -> Verdict:
    unknown, stray = process.unknown_options, process.stray_words
    if unknown is UNKNOWN or stray is UNKNOWN:
        return unreadable("the options")
    if names := texts(unknown):
        return Fail(", ".join(f"{name}{_meant(name, process.role)}" for name in names))
    return Fail(f"{shown(texts(stray)[0])} belongs to no option") if texts(stray) else PASS


def _meant(name: str, role: object) -> str:
    options = _OPTIONS.get(role, ()) if isinstance(role, str) else ()
    return f" (it stands behind {role!r})" if name in options else did_you_mean(name, options)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_OPTIONS = {
    "worker": _names(
        """
        --app --hostname --statedb --loglevel --optimization --prefetch-multiplier --disable-prefetch --concurrency
        --pool --task-events --time-limit --soft-time-limit --max-tasks-per-child --pool-start-method
        --max-memory-per-child --purge --queues --exclude-queues --include --without-gossip --without-mingle
        --without-heartbeat --heartbeat-interval --autoscale --beat --schedule --scheduler --logfile --pidfile --uid
        --gid --umask --executable --detach
        """
    ),
    "beat": _names(
        """
        --app --schedule --scheduler --max-interval --hostname --loglevel --logfile --pidfile --uid --gid --umask
        --detach
        """
    ),
    "flower": _names(
        "--port --address --basic-auth --auth --auth-provider --url-prefix --broker-api --persistent --db --conf"
    ),
}
"""What a misspelt option may have meant (celery/bin/worker.py, beat.py; flower/options.py)."""

RULES = (
    Rule(
        code="SFC430",
        name="worker-pool-ignores-time-limits",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_pool,
        message="starts with a pool that does not enforce time limits",
        fix="start it with --pool prefork (the default), and tasks that need many connections with asyncio inside one",
    ),
    Rule(
        code="SFC431",
        name="worker-pool-not-allowed",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_pool_allowed,
        message="starts with a pool the policy does not allow",
        fix="use one of the policy's allowed_pools",
    ),
    Rule(
        code="SFC432",
        name="worker-time-limit-not-a-duration",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_durations,
        message="starts with a time limit that is not a positive, finite number of seconds",
        fix="give a number of seconds greater than zero, or leave the option out and state limits on tasks",
    ),
    Rule(
        code="SFC433",
        name="worker-time-limit-too-high",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_within,
        message="starts with a higher time limit than the policy allows",
        fix="lower the option; tasks that need longer are split, or get a policy of their own",
    ),
    Rule(
        code="SFC434",
        name="worker-time-limits-out-of-order",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_in_order,
        message="kills tasks before or as it warns them",
        fix="make --soft-time-limit less than --time-limit",
    ),
    Rule(
        code="SFC435",
        name="worker-size-out-of-range",
        subject=DeployFacts,
        severity=Severity.LOW,
        check=_size,
        message="asks for a number of processes that makes no sense",
        fix="give --concurrency about the number of cores, or --autoscale=MAX,MIN",
    ),
    Rule(
        code="SFC530",
        name="worker-queue-list-broken",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_queues,
        message="consumes from a queue without a name",
        fix="write the queues without blanks and without a comma at the end: -Q orders,mail",
    ),
    Rule(
        code="SFC531",
        name="worker-prefetch-out-of-range",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_prefetch,
        message="reserves more messages than it can work on soon",
        fix="give --prefetch-multiplier=1, the right value for tasks that are acknowledged late",
    ),
    Rule(
        code="SFC532",
        name="worker-purges-queues",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_purge,
        message="deletes every waiting message each time it starts",
        fix="remove --purge; empty a queue by hand, once, with celery purge",
    ),
    Rule(
        code="SFC971",
        name="unknown-command-option",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_known_options,
        message="is started with an option the command does not have",
        fix="correct the option; an option of your own is declared with app.user_options",
    ),
)

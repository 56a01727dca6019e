"""7xx, 720 to 749: work that may run twice, wait for ever, or hide that it failed."""

from __future__ import annotations

from safecelery.policy.facts import CodeFacts
from safecelery.policy.rule import Rule, Severity
from safecelery.policy.rules.task_place import place_rule

__all__ = ["RULES"]

RULES: tuple[Rule[CodeFacts], ...] = (
    place_rule(
        "SFC720",
        "increment-and-save",
        Severity.MEDIUM,
        "counts in memory and saves",
        'let the database count: update(count=F("count") + 1)',
    ),
    place_rule(
        "SFC721",
        "unguarded-create",
        Severity.MEDIUM,
        "creates a row again each time it runs",
        "use get_or_create() or update_or_create() with a key of the job, or a unique constraint",
    ),
    place_rule(
        "SFC722",
        "charge-without-key",
        Severity.CRITICAL,
        "moves money without an idempotency key",
        "pass idempotency_key=, made of the order and not of the time",
    ),
    place_rule(
        "SFC723",
        "mail-without-guard",
        Severity.LOW,
        "sends the mail again each time it runs",
        "note in the database that it was sent, and look there first",
    ),
    place_rule(
        "SFC730",
        "http-without-timeout",
        Severity.HIGH,
        "calls over HTTP without a timeout",
        "pass timeout=(connect, read) in seconds, below the task's soft limit",
    ),
    place_rule(
        "SFC731",
        "socket-without-timeout",
        Severity.MEDIUM,
        "opens a connection without a timeout",
        "pass timeout= (or connect_timeout=)",
    ),
    place_rule(
        "SFC732",
        "subprocess-without-timeout",
        Severity.MEDIUM,
        "waits for another program without a timeout",
        "pass timeout=, below the task's soft limit",
    ),
    place_rule(
        "SFC733",
        "lock-without-timeout",
        Severity.HIGH,
        "takes a lock that stays when the process dies",
        "give the lock a time to live: lock(name, timeout=60), set(name, value, nx=True, ex=60)",
    ),
    place_rule(
        "SFC734",
        "sleep-in-task",
        Severity.MEDIUM,
        "sleeps while it holds a worker process",
        "send the rest with countdown=, or raise self.retry(countdown=...)",
    ),
    place_rule(
        "SFC735",
        "endless-loop",
        Severity.HIGH,
        "has a loop that nothing ends",
        "give the loop an end, and let beat start the next run",
    ),
    place_rule(
        "SFC740",
        "soft-limit-ignored",
        Severity.HIGH,
        "goes on after its soft time limit",
        "clean up and end: raise, return or break",
    ),
    place_rule(
        "SFC741",
        "soft-limit-eaten",
        Severity.MEDIUM,
        "takes its soft time limit for an ordinary error",
        "catch SoftTimeLimitExceeded first and raise it again, or name the exceptions that are meant",
    ),
    place_rule(
        "SFC742",
        "failure-swallowed",
        Severity.MEDIUM,
        "ends as a success when its work failed",
        "let the exception leave the task after logging it, or raise self.retry(exc=error)",
    ),
)

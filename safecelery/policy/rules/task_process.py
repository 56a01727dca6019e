"""7xx, 750 to 769: what a task does to the process it runs in and to what outlives it."""

from __future__ import annotations

from safecelery.policy.facts import CodeFacts
from safecelery.policy.rule import Rule, Severity
from safecelery.policy.rules.task_place import place_rule

__all__ = ["RULES"]

RULES: tuple[Rule[CodeFacts], ...] = (
    place_rule(
        "SFC750",
        "process-exit-in-task",
        Severity.HIGH,
        "ends the worker process",
        "return, or raise an exception of your own (celery.exceptions.Reject, Ignore)",
    ),
    place_rule(
        "SFC751",
        "alarm-in-task",
        Severity.MEDIUM,
        "changes the signal handling of the worker process",
        "use the task's soft_time_limit, or a timeout of what is called",
    ),
    place_rule(
        "SFC752",
        "thread-outlives-task",
        Severity.MEDIUM,
        "starts a thread that nobody waits for",
        "send another task instead, or join the thread before the task ends",
    ),
    place_rule(
        "SFC753",
        "process-started-in-task",
        Severity.HIGH,
        "starts a process of its own, which the prefork pool forbids",
        "send more tasks instead, or use billiard or subprocess",
    ),
    place_rule(
        "SFC754",
        "event-loop-per-call",
        Severity.LOW,
        "makes a new event loop at each run",
        "keep one loop for each worker process (worker_process_init), or use blocking clients",
    ),
    place_rule("SFC755", "debugger-in-task", Severity.HIGH, "stops and waits for a person", "remove the call"),
    place_rule(
        "SFC756",
        "global-state-written",
        Severity.LOW,
        "writes state that lives in one worker process only",
        "keep it in the database or a cache; or make it with functools.cache if it never changes",
    ),
    place_rule(
        "SFC757",
        "mutable-default",
        Severity.LOW,
        "shares a default value between all runs",
        "default to None (or a tuple), and make the list inside",
    ),
    place_rule(
        "SFC760",
        "connection-per-call",
        Severity.MEDIUM,
        "opens a new connection at each run",
        "make the client once for each process, at module level or in worker_process_init, and share its pool",
    ),
    place_rule(
        "SFC761",
        "temporary-file-left",
        Severity.LOW,
        "leaves a temporary file behind at each run",
        "use TemporaryDirectory() in a with block, or unlink the file in finally",
    ),
    place_rule(
        "SFC762",
        "large-result",
        Severity.MEDIUM,
        "returns a lot of data as its result",
        "store the data where it belongs, return its key, or say ignore_result=True",
    ),
)

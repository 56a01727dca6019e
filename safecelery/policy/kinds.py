"""The kinds of places in code that the rules of family 7 ask for: one visible table.

A detector of the linter (safecelery/lint/code/) reports a place with one of these names; the rule for it says why it
matters. A kind without a rule, or a rule without a detector, fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["KINDS"]

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # What the code of tasks does (SFC701 to SFC799)
        "result-waited-in-task": "a task waits for the result of another task",
        "dispatch-in-transaction": "a task is sent inside a database transaction",
        "dispatch-before-commit": "a task is sent between session.add() and commit()",
        "on-commit-called-now": "on_commit() gets the result of a call instead of a function",
        "on-commit-late-binding": "a lambda for on_commit() in a loop reads the loop's variable",
        "model-instance-as-argument": "a model object is an argument of a task",
        "handle-as-argument": "an open file, a web request or self is an argument of a task",
        "secret-as-argument": "a secret is an argument of a task",
        "non-json-argument": "an argument of a task has no JSON form",
        "argument-not-plain-json": "an argument of a task only survives with kombu's own JSON types",
        "naive-eta": "eta or expires is made of a time without a zone",
        "task-per-item": "a loop sends one task for each item",
        "endless-self-dispatch": "a task sends itself again in every run",
        "task-called-inline": "a task calls another task as a plain function",
        "increment-and-save": "a number is read, changed and saved",
        "unguarded-create": "a task that may run twice creates rows unconditionally",
        "charge-without-key": "money is moved without an idempotency key",
        "mail-without-guard": "a task that may run twice sends mail unconditionally",
        "http-without-timeout": "an HTTP call has no timeout",
        "socket-without-timeout": "a connection has no timeout",
        "subprocess-without-timeout": "another program is started without a timeout",
        "lock-without-timeout": "a lock stays when its holder dies",
        "sleep-in-task": "a task sleeps",
        "endless-loop": "a loop has no end",
        "soft-limit-ignored": "a loop goes on after SoftTimeLimitExceeded",
        "soft-limit-eaten": "a broad handler in a loop takes SoftTimeLimitExceeded too",
        "failure-swallowed": "a task reports its failure to the log only",
        "process-exit-in-task": "a task ends its process",
        "alarm-in-task": "a task sets a signal handler or an alarm",
        "thread-outlives-task": "a task starts a thread that nobody waits for",
        "process-started-in-task": "a task starts a process with multiprocessing",
        "event-loop-per-call": "a task makes an event loop for one call",
        "debugger-in-task": "a task waits for a person at a terminal",
        "global-state-written": "a task writes state of its module",
        "mutable-default": "a parameter's default is shared by all runs",
        "connection-per-call": "a task opens a new connection at each run",
        "temporary-file-left": "a task leaves a temporary file behind",
        "large-result": "a task returns a lot of data",
        "ssh-host-key-not-checked": "an SSH host is trusted whatever key it shows",
        "tls-verify-off": "an HTTPS call does not check the certificate",
        "shell-with-argument": "an argument of the task stands in a shell's command line",
        "secret-logged": "a secret or all arguments are written to the log",
        "unvalidated-argument": "an argument of a task has no type that could be checked",
        # How the code of tasks retries and rejects (SFC518, SFC623 to SFC626)
        "reject-requeue": "a message is rejected back into its queue",
        "retry-swallowed": "a broad handler takes the exception of self.retry",
        "retry-without-exc": "a retry in an except clause does not pass the error on",
        "retry-goes-on": "a task goes on after it sent its retry",
        "retry-fixed-countdown": "a retry states a constant countdown",
        # Serializers and limits, in tasks and outside of them (SFC110 to SFC116, SFC416, SFC417)
        "insecure-serializers-enabled": "kombu is told to decode pickle again",
        "code-running-serializer-registered": "a serializer is registered whose decoder runs code",
        "payload-names-imports": "a package is used that imports the class a message names",
        "signing-with-code-running-serializer": "Celery's signing is set up with pickle inside",
        "task-unpickles-argument": "a task unpickles an argument",
        "task-evaluates-argument": "a task evaluates an argument",
        "task-imports-what-argument-names": "a task imports what an argument names",
        "time-limit-changed-by-remote-control": "remote control changes a task's time limits",
        "soft-limit-signal-taken": "a handler is set for the signal of the soft time limit",
    }
)
"""Kind -> what is met there, as one phrase."""

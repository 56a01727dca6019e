"""Every detector, in one visible table."""

from __future__ import annotations

from typing import Final

from safecelery.lint.code import (
    arguments,
    connections,
    failures,
    loops,
    processes,
    repeats,
    retrying,
    serializers,
    shapes,
    telling,
    timeouts,
    transactions,
    trust,
    waiting,
)
from safecelery.lint.code.names import words
from safecelery.lint.code.site import Detector, ModuleDetector

__all__ = ["ANYWHERE", "DETECTORS", "MODULE_DETECTORS", "SENDING"]

DETECTORS: Final[tuple[tuple[Detector, bool], ...]] = (
    (waiting.result_waited, False),
    (transactions.dispatch_in_transaction, True),
    (transactions.dispatch_before_commit, True),
    (transactions.on_commit, True),
    (arguments.arguments, True),
    (telling.naive_eta, True),
    (trust.ssh_policy, True),
    (trust.tls_verify_off, False),
    (trust.shell_with_argument, False),
    (serializers.argument_runs, False),
    (timeouts.http_without_timeout, False),
    (timeouts.socket_without_timeout, False),
    (timeouts.subprocess_without_timeout, False),
    (timeouts.lock_without_timeout, False),
    (processes.process_calls, False),
    (connections.connection_per_call, False),
    (connections.temporary_file_left, False),
    (connections.large_result, False),
    (failures.soft_limit_ignored, False),
    (failures.soft_limit_eaten, False),
    (failures.failure_swallowed, False),
    (repeats.increment_and_save, False),
    (repeats.repeated_work, False),
    (retrying.retries, False),
    (loops.endless_loop, False),
    (loops.task_per_item, False),
    (loops.self_dispatch, False),
    (loops.task_called_inline, False),
    (shapes.unvalidated_argument, False),
    (shapes.mutable_default, False),
    (shapes.global_state, False),
    (telling.secret_logged, False),
)
"""(detector, whether it also looks at functions that are no task)."""

MODULE_DETECTORS: Final[tuple[ModuleDetector, ...]] = (serializers.serializer_setup,)
"""Detectors of what stands outside of functions."""

ANYWHERE: Final = words("""
    dispatch-in-transaction dispatch-before-commit on-commit-called-now on-commit-late-binding
    model-instance-as-argument handle-as-argument secret-as-argument non-json-argument argument-not-plain-json
    naive-eta ssh-host-key-not-checked
    insecure-serializers-enabled code-running-serializer-registered payload-names-imports
    signing-with-code-running-serializer time-limit-changed-by-remote-control soft-limit-signal-taken
    """)
"""Kinds that count outside of tasks too: whoever sends a task makes these mistakes, in a view as well as in a task."""
SENDING: Final = words("""
    dispatch-in-transaction dispatch-before-commit on-commit-called-now on-commit-late-binding
    model-instance-as-argument handle-as-argument secret-as-argument non-json-argument argument-not-plain-json naive-eta
    """)
"""Those of them that take something for a call of a task by its look."""

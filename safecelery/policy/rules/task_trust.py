"""7xx, 770 to 779: whom a task believes, and who may read what it says."""

from __future__ import annotations

from safecelery.policy.facts import CodeFacts
from safecelery.policy.rule import Rule, Severity
from safecelery.policy.rules.task_place import place_rule

__all__ = ["RULES"]

RULES: tuple[Rule[CodeFacts], ...] = (
    place_rule(
        "SFC770",
        "ssh-host-key-not-checked",
        Severity.HIGH,
        "trusts any SSH host",
        "load the known hosts, and leave paramiko's RejectPolicy in place",
    ),
    place_rule(
        "SFC771",
        "tls-verify-off",
        Severity.HIGH,
        "does not check the certificate of the other side",
        'remove verify=False; for a private authority pass verify="/path/to/ca.pem"',
    ),
    place_rule(
        "SFC772",
        "shell-with-argument",
        Severity.CRITICAL,
        "puts an argument into a shell's command line",
        'pass a list without shell=True: subprocess.run(["convert", path])',
    ),
    place_rule(
        "SFC773",
        "secret-logged",
        Severity.MEDIUM,
        "writes a secret or all of its arguments to the log",
        "log an identifier instead",
    ),
    place_rule(
        "SFC774",
        "unvalidated-argument",
        Severity.LOW,
        "takes arguments whose shape nobody checks",
        "give each parameter a type: int, list[int], or a Pydantic model",
    ),
)

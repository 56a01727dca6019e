"""Who a task talks to, and whose text it runs: TLS and SSH checks, and shells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.names import last_name, words
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import first_argument, flows_from_parameter, is_true

__all__ = ["shell_with_argument", "ssh_policy", "tls_verify_off"]

_POLICIES: Final = frozenset(("AutoAddPolicy", "WarningPolicy"))
_SHELLS: Final = words("os.system os.popen subprocess.getoutput subprocess.getstatusoutput commands.getoutput")
_PROGRAMS: Final = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))


def ssh_policy(body: Body) -> Iterator[Site]:
    """``client.set_missing_host_key_policy(paramiko.AutoAddPolicy())``."""
    for call in body.calls:
        if call.attr != "set_missing_host_key_policy" or not call.node.args:
            continue
        policy = last_name(body.value_of(call.node.args[0]))
        if policy in _POLICIES:
            yield Site("ssh-host-key-not-checked", call.node, policy)


def tls_verify_off(body: Body) -> Iterator[Site]:
    """``verify=False`` to requests or httpx, on the call or on a session."""
    for call in body.calls:
        value = keyword(call.node, "verify")
        if isinstance(value, ast.Constant) and value.value is False and _http(body, call.node):
            yield Site("tls-verify-off", call.node, f"{call.name or call.attr}(verify=False)")
        elif call.name in ("ssl._create_unverified_context", "ssl._create_stdlib_context"):
            yield Site("tls-verify-off", call.node, f"{call.name}()")
    for assign in body.of(ast.Assign):
        target = assign.targets[0]
        off = isinstance(assign.value, ast.Constant) and assign.value.value is False
        if off and isinstance(target, ast.Attribute) and target.attr == "verify":
            made = body.value_of(target.value)
            if isinstance(made, ast.Call) and body.names.resolve(made.func).startswith(("requests.", "httpx.")):
                yield Site("tls-verify-off", assign, "session.verify = False")


def _http(body: Body, call: ast.Call) -> bool:
    if body.names.resolve(call.func).startswith(("requests.", "httpx.")):
        return True
    if not isinstance(call.func, ast.Attribute):
        return False
    made = body.value_of(call.func.value)
    return isinstance(made, ast.Call) and body.names.resolve(made.func).startswith(("requests.", "httpx."))


def shell_with_argument(body: Body) -> Iterator[Site]:
    """A command line for a shell that holds an argument of the task."""
    for call in body.calls:
        if call.name in _SHELLS:
            command = first_argument(call.node, "command")
        elif call.name in _PROGRAMS and is_true(keyword(call.node, "shell")):
            command = first_argument(call.node, "args")
        else:
            continue
        if command is not None and (parameter := flows_from_parameter(body, command)):
            yield Site("shell-with-argument", call.node, f"{call.name} with {parameter!r} in its command line")

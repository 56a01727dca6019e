"""Calls that may wait for ever: HTTP, sockets, other programs, locks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, Called, keyword
from safecelery.lint.code.names import spelled
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import is_none, is_true

__all__ = ["http_without_timeout", "lock_without_timeout", "socket_without_timeout", "subprocess_without_timeout"]

_HTTP_METHODS: Final = frozenset(("get", "post", "put", "patch", "delete", "head", "options", "request", "send"))
_HTTP: Final = {
    **{f"requests.{method}": 99 for method in _HTTP_METHODS if method != "send"},
    **{f"requests.api.{method}": 99 for method in _HTTP_METHODS if method != "send"},
    "urllib.request.urlopen": 2,
    "urllib.request.urlretrieve": 99,
    "http.client.HTTPConnection": 2,
    "http.client.HTTPSConnection": 99,
}
"""Function -> position of its timeout; 99 for "by name only"."""

_SOCKETS: Final = {
    "socket.create_connection": ("timeout", 1),
    "smtplib.SMTP": ("timeout", 3),
    "smtplib.SMTP_SSL": ("timeout", 99),
    "ftplib.FTP": ("timeout", 4),
    "ftplib.FTP_TLS": ("timeout", 99),
    "imaplib.IMAP4": ("timeout", 2),
    "imaplib.IMAP4_SSL": ("timeout", 99),
    "poplib.POP3": ("timeout", 2),
    "poplib.POP3_SSL": ("timeout", 99),
    "telnetlib.Telnet": ("timeout", 2),
    "psycopg2.connect": ("connect_timeout", 99),
    "psycopg.connect": ("connect_timeout", 99),
    "pymysql.connect": ("connect_timeout", 99),
    "ldap3.Server": ("connect_timeout", 99),
}
_SESSIONS: Final = frozenset(("requests.Session", "requests.session", "requests.sessions.Session"))
_PROGRAMS: Final = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output"))
_LOCKS: Final = frozenset(("lock", "setnx", "set", "add"))
_WAITS: Final = {"communicate": 1, "wait": 0}


def _missing(call: ast.Call, name: str, position: int) -> str:
    """How the timeout is missing; "" if there is one or it may hide in ``**options``."""
    value = keyword(call, name)
    if value is None and len(call.args) > position:
        value = call.args[position]
    if value is None:
        return f"without {name}"
    return f"with {name}=None" if is_none(value) else ""


def _open_ended(call: ast.Call) -> bool:
    """``**options`` or ``*args``: the timeout may be in there."""
    return any(entry.arg is None for entry in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args)


def http_without_timeout(body: Body) -> Iterator[Site]:
    """requests and urllib wait for ever by default; httpx only when told to."""
    if any(call.name == "socket.setdefaulttimeout" for call in body.calls) or "setdefaulttimeout" in body.module.source:
        return
    for call in body.calls:
        what, certain = "", True
        if call.name in _HTTP:
            what = _missing(call.node, "timeout", _HTTP[call.name])
        elif call.name.startswith("httpx."):
            what = "with timeout=None" if is_none(keyword(call.node, "timeout")) else ""
        elif call.attr in _HTTP_METHODS and (made := _session_behind(body, call)) is not None:
            what = _missing(call.node, "timeout", 99)
            certain = not _adapted(body, made)
        if what:
            name = call.name or f"Session.{call.attr}"
            yield Site("http-without-timeout", call.node, f"{name} {what}", certain and not _open_ended(call.node))


def _session_behind(body: Body, call: Called) -> ast.expr | None:
    """The requests session a method is called on: the name it has, or its call."""
    func = call.node.func
    if not isinstance(func, ast.Attribute):
        return None
    value = body.value_of(func.value)
    if isinstance(value, ast.Call) and body.names.resolve(value.func) in _SESSIONS:
        return func.value
    return None


def _adapted(body: Body, session: ast.expr) -> bool:
    """Somebody may have mounted an adapter with a timeout, or replaced ``request``."""
    if not isinstance(session, ast.Name):
        return False
    name = session.id
    if name not in body.values:  # of the module: anybody may have
        return f"{name}.mount" in body.module.source or f"{name}.request =" in body.module.source
    return any(
        isinstance(argument, ast.Name) and argument.id == name for call in body.calls for argument in call.node.args
    ) or any(
        call.attr == "mount" and isinstance(call.node.func, ast.Attribute) and _is_name(call.node.func.value, name)
        for call in body.calls
    )


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def socket_without_timeout(body: Body) -> Iterator[Site]:
    """Sockets and the mail, file and database clients above them."""
    if "setdefaulttimeout" in body.module.source:
        return
    for call in body.calls:
        if call.name in _SOCKETS and (what := _missing(call.node, *_SOCKETS[call.name])):
            # psycopg2.connect(dsn): the text may say connect_timeout
            dsn = _SOCKETS[call.name][0] == "connect_timeout" and bool(call.node.args)
            yield Site(
                "socket-without-timeout", call.node, f"{call.name} {what}", not dsn and not _open_ended(call.node)
            )


def subprocess_without_timeout(body: Body) -> Iterator[Site]:
    """``subprocess.run`` and its like, and waiting for a ``Popen``."""
    for call in body.calls:
        if call.name in _PROGRAMS:
            if what := _missing(call.node, "timeout", 99):
                yield Site("subprocess-without-timeout", call.node, f"{call.name} {what}", not _open_ended(call.node))
        elif call.attr in _WAITS and isinstance(call.node.func, ast.Attribute):
            value = body.value_of(call.node.func.value)
            if not isinstance(value, ast.Call) or body.names.resolve(value.func) != "subprocess.Popen":
                continue
            if what := _missing(call.node, "timeout", _WAITS[call.attr]):
                yield Site("subprocess-without-timeout", call.node, f"Popen.{call.attr}() {what}")


def lock_without_timeout(body: Body) -> Iterator[Site]:
    """A lock in Redis or a cache that stays when its holder dies."""
    expiring = any(call.attr in ("expire", "pexpire", "expireat") for call in body.calls)
    for call in body.calls:
        func = call.node.func
        if call.attr not in _LOCKS or not isinstance(func, ast.Attribute):
            continue
        if not _stores(body, func.value) or _open_ended(call.node):
            continue
        timeout = keyword(call.node, "timeout") or keyword(call.node, "expire") or keyword(call.node, "ttl")
        if call.attr == "lock" and len(call.node.args) < 2 and (timeout is None or is_none(timeout)):
            yield Site("lock-without-timeout", call.node, "lock() without timeout")
        elif call.attr == "setnx" and not expiring:
            yield Site("lock-without-timeout", call.node, "setnx() without expire()")
        elif call.attr == "set" and is_true(keyword(call.node, "nx")) and not expiring:
            lives = [keyword(call.node, name) for name in ("ex", "px", "exat", "pxat", "timeout")]
            if all(value is None or is_none(value) for value in lives) and len(call.node.args) < 3:
                yield Site("lock-without-timeout", call.node, "set(nx=True) without ex or px")
        elif call.attr == "add" and "cache" in _told(func.value):
            third = call.node.args[2] if len(call.node.args) > 2 else keyword(call.node, "timeout")
            if is_none(third):
                yield Site("lock-without-timeout", call.node, "cache.add() with timeout=None")


def _told(node: ast.expr) -> str:
    return spelled(node).lower() if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else ""


def _stores(body: Body, node: ast.expr) -> bool:
    """A client of Redis or a cache, by its name or by what it was made with."""
    told = _told(node)
    if "redis" in told or "cache" in told:
        return True
    value = body.value_of(node)
    if not isinstance(value, ast.Call):
        return False
    name = body.names.resolve(value.func)
    return name.startswith(("redis.", "django_redis.", "valkey."))

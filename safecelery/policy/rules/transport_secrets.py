"""2xx: credentials written into settings. The messages never show one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from safecelery.policy.facts import UNKNOWN, SettingsFacts, Stated
from safecelery.policy.limits import Limits
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.settings_reading import setting
from safecelery.policy.stock_tls import masked_url, url_parts

__all__ = ["RULES"]

_URLS: Final = (
    "broker_url", "broker_read_url", "broker_write_url", "result_backend", "database_url", "cache_backend",
)  # fmt: skip
_SECRETS: Final = ("broker_password", "redis_password", "security_key_password", "s3_secret_access_key")
_TABLES: Final = (
    "broker_transport_options", "result_backend_transport_options", "broker_use_ssl", "redis_backend_use_ssl",
    "mongodb_backend_settings", "couchbase_backend_settings", "arangodb_backend_settings", "cassandra_auth_kwargs",
    "database_engine_options", "cache_backend_options",
)  # fmt: skip
_SECRET_KEYS: Final = frozenset({
    "password", "passwd", "ssl_password", "secret", "secret_key", "secret_access_key", "aws_secret_access_key",
    "session_token",
})  # fmt: skip
_HERE: Final = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1|")
# <password>, {password}, %(password)s, $PASSWORD, ****, xxx: to be filled in
_PLACEHOLDER: Final = re.compile(r"<.*>|\{.*\}|%\(.*\)s|\$.*|\*+|x{3,}|%s|", re.IGNORECASE)
_WELL_KNOWN: Final = frozenset({"guest"})  # no secret: SFC205 is about it
_SCHEME_OF_KEYS: Final = ("azureblockblob", "azurestoragequeues", "azureservicebus")
_DEEPEST: Final = 4


def _is_secret(value: Stated) -> bool:
    return (
        isinstance(value, str) and len(value) < 4096 and value not in _WELL_KNOWN and not _PLACEHOLDER.fullmatch(value)
    )


def _members(value: Stated) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.split(";") if "AccountKey=" not in value else (value,)
    elif isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, str))


def _password_in_url(facts: SettingsFacts, _: Limits) -> Verdict:
    for name in _URLS:
        for url in _members(setting(facts, name)):
            scheme, _user, password, host, _query = url_parts(url)
            if scheme.startswith(_SCHEME_OF_KEYS) and ("AccountKey=" in url or _is_secret(password)):
                return Fail(f"{name} holds an account key")
            # On this host it is the password of a development server; of SQS it is a key, and the host is empty.
            if _is_secret(password) and (scheme == "sqs" or not _HERE.fullmatch(host)):
                return Fail(f"{name} is {masked_url(url)}")
    return PASS  # what comes from the environment cannot be read, and is right so


def _secret_setting(facts: SettingsFacts, _: Limits) -> Verdict:
    for name in _SECRETS:
        if _is_secret(setting(facts, name)):
            return Fail(f"{name} is written out")
    for name in _TABLES:
        if path := _secret_in(setting(facts, name), name, _DEEPEST):
            return Fail(f"{path} is written out")
    return PASS


def _secret_in(value: Stated, path: str, depth: int) -> str:
    """Where in this mapping a secret stands; empty if nowhere."""
    if value is UNKNOWN or not isinstance(value, Mapping) or not depth:
        return ""
    for key, item in value.items():
        if key in _SECRET_KEYS and _is_secret(item):
            return f"{path}[{key!r}]"
        if found := _secret_in(item, f"{path}[{key!r}]", depth - 1):
            return found
    return ""


RULES = (
    Rule(
        code="SFC213",
        name="password-in-url",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_password_in_url,
        message="has a password written into its configuration",
        fix="read the URL from the environment or a secrets file, and change the password: it is in the history",
    ),
    Rule(
        code="SFC214",
        name="secret-in-settings",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_secret_setting,
        message="has a secret written into its configuration",
        fix="read it from the environment or a secrets file, and replace it: it is in the history",
    ),
)

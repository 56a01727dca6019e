"""Credentials that stand literally in a deployment file: where they stand is said, what they are never."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from safecelery.lint.deploy.environment import HOLE

__all__ = ["credentials_in_command", "credentials_in_environment", "masked", "plain_text_urls"]

_URL_PASSWORD = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.-]{1,30})://(?P<user>[^\s/@:\"']{0,200}):(?P<password>[^\s/@\"']{1,200})@"
)
_QUEUE_SCHEMES = frozenset(
    {"amqp", "amqps", "pyamqp", "redis", "rediss", "valkey", "valkeys", "sentinel", "mongodb", "sqs", "librabbitmq"}
)
_PLAIN_URL = re.compile(
    r"(?P<scheme>pyamqp|amqp|librabbitmq|redis|valkey|sentinel)://(?:[^\s@/]*@)?(?P<host>\[[^\]\s]*\]|[^\s/:,;?]*)"
)
_SECRET_NAME = re.compile(
    r"(?:BROKER|REDIS|VALKEY|RABBITMQ|AMQP|CELERY|FLOWER).*(?:PASSWORD|PASSWD|PASS|SECRET|COOKIE|BASIC_AUTH)$"
    r"|FLOWER_BASIC_AUTH$"
)
_CONNECTION_NAME = re.compile(r"BROKER|CELERY|RESULT|AMQP|RABBIT|REDIS_UR|QUEUE")
_SECRET_OPTION = re.compile(
    r"(?P<option>--(?:basic[-_]auth|oauth2[-_]secret|cookie[-_]secret|requirepass|masterauth))"
    r"(?P<gap>[= ])(?P<value>\S+)"
)
_PLACEHOLDER = re.compile(
    r"^[<\[{%].*[>\]}%)s]$|^\*+$|^x+$|^\.\.\.$|\$[({]|^%\(|^\$[A-Za-z_]|change_?me\b.*here", re.IGNORECASE
)


def _literal(value: str) -> bool:
    """A value that is really there: neither a hole nor a reference that something fills in later."""
    return bool(value.strip()) and HOLE not in value and _PLACEHOLDER.search(value.strip()) is None


def masked(command: str) -> str:
    """The command line for messages: holes as ``...``, passwords as ``***``, of bearable length."""
    text = _URL_PASSWORD.sub(lambda m: f"{m['scheme']}://{m['user']}:***@", command)
    text = _SECRET_OPTION.sub(lambda m: f"{m['option']}{m['gap']}***", text)
    text = text.replace(HOLE, "...")
    return text if len(text) <= 200 else text[:197] + "..."


def credentials_in_command(words: Sequence[str]) -> tuple[str, ...]:
    """Which options (or words) of a command line hold a credential."""
    found = [
        match["option"].replace("_", "-")
        for match in _SECRET_OPTION.finditer(" ".join(words))
        if _literal(match["value"])
    ]
    for place, word in enumerate(words):
        url = _URL_PASSWORD.search(word)
        if url and _literal(url["password"]):
            option, equals, _ = word.partition("=")
            if not (equals and option.startswith("-")):
                option = words[place - 1] if place and words[place - 1].startswith("-") else "a URL"
            found.append(option)
    return tuple(dict.fromkeys(found))


def credentials_in_environment(values: Mapping[str, str]) -> tuple[str, ...]:
    """The names of variables whose value holds a credential of a broker, a backend or a user interface."""
    found = []
    for name, value in values.items():
        url = _URL_PASSWORD.search(value)
        in_url = (
            url is not None and url["scheme"].lower().partition("+")[0] in _QUEUE_SCHEMES and _literal(url["password"])
        )
        if in_url or (
            _SECRET_NAME.search(name.upper()) and "://" not in value and not value.startswith("/") and _literal(value)
        ):
            found.append(name)
    return tuple(found)


def plain_text_urls(values: Iterable[tuple[str, str]], local: frozenset[str]) -> tuple[str, ...]:
    """The names whose value is the URL of a broker or backend on another host, without TLS."""
    found = []
    for name, value in values:
        if not _CONNECTION_NAME.search(name.upper()):
            continue
        for url in _PLAIN_URL.finditer(value):
            host = url["host"].strip("[]").lower()
            if not host or HOLE in host or host in local or host in ("localhost", "::1") or host.startswith("127."):
                continue
            if "$" in host or "{" in host or "%" in host or "*" in host:
                continue
            if url.start() and value[url.start() - 1].isalnum():
                continue
            found.append(name)
            break
    return tuple(found)

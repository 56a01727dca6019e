"""Answers to remote commands without the secrets that this process knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from celery.app.utils import Settings

from safecelery.settings import SafeCelerySettings

__all__ = ["MASK", "Secrets"]

MASK: Final = "********"
#: A URL's password, up to the last ``@`` before the next URL: one that was not quoted may hold anything.
_IN_URL: Final = re.compile(r"(://[^\s:/@'\"]*:)(?:(?!://)[^\s'\"])*@")
#: ``?password=...`` and the like.
_IN_QUERY: Final = re.compile(r"([?&;][\w.-]*(?:pass|secret|token|key)[\w.-]*=)[^&;\s'\"]+", re.IGNORECASE)
#: Names whose values are secrets.
_NAME: Final = re.compile(
    r"pass(?:word|wd|phrase)?(?:$|_)|pwd|secret|token|credential|private|api_?key|access_?key|account_?key"
    r"|(?<!routing)_key$|^key$|apikey",
    re.IGNORECASE,
)
#: A shorter one is not looked for in other texts: it would be found in words.
_SHORTEST: Final = 6
#: Deepest nesting that is looked at; what lies deeper is masked whole.
_DEPTH: Final = 50


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """The secrets of one process, longest first."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, conf: Settings, settings: SafeCelerySettings) -> Secrets:
        """Passwords in URLs, and values of settings that are named like secrets, wherever they stand."""
        found = set(_texts_of(dict(conf.table(with_defaults=False, censored=False))))
        urls = [*settings.broker_urls]
        if settings.results.url is not None:
            urls.append(settings.results.url.get_secret_value())
        for url in urls:
            found |= set(_passwords(url))
        return cls(tuple(sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True)))

    def masked(self, value: Any, depth: int = _DEPTH) -> Any:
        """The same, without them."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict | list | tuple | set | frozenset) and depth == 0:
            return MASK
        if isinstance(value, Mapping):
            return {
                self._name(name): MASK if _is_secret(name, inner) else self.masked(inner, depth - 1)
                for name, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.masked(inner, depth - 1) for inner in value]
        return value

    def _name(self, name: Any) -> Any:
        return self._text(name) if isinstance(name, str) else name

    def _text(self, text: str) -> str:
        if "://" in text:
            text = _IN_URL.sub(rf"\1{MASK}@", text)
            text = _IN_QUERY.sub(rf"\1{MASK}", text)
        for secret in self.texts:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


def _is_secret(name: object, value: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, str | bytes | list | tuple | dict)
        and bool(value)
        and _NAME.search(name) is not None
    )


def _texts_of(value: Any, secret: bool = False) -> Iterator[str]:
    """Every text that stands under a secret's name, and every password of a URL."""
    if isinstance(value, str):
        if secret:
            yield value
        yield from _passwords(value)
    elif isinstance(value, bytes) and secret:
        yield value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts_of(inner, secret or _is_secret(name, inner))
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _texts_of(inner, secret)


def _passwords(text: str) -> Iterable[str]:
    """As they are written and as they are meant (``%40`` is ``@``), of each URL of a failover list."""
    if "://" not in text:
        return
    for url in text.split(";"):
        try:
            password = urlsplit(url).password
        except ValueError:
            continue
        if password:
            yield password
            yield unquote(password)

"""Where a source mentions what matters: plain text searches, which cost a hundredth of walking its syntax.

Searching for a fixed text runs at memory speed; a regular expression of alternatives is some thirty times slower.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

__all__ = [
    "CONFIGURED",
    "CONFIGURING",
    "NAMING",
    "NETWORK",
    "RETRYING",
    "SENDING",
    "TELLING",
    "WORDS",
    "Lines",
    "indented",
    "lines_at",
    "lines_of",
    "may_configure",
    "mentioned",
    "reads_results",
    "within",
]

TELLING: Final = (
    "elery", "ELERY", "_task", ".task", "Task", "environ", "getenv", "env(", "env.", "conf", "settings", "partial",
    "wraps", "kwargs", "worker_main", "autodiscover",
)  # fmt: skip
"""A function without any of these neither makes tasks nor configures an app nor reads the environment."""
NAMING: Final = ("elery", "ELERY", "shared_task", "config.from_")
"""What a long function says that makes tasks or configures an app all the same, as the factory of a web application."""
SENDING: Final = (
    ".delay", ".apply_async", "send_task(", "signature(", "subtask(", ".s(", ".si(", "add_periodic_task(",
)  # fmt: skip
"""Statements without any of these send no task."""
NETWORK: Final = (
    "requests.", "httpx.", "aiohttp.", "urllib3.", "urlopen(", "smtplib.", "send_mail(", "EmailMessage(",
    "EmailMultiAlternatives(", "paramiko.", "ftplib.", "boto3.", "socket.create_connection(", "grpc.", "stripe.",
)  # fmt: skip
"""Whoever uses these talks to another machine."""
RETRYING: Final = (".retry(",)
_READING: Final = {
    "Result": ("AsyncResult", "GroupResult", "EagerResult"),
    "chord(": ("chord(",),
    "_results": ("django_celery_results",),
}
_PERHAPS_READING: Final = {
    f"{name}.": tuple(f"{name}.{method}(" for method in ("get", "wait", "join", "ready", "collect"))
    for name in ("result", "results", "promise", "res", "job", "ResultSet")
}
"""A part that all have in common, which is looked for first."""


_BLANKS: Final = frozenset({" ", "\t"})

CONFIGURING: Final = ("config_from_object", "config_from_envvar", "register_task")
"""Methods of an app that configure it or give it a task."""
CONFIGURED: Final = ("conf", "Task")
"""Attributes of an app that whoever configures it uses."""
WORDS: Final = (
    "DJANGO_SETTINGS_MODULE", "from_object(", "__init_subclass__", "autodiscover_tasks", "worker_main", "argv=",
    "lask",
)  # fmt: skip
"""Words that decide whether a whole module is looked through for something rare."""


def mentioned(source: str) -> list[str]:
    """Which of :data:`WORDS` occur."""
    return [word for word in WORDS if word in source]


def may_configure(source: str) -> bool:
    """Whether some function of a module may configure an app of Celery's, or declare a task inside of itself."""
    if any(word in source for word in CONFIGURING):
        return True
    if any("task" in _rest_of_line(source, at) for at in indented(source, "@")):
        return True
    return any(
        not source[at + len(name) + 1 : at + len(name) + 2].isidentifier()
        for name in CONFIGURED
        for at in _places(source, f".{name}")
    )


def _places(source: str, word: str) -> Iterator[int]:
    at = source.find(word)
    while at >= 0:
        yield at
        at = source.find(word, at + 1)


def indented(source: str, mark: str) -> Iterator[int]:
    """The places of a character behind blanks. One alone is found ten times as fast as with its blank."""
    return (at for at in _places(source, mark) if source[at - 1 : at] in _BLANKS)


def _rest_of_line(source: str, at: int) -> str:
    end = source.find("\n", at)
    return source[at:] if end < 0 else source[at:end]


def reads_results(source: str) -> bool | None:
    """Whether a module reads results of tasks; None if it looks a little like it."""
    if _any_of(source, _READING):
        return True
    return None if _any_of(source, _PERHAPS_READING) else False


def _any_of(source: str, groups: Mapping[str, Iterable[str]]) -> bool:
    return any(word in source for part, words in groups.items() if part in source for word in words)


def lines_of(source: str, words: Iterable[str]) -> list[int]:
    """The lines, from 1 and in order, that hold one of the words."""
    return lines_at(source, {place for word in words for place in _all_places(source, word)})


@lru_cache(maxsize=32)
def _all_places(source: str, word: str) -> tuple[int, ...]:
    """Two stages ask for the same words of the same module, one after the other."""
    return tuple(_places(source, word))


def lines_at(source: str, places: Iterable[int]) -> list[int]:
    """The lines, from 1 and in order, that hold these places."""
    lines: list[int] = []
    line, start = 1, 0
    for place in sorted(places):
        line += source.count("\n", start, place)
        start = place
        if not lines or lines[-1] != line:
            lines.append(line)
    return lines


def within(lines: list[int], first: int, last: int) -> bool:
    """One of the sorted lines lies between the two."""
    position = bisect_left(lines, first)
    return position < len(lines) and lines[position] <= last


class Lines:
    """The text of single lines."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines: list[str] | None = None

    def mention(self, words: Iterable[str], first: int, last: int) -> bool:
        """One of the words, which hold no line's end, occurs between the first line and the end of the last."""
        if self._lines is None:
            self._lines = self._source.split("\n")
        text = "\n".join(self._lines[first - 1 : last])
        return any(word in text for word in words)

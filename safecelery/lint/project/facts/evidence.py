"""A fact with the values it was made from, so that a finding can say where they came from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any

from safecelery.deferred import dataclass
from safecelery.lint.finding import Because
from safecelery.lint.model.reading import describe, env_of, plain
from safecelery.lint.model.values import Ext, ExtInstance, Seq, Table, Unknown, Val
from safecelery.policy.facts import UNKNOWN, Facts, Place, ScheduleFacts

__all__ = ["Subject", "blocked_by", "place_of", "stated"]


@dataclass(frozen=True, slots=True)
class Subject:
    """Facts, and by field or setting name the value behind it."""

    facts: Facts
    values: Mapping[str, Val] = field(default_factory=dict)
    column: int = 1
    points_at_value: bool = False
    """A finding stands where the value was written, not where the subject is."""
    concluded: Mapping[str, Val] = field(default_factory=dict)
    """By the words of rules, what they conclude it from: only looked at where a verdict is open."""
    deciding: Callable[[str], Because | None] = lambda name: None
    """Of a field: the setting that decides it for every task that says nothing of its own."""

    def mentioned(self, text: str, *, concluded: bool = False) -> list[tuple[str, Val]]:
        """The values that a message speaks of, in its order."""
        values = {**self.values, **self.concluded} if concluded and self.concluded else self.values
        return [(name, values[name]) for name in _spoken_of(text, tuple(values))]

    def because(self, text: str, *, concluded: bool = False) -> tuple[tuple[Because, ...], tuple[str, ...]]:
        """The chain of places and the environment variables behind a message."""
        chain: list[Because] = []
        env: list[str] = []
        for _, value in self.mentioned(text, concluded=concluded):
            for link in value.because:
                if link not in chain and link.file:
                    chain.append(link)
            env += [name for name in env_of(value) if name not in env]
        return tuple(chain[:8]), tuple(env)

    def cause(self, text: str) -> Because | None:
        """The setting behind what a message speaks of, if it is not the subject's own doing."""
        return next(filter(None, (self.deciding(name) for name, _ in self.mentioned(text))), None)

    def blockers(self, text: str, only: Collection[str] | None = None) -> list[str]:
        """The expressions that kept a verdict open; ``only``: among the values of these names."""
        found = []
        for name, value in self.mentioned(text, concluded=True):
            objects = isinstance(self.facts, ScheduleFacts)
            words = blocked_by(value, objects=objects) if only is None or name in only else None
            if words is not None:
                if not words.isprintable() or words == "UNKNOWN" or "operator." in words:
                    words = name  # the interpreter's words, which nobody wrote
                if words not in found:
                    found.append(words)
        return found


@lru_cache(maxsize=4096)
def _spoken_of(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a text, in its order. A message comes again for each app that may run the task."""
    found = []
    for name in names:
        at = text.find(name)  # nearly always nowhere
        while at >= 0 and not _is_alone(text, at, at + len(name)):
            at = text.find(name, at + 1)
        if at >= 0:
            found.append((at, name))
    return tuple(name for _, name in sorted(found, key=lambda item: item[0]))


def _is_alone(text: str, start: int, end: int) -> bool:
    """What stands there is a name of its own: no part of a longer one, and no attribute."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before == "." or before == "_" or before.isalnum() or after == "_" or after.isalnum())


def stated(value: Val, depth: int = 0) -> Any:
    """The value as a rule sees it: as :func:`plain`, but a container keeps what can be read of it."""
    whole = plain(value)
    if whole is not UNKNOWN or depth > 8:
        return whole
    data = value.data
    if isinstance(data, Table) and not data.open:
        return {key: stated(item, depth + 1) for key, item in data.items.items()}
    if isinstance(data, Seq) and not data.open:
        items = [stated(item, depth + 1) for item in data.items]
        return tuple(items) if data.kind == "t" else items
    if isinstance(data, Ext) and data.name.startswith("ssl."):
        return data.name
    if isinstance(data, ExtInstance) and data.name == "builtins.dict":
        return UNKNOWN
    return UNKNOWN


def blocked_by(value: Val, depth: int = 0, *, objects: bool = False) -> str | None:
    """The expression in the value that could not be read; None where all of it was.

    ``objects``: an object of a class counts as read, as a schedule of the project's own is.
    """
    data = value.data
    if isinstance(data, Unknown):
        return data.why
    if depth > 6:
        return None
    parts: list[Val] = []
    if isinstance(data, Seq):
        parts = data.items
    elif isinstance(data, Table):
        parts = list(data.items.values())
    elif isinstance(data, ExtInstance):
        parts = [*data.args, *data.kwargs.values()]
    for part in parts:
        words = blocked_by(part, depth + 1)
        if words is not None:
            return words
    if isinstance(data, Seq | Table):
        return describe(value) if data.open else None
    return describe(value) if depth == 0 and not objects and plain(value) is UNKNOWN else None


def place_of(value: Val, otherwise: Place) -> Place:
    """Where the value was written."""
    for link in value.because:
        if link.file and link.line:
            return Place(link.file, link.line)
    return otherwise

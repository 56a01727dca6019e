"""Idempotency keys: what two calls of a task have in common if they ask for the same thing, and what came of the first.

A message runs once by the ledger. This is about two *messages* that mean one operation: a client that calls twice, a
task that is retried after its work was done. The first to begin holds a lease while it runs; the others wait by a retry
that does not count, not in a slot of the pool; when it has returned they get what it returned.
"""

from __future__ import annotations

import hashlib
import hmac
import inspect
import json
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from safecelery.errors import ArgumentsRejected, SettingsError, did_you_mean

__all__ = ["DEFAULT_TTL_S", "Idempotency"]

#: Seconds for which an outcome is kept where the task does not say.
DEFAULT_TTL_S: Final = 86_400
#: What has one text. Of anything else, two that are equal may read differently, and then nothing is idempotent.
_PLAIN = (str, int, Decimal, UUID, date, datetime, time, timedelta)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What a task declared: ``idempotency_key``, ``idempotency_ttl``, ``idempotency_errors``."""

    task: str
    key: str | Callable[..., object]
    fields: tuple[str, ...]
    """Parameters that a template names."""
    signature: inspect.Signature
    ttl_s: float
    errors: tuple[type[Exception], ...]
    """Exceptions that are an outcome, too: whoever asks again gets them again."""

    @classmethod
    def declared(
        cls, task: Any, function: Callable[..., Any], *, skip_first: bool, where: object
    ) -> Idempotency | None:
        """Read and check what a task class says; None if it says nothing.

        Raises:
            SettingsError: with the task, the place and what to write instead.
        """
        key, ttl_s, errors = task.idempotency_key, task.idempotency_ttl, task.idempotency_errors
        lead = f"task {task.name!r} [{where}]: "
        if key is None:
            return None
        parameters = list(inspect.signature(function).parameters.values())[1 if skip_first else 0 :]
        signature = inspect.Signature([p.replace(annotation=p.empty) for p in parameters])
        fields: tuple[str, ...] = ()
        if isinstance(key, str):
            fields = _fields(key, signature, lead)
        elif not callable(key):
            raise SettingsError(f'{lead}idempotency_key is a template such as "charge:{{order_id}}", or a function')
        else:
            _check_callable(key, signature, lead)
        if isinstance(ttl_s, bool) or not isinstance(ttl_s, int | float) or not 0 < ttl_s < float("inf"):
            raise SettingsError(f"{lead}idempotency_ttl is a positive number of seconds, not {ttl_s!r}")
        errors = (errors,) if isinstance(errors, type) else tuple(errors)
        if not all(isinstance(error, type) and issubclass(error, Exception) for error in errors):
            raise SettingsError(f"{lead}idempotency_errors names exception classes")
        return cls(task.name, task.idempotency_key, fields, signature, float(ttl_s), errors)

    def name_of(self, args: Sequence[Any], kwargs: Mapping[str, Any], secret: bytes | None = None) -> str:
        """The operation's name in the store: a digest, so that no argument is readable there.

        Of a task that is encrypted, the digest has a ``secret``: without one, who reads the store could try all card
        numbers.

        The values are not pasted into the template: ``"{a}:{b}"`` would be the same for ``("1:2", "3")`` and
        ``("1", "2:3")``.

        Raises:
            ArgumentsRejected: no key can be made of these arguments. Names parameters, never their values.
        """
        if isinstance(self.key, str):
            bound = self.signature.bind(*args, **kwargs)
            bound.apply_defaults()
            said: list[Any] = [self.key, {name: self._text(name, bound.arguments[name]) for name in self.fields}]
        else:
            made = self.key(*args, **kwargs)
            if not isinstance(made, str) or not made:
                raise ArgumentsRejected(f"task {self.task!r}: idempotency_key gave no text, but {type(made).__name__}")
            said = [made]
        text = json.dumps([self.task, *said], sort_keys=True).encode()
        return (hashlib.sha256(text) if secret is None else hmac.new(secret, text, "sha256")).hexdigest()

    def _text(self, name: str, value: object) -> str | None:
        if isinstance(value, Enum):
            value = value.value
        if value is None:
            return None
        if not isinstance(value, _PLAIN):
            raise ArgumentsRejected(
                f"task {self.task!r}: idempotency_key cannot use {name!r}, which is {type(value).__name__}: it "
                "has no one text; use a function that takes what identifies it"
            )
        return str(value)


def _fields(template: str, signature: inspect.Signature, lead: str) -> tuple[str, ...]:
    """The names in a template: nothing but parameters, without attributes, indexes, conversions or formats.

    ``str.format`` would follow ``{order.__class__.__init__.__globals__}``.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise SettingsError(f"{lead}idempotency_key {template!r} is no template ({error})") from None
    known = [n for n, p in signature.parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    found = []
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name not in known:
            raise SettingsError(
                f"{lead}idempotency_key {template!r} names {name!r}, which is no parameter of the task"
                f"{did_you_mean(name, known)}; attributes and indexes are not followed, use a function for those"
            )
        if form or conversion:
            raise SettingsError(f"{lead}idempotency_key {template!r}: {name!r} takes no format and no conversion")
        found.append(name)
    if not found:
        raise SettingsError(
            f"{lead}idempotency_key {template!r} names no parameter, so all calls of the task would be one operation"
        )
    return tuple(dict.fromkeys(found))


def _check_callable(key: Callable[..., Any], signature: inspect.Signature, lead: str) -> None:
    """It must take whatever the task takes."""
    own = inspect.signature(key)
    takes_any = {p.kind for p in own.parameters.values()} >= {
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD,
    }
    if not takes_any and [(p.name, p.kind) for p in own.parameters.values()] != [
        (p.name, p.kind) for p in signature.parameters.values()
    ]:
        raise SettingsError(
            f"{lead}idempotency_key takes {own}, and the task takes {signature}; it is called with the task's arguments"
        )

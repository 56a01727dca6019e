"""What is known of functions outside the tree: the environment, functools, the built-ins that configuration uses.

One visible table, :data:`EXTERNALS`, by dotted name. Everything else gives an opaque object of its own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from safecelery.lint.finding import Because
from safecelery.lint.model import environment
from safecelery.lint.model.conversions import CONVERSIONS
from safecelery.lint.model.fields import asdict
from safecelery.lint.model.introspection import INTROSPECTION
from safecelery.lint.model.known import Known
from safecelery.lint.model.reading import env_of
from safecelery.lint.model.values import (
    ExtInstance,
    Val,
)
from safecelery.lint.model.wrapping import WRAPPING

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["EXTERNALS", "call_instance"]


def call_instance(
    it: Interpreter, data: ExtInstance, args: list[Val], kwargs: dict[str, Val], at: Because
) -> Val | None:
    """A call of what a call outside the tree returned: ``env = Env(); env("X")``."""
    known = environment.READERS.get(data.name)
    if known is not None:
        return known(it, data, args, kwargs, at)
    return None


def _assumed(value: Any, env: str = "") -> Known:
    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        return Val(value, (env,) if env else ())

    return call


def _opaque_kept(name: str) -> Known:
    def call(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        env = tuple(dict.fromkeys(e for v in (*args, *kwargs.values()) for e in env_of(v)))
        return Val(ExtInstance(name, args, kwargs), env)

    return call


EXTERNALS: Final[Mapping[str, Known]] = {
    **CONVERSIONS,
    **INTROSPECTION,
    **WRAPPING,
    "os.path.exists": _assumed(value=False, env="the file system"),
    "os.path.isfile": _assumed(value=False, env="the file system"),
    "os.path.isdir": _assumed(value=False, env="the file system"),
    "platform.system": _assumed("Linux"),
    "datetime.timedelta": _opaque_kept("datetime.timedelta"),
    **dict.fromkeys(("dataclasses.asdict", "attr.asdict", "attrs.asdict"), asdict),
    **environment.FUNCTIONS,
}
"""Dotted name -> what a call of it does."""

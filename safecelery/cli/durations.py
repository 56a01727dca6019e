"""Durations as values of options."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

__all__ = ["DURATION"]


class _Duration(click.ParamType[Any]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """A ``timedelta`` of ``15m``, ``2d`` and the like."""
        if isinstance(value, timedelta):
            return value
        from safecelery.policy.durations import seconds

        try:
            return timedelta(seconds=seconds(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


#: ``90s``, ``15m``, ``2h``, ``7d``, ``1d12h``.
DURATION = _Duration()

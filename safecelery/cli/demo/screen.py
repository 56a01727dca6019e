"""What the demo says while it runs: a line per step, colours only where somebody looks at them."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from typing import IO, Any, Literal

import click

__all__ = ["Screen"]

Colour = Literal["green", "red", "yellow", "bold", "none"]


@dataclass(slots=True)
class Screen:
    """Lines with the seconds since the start in front."""

    stream: IO[Any] = field(default_factory=lambda: sys.stdout)
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    @property
    def coloured(self) -> bool:
        """A terminal, and nobody said no (https://no-color.org)."""
        return self.stream.isatty() and not os.environ.get("NO_COLOR")

    def paint(self, text: str, colour: Colour) -> str:
        """The text in that colour, if there are any."""
        if colour == "none" or not self.coloured:
            return text
        return click.style(text, bold=True) if colour == "bold" else click.style(text, fg=colour)

    def say(self, text: str = "") -> None:
        """A line as it is."""
        click.echo(text, file=self.stream, color=self.coloured)

    def step(self, what: str, text: str, colour: Colour = "none") -> None:
        """A line of progress."""
        self.say(f"{self.seconds:5.1f} s  {self.paint(f'{what:<11}', colour)} {text}")

"""A click group that knows its commands by name and imports one only when it runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import IO, Any, cast

import click

from safecelery.cli.exitcodes import COULD_NOT, INTERRUPTED
from safecelery.errors import SafeCeleryError, did_you_mean

__all__ = ["CommandTable", "LazyGroup", "Refusal"]

#: Command name -> ("module:attribute", one line of help).
CommandTable = Mapping[str, tuple[str, str]]


class Refusal(click.ClickException):
    """Printed as ``error: ...`` without a traceback; the exit status says that nothing was done."""

    exit_code = COULD_NOT

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error."""
        click.echo(f"error: {self.format_message()}", file=file or sys.stderr)


class LazyGroup(click.Group):
    """``--help`` and a command's start cost nothing for the commands that are not asked for."""

    def __init__(self, *args: Any, table: CommandTable, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in self.table:
            return None
        module, _, attribute = self.table[cmd_name][0].partition(":")
        return cast("click.Command", getattr(import_module(module), attribute))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest name for one that does not exist."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            ctx.fail(f"no command {args[0]!r}{did_you_mean(args[0], self.table)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table's own help lines, so that nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what went wrong is a sentence, not a traceback."""
        try:
            return super().invoke(ctx)
        except SafeCeleryError as error:
            raise Refusal(str(error)) from None
        except BrokenPipeError:
            raise  # whoever read our output has seen enough; click ends quietly
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise Refusal(f"{place}{error.strerror or error}") from None
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None

"""Options that every command has which judges something by a policy and prints a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from safecelery.cli.colour import COLOUR_CHOICES
from safecelery.lint.config.model import OUTPUT_FORMATS

__all__ = ["judging", "reporting", "stated"]

F = TypeVar("F", bound=Callable[..., Any])

_JUDGING = (
    click.option("--policy", help="baseline (the default), strict, migration, or a TOML file of your own."),
    click.option("--select", multiple=True, metavar="RULES", help="Only these: codes, prefixes (SFC4) or names."),
    click.option("--ignore", multiple=True, metavar="RULES", help="Not these. Wins over --select."),
    click.option("--settings", metavar="MODULE", help="The settings module to assume where it cannot be told."),
    click.option(
        "--config", "config_file", type=click.Path(dir_okay=False, path_type=Path),
        help="The configuration file, instead of the pyproject.toml or safecelery.toml that is found.",
    ),
    click.option("--isolated", is_flag=True, help="No configuration file at all."),
)  # fmt: skip

_REPORTING = (
    click.option(
        "--format", "--output-format", "output_format", type=click.Choice(OUTPUT_FORMATS),
        help="How to say it. [default: full]",
    ),
    click.option("--output-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the report there."),
    click.option("--statistics", is_flag=True, help="Count the findings of each rule."),
    click.option("--quiet", "-q", is_flag=True, help="Findings only: no summary, no progress."),
    click.option("--color", "colour", type=click.Choice(COLOUR_CHOICES), default="auto", help="[default: auto]"),
    click.option("--fail-on-warnings", is_flag=True, help="Exit with 1 for findings of level warn, too."),
    click.option("--fail-on-undecided", is_flag=True, help="Exit with 1 while a rule could not be decided (SFC002)."),
    click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found; with 2 if not all could be read."),
)  # fmt: skip


def judging(command: F) -> F:
    """Which rules, at which level."""
    for option in reversed(_JUDGING):
        command = option(command)
    return command


def reporting(command: F) -> F:
    """What is printed, and what the exit status says."""
    for option in reversed(_REPORTING):
        command = option(command)
    return command


def stated(given: Mapping[str, Any]) -> dict[str, object]:
    """The options that the command line stated, by key of the configuration."""
    found: dict[str, object] = {}
    for name in ("policy", "settings", "output_format"):
        if given.get(name) is not None:
            found[name.replace("_", "-")] = given[name]
    for name in ("select", "ignore", "exclude"):
        if given.get(name):
            found[name] = [part.strip() for text in given[name] for part in text.split(",") if part.strip()]
    for name in ("fail_on_undecided", "include_tests"):
        if given.get(name):
            found[name.replace("_", "-")] = True
    if given.get("no_cache"):
        found["cache"] = False
    if given.get("baseline") is not None:
        found["baseline"] = str(given["baseline"])
    return found

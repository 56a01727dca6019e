"""``safecelery facts``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from safecelery.cli.exitcodes import COULD_NOT, OK

__all__ = ["as_table", "facts"]

_SHOWN = {
    "time_limit_effective": "HARD",
    "soft_time_limit_effective": "SOFT",
    "acks_late": "LATE ACK",
    "reject_on_worker_lost": "REJECT LOST",
    "max_retries": "RETRIES",
    "serializer": "SERIALIZER",
    "ignore_result": "IGNORE RESULT",
}
"""Columns of the table; the JSON document has every option."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--settings", metavar="MODULE", help="The settings module to assume where it cannot be told.")
@click.option("--exclude", multiple=True, metavar="PATTERNS", help="Files and directories not to look at.")
@click.option("--include-tests", is_flag=True, help="Look at test code, too.")
@click.option("--no-cache", is_flag=True, help="Read every file anew, and keep nothing.")
@click.option(
    "--config", "config_file", type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file, instead of the pyproject.toml or safecelery.toml that is found.",
)  # fmt: skip
@click.option("--isolated", is_flag=True, help="No configuration file at all.")
@click.pass_context
def facts(ctx: click.Context, /, paths: tuple[str, ...], form: str, **given: Any) -> None:
    """Print what can be read of the Celery apps and tasks in PATHS (default: here), without judging it.

    A value is known, or the default of an environment variable (marked ~), or unknown (?): then the document says what
    could not be read. Exit status 2 if some file could not be read.

    \b
    Examples:
      safecelery facts                          a table of tasks, and the settings that are stated
      safecelery facts src --format json        every option, and the places it came from
    """
    from safecelery.cli.lint.emit import write
    from safecelery.cli.lint.options import stated
    from safecelery.lint import engine
    from safecelery.lint.config import load_config

    paths = paths or (".",)
    config = load_config(paths, stated(given), file=given["config_file"], isolated=given["isolated"])
    document = _masked(engine.facts(paths, config))
    if form == "json":
        import json

        write((json.dumps(document, indent=2), "\n"))
    else:
        write(f"{line}\n" for line in as_table(document))
    ctx.exit(COULD_NOT if document["unparsed"] else OK)


def _masked(part: Any) -> Any:
    """The document without passwords, as every report is."""
    from safecelery.lint.report.masking import masked

    if isinstance(part, str):
        return masked(part)
    if isinstance(part, dict):
        return {key: _masked(value) for key, value in part.items()}
    return [_masked(item) for item in part] if isinstance(part, list | tuple) else part


def as_table(document: Mapping[str, Any]) -> Iterator[str]:
    """Apps with the settings that were stated, then a row for every task, then what could not be read."""
    from safecelery.cli.table import render

    for app in document["apps"]:
        yield f"app {app['name']}  {_place(app)}"
        stated = {name: value for name, value in app["conf"].items() if _is_stated(value)}
        width = max(map(len, stated), default=0)
        yield from (f"  {name:<{width}}  {_cell(value)}" for name, value in stated.items())
        yield ""
    rows = [
        (
            task["name"],
            *(_cell(task["options"].get(option)) for option in _SHOWN),
            " ".join(task["unknown_options"] or ()),
            _place(task),
        )
        for task in document["tasks"]
    ]
    yield render(("TASK", *_SHOWN.values(), "NOT READ BY CELERY", "PLACE"), rows) if rows else "no tasks"
    for item in document["unparsed"]:
        yield f"not read: {_place(item)} {item['why']}"


def _is_stated(value: Mapping[str, Any]) -> bool:
    return any(link.get("file") for link in value.get("because") or ()) or value["state"] != "known"


def _cell(value: Mapping[str, Any] | None) -> str:
    if value is None:
        return ""
    if value["state"] == "unknown":
        return "?"
    found = value.get("value")
    text = "-" if found is None else found if isinstance(found, str) else repr(found)
    mark = "~" if value["state"] == "default" or value.get("env") else ""
    return mark + (text if len(text) <= 48 else f"{text[:45]}...")


def _place(thing: Mapping[str, Any]) -> str:
    return f"{thing.get('file', '')}:{thing['line']}" if thing.get("line") else str(thing.get("file", ""))

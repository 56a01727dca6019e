"""``safecelery dlq show``."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from safecelery.cli.dlq.options import Progress, app_option, load
from safecelery.cli.exitcodes import NO, OK

if TYPE_CHECKING:
    from safecelery.runtime.dead_letters.stream import Entry

__all__ = ["show"]


@click.command()
@click.argument("letter", metavar="ID")
@app_option
@click.option("--show-payload", is_flag=True, help="Print body and headers, too. They may hold secrets.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def show(ctx: click.Context, letter: str, name: str | None, show_payload: bool, form: str) -> None:
    """Everything about the letter whose id begins with ID, but its payload.

    With --show-payload the original's body and headers are printed as well: control characters as escapes, and nothing
    of it decoded or believed. Exits with 1 if there is no such letter.

    \b
    Examples:
      safecelery dlq show -A shop 4f9a01
      safecelery dlq show -A shop 4f9a01 --show-payload
      safecelery dlq show -A shop 4f9a01 --format json | jq .reason
    """
    from safecelery.runtime.dead_letters.selection import Selection
    from safecelery.runtime.dead_letters.stream import open_letters

    selection, progress = Selection(ids=(letter,)), Progress()
    app = load(ctx, name)
    found: list[dict[str, Any]] = []
    with open_letters(app, progress) as letters:
        entries = (entry for entry in letters.walk() if selection.takes(entry))
        found.extend(_everything(entry, payload=show_payload) for entry in entries)
    progress.clear()
    if not found:
        click.echo(f"no dead letter {letter!r}", err=True)
        ctx.exit(NO)
    if form == "json":
        click.echo(json.dumps(found if len(found) > 1 else found[0], indent=2))
    else:
        click.echo("\n\n".join("\n".join(_lines(known)) for known in found))
    ctx.exit(OK)


def _everything(entry: Entry, *, payload: bool) -> dict[str, Any]:
    from safecelery.cli.dlq.describe import describe

    known, letter = describe(entry), entry.letter
    if not payload:
        return known
    if letter is None:
        return {**known, "payload": {"body": _readable(entry.found.body)}}
    original = letter.original
    return {
        **known,
        "payload": {
            "body": _readable(original.body),
            "headers": original.headers,
            "properties": original.properties,
            "content_type": original.content_type,
            "content_encoding": original.content_encoding,
        },
    }


def _readable(body: bytes) -> Any:
    """Text where it is UTF-8; otherwise base64, so that nothing is lost."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _lines(known: dict[str, Any]) -> Iterator[str]:
    from safecelery.lint.report.characters import visible

    payload = known.pop("payload", None)
    width = max(map(len, known))
    for name, value in known.items():
        yield f"{name:<{width}}  {'-' if value is None else visible(str(value))}"
    if payload is None:
        yield f"{'payload':<{width}}  not shown; --show-payload prints it"
        return
    for name, value in payload.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield f"{name:<{width}}  {visible(text)}"

"""``safecelery dlq export``."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Hashable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from safecelery.cli.dlq.options import Progress, app_option, load, selected, selecting
from safecelery.cli.exitcodes import NO

if TYPE_CHECKING:
    from safecelery.runtime.dead_letters.selection import Selection
    from safecelery.runtime.dead_letters.stream import Entry, Letters

__all__ = ["export"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@app_option
@selecting
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--remove", is_flag=True, help="Remove from the queue what is safely in the file.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.pass_context
def export(
    ctx: click.Context, /, file: Path, name: str | None, limit: int | None, remove: bool, overwrite: bool, **given: Any
) -> None:
    """Write letters to FILE, one JSON object a line, payloads included: the file gets mode 0600.

    The file appears when it is whole and on the disk; only then, with --remove, the letters leave the queue. A line has
    the record's exact text and the worker's envelope, so its seal can still be checked. Exits with 1 if there was
    nothing to write.

    \b
    Examples:
      safecelery dlq export -A shop letters.jsonl
      safecelery dlq export -A shop old.jsonl --older-than 30d --remove
      jq -r '.record | fromjson | [.at, .reason, .task] | @tsv' letters.jsonl
    """
    from safecelery.runtime.dead_letters.stream import open_letters

    selection, progress = selected(given), Progress()
    if file.exists() and not overwrite:
        raise click.UsageError(f"{file} exists; choose another name, or --overwrite.")
    app = load(ctx, name)
    with open_letters(app, progress) as letters:
        handles = _write(file, letters, selection, limit)
        progress.clear()
        if not handles:
            click.echo("nothing to export", err=True)
            ctx.exit(NO)
        gone = letters.browser.remove_all(handles) if remove else 0
    click.echo(f"exported {len(handles):,} to {file}" + (f", removed {gone:,}" if remove else ""))


def _write(file: Path, letters: Letters, selection: Selection, limit: int | None) -> list[Hashable]:
    """The file, whole and on the disk, or no file. Returns what it holds."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    handles: list[Hashable] = []
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(descriptor, 0o600)
            for entry in letters.walk():
                if limit is not None and len(handles) >= limit:
                    break
                if selection.takes(entry):
                    _write_line(stream, entry)
                    handles.append(entry.found.handle)
            stream.flush()
            os.fsync(descriptor)
        if handles:
            temporary.replace(file)
            _sync_directory(file.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return handles


def _write_line(stream: IO[str], entry: Entry) -> None:
    line: dict[str, Any] = {"id": entry.id, "sealed_by": entry.seal.key, "headers": _headers(entry)}
    if entry.letter is not None:
        line["record"] = entry.found.body.decode("utf-8")  # read_letter has read it as UTF-8
    else:
        line |= {"not_a_letter": entry.why_not, "base64": base64.b64encode(entry.found.body).decode()}
    stream.write(json.dumps(line) + "\n")


def _headers(entry: Entry) -> Any:
    from safecelery.message.dead_letter import plain

    return plain(dict(entry.found.headers))


def _sync_directory(directory: Path) -> None:
    """The new name is on the disk, too (rename(2) alone does not say when)."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

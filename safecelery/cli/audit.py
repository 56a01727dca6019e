"""``safecelery audit``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safecelery.cli.exitcodes import NO, OK
from safecelery.cli.lint.options import judging, reporting

if TYPE_CHECKING:
    from safecelery.audit.compare import Comparison

__all__ = ["audit"]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@click.option("-A", "--app", "name", required=True, metavar="APP", help="As for celery: proj, proj.celery:app.")
@click.option(
    "--workdir", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The directory to work in."
)
@click.option("--compare", is_flag=True, help="Show where source (of PATHS) and the live app differ instead.")
@click.option(
    "--facts", "facts", type=click.Choice(["table", "json"]), help="Print what was read instead, as 'safecelery facts'."
)
@judging
@reporting
@click.pass_context
def audit(ctx: click.Context, /, paths: tuple[str, ...], name: str, workdir: Path | None, **given: Any) -> None:
    """Judge the app as it is after its code has run: whatever way its settings came to be.

    Imports the project, so use it where you would run its tests; 'safecelery lint' imports nothing. Any Celery app
    will do. No broker is contacted: an app that tries to while it is imported is told no.

    \b
    Examples:
      safecelery audit -A shop                     the report of 'safecelery lint', from the live app
      safecelery audit -A shop.celery:app --policy strict --format sarif
      safecelery audit -A shop --compare           what source does not tell, or tells wrongly
      safecelery audit -A shop --facts json        every effective option and setting

    \b
    Exit status: 0 no findings of level error, 1 findings (or, with --compare, a difference), 2 it could not be read.
    """
    if workdir is not None:
        os.chdir(workdir)
    ctx.exit(_compare(name, paths or (".",), given) if given["compare"] else _audit(name, given))


def _audit(name: str, given: dict[str, Any]) -> int:
    from safecelery.audit.run import audit as audit_app
    from safecelery.audit.run import read_app
    from safecelery.cli.lint.emit import emit, exit_status, write
    from safecelery.cli.lint.options import stated
    from safecelery.lint.config import load_config
    from safecelery.policy.profile import load_policy

    config = load_config((".",), stated(given), file=given["config_file"], isolated=given["isolated"])
    if given["facts"]:
        from safecelery.audit.document import facts_document
        from safecelery.cli.facts import as_table

        document = facts_document(read_app(name))
        write(_json(document) if given["facts"] == "json" else map(_line, as_table(document)), given["output_file"])
        return OK
    result = audit_app(name, config.judged_by(load_policy(config.policy)))
    emit(result, config, given)
    return exit_status(result, config, given)


def _compare(name: str, paths: Sequence[str], given: dict[str, Any]) -> int:
    from safecelery.audit.compare import compare
    from safecelery.audit.document import facts_document
    from safecelery.audit.run import read_app
    from safecelery.cli.lint.emit import write
    from safecelery.cli.lint.options import stated
    from safecelery.lint import engine
    from safecelery.lint.config import load_config

    form = given["output_format"] or "full"
    if form not in ("full", "json"):
        raise click.UsageError(f"--compare prints a text (full) or json, not {form}")
    options = {key: value for key, value in stated(given).items() if key != "output-format"}
    config = load_config(paths, options, file=given["config_file"], isolated=given["isolated"])
    found = compare(_from_here(engine.facts(paths, config), paths), facts_document(read_app(name)))
    write(_json(found.as_json()) if form == "json" else map(_line, _text(found)), given["output_file"])
    return OK if found.agrees or given["exit_zero"] else NO


def _from_here(document: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """A facts document has its files relative to the argument; the live one has them relative to this directory."""

    def moved(thing: dict[str, Any]) -> dict[str, Any]:
        for path in paths:
            candidate = Path(path, thing["file"])
            if candidate.is_file():
                return {**thing, "file": relative(str(candidate))}
        return thing

    from safecelery.audit.places import relative

    parts = {name: [moved(thing) for thing in document[name]] for name in ("apps", "tasks")}
    return {**document, **parts}


_SAYS = {
    "unseen": "a live task that source does not know",
    "not-registered": "declared in source, not registered in this app",
}


def _text(found: Comparison) -> Iterator[str]:
    """Differences by task, then one line that sums up."""
    subject = ""
    for item in found.differences:
        if item.subject != subject:
            subject = item.subject
            yield f"{subject}  {item.file}:{item.line}" if item.line else f"{subject}  {item.file}"
        if item.kind in _SAYS:
            yield f"  {item.kind}: {_SAYS[item.kind]}"
            continue
        source = "cannot tell" if item.kind == "abstained" else repr(item.source)
        env = f", depends on {', '.join(item.env)}" if item.env else ""
        because = f" ({item.because}{env})" if item.because else env
        yield f"  {item.kind}: {item.option}: source {source}{because}, live {item.live!r}"
    if found.differences:
        yield ""
    same = found.compared - sum(found.count(kind) for kind in ("differs", "environment", "abstained"))
    yield (
        f"{found.tasks} live tasks, {found.compared} values: {same} agree, {found.count('differs')} differ, "
        f"{found.count('environment')} depend on the environment, {found.count('abstained')} abstained; "
        f"{found.count('unseen')} tasks unseen, {found.count('not-registered')} not registered"
    )


def _json(document: object) -> tuple[str, ...]:
    import json

    return json.dumps(document, indent=2), "\n"


def _line(text: str) -> str:
    return text + "\n"

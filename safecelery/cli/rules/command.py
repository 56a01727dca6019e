"""``safecelery rules``."""

from __future__ import annotations

import sys

import click

from safecelery.cli.colour import COLOUR_CHOICES, wants_colour

__all__ = ["rules", "show_page"]


@click.command()
@click.argument("code", required=False)
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True,
    help="The whole catalogue: a table to read, JSON for tools, or Markdown.",
)  # fmt: skip
@click.option("--policy", default="baseline", show_default=True, help="Whose levels: a shipped policy or a TOML file.")
@click.option("--color", "colour", type=click.Choice(COLOUR_CHOICES), default="auto", help="Colours of a page.")
def rules(code: str | None, form: str, policy: str, colour: str) -> None:
    """Every rule of the linter, or the page of the one called CODE (a code or a name).

    LEVEL is what the policy makes of a broken rule: an error fails the run, a warning does not, off is not checked.

    \b
    Examples:
      safecelery rules                       the catalogue
      safecelery rules SFC401                what the rule wants, why, and how to fix it
      safecelery rules --policy strict       levels in another policy
      safecelery rules --format json         for tools
    """
    if code is not None:
        show_page(code, colour)
        return
    from safecelery.cli.rules import catalogue
    from safecelery.policy.profile import load_policy

    if form == "markdown":
        click.echo(catalogue.as_markdown(), nl=False)
    elif form == "json":
        import json

        click.echo(json.dumps(catalogue.as_json(load_policy(policy)), indent=2))
    else:
        from safecelery.cli.table import render

        click.echo(render(*catalogue.as_rows(load_policy(policy))))


def show_page(word: str, colour: str) -> None:
    """Print the page of the rule with this code or name. Raises click.UsageError if there is none."""
    import shutil

    from safecelery.cli.rules.find import find_rule
    from safecelery.cli.rules.page import page_text, render_page

    coloured = wants_colour(colour, sys.stdout)
    text = render_page(page_text(find_rule(word)), width=shutil.get_terminal_size().columns, colour=coloured)
    click.echo(text, nl=False, color=coloured)

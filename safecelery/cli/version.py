"""``safecelery version``."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

import click

from safecelery._version import __version__

__all__ = ["version"]

#: Label -> name of the distribution.
DISTRIBUTIONS = {
    "celery": "celery",
    "kombu": "kombu",
    "redis-py": "redis",
    "amqp": "amqp",
    "cryptography": "cryptography",
}


def versions() -> dict[str, str | None]:
    """Everything a bug report should say; ``None`` for what is not installed. Nothing of it is imported."""
    import ssl  # only this command needs it

    found: dict[str, str | None] = {"safecelery": __version__}
    for label, distribution in DISTRIBUTIONS.items():
        try:
            found[label] = installed(distribution)
        except PackageNotFoundError:
            found[label] = None
    return {**found, "python": sys.version.split()[0], "openssl": ssl.OPENSSL_VERSION}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for tools.")
def version(as_json: bool) -> None:
    """Versions of safecelery and of what it stands on.

    \b
    Examples:
      safecelery version
      safecelery version --json
    """
    found = versions()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for label, number in found.items():
        click.echo(f"{label:<{width}}  {number or 'not installed'}")

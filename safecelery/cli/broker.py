"""``safecelery broker``: the development profile's own Redis."""

from __future__ import annotations

import click

from safecelery.cli.exitcodes import NO

__all__ = ["broker"]


@click.command()
@click.argument("action", type=click.Choice(["start", "status", "stop"]))
@click.argument("name")
@click.pass_context
def broker(ctx: click.Context, action: str, name: str) -> None:
    """Start, stop or look at the development profile's broker.

    NAME is the app's name, the first argument of create_app(). The broker is a Redis on a unix socket in a directory of
    mode 0700. It starts by itself with the first process that needs it, and stays until it is stopped here; it keeps
    nothing on disk. `status` exits with 1 if it does not run.

    \b
    Examples:
      safecelery broker status shop
      safecelery broker stop shop
    """
    from safecelery.brokers.embedded import EmbeddedRedis
    from safecelery.runtime.development import state_directory
    from safecelery.settings import SafeCelerySettings

    redis = EmbeddedRedis(state_directory(name, SafeCelerySettings()))
    if action == "start":
        started = redis.ensure()
        click.echo(f"{'started' if started else 'already running'}: pid {redis.pid}, {redis.url}")
    elif action == "stop":
        click.echo("stopped" if redis.stop() else "was not running")
    elif redis.running():
        click.echo(f"running: pid {redis.pid}, {redis.url}")
    else:
        click.echo(f"not running; its socket would be {redis.socket}")
        ctx.exit(NO)

"""``safecelery init``."""

from __future__ import annotations

import json
import keyword
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safecelery.cli.lazy import Refusal

if TYPE_CHECKING:
    from safecelery.keys.private import PrivateKey

__all__ = ["init"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LIFETIME = timedelta(days=365)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", help="Name of the Python package and of the service. [default: the directory's name]")
@click.option("--keys-dir", type=click.Path(path_type=Path), help="[default: ~/.config/safecelery/NAME]")
@click.option("--broker-url", help="Broker of your own; kept, as it may hold a password, beside the key.")
def init(directory: Path, name: str | None, keys_dir: Path | None, broker_url: str | None) -> None:
    """Make a service that runs, in a new or empty DIRECTORY.

    A package with a typed task, settings, a trust file and a policy. The private key goes to --keys-dir, outside of the
    directory. Nothing existing is ever changed: what would be overwritten is an error, and then nothing is written.

    \b
    Examples:
      safecelery init ./shop
      safecelery init . --name shop --keys-dir /run/secrets/shop
    """
    from safecelery.cli.keys.files import config_home, refuse_git_worktree
    from safecelery.keys.generate import generate_key, trust_entry

    directory = directory.resolve()
    name = _service_name(name or directory.name.lower().replace("-", "_"))
    keys_dir = (keys_dir or config_home() / name).expanduser().resolve()
    key_file = keys_dir / f"{name}.key"
    _refuse_to_overwrite(directory, keys_dir, key_file)
    refuse_git_worktree(key_file, "another --keys-dir")
    key = generate_key(name, lifetime=_LIFETIME)
    entry = trust_entry(key, send=[f"{name}.*"], queues=[name])
    _refuse_unusable_url(broker_url)
    _write(directory, name, key_file, key, entry, broker_url)
    _next_steps(directory, name, key_file, broker_url)


def _service_name(name: str) -> str:
    """A name for package, app, queue and key owner at once."""
    taken = keyword.iskeyword(name) or name in sys.stdlib_module_names or name in ("celery", "kombu", "safecelery")
    if taken or not _NAME.fullmatch(name):
        why = "is taken" if taken else "must be lower-case letters, digits and '_', a letter first"
        raise Refusal(f"the name {name!r} {why}; choose another with --name")
    return name


def _refuse_to_overwrite(directory: Path, keys_dir: Path, key_file: Path) -> None:
    if directory.exists() and any(directory.iterdir()):
        raise Refusal(f"{directory} is not empty; choose a new directory (nothing was written)")
    if keys_dir.is_relative_to(directory):
        raise Refusal(f"--keys-dir {keys_dir} is inside the service's directory; keys do not belong beside code")
    for path in (key_file, *_secrets(key_file, "redis://")):
        if path.exists():
            raise Refusal(f"{path} exists; move it away, or choose another --keys-dir (nothing was written)")


def _refuse_unusable_url(url: str | None) -> None:
    from safecelery.brokers import broker_for

    if url is not None:
        broker_for(url)


def _secrets_dir(key_file: Path) -> Path:
    """A directory of its own: every file in a secrets directory is read as a setting."""
    return key_file.parent / "secrets"


def _secrets(key_file: Path, url: str) -> dict[Path, str]:
    """File -> what it keeps. A Redis keeps the results, too; RabbitMQ does not."""
    names = ["SAFECELERY_BROKER__URL"]
    if url.startswith("redis"):
        names.append("SAFECELERY_RESULTS__URL")
    return {_secrets_dir(key_file) / name: url for name in names}


def _write(directory: Path, name: str, key_file: Path, key: PrivateKey, entry: str, broker_url: str | None) -> None:
    from safecelery.cli.init.skeleton import write_skeleton
    from safecelery.keys.generate import write_private

    if not key_file.parent.exists():
        key_file.parent.mkdir(mode=0o700, parents=True)
    write_private(key_file, key)
    if broker_url is not None:
        _secrets_dir(key_file).mkdir(mode=0o700, exist_ok=True)
        for path, text in _secrets(key_file, broker_url).items():
            path.touch(mode=0o600, exist_ok=False)
            path.write_text(text, encoding="utf-8")
    directory.mkdir(parents=True, exist_ok=True)
    quoted = json.dumps(str(key_file))[1:-1]  # JSON's escapes are TOML's (TOML 1.0, basic strings)
    write_skeleton(directory, name, key_file=quoted, trust_entry=entry)


def _next_steps(directory: Path, name: str, key_file: Path, broker_url: str | None) -> None:
    click.echo(f"the service {name} is in {directory}\nits private key is {key_file}, valid for a year\n\nrun it:")
    click.echo(f"  cd {directory}")
    if broker_url is not None:
        click.echo(f"  export SAFECELERY_SECRETS_DIR={_secrets_dir(key_file)}")
    click.echo(f"  celery -A {name}.app worker")
    click.echo("send it work, in a second shell:")
    call = f"from {name}.tasks import greet; print(greet.delay({{'to': 'world'}}).get(timeout=10))"
    click.echo(f'  cd {directory} && python -c "{call}"')

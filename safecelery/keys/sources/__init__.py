"""The table of sources: where a private key comes from. A new one is a module beside this and a line in ``SOURCES``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from safecelery.errors import KeyringError, did_you_mean
from safecelery.keys.private import PrivateKey, parse_private
from safecelery.keys.sources.environment import read_environment
from safecelery.keys.sources.file import read_private_file

__all__ = ["SOURCES", "load_private", "read_secret_text"]

#: Scheme of the reference -> reader of the document behind it.
SOURCES: Mapping[str, Callable[[str], str]] = MappingProxyType({"file": read_private_file, "env": read_environment})


def read_secret_text(reference: str) -> str:
    """The document behind ``file:/run/secrets/web.key`` or ``env:WEB_KEY``.

    Raises:
        KeyringError: unknown source, or nothing there, or a file that others may read.
    """
    name, colon, place = reference.partition(":")
    if not colon or name not in SOURCES or not place:
        # Not quoted: by mistake it could be the secret itself.
        raise KeyringError(
            f"a key reference must begin with {' or '.join(f'{s}:' for s in SOURCES)}"
            f"{did_you_mean(name, SOURCES) if colon else ''}, as in file:/run/secrets/web.key"
        )
    return SOURCES[name](place)


def load_private(reference: str) -> PrivateKey:
    """The private key behind a reference.

    Raises:
        KeyringError: it cannot be had, or is none. Never shows what was read.
    """
    return parse_private(read_secret_text(reference), reference)

"""The table of schemes. A new one is a module beside this and a line in ``SCHEMES``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from safecelery.errors import KeyringError, did_you_mean
from safecelery.keys.interface import Scheme
from safecelery.keys.schemes.ed25519 import Ed25519
from safecelery.keys.schemes.hmac_sha256 import HmacSha256

__all__ = ["DEFAULT_SCHEME", "SCHEMES", "scheme_named"]

SCHEMES: Mapping[str, Scheme] = MappingProxyType({scheme.name: scheme for scheme in (Ed25519(), HmacSha256())})
#: An identity per service; whoever verifies cannot sign.
DEFAULT_SCHEME = "ed25519"


def scheme_named(name: object, where: str) -> Scheme:
    """The scheme of that name.

    Raises:
        KeyringError: there is none; ``where`` says who asked.
    """
    if not isinstance(name, str) or name not in SCHEMES:
        raise KeyringError(
            f"{where}: unknown scheme {name!r}{did_you_mean(str(name), SCHEMES)}; use one of {', '.join(SCHEMES)}"
        )
    return SCHEMES[name]

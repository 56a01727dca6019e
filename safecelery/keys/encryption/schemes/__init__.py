"""The table of encryption schemes. A new one is a module beside this and a line in ``ENCRYPTION_SCHEMES``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from safecelery.errors import KeyringError, did_you_mean
from safecelery.keys.encryption.interface import EncryptionScheme
from safecelery.keys.encryption.schemes.aes_256_gcm import Aes256Gcm
from safecelery.keys.encryption.schemes.hpke import HpkeX25519
from safecelery.keys.encryption.schemes.hpke_hybrid import HpkeMlKem768X25519

__all__ = ["ENCRYPTION_SCHEMES", "encryption_scheme_named"]

ENCRYPTION_SCHEMES: Mapping[str, EncryptionScheme] = MappingProxyType(
    {scheme.name: scheme for scheme in (Aes256Gcm(), HpkeX25519(), HpkeMlKem768X25519())}
)


def encryption_scheme_named(name: object, where: str) -> EncryptionScheme:
    """The scheme of that name.

    Raises:
        KeyringError: there is none; ``where`` says who asked.
    """
    if not isinstance(name, str) or name not in ENCRYPTION_SCHEMES:
        raise KeyringError(
            f"{where}: unknown encryption scheme {name!r}{did_you_mean(str(name), ENCRYPTION_SCHEMES)}; "
            f"use one of {', '.join(ENCRYPTION_SCHEMES)}"
        )
    return ENCRYPTION_SCHEMES[name]

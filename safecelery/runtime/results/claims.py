"""Claim checks: a result too large for the store goes to a place for files, and a claim on it is sealed instead.

The claim names the object by a random name, its SHA-256 and its size. A reader looks for that name below the place
that its own settings name, and nowhere else; it believes the bytes because their digest was sealed.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safecelery.errors import Reason, Rejected, ResultTooLarge, SettingsError
from safecelery.settings import ResultSettings

__all__ = ["CLAIM", "ClaimPlace", "claimed_by", "place_of"]

#: Member of a result that stands for the value that is elsewhere (E12.12).
CLAIM: Final = "safecelery_claim"
_NAME: Final = re.compile(r"[0-9a-f]{48}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_CHUNK: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class ClaimPlace:
    """Where large results are kept. Objects are never overwritten, and their age is for the place itself to end."""

    url: str
    """fsspec URL, with its credentials if it has any. Never for a log."""
    max_bytes: int

    def put(self, data: bytes) -> dict[str, Any]:
        """Keep the bytes; the claim on them.

        Raises:
            ResultTooLarge: more than even this place may take, or it does not take them.
        """
        if len(data) > self.max_bytes:
            raise ResultTooLarge(f"{len(data)} bytes, results.claim_max_bytes allows {self.max_bytes}")
        name = secrets.token_hex(24)
        try:
            system, root = _opened(self.url)
            if _is_local(system):
                Path(root).mkdir(mode=0o700, parents=True, exist_ok=True)
            with system.open(f"{root}/{name}", "xb" if _is_local(system) else "wb") as file:
                file.write(data)
        except Exception as error:  # noqa: BLE001  # each file system has errors of its own, which may quote the URL
            raise ResultTooLarge(
                f"{len(data)} bytes, and the place of results.claim_check did not take them ({type(error).__name__})"
            ) from None
        return {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}

    def get(self, claim: Any) -> bytes:
        """The bytes that a sealed claim is on.

        Raises:
            Rejected: no claim, larger than allowed, not there, or not what was sealed.
        """
        if not isinstance(claim, dict) or claim.keys() != {"name", "sha256", "size"}:
            raise Rejected(Reason.BODY_MALFORMED, "not a claim on a large result")
        name, digest, size = claim["name"], claim["sha256"], claim["size"]
        texts = isinstance(name, str) and isinstance(digest, str)
        if not texts or not _NAME.fullmatch(name) or not _DIGEST.fullmatch(digest) or type(size) is not int or size < 0:
            raise Rejected(Reason.BODY_MALFORMED, "not a claim on a large result")
        if size > self.max_bytes:
            raise Rejected(Reason.TOO_LARGE, f"a result of {size} bytes, results.claim_max_bytes is {self.max_bytes}")
        data = self._read(name, size)
        if len(data) != size or not secrets.compare_digest(hashlib.sha256(data).hexdigest(), digest):
            raise Rejected(Reason.SIGNATURE_INVALID, "the large result is not the one whose digest was sealed")
        return data

    def _read(self, name: str, size: int) -> bytes:
        """At most one byte more than was sealed."""
        try:
            system, root = _opened(self.url)
            with _readable(system, f"{root}/{name}") as file:
                read = bytearray()
                while len(read) <= size and (chunk := file.read(min(_CHUNK, size + 1 - len(read)))):
                    read += chunk
        except Exception as error:  # noqa: BLE001  # as above
            raise Rejected(
                Reason.BODY_MALFORMED,
                f"the large result cannot be read from results.claim_check: {type(error).__name__}",
            ) from None
        return bytes(read)

    def remove(self, claim: Any) -> None:
        """Best effort, for a result that is forgotten: what is left, the place itself removes when it is old."""
        if isinstance(claim, dict) and _NAME.fullmatch(str(claim.get("name"))):
            try:
                system, root = _opened(self.url)
                system.rm_file(f"{root}/{claim['name']}")
            except Exception:  # noqa: BLE001, S110  # as above
                pass


def place_of(settings: ResultSettings) -> ClaimPlace | None:
    """The place that the settings name, if any.

    Raises:
        SettingsError: fsspec, or what it needs for that URL, is not installed, or the URL is none.
    """
    if settings.claim_check is None:
        return None
    place = ClaimPlace(settings.claim_check.get_secret_value(), settings.claim_max_bytes)
    try:
        _opened(place.url)
    except ImportError as error:
        raise SettingsError(
            f"results.claim_check needs {error.name or 'fsspec'}, which is not installed: "
            "pip install 'safecelery[claimcheck]', and the driver of your place (s3fs, gcsfs, adlfs)"
        ) from None
    except Exception as error:  # noqa: BLE001  # its text may quote the URL, which may hold a password
        raise SettingsError(f"results.claim_check is no URL of fsspec ({type(error).__name__})") from None
    return place


def _opened(url: str) -> tuple[Any, str]:
    import fsspec  # optional: extra "claimcheck"

    system, root = fsspec.core.url_to_fs(url)
    return system, str(root).rstrip("/")


def _readable(system: Any, path: str) -> Any:
    """The object. In a directory that others may write to, a pipe would keep its reader waiting beyond any timeout."""
    if not _is_local(system):
        return system.open(path, "rb")
    file = open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")  # noqa: SIM115, PTH123
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError("no regular file")
    return file


def _is_local(system: Any) -> bool:
    return "file" in ((system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol))


def claimed_by(value: Any) -> Any:
    """The claim in a verified result, if it has one."""
    return value.get(CLAIM) if isinstance(value, dict) else None

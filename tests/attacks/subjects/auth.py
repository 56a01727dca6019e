"""Celery's ``auth``: bodies signed with RSA and X.509 certificates (celery/security/serialization.py)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celery.security.certificate import Certificate
from celery.security.key import PrivateKey
from celery.security.serialization import SecureSerializer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.attacks.operations import Scene, Sent
from tests.attacks.subjects.interface import Do, Lines, Ready, Subject
from tests.attacks.subjects.stock import CLAIMS, StockSealer, open_stock

__all__ = ["AUTH", "AuthSealer"]

#: Who is in the worker's certificate store. There are no grants: each may send everything. It refuses to load expired
#: certificates, and revoking one means to take it out.
TRUSTED = ("worker", "full", "limited", "reported")
STRANGERS = ("unknown", "expired", "revoked", "early")
_PEM = serialization.Encoding.PEM


def make_certificate(directory: Path, owner: str, serial: int) -> SecureSerializer:
    """A key and a certificate in ``directory``, and Celery's serializer that signs with them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, owner)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.TraditionalOpenSSL
    private = key.private_bytes(_PEM, form, serialization.NoEncryption())
    public = certificate.public_bytes(_PEM)
    (directory / f"{owner}.pem").write_bytes(public)
    (directory / f"{owner}.key").write_bytes(private)
    return SecureSerializer(PrivateKey(private), Certificate(public.decode()))


class AuthSealer(StockSealer):
    """Signs the body, and nothing else of the message: that is all that ``auth`` does."""

    claims = CLAIMS | {"kid"}
    signatures = frozenset({"empty"})
    signs = True

    def __init__(self, directory: Path) -> None:
        store = directory / "store"
        elsewhere = directory / "elsewhere"
        store.mkdir()
        elsewhere.mkdir()
        self.store = store
        self._by_owner = {
            owner: make_certificate(store if owner in TRUSTED else elsewhere, owner, serial)
            for serial, owner in enumerate((*TRUSTED, *STRANGERS), start=1)
        }
        self.special: Mapping[str, Do] = {
            **StockSealer.special,
            "replace-in-body": self._replace,
            "flip-byte": self._flip,
            "take-envelope": self._take_signature,
        }

    def kid(self, owner: str) -> str:
        """The certificate's id (celery/security/certificate.py, ``get_id``)."""
        return str(self._by_owner[owner]._cert.get_id())

    def inside(self, sent: Sent, signer: str, signed: Mapping[str, Any]) -> None:
        """The signed body, with its content type inside."""
        claims = signed.get("claims", {})
        if signer == "none":
            super().inside(sent, signer, signed)
            return
        own = self._by_owner[signer]
        sent.body = own._pack(
            sent.body,
            claims.get("ct", "application/json"),
            claims.get("ce", "utf-8"),
            claims.get("kid", self.kid(signer)),
            b"" if signed.get("signature") == "empty" else own._key.sign(sent.body, own._digest),
        ).encode()
        sent.content_type, sent.content_encoding = "application/data", "utf-8"

    def control(self, body: bytes, signer: str) -> Sent:
        """Commands are signed too, but any certificate may give any."""
        sent = super().control(body, signer)
        self.inside(sent, signer, {})
        return sent

    # What is done to a signed body without its key --------------------------------------------------------------

    def _repack(self, sent: Sent, **changes: Any) -> None:
        if sent.content_type != "application/data":
            sent.body = changes.get("body", sent.body)
            return
        codec = self._by_owner["full"]
        parts = {**codec._unpack(sent.body), **changes}
        sent.body = codec._pack(**parts).encode()

    def _inner(self, sent: Sent) -> Any:
        """Its parts; of a body that is not signed, the body."""
        if sent.content_type != "application/data":
            return {"body": sent.body, "signature": b""}
        return self._by_owner["full"]._unpack(sent.body)

    def _replace(self, sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
        body = self._inner(sent)["body"]
        assert given["old"].encode() in body
        self._repack(sent, body=body.replace(given["old"].encode(), given["new"].encode()))

    def _flip(self, sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
        changed = bytearray(self._inner(sent)[given["of"]])
        changed[given["at"]] ^= 1
        self._repack(sent, **{given["of"]: bytes(changed)})

    def _take_signature(self, sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
        self._repack(sent, signature=self._inner(scene.second)["signature"])


def _open(lines: Lines) -> AbstractContextManager[Ready]:
    directory = lines.directory / "certificates"
    directory.mkdir()
    sealer = AuthSealer(directory)
    extra = {"STOCK_KEY": str(sealer.store / "worker.key"), "STOCK_CERTIFICATE": str(sealer.store / "worker.pem"),
             "STOCK_STORE": str(sealer.store / "*.pem")}  # fmt: skip
    return open_stock(lines, "auth", sealer, extra)


AUTH = Subject("auth", "Celery's auth: task_serializer='auth', RSA-2048 and X.509 certificates", False, _open)

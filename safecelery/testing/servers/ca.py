"""A certificate authority made for one run, with the good and the bad certificates that TLS tests need.

Everything is valid for a few days only and its keys are files of mode 0600 in the caller's directory. The extensions
are those that ``ssl.VERIFY_X509_STRICT`` asks for, which Python 3.13 turns on (RFC 5280, 4.2.1).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["CertificateAuthority", "Identity", "ServerCertificate"]

ServerCertificate = Literal["good", "wrong-host", "self-signed"]

LIFETIME = dt.timedelta(days=3)
GOOD_NAMES = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")))
WRONG_NAMES = (x509.DNSName("wrong-host.invalid"),)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key, both PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """The authority's certificate and everything it issued for this run.

    ``good`` is for localhost and 127.0.0.1; ``wrong_host`` is trusted but for another name; ``self_signed`` has the
    right names and nobody vouches for it; ``client`` identifies a client.
    """

    ca_file: Path
    good: Identity
    wrong_host: Identity
    self_signed: Identity
    client: Identity

    @classmethod
    def create(cls, directory: Path) -> CertificateAuthority:
        """Make the authority and its certificates as files in ``directory/ca`` (mode 0700)."""
        home = directory / "ca"
        home.mkdir(mode=0o700, parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("safecelery test authority")
        root = _builder(name, name, key.public_key(), key.public_key(), ca=True).sign(key, hashes.SHA256())
        ca_file = home / "ca.pem"
        ca_file.write_bytes(root.public_bytes(serialization.Encoding.PEM))

        def issue(label: str, names: tuple[x509.GeneralName, ...], *, self_signed: bool = False) -> Identity:
            own = ec.generate_private_key(ec.SECP256R1())
            subject = _name(label)
            signer = own if self_signed else key
            issuer = subject if self_signed else name
            builder = _builder(subject, issuer, own.public_key(), signer.public_key(), names=names)
            return _write(home, label, builder.sign(signer, hashes.SHA256()), own)

        return cls(
            ca_file=ca_file,
            good=issue("good", GOOD_NAMES),
            wrong_host=issue("wrong-host", WRONG_NAMES),
            self_signed=issue("self-signed", GOOD_NAMES, self_signed=True),
            client=issue("client", (x509.DNSName("client.invalid"),)),
        )

    def server(self, kind: ServerCertificate) -> Identity:
        """The server identity of that kind."""
        return {"good": self.good, "wrong-host": self.wrong_host, "self-signed": self.self_signed}[kind]


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    *,
    names: tuple[x509.GeneralName, ...] = (),
    ca: bool = False,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .add_extension(_usage(ca=ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )
    if names:
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(home: Path, label: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Identity:
    identity = Identity(certificate=home / f"{label}.pem", key=home / f"{label}.key")
    identity.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    handle = os.open(identity.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    return identity

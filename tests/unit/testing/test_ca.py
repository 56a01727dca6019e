"""The run's certificate authority, checked with the standard library's own strict verification."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from safecelery.testing.servers import CertificateAuthority, ServerCertificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority.create(tmp_path_factory.mktemp("authority"))


def handshake(ca: CertificateAuthority, kind: ServerCertificate, name: str) -> None:
    """A whole TLS handshake in memory, with the strict flag that Python 3.13 sets by itself."""
    client = ssl.create_default_context(cafile=ca.ca_file)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    identity = ca.server(kind)
    server.load_cert_chain(identity.certificate, identity.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    pending = [near, far]
    for _ in range(10):
        for end in tuple(pending):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            pending.remove(end)
    assert pending == []


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_good_certificate_is_accepted_for_loopback(authority: CertificateAuthority, name: str) -> None:
    handshake(authority, "good", name)


def test_a_certificate_for_another_name_is_refused(authority: CertificateAuthority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(authority, "wrong-host", "localhost")


def test_a_self_signed_certificate_is_refused(authority: CertificateAuthority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        handshake(authority, "self-signed", "localhost")


def test_private_keys_are_readable_by_their_owner_only(authority: CertificateAuthority) -> None:
    keys = [identity.key for identity in (authority.good, authority.client, authority.self_signed)]
    assert [Path(key).stat().st_mode & 0o777 for key in keys] == [0o600] * 3


def test_an_existing_authority_is_not_overwritten(tmp_path: Path) -> None:
    CertificateAuthority.create(tmp_path)
    with pytest.raises(FileExistsError):
        CertificateAuthority.create(tmp_path)

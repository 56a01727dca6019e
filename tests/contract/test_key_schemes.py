"""What every key scheme promises: one suite over the table, so that a new line in it is tested by being there."""

from __future__ import annotations

import copy
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from safecelery.errors import KeyringError
from safecelery.keys.interface import Scheme, SignatureMismatch
from safecelery.keys.schemes import DEFAULT_SCHEME, SCHEMES, scheme_named
from safecelery.keys.schemes.ed25519 import _LOW_ORDER, _P

DATA = b"safecelery/envelope/v1 data"


@pytest.fixture(params=list(SCHEMES.values()), ids=list(SCHEMES))
def scheme(request: pytest.FixtureRequest) -> Scheme:
    found: Scheme = request.param
    return found


def material(scheme: Scheme, secret: bytes) -> bytes:
    return secret if scheme.symmetric else scheme.public(secret)


def test_what_is_signed_verifies(scheme: Scheme) -> None:
    secret = scheme.generate()
    scheme.verifier(material(scheme, secret)).verify(scheme.signer(secret).sign(DATA), DATA)
    scheme.verifier(material(scheme, secret)).verify(scheme.signer(secret).sign(b""), b"")


def test_every_changed_bit_of_a_signature_is_noticed(scheme: Scheme) -> None:
    secret = scheme.generate()
    verifier, signature = scheme.verifier(material(scheme, secret)), scheme.signer(secret).sign(DATA)
    for position in range(len(signature) * 8):
        changed = bytearray(signature)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(SignatureMismatch):
            verifier.verify(bytes(changed), DATA)


def test_every_other_length_of_a_signature_is_refused(scheme: Scheme) -> None:
    secret = scheme.generate()
    verifier, signature = scheme.verifier(material(scheme, secret)), scheme.signer(secret).sign(DATA)
    for other in (*(signature[:length] for length in range(len(signature))), signature + b"\0", signature * 2):
        with pytest.raises(SignatureMismatch):
            verifier.verify(other, DATA)


def test_other_data_is_refused(scheme: Scheme) -> None:
    secret = scheme.generate()
    verifier, signature = scheme.verifier(material(scheme, secret)), scheme.signer(secret).sign(DATA)
    for other in (b"", DATA + b"\0", DATA[:-1], DATA[::-1]):
        with pytest.raises(SignatureMismatch):
            verifier.verify(signature, other)


def test_another_keys_signature_is_refused(scheme: Scheme) -> None:
    verifier = scheme.verifier(material(scheme, scheme.generate()))
    with pytest.raises(SignatureMismatch):
        verifier.verify(scheme.signer(scheme.generate()).sign(DATA), DATA)


def test_a_signature_is_the_same_every_time(scheme: Scheme) -> None:
    secret = scheme.generate()
    assert scheme.signer(secret).sign(DATA) == scheme.signer(secret).sign(DATA)


def test_new_secrets_differ_and_so_does_what_is_public(scheme: Scheme) -> None:
    secrets = {scheme.generate() for _ in range(20)}
    assert len(secrets) == len({scheme.public(secret) for secret in secrets}) == 20
    assert not secrets & {scheme.public(secret) for secret in secrets}


@pytest.mark.parametrize("length", [0, 1, 16, 31])
def test_too_short_material_is_refused(scheme: Scheme, length: int) -> None:
    for load in (scheme.signer, scheme.verifier):
        with pytest.raises(ValueError):
            load(b"\x07" * length)


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES.values() if scheme.symmetric], ids=lambda s: s.name)
def test_a_symmetric_keys_objects_are_not_pickled_or_copied(scheme: Scheme) -> None:
    for key in (scheme.signer(bytes(32)), scheme.verifier(bytes(32))):
        for copying in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                copying(key)


def test_a_table_names_each_scheme_by_its_own_name() -> None:
    assert {name: scheme.name for name, scheme in SCHEMES.items()} == {name: name for name in SCHEMES}
    assert scheme_named(DEFAULT_SCHEME, "here") is SCHEMES["ed25519"]
    assert not SCHEMES[DEFAULT_SCHEME].symmetric


@pytest.mark.parametrize("name", ["", "none", "ED25519", "rsa", None, 1, ["ed25519"]])
def test_an_unknown_scheme_is_refused(name: object) -> None:
    with pytest.raises(KeyringError, match=r"here: unknown scheme .* use one of ed25519, hmac-sha256"):
        scheme_named(name, "here")


def test_ed25519_agrees_with_rfc_8032() -> None:
    """Section 7.1, test 2."""
    secret = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    scheme = SCHEMES["ed25519"]
    assert scheme.public(secret).hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert scheme.signer(secret).sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_hmac_agrees_with_rfc_4231() -> None:
    """Section 4.7: a key that is longer than a block."""
    tag = SCHEMES["hmac-sha256"].signer(b"\xaa" * 131).sign(b"Test Using Larger Than Block-Size Key - Hash Key First")
    assert tag.hex() == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"


def test_low_order_points_of_ed25519_are_refused() -> None:
    for encoded in _LOW_ORDER:
        for sign in (0, 0x80):
            with pytest.raises(ValueError, match="low order"):
                SCHEMES["ed25519"].verifier(encoded[:31] + bytes([encoded[31] | sign]))


def test_why_low_order_points_are_refused() -> None:
    one = (1).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(one).verify(one + bytes(32), b"whatever")  # no secret was needed


def test_the_table_of_low_order_points_is_whole() -> None:
    """By arithmetic: a point is in the table if and only if eight times itself is the neutral element."""
    d = -121665 * pow(121666, -1, _P) % _P
    found = set()
    for y in {int.from_bytes(entry, "little") % _P for entry in _LOW_ORDER} | {2, 3, 4, 5}:
        square = (y * y - 1) * pow(d * y * y + 1, -1, _P) % _P
        x = pow(square, (_P + 3) // 8, _P)
        x = x if (x * x - square) % _P == 0 else x * pow(2, (_P - 1) // 4, _P) % _P
        if (x * x - square) % _P:
            continue  # no point has this y
        point = (x, y)
        for _ in range(3):
            point = _double(point, d)
        if point == (0, 1):
            found.add(y)
    assert len(found) == 5  # y of the eight points: 1, -1, 0, and two of order 8
    spellings = {y + extra for y in found for extra in (0, _P) if y + extra < 2**255}
    assert frozenset(y.to_bytes(32, "little") for y in spellings) == _LOW_ORDER


def _double(point: tuple[int, int], d: int) -> tuple[int, int]:
    """RFC 8032, section 5.1.4, in affine coordinates."""
    x, y = point
    product = d * x * x * y * y % _P
    return (
        2 * x * y * pow(1 + product, -1, _P) % _P,
        (y * y + x * x) * pow(1 - product, -1, _P) % _P,
    )

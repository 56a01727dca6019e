"""Private encryption keys, their entries in the trust store, and the ring of those that a process reads with."""

from __future__ import annotations

import copy
import pickle
import sys
from datetime import timedelta

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mlkem

from safecelery.errors import KeyringError
from safecelery.keys import base64url
from safecelery.keys.encryption.generate import encryption_trust_entry, generate_encryption_key
from safecelery.keys.encryption.interface import UnwrapFailed
from safecelery.keys.encryption.private import parse_decryption_key, render_decryption_key
from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES, encryption_scheme_named
from safecelery.keys.encryption.schemes.hpke import suite
from safecelery.keys.private import parse_private
from safecelery.keys.trust import TrustStore
from tests.unit.keys.encryption_builders import NOW, SCHEME, T, a_key, an_entry, parse
from tests.unit.keys.key_builders import an_entry as a_signing_entry

SCHEMES = list(ENCRYPTION_SCHEMES.values())


@pytest.fixture(params=SCHEMES, ids=lambda scheme: scheme.name)
def scheme(request):
    return request.param


def loaded(scheme, secret):
    return scheme.wrapper(secret if scheme.symmetric else scheme.public(secret)), scheme.unwrapper(secret)


def test_what_is_wrapped_opens_with_the_same_context_only(scheme) -> None:
    wrapper, unwrapper = loaded(scheme, scheme.generate())
    wrapped = wrapper.wrap(b"k" * 32, b"context")
    assert len(wrapped) == scheme.wrapped_bytes
    assert unwrapper.unwrap(wrapped, b"context") == b"k" * 32
    for context in (b"", b"contexT", b"context "):
        with pytest.raises(UnwrapFailed):
            unwrapper.unwrap(wrapped, context)


def test_a_changed_wrap_does_not_open(scheme) -> None:
    wrapper, unwrapper = loaded(scheme, scheme.generate())
    wrapped = wrapper.wrap(b"k" * 32, b"")
    for at in {0, 31, 32, len(wrapped) // 2, len(wrapped) - 1}:
        with pytest.raises(UnwrapFailed):
            unwrapper.unwrap(wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :], b"")
    for bad in (b"", wrapped[:-1], wrapped + b"\0", bytes(len(wrapped))):
        with pytest.raises(UnwrapFailed):
            unwrapper.unwrap(bad, b"")


def test_another_key_does_not_open_it_and_two_wraps_differ(scheme) -> None:
    wrapper, _ = loaded(scheme, scheme.generate())
    _, stranger = loaded(scheme, scheme.generate())
    assert wrapper.wrap(b"k" * 32, b"") != wrapper.wrap(b"k" * 32, b"")
    with pytest.raises(UnwrapFailed):
        stranger.unwrap(wrapper.wrap(b"k" * 32, b""), b"")


def test_secrets_and_public_keys_have_their_length_and_no_other(scheme) -> None:
    secret = scheme.generate()
    assert len(secret) == 32
    for bad in (b"", secret[:-1], secret + b"\0"):
        with pytest.raises(ValueError):
            scheme.unwrapper(bad)
        with pytest.raises(ValueError):
            scheme.public(bad)
    material = secret if scheme.symmetric else scheme.public(secret)
    for bad in (b"", material[:-1], material + b"\0"):
        with pytest.raises(ValueError):
            scheme.wrapper(bad)


@pytest.mark.parametrize("name", ["hpke-x25519", "hpke-mlkem768-x25519"])
@pytest.mark.parametrize("point", [bytes(32), b"\1" + bytes(31)])
def test_a_point_that_gives_everybody_the_shared_secret_is_refused(name: str, point: bytes) -> None:
    scheme = ENCRYPTION_SCHEMES[name]
    public = scheme.public(bytes(32))
    with pytest.raises(ValueError):
        scheme.wrapper(public[:-32] + point)


def test_a_symmetric_secret_is_not_its_fingerprint() -> None:
    scheme = ENCRYPTION_SCHEMES["aes-256-gcm"]
    assert scheme.public(bytes(32)) != bytes(32)


def test_an_unknown_scheme_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(KeyringError, match="did you mean 'hpke-x25519'"):
        encryption_scheme_named("hpke-x25518", "test")
    with pytest.raises(KeyringError, match="unknown encryption scheme"):
        encryption_scheme_named(["hpke-x25519"], "test")


# Private documents ------------------------------------------------------------------------------------------------


def test_the_document_of_a_key_gives_the_key(scheme) -> None:
    key = generate_encryption_key("orders", scheme=scheme.name, lifetime=timedelta(days=1), now=NOW)
    again = parse_decryption_key(render_decryption_key(key), "test")
    assert again == key
    assert again.secret.reveal() == key.secret.reveal()


def test_a_signing_key_does_not_decrypt_and_an_encryption_key_does_not_sign() -> None:
    text = render_decryption_key(a_key())
    with pytest.raises(KeyringError, match="unknown scheme"):
        parse_private(text, "test")
    with pytest.raises(KeyringError, match="unknown encryption scheme"):
        parse_decryption_key(text.replace(SCHEME, "ed25519"), "test")


def test_a_document_with_another_id_or_a_wrong_secret_is_refused() -> None:
    text = render_decryption_key(a_key())
    with pytest.raises(KeyringError, match="is not the id of this secret"):
        parse_decryption_key(text.replace(a_key().kid, "orders-00000000"), "test")
    with pytest.raises(KeyringError, match="the secret is none of scheme"):
        parse_decryption_key(text.replace(base64url.encode(bytes(range(32))), "AAAA"), "test")
    with pytest.raises(KeyringError, match="owner 'Orders'"):
        a_key("Orders")


def test_keys_do_not_print_copy_or_pickle(scheme) -> None:
    key = a_key(scheme=scheme.name)
    assert base64url.encode(bytes(range(32))) not in repr(key)
    for thing in (key, key.unwrapper):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
        with pytest.raises(TypeError):
            copy.copy(thing)


# Entries ----------------------------------------------------------------------------------------------------------


def test_an_entry_says_whom_bodies_and_results_are_encrypted_to() -> None:
    key = parse(an_entry(queues='["orders", "eu.*"]', results='["orders.*"]'))
    assert (key.kid, key.owner, key.scheme) == (a_key().kid, "orders", SCHEME)
    assert key.reads_queue("eu.orders")
    assert not key.reads_queue("other")
    assert key.reads_result_of("orders.pay")
    assert not key.reads_result_of("billing.pay")
    assert not parse(an_entry(results=None)).reads_result_of("orders.pay")


def test_an_entry_is_valid_within_its_time_and_until_it_is_revoked() -> None:
    key = parse(an_entry())
    assert not key.is_valid(T - 1)
    assert key.is_valid(T - 1, max_skew_s=1)
    assert key.is_valid(T)
    assert not key.is_valid(key.expires)
    assert parse(an_entry(not_before=None)).is_valid(0)
    assert not parse(an_entry(revoked="true")).is_valid(T)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"owner": None}, "'owner' is missing"),
        ({"queues": None}, "'queues' is missing"),
        ({"expires": None}, "'expires' is missing"),
        ({"scheme": None}, "'scheme' is missing"),
        ({"public": None}, "is given by 'public'"),
        ({"secret": '"env:X"'}, "is given by 'public'"),
        ({"send": '["*"]'}, "unknown 'send'"),
        ({"result": "[]"}, "did you mean 'results'"),
        ({"owner": '"Orders"'}, "owner must be lower-case"),
        ({"owner": "1"}, "owner must be lower-case"),
        ({"owner": '"other"'}, "is not the id of this key and owner"),
        ({"scheme": '"ed25519"'}, "unknown encryption scheme"),
        ({"scheme": '"aes-256-gcm"'}, "is given by 'secret'"),
        ({"public": '"AAAA"'}, "is no key of scheme"),
        ({"public": '"!"'}, "is no key of scheme"),
        ({"expires": '"2027"'}, "expires must be a date"),
        ({"expires": "2027-01-01T00:00:00Z"}, "would never be valid"),
        ({"revoked": '"no"'}, "revoked must be true or false"),
        ({"queues": '"orders"'}, "queues must be a list"),
        ({"queues": '["orders?"]'}, "would never match"),
        ({"results": "[1]"}, "results must be a list"),
    ],
)
def test_an_entry_with_anything_amiss_is_refused(changes: dict[str, str | None], text: str) -> None:
    with pytest.raises(KeyringError, match=text):
        parse(an_entry(**changes))


def test_the_trust_store_has_both_kinds_of_keys() -> None:
    store = TrustStore.parse(a_signing_entry() + "\n" + an_entry(), "test")
    assert list(store.encryption) == [a_key().kid]
    assert a_key().kid not in store.keys
    assert TrustStore.parse(a_signing_entry(), "test").encryption == {}


@pytest.mark.parametrize(
    ("more", "text"),
    [("encryption = 1\n", "'encryption' is not a table"), ('[encryption]\n"x-1" = 1\n', "not a table"),
     ("[encrypt]\n", "unknown table 'encrypt'")],
)  # fmt: skip
def test_a_trust_store_with_another_table_is_refused(more: str, text: str) -> None:
    with pytest.raises(KeyringError, match=text):
        TrustStore.parse(more + a_signing_entry() if more.startswith("enc") else a_signing_entry() + more, "test")


def test_a_trust_store_of_encryption_keys_alone_is_refused() -> None:
    with pytest.raises(KeyringError, match="no keys"):
        TrustStore.parse(an_entry(), "test")


def test_a_symmetric_entry_reads_its_secret_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    key = a_key(scheme="aes-256-gcm")
    entry = parse(an_entry(key))
    with pytest.raises(KeyringError, match="RING"):
        entry.wrapper.wrap(bytes(32), b"")
    monkeypatch.setenv("RING", render_decryption_key(a_key(scheme="aes-256-gcm", secret=bytes(32))))
    with pytest.raises(KeyringError, match="the key behind 'secret' is"):
        entry.wrapper.wrap(bytes(32), b"")
    monkeypatch.setenv("RING", render_decryption_key(key))
    assert key.unwrapper.unwrap(entry.wrapper.wrap(bytes(32), b"c"), b"c") == bytes(32)
    monkeypatch.delenv("RING")
    entry.wrapper.wrap(bytes(32), b"")


def test_a_symmetric_key_has_no_entry_without_a_place() -> None:
    with pytest.raises(KeyringError, match="say where senders find the secret"):
        encryption_trust_entry(a_key(scheme="aes-256-gcm"))


def test_an_installation_without_hpke_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.hpke", None)
    monkeypatch.delattr("cryptography.hazmat.primitives.hpke", raising=False)
    suite.cache_clear()
    for name in ("hpke-x25519", "hpke-mlkem768-x25519"):
        with pytest.raises(KeyringError, match="cryptography 50"):
            ENCRYPTION_SCHEMES[name].unwrapper(bytes(32))


def test_an_installation_without_a_kem_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyringError, match="no KEM NOTHING"):
        suite("NOTHING")

    def refuse(data: bytes) -> None:
        raise UnsupportedAlgorithm("no ML-KEM")

    scheme = ENCRYPTION_SCHEMES["hpke-mlkem768-x25519"]
    public = scheme.public(bytes(32))
    monkeypatch.setattr(mlkem.MLKEM768PrivateKey, "from_seed_bytes", refuse)
    monkeypatch.setattr(mlkem.MLKEM768PublicKey, "from_public_bytes", refuse)
    with pytest.raises(KeyringError, match="no ML-KEM-768"):
        scheme.unwrapper(bytes(32))
    with pytest.raises(KeyringError, match="no ML-KEM-768"):
        scheme.wrapper(public)

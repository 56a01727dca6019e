"""The private key and its document."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import pickle
from datetime import timedelta, timezone

import pytest

from safecelery.errors import KeyringError
from safecelery.keys import base64url
from safecelery.keys.document import key_id
from safecelery.keys.interface import SecretMaterial
from safecelery.keys.private import parse_private, render_private
from safecelery.keys.schemes import SCHEMES
from tests.unit.keys.key_builders import NOW, a_private

SECRET = bytes(range(32))
DOCUMENT = render_private(a_private())
SHOWN = [SECRET.hex(), base64url.encode(SECRET), repr(SECRET)[2:-1]]


def changed(member: str, value: str) -> str:
    return "".join(
        f"{member} = {value}\n" if line.startswith(f"{member} =") else line
        for line in DOCUMENT.splitlines(keepends=True)
    )


def test_a_document_reads_back_as_the_key() -> None:
    key = parse_private(DOCUMENT, "here")
    assert key == a_private()
    assert key.secret.reveal() == SECRET
    assert key.sign(b"x") == a_private().sign(b"x")


def test_a_key_id_is_the_owner_and_eight_digits_of_the_public_keys_hash() -> None:
    public = SCHEMES["ed25519"].public(SECRET)
    assert a_private("a.b_c-d").kid == "a.b_c-d-" + hashlib.sha256(public).hexdigest()[:8]
    assert key_id("web", public) == a_private().kid


def test_times_are_written_in_utc() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=14)))
    assert parse_private(render_private(a_private(created=east)), "here").created == NOW
    assert "created = 2027-01-15T12:00:00Z" in render_private(a_private(created=east))


@pytest.mark.parametrize("owner", ["", "Web", "-web", ".web", "_web", "we b", "web\n", "wéb", "a" * 64, 'w"', "we/b"])
def test_an_owners_name_that_is_none_is_refused(owner: str) -> None:
    with pytest.raises(KeyringError, match="owner"):
        a_private(owner)


@pytest.mark.parametrize("owner", ["a", "0", "a" * 63, "web-1.eu_west"])
def test_an_owners_name(owner: str) -> None:
    assert a_private(owner).owner == owner


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("secret", [b"", bytes(31)])
def test_a_secret_that_is_not_the_schemes_is_refused(scheme: str, secret: bytes) -> None:
    with pytest.raises(KeyringError, match="none of scheme"):
        a_private(scheme=scheme, secret=secret)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing or unknown members: created, expires, kid, owner, scheme, secret"),
        ("no toml", "not TOML"),
        ("x = " + "[" * 5000, "not TOML"),
        ("x = " + "9" * 5000, "not TOML"),
        (DOCUMENT + "more = 1\n", "members: more"),
        (DOCUMENT.replace("owner =", "ownr ="), "members: owner, ownr"),
        (changed("kid", "1"), "kid must be text"),
        (changed("owner", "[]"), "owner must be text"),
        (changed("scheme", "true"), "scheme must be text"),
        (changed("secret", "1"), "secret must be text"),
        (changed("created", '"2027"'), "created must be a date and time with a time zone"),
        (changed("created", "2027-01-15"), "created must be a date and time with a time zone"),
        (changed("expires", "2027-01-15T12:00:00"), "expires must be a date and time with a time zone"),
        (changed("expires", "2027-01-15T12:00:00Z"), "expires before it was created"),
        (changed("secret", f'"{base64url.encode(SECRET)}="'), "secret is not base64url"),
        (changed("secret", '"AAAA"'), "none of scheme 'ed25519'"),
        (changed("scheme", '"ed25518"'), "unknown scheme 'ed25518' (did you mean 'ed25519'?)"),
        (changed("scheme", '"hmac-sha256"'), "is not the id of this secret and owner"),
        (changed("owner", '"batch"'), "is not the id of this secret and owner"),
        (changed("kid", '"web-00000000"'), "is not the id of this secret and owner"),
    ],
)
def test_a_document_that_is_none_is_refused_without_showing_it(text: str, said: str) -> None:
    with pytest.raises(KeyringError) as caught:
        parse_private(text, "file:/somewhere")
    assert said in str(caught.value)
    assert "file:/somewhere" in str(caught.value)
    assert not [secret for secret in SHOWN if secret in str(caught.value)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_key_does_not_show_its_secret(scheme: str) -> None:
    key = a_private(scheme=scheme)
    shown = [f"{key!r} {key!s} {key.secret!r} {key.secret!s} {key.signer!r}", f"{key.secret}"]
    assert not [text for text in shown for secret in SHOWN if secret in text]
    assert "secret" not in repr(key)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "copying",
    [copy.copy, copy.deepcopy, pickle.dumps, dataclasses.asdict, dataclasses.astuple],
    ids=["copy", "deepcopy", "pickle", "asdict", "astuple"],
)
def test_a_key_is_not_copied(scheme: str, copying: object) -> None:
    with pytest.raises(TypeError):
        copying(a_private(scheme=scheme))  # type: ignore[operator]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("what", [SecretMaterial(SECRET), a_private(), a_private(scheme="hmac-sha256").signer])
def test_secret_material_is_not_pickled(what: object, protocol: int) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(what, protocol)


def test_secrets_are_not_compared_by_a_key() -> None:
    assert SecretMaterial(SECRET) != SecretMaterial(SECRET)
    assert a_private() == a_private()
    assert a_private() != a_private("batch")

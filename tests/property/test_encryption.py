"""Laws of encryption, for every scheme and every message."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES
from safecelery.message.cipher import Cipher
from safecelery.message.codec import Malformed
from safecelery.message.encrypted import MAGIC, content_context, parse_container, wrap_context
from tests.unit.keys.encryption_builders import a_cipher, a_key

names = st.text(max_size=12)
types = st.sampled_from(["task", "result"])
schemes = st.sampled_from(sorted(ENCRYPTION_SCHEMES))
places = st.tuples(types, names, names)


@cache
def pair(scheme: str) -> tuple[Cipher, Cipher]:
    """One that is encrypted to, with another recipient beside it, and one that is not."""
    return (
        a_cipher(a_key("one", scheme=scheme), a_key("two", scheme=scheme, secret=bytes(32))),
        a_cipher(a_key("none", scheme=scheme, secret=b"n" * 32)),
    )


def encrypted(scheme: str, plain: bytes, typ: str, task: str, task_id: str) -> bytes:
    task = f"orders.{task}"
    return pair(scheme)[0].encrypt(plain, typ=typ, task=task, task_id=task_id, queue="orders")  # type: ignore[arg-type]


def decrypted(scheme: str, data: bytes, typ: str, task: str, task_id: str, reader: int = 0) -> bytes:
    task = f"orders.{task}"
    return pair(scheme)[reader].decrypt(data, typ=typ, task=task, task_id=task_id)  # type: ignore[arg-type]


def refused(scheme: str, data: bytes, place: tuple[str, str, str], reader: int = 0) -> None:
    with pytest.raises(Rejected) as caught:
        decrypted(scheme, data, *place, reader=reader)
    assert caught.value.reason is Reason.UNDECRYPTABLE


@given(schemes, st.binary(max_size=300), places)
def test_what_is_encrypted_is_read_and_does_not_show(scheme: str, plain: bytes, place: tuple[str, str, str]) -> None:
    data = encrypted(scheme, plain, *place)
    assert decrypted(scheme, data, *place) == plain
    assert len(plain) < 8 or plain not in data[len(MAGIC) :]
    assert data != encrypted(scheme, plain, *place)


@given(schemes, st.binary(max_size=60), places, st.data())
def test_any_changed_byte_is_refused(
    scheme: str, plain: bytes, place: tuple[str, str, str], data: st.DataObject
) -> None:
    whole = encrypted(scheme, plain, *place)
    at = data.draw(st.integers(0, len(whole) - 1))
    flip = data.draw(st.integers(1, 255))
    refused(scheme, whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :], place)


@given(schemes, st.binary(max_size=60), places, st.data())
def test_what_is_cut_short_or_longer_is_refused(
    scheme: str, plain: bytes, place: tuple[str, str, str], data: st.DataObject
) -> None:
    whole = encrypted(scheme, plain, *place)
    refused(scheme, whole[: data.draw(st.integers(0, len(whole) - 1))], place)
    refused(scheme, whole + data.draw(st.binary(min_size=1, max_size=40)), place)


@given(schemes, places, places)
def test_what_is_moved_elsewhere_is_refused(
    scheme: str, here: tuple[str, str, str], there: tuple[str, str, str]
) -> None:
    data = encrypted(scheme, b"x", *here)
    if here != there:
        refused(scheme, data, there)


@given(schemes, st.binary(max_size=60), places)
def test_who_is_no_recipient_reads_nothing(scheme: str, plain: bytes, place: tuple[str, str, str]) -> None:
    refused(scheme, encrypted(scheme, plain, *place), place, reader=1)


@given(st.binary(max_size=400))
def test_bytes_that_are_no_container_are_refused(data: bytes) -> None:
    magic = encrypted("aes-256-gcm", b"", "task", "a", "b")[:22]
    for candidate in (data, magic + data, magic + b"\1" + data):
        try:
            container = parse_container(candidate)
        except Malformed:
            pass
        else:
            assert container.head + container.nonce + container.ciphertext == candidate
        refused("aes-256-gcm", candidate, ("task", "a", "b"))


@given(st.tuples(names, names, names), st.tuples(names, names, names), st.binary(max_size=9), st.binary(max_size=9))
def test_no_two_places_have_one_context(
    one: tuple[str, str, str], other: tuple[str, str, str], head: bytes, other_head: bytes
) -> None:
    def contexts(place: tuple[str, str, str], rest: bytes) -> tuple[bytes, bytes]:
        typ, task, task_id = place
        return (
            content_context(rest, typ=typ, task=task, task_id=task_id),
            wrap_context(scheme="s", kid="k", typ=typ, task=task, task_id=task_id),
        )

    assert (contexts(one, head)[0] == contexts(other, other_head)[0]) == ((one, head) == (other, other_head))
    assert (contexts(one, head)[1] == contexts(other, head)[1]) == (one == other)
    assert contexts(one, head)[0] != contexts(other, other_head)[1]

"""Grants against a matcher that is too simple to be wrong."""

from __future__ import annotations

import time

from hypothesis import example, given
from hypothesis import strategies as st

from safecelery.keys.document import key_id
from safecelery.keys.schemes import SCHEMES
from safecelery.keys.trust import TrustedKey

PUBLIC = SCHEMES["ed25519"].public(bytes(32))
ALPHABET = "ab.*[]?\\^$+\n"


def key(*send: str) -> TrustedKey:
    return TrustedKey(
        kid=key_id("web", PUBLIC), owner="web", scheme="ed25519", not_before=None, expires=0, revoked=False, send=send,
        queues=(), control=(), verifier=SCHEMES["ed25519"].verifier(PUBLIC),
    )  # fmt: skip


def naive(name: str, glob: str) -> bool:
    """A star is nothing, or one character and a star again."""
    if not glob:
        return not name
    if glob[0] == "*":
        return naive(name, glob[1:]) or (bool(name) and naive(name[1:], glob))
    return bool(name) and name[0] == glob[0] and naive(name[1:], glob[1:])


@given(st.text(alphabet=ALPHABET, max_size=10), st.text(alphabet=ALPHABET, max_size=7))
@example("ab", "a*ab")
@example("aba", "ab*ba")
def test_a_grant_matches_as_the_naive_matcher_says(name: str, glob: str) -> None:
    assert key(glob).may_send_task(name) is naive(name, glob)


@given(st.text(max_size=20))
def test_a_name_without_star_grants_itself(name: str) -> None:
    assert key(name).may_send_task(name)


@given(st.lists(st.text(alphabet="ab*", max_size=4), max_size=4), st.text(alphabet="ab", max_size=5))
def test_several_grants_are_any_of_them(globs: list[str], name: str) -> None:
    assert key(*globs).may_send_task(name) is any(naive(name, glob) for glob in globs)


@given(st.integers(1, 40))
def test_no_number_of_stars_makes_a_long_name_slow(stars: int) -> None:
    started = time.process_time()
    key("*a" * stars + "b").may_send_task("a" * 20_000)
    assert time.process_time() - started < 1

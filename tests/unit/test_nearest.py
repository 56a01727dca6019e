"""The nearest known name is the one that difflib finds among all of them."""

from __future__ import annotations

from difflib import get_close_matches

from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import did_you_mean, nearest
from safecelery.policy.vocabulary import SETTINGS, TASK_OPTIONS

KNOWN = sorted(SETTINGS | TASK_OPTIONS)
LETTERS = st.text(alphabet="abcdekst_ü", max_size=14)


@st.composite
def typos(draw: st.DrawFn) -> str:
    """A known name with some letters taken out, doubled or replaced."""
    name = list(draw(st.sampled_from(KNOWN)))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(name)))
        name[at : at + draw(st.integers(0, 2))] = draw(LETTERS)[:2]
    return "".join(name)


@given(st.one_of(typos(), LETTERS), st.sampled_from([0.6, 0.7, 0.85, 0.9, 1.0]))
def test_it_is_difflibs(name: str, cutoff: float) -> None:
    assert [nearest(name, KNOWN, cutoff)] == (get_close_matches(name, KNOWN, n=1, cutoff=cutoff) or [None])


@given(LETTERS, st.lists(LETTERS, max_size=20))
def test_it_is_difflibs_among_any_names(name: str, known: list[str]) -> None:
    assert [nearest(name, known)] == (get_close_matches(name, known, n=1) or [None])


def test_what_is_nothing_like_it_is_not_suggested() -> None:
    assert did_you_mean("time_limt", TASK_OPTIONS) == " (did you mean 'time_limit'?)"
    assert did_you_mean("colour", TASK_OPTIONS) == ""

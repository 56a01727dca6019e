"""Edits of a trust file: exactly what was meant, with everything around it as it was; or nothing at all."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import KeyringError
from safecelery.keys.editing import add_entry, entry_of, set_member, toml_value
from tests.unit.keys.key_builders import a_private, an_entry

KID = a_private().kid
END = datetime(2027, 3, 1, tzinfo=UTC)
TEXT = f"""# whom we believe

[ keys . '{KID}' ]   # the shop
owner = "web"
  expires   =  2027-02-14T12:00:00Z   # ask Ann
send = [
    "orders.*",  # all of it
]

[keys.other-1]
expires = 2027-02-14T12:00:00Z
revoked = false
"""


def test_a_member_is_set_where_it_stands_and_the_rest_stays() -> None:
    assert set_member(TEXT, "t", KID, "expires", END) == TEXT.replace(
        "  expires   =  2027-02-14T12:00:00Z   # ask Ann", "  expires   =  2027-03-01T00:00:00Z   # ask Ann"
    )
    assert set_member(TEXT, "t", "other-1", "revoked", True) == TEXT.replace("revoked = false", "revoked = true")


def test_a_member_that_is_not_there_comes_below_the_head() -> None:
    after = set_member(TEXT, "t", KID, "revoked", True)
    assert after == TEXT.replace("# the shop\n", "# the shop\nrevoked = true\n")


def test_line_ends_of_another_system_stay() -> None:
    text = TEXT.replace("\n", "\r\n")
    for after in (
        set_member(text, "t", KID, "expires", END), set_member(text, "t", KID, "revoked", True),
        add_entry(text, "t", "new-1", {"owner": "new"}),
    ):  # fmt: skip
        assert after.count("\n") == after.count("\r\n")


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_an_entry_is_added_at_the_end(end: str) -> None:
    text = TEXT.rstrip("\n") + end
    after = add_entry(text, "t", "new.one-1", {"owner": "new.one", "send": ["a", "b"]})
    assert after.startswith(text)
    assert after.endswith('\n\n[keys."new.one-1"]\nowner = "new.one"\nsend = ["a", "b"]\n')
    assert add_entry("", "t", "a-1", {"owner": "a"}) == '[keys."a-1"]\nowner = "a"\n'
    with pytest.raises(KeyringError, match="already"):
        add_entry(text, "t", KID, {})


@pytest.mark.parametrize(
    "text",
    [
        f'keys = {{ "{KID}" = {{ owner = "web", revoked = false }} }}\n',
        f'[keys]\n"{KID}" = {{ owner = "web", revoked = false }}\n',
        f'[keys]\n"{KID}".owner = "web"\n"{KID}".revoked = false\n',
        f'keys."{KID}".revoked = false\n',
        f'note = """\n[keys."{KID}"]\nrevoked = false\n"""\n[keys]\n"{KID}" = {{ revoked = false }}\n',
        f'["keys"."{KID}"]\nrevoked = false\n',
        f'[keys."{KID}"]\n"revoked" = false\n',
        f'[keys."{KID}"]\nnote = """\nrevoked = false\n"""\nrevoked = false\n',
    ],
)
def test_another_layout_is_left_to_a_person(text: str) -> None:
    tomllib.loads(text)
    with pytest.raises(KeyringError, match=r"edit it by hand: revoked = true$"):
        set_member(text, "t", KID, "revoked", True)


@pytest.mark.parametrize(("text", "said"), [("[keys", "not TOML"), ("", "no entry"), ("keys = 1", "no entry")])
def test_an_entry_that_is_not_there_cannot_be_edited(text: str, said: str) -> None:
    for edit in (lambda: set_member(text, "t", KID, "revoked", True), lambda: entry_of(text, "t", KID)):
        with pytest.raises(KeyringError, match=said):
            edit()


def test_another_table_can_be_edited_as_well() -> None:
    text = '[encryption."bus-1"]\nexpires = 2027-02-14T12:00:00Z\n'
    assert "revoked = true" in set_member(text, "t", "bus-1", "revoked", True, table="encryption")
    assert entry_of(text, "t", "bus-1", "encryption")["expires"] < END


#: What a later version may keep in an entry.
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans()
    | st.text(st.characters(codec="utf-8"))
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.datetimes(
        datetime(1, 1, 2),
        datetime(9999, 12, 30),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3))]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(VALUES)
def test_a_value_is_written_as_it_is_read(value: Any) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value


@given(st.text("abc[]=#\"'\n .\\", max_size=60), st.sampled_from(["revoked", "expires", "note"]))
def test_whatever_surrounds_an_entry_an_edit_is_exact_or_refused(noise: str, name: str) -> None:
    text = f"{noise}\n{an_entry()}\n{noise}"
    value: Any = END if name == "expires" else True
    try:
        before = tomllib.loads(text)
    except ValueError:
        before = {}
    try:
        after = tomllib.loads(set_member(text, "t", KID, name, value))
    except KeyringError:
        return
    before["keys"][KID][name] = value
    assert after == before


def test_what_no_trust_file_holds_is_refused() -> None:
    with pytest.raises(KeyringError, match="NoneType"):
        toml_value(None)

"""The trust store: every way in which it can be wrong, and what its keys may do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from safecelery.errors import KeyringError, Reason
from safecelery.keys import base64url
from safecelery.keys.generate import trust_entry
from safecelery.keys.interface import SignatureMismatch
from safecelery.keys.private import render_private
from safecelery.keys.trust import TrustStore
from tests.unit.keys.key_builders import T, a_private, a_trusted, an_entry

KID = a_private().kid


def refusal(text: str) -> str:
    with pytest.raises(KeyringError) as caught:
        TrustStore.parse(text, "trust.toml")
    assert "trust.toml" in str(caught.value)
    return str(caught.value)


def test_a_store_finds_a_key_by_its_exact_id() -> None:
    store = TrustStore.parse(an_entry(), "test")
    key = store.lookup(KID)
    assert key is not None
    assert (key.kid, key.owner, key.scheme) == (KID, "web", "ed25519")
    for kid in (KID.upper(), KID + " ", KID[:-1], "", "web"):
        assert store.lookup(kid) is None


def test_a_store_holds_many_keys() -> None:
    batch = trust_entry(a_private("batch", secret=bytes(32)))
    assert set(TrustStore.parse(an_entry() + batch, "test").keys) == {KID, a_private("batch", secret=bytes(32)).kid}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no keys"),
        ("[keys]\n", "no keys"),
        ("keys = 1", "no keys"),
        ("keys = []", "no keys"),
        ("nonsense", "not TOML"),
        ("x = " + "[" * 5000, "not TOML"),
        ("x = " + "9" * 5000, "not TOML"),
        (an_entry() + an_entry(), "not TOML"),
        (an_entry() + "[key.other]\n", "unknown table 'key'"),
        (f'keys = {{ "{KID}" = 1 }}', f"key '{KID}': not a table"),
        (an_entry(send=None, sned='["*"]'), "unknown 'sned' (did you mean 'send'?)"),
        (an_entry(revokd="true"), "unknown 'revokd' (did you mean 'revoked'?)"),
        (an_entry(zzzz="1"), "unknown 'zzzz'"),
        (an_entry(owner=None), "'owner' is missing"),
        (an_entry(scheme=None), "'scheme' is missing"),
        (an_entry(expires=None), "'expires' is missing"),
        (an_entry(send=None), "'send' is missing"),
        (an_entry(queues=None), "'queues' is missing"),
        (an_entry(owner="1"), "owner must be"),
        (an_entry(owner='"Web"'), "owner must be"),
        (an_entry(owner='"web\\n"'), "owner must be"),
        (an_entry(owner='"batch"'), "is not the id of this key and owner ('batch-"),
        (an_entry(revoked='"false"'), "revoked must be true or false"),
        (an_entry(revoked="0"), "revoked must be true or false"),
        (an_entry(scheme='"ed25518"'), "unknown scheme 'ed25518' (did you mean 'ed25519'?)"),
        (an_entry(scheme="1"), "unknown scheme 1"),
        (an_entry(scheme='["ed25519"]'), "unknown scheme"),
        (an_entry(public=None), "is given by 'public', as text, and nothing else"),
        (an_entry(public="1"), "is given by 'public', as text, and nothing else"),
        (an_entry(secret='"env:X"'), "is given by 'public', as text, and nothing else"),
        (an_entry(scheme='"hmac-sha256"'), "is given by 'secret', as text, and nothing else"),
        (an_entry(public='"AAAA"'), "'public' is no key of scheme 'ed25519'"),
        (an_entry(public='"AAAA="'), "'public' is no key of scheme 'ed25519'"),
        (an_entry(public=f'"{base64url.encode(bytes(32))}"'), "'public' is no key of scheme 'ed25519'"),
        (an_entry(public=f'"{base64url.encode(bytes([7] * 32))}"'), "is not the id of this key"),
        (an_entry(expires='"2027"'), "expires must be a date and time with a time zone"),
        (an_entry(expires="2027-02-14"), "expires must be a date and time with a time zone"),
        (an_entry(expires="2027-02-14T00:00:00"), "expires must be a date and time with a time zone"),
        (an_entry(not_before="12:00:00"), "not_before must be a date and time with a time zone"),
        (an_entry(not_before="2027-02-14T12:00:00Z"), "not_before is not before expires"),
        (an_entry(send='"orders.*"'), "send must be a list of names"),
        (an_entry(send="[1]"), "send must be a list of names"),
        (an_entry(queues='[""]'), "queues must be a list of names"),
        (an_entry(queues="{}"), "queues must be a list of names"),
        (an_entry(control='"ping"'), "control must be a list of names"),
        (an_entry(send='["orders.[ab]"]'), "'orders.[ab]' would never match: only '*' stands for other text"),
        (an_entry(queues='["a", "b?"]'), "'b?' would never match"),
        (an_entry(control='["{a,b}"]'), "'{a,b}' would never match"),
    ],
)
def test_what_is_wrong_in_a_store_is_named(text: str, said: str) -> None:
    assert said in refusal(text)


def test_an_error_names_the_key() -> None:
    assert f"key '{KID}'" in refusal(an_entry(send="1"))


def test_a_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "trust.toml"
    path.write_text(an_entry())
    assert TrustStore.load(path).lookup(KID) == a_trusted()


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for path, said in ((tmp_path / "none.toml", "No such file"), (tmp_path, "directory"), (binary, "not UTF-8"),
                       (Path("a\0b"), "no path")):  # fmt: skip
        with pytest.raises(KeyringError, match=said):
            TrustStore.load(path)


@pytest.mark.parametrize(("mode", "taken"), [(0o600, True), (0o644, True), (0o664, False), (0o602, False)])
def test_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int, taken: bool) -> None:
    path = tmp_path / "trust.toml"
    path.write_text(an_entry())
    path.chmod(mode)
    if taken:
        assert TrustStore.load(path).keys
    else:
        with pytest.raises(KeyringError, match=f"mode {mode:04o} lets others write it"):
            TrustStore.load(path)


def hmac_entry(reference: str) -> str:
    return trust_entry(a_private(scheme="hmac-sha256"), send=["*"], queues=["*"], secret_reference=reference)


def test_a_symmetric_key_is_given_by_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    key = a_private(scheme="hmac-sha256")
    monkeypatch.setenv("BUS_KEY", render_private(key))
    trusted = TrustStore.parse(hmac_entry("env:BUS_KEY"), "test").lookup(key.kid)
    assert trusted is not None
    trusted.verifier.verify(key.sign(b"x"), b"x")
    assert base64url.encode(bytes(range(32))) not in repr(trusted) + str(trusted)


def test_a_revoked_symmetric_key_needs_no_secret_and_verifies_nothing() -> None:
    entry = hmac_entry("env:NO_LONGER_KEPT") + "revoked = true\n"
    (key,) = TrustStore.parse(entry, "test").keys.values()
    assert key.check_validity(T) is Reason.KEY_REVOKED
    with pytest.raises(SignatureMismatch):
        key.verifier.verify(a_private(scheme="hmac-sha256").sign(b"x"), b"x")


@pytest.mark.parametrize("document", ["", "garbage = 1", render_private(a_private(scheme="hmac-sha256"))[:-3]])
def test_a_reference_that_leads_to_no_key_is_an_error(monkeypatch: pytest.MonkeyPatch, document: str) -> None:
    monkeypatch.setenv("BUS_KEY", document)
    with pytest.raises(KeyringError, match="env:BUS_KEY"):
        TrustStore.parse(hmac_entry("env:BUS_KEY"), "test")


def test_a_secret_of_another_owner_is_not_this_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS_KEY", render_private(a_private("bus", scheme="hmac-sha256", secret=bytes([9] * 40))))
    assert "is not the id of this key and owner" in refusal_of_reference()


def test_a_secret_of_another_scheme_is_no_hmac_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS_KEY", render_private(a_private(scheme="ed25519")))
    assert "is of scheme 'ed25519', not 'hmac-sha256'" in refusal_of_reference()


def test_a_secret_written_in_place_of_a_reference_is_not_shown() -> None:
    secret = base64url.encode(bytes(range(32)))
    assert secret[:12] not in refusal_of_reference(secret)


def refusal_of_reference(reference: str = "env:BUS_KEY") -> str:
    with pytest.raises(KeyringError) as caught:
        TrustStore.parse(hmac_entry(reference), "test")
    return str(caught.value)


@pytest.mark.parametrize(
    ("now", "skew", "reason"),
    [
        (T, 0, None),
        (T - 1, 0, Reason.KEY_EXPIRED),
        (T - 10, 10, None),
        (T - 10.5, 10, Reason.KEY_EXPIRED),
        (T + 30 * 86_400 - 0.5, 0, None),
        (T + 30 * 86_400, 0, Reason.KEY_EXPIRED),
        (T + 30 * 86_400, 600, Reason.KEY_EXPIRED),
    ],
)
def test_a_key_has_its_time(now: float, skew: float, reason: Reason | None) -> None:
    assert a_trusted().check_validity(now, max_skew_s=skew) is reason


def test_a_key_without_beginning_was_always_valid() -> None:
    assert a_trusted(not_before=None).check_validity(0) is None


def test_a_revoked_key_is_never_valid() -> None:
    for now in (0, T, T * 2):
        assert a_trusted(revoked="true").check_validity(now) is Reason.KEY_REVOKED


def test_grants_are_for_what_they_say() -> None:
    key = a_trusted(send='["orders.*"]', queues='["vip"]', control='["ping"]')
    assert (key.may_send_task("orders.pay"), key.may_use_queue("vip"), key.may_command("ping")) == (True,) * 3
    assert (key.may_send_task("vip"), key.may_use_queue("ping"), key.may_command("orders.pay")) == (False,) * 3


def test_without_grants_nothing_is_granted() -> None:
    key = a_trusted(send="[]", queues="[]", control=None)
    for name in ("", "*", "orders.pay"):
        assert (key.may_send_task(name), key.may_use_queue(name), key.may_command(name)) == (False,) * 3


@pytest.mark.parametrize(
    ("glob", "granted", "refused"),
    [
        ("a", ["a"], ["", "A", "aa", "a\n", " a"]),
        ("*", ["", "a", "a.b", "a\nb", "*"], []),
        ("a.*", ["a.", "a.b", "a.b.c", "a.\n"], ["a", "ab", "b.a.c"]),
        ("*.a", [".a", "b.a", "a.b.a"], ["a", "b.ab", "b.a\n"]),
        ("a*a", ["aa", "aba", "aaa"], ["a", "ab", "ba"]),
        ("a*b*c", ["abc", "a.b.c", "abbc", "abcbc"], ["acb", "ac", "abcd"]),
        ("**", ["", "a"], []),
        ("a**b", ["ab", "a*b"], ["a"]),
        ("*a*", ["a", "bab"], ["", "b"]),
        ("a.b", ["a.b"], ["axb"]),
        ("[ab]", ["[ab]"], ["a", "b"]),
        ("a?", ["a?"], ["ab", "a"]),
        ("a+(b|c)$^\\d{2}", ["a+(b|c)$^\\d{2}"], ["aab", "a11"]),
        ("[!a]*", ["[!a]", "[!a]x"], ["b"]),
    ],
)
def test_only_a_star_is_special_in_a_grant(glob: str, granted: list[str], refused: list[str]) -> None:
    key = replace(a_trusted(), send=(glob,))
    assert [name for name in granted if not key.may_send_task(name)] == []
    assert [name for name in refused if key.may_send_task(name)] == []


def test_many_stars_and_a_long_name_take_no_time() -> None:
    key = replace(a_trusted(), send=("*a" * 30 + "*b",))
    assert not key.may_send_task("a" * 200_000)


@pytest.mark.parametrize(
    ("line", "mode"), [("", "enforce"), ('mode = "enforce"\n', "enforce"), ('mode = "report"\n', "report")]
)
def test_a_key_is_enforced_unless_its_entry_says_otherwise(line: str, mode: str) -> None:
    key = TrustStore.parse(an_entry() + line, "test").lookup(KID)
    assert key is not None
    assert key.mode == mode


@pytest.mark.parametrize("mode", ['"off"', '"Report"', '""', "true", "1", "[]"])
def test_another_mode_is_an_error(mode: str) -> None:
    assert "mode must be" in refusal(an_entry() + f"mode = {mode}\n")

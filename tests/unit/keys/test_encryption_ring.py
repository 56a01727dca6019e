"""The keys that a process reads with: where they come from, and what becomes of those that come later."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from safecelery.errors import KeyringError
from safecelery.keys.encryption.private import render_decryption_key
from safecelery.keys.encryption.ring import DecryptionKeys
from safecelery.keys.generate import write_document
from tests.unit.keys.encryption_builders import a_key, a_receiver


def test_keys_come_from_files_variables_and_directories(tmp_private_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (a_key(owner) for owner in ("a", "b", "c"))
    write_document(tmp_private_dir / "one.key", render_decryption_key(first))
    monkeypatch.setenv("TWO", render_decryption_key(second))
    directory = tmp_private_dir / "keys"
    directory.mkdir()
    write_document(directory / "three.key", render_decryption_key(third))
    (directory / ".hidden.key").write_text("nonsense")
    keys = DecryptionKeys([f"file:{tmp_private_dir / 'one.key'}", "env:TWO", f"directory:{directory}"])
    assert keys.ids == (first.kid, second.kid, third.kid)
    assert keys.first_of(["x", third.kid, first.kid]) == third
    assert keys.first_of([]) is None


def test_a_reference_that_leads_nowhere_is_an_error(tmp_private_dir: Path) -> None:
    for reference in ("file:/nowhere", "env:NOBODY_SET_THIS", f"directory:{tmp_private_dir / 'no'}", "nonsense"):
        with pytest.raises(KeyringError):
            DecryptionKeys([reference])


def test_a_directory_is_read_as_that_of_keys_that_sign(tmp_private_dir: Path) -> None:
    write_document(tmp_private_dir / "a.key", render_decryption_key(a_key("a")))
    tmp_private_dir.chmod(0o777)
    with pytest.raises(KeyringError, match="lets others put keys there"):
        DecryptionKeys([f"directory:{tmp_private_dir}"])
    tmp_private_dir.chmod(0o700)
    write_document(tmp_private_dir / "readme.txt", "nonsense")
    with pytest.raises(KeyringError, match=r"readme\.txt: not a private key"):
        DecryptionKeys([f"directory:{tmp_private_dir}"])


def test_a_key_that_is_laid_beside_the_others_is_found_when_a_message_names_it(
    tmp_private_dir: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = a_key("a"), a_key("b")
    directory = tmp_private_dir / "keys"
    directory.mkdir()
    monkeypatch.setenv("THIRD", render_decryption_key(a_key("c")))
    write_document(directory / "old.key", render_decryption_key(old))
    keys = DecryptionKeys([f"directory:{directory}", "env:THIRD"])
    assert keys.first_of([new.kid]) is None
    write_document(directory / "new.key", render_decryption_key(new))
    assert keys.first_of([new.kid]) == new
    (directory / "broken.key").write_text("nonsense")
    with caplog.at_level(logging.ERROR, "safecelery"):
        assert keys.first_of(["d-00000000"]) is None
        assert keys.first_of(["d-00000000"]) is None
    assert caplog.text.count("were not read again") == 1
    assert keys.first_of([old.kid]) == old
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    assert keys.first_of(["d-00000000"]) is None
    assert keys.first_of([new.kid]) == new, "what was read stays"


def test_files_that_did_not_change_are_not_read_again(tmp_private_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_document(tmp_private_dir / "old.key", render_decryption_key(a_key("a")))
    keys = DecryptionKeys([f"directory:{tmp_private_dir}"])
    monkeypatch.setattr("safecelery.keys.encryption.ring.read_documents", lambda place: pytest.fail("read again"))
    assert keys.first_of(["d-00000000"]) is None


def test_two_keys_of_one_id_are_an_error(tmp_private_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = a_key("a"), a_key("a", secret=bytes(32))
    write_document(tmp_private_dir / "a.key", render_decryption_key(mine))
    monkeypatch.setenv("SAME", render_decryption_key(mine))
    assert DecryptionKeys([f"file:{tmp_private_dir / 'a.key'}", "env:SAME"]).ids == (mine.kid,)
    monkeypatch.setattr("safecelery.keys.encryption.private.key_id", lambda owner, public: mine.kid)
    monkeypatch.setenv("SAME", render_decryption_key(other).replace(other.kid, mine.kid))
    with pytest.raises(KeyringError, match="another decryption key has the id"):
        DecryptionKeys([f"file:{tmp_private_dir / 'a.key'}", "env:SAME"])


def test_a_ring_without_references_has_nothing_to_look_for() -> None:
    assert DecryptionKeys().first_of(["a"]) is None
    assert a_receiver(a_key()).first_of([a_key().kid]) == a_key()

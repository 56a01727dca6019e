"""What every source of private keys promises: the document whole, or an error that shows nothing of it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from safecelery.errors import KeyringError
from safecelery.keys.private import render_private
from safecelery.keys.sources import SOURCES, absolute, load_private, read_secret_text, secret_files
from safecelery.keys.sources.file import _LARGEST
from tests.unit.keys.key_builders import a_private, keys_in

DOCUMENT = render_private(a_private())
SECRET = DOCUMENT.splitlines()[-1].split('"')[1]
Put = Callable[[str], str]


def in_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    def put(text: str) -> str:
        path = tmp_path / "web.key"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return f"file:{path}"

    return put


def in_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    def put(text: str) -> str:
        monkeypatch.setenv("WEB_KEY", text)
        return "env:WEB_KEY"

    return put


def in_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    def put(text: str) -> str:
        return f"directory:{keys_in(tmp_path / 'web-keys', **{'web.key': text})}"

    return put


#: A source without a line here fails the first test.
PUTS = {"file": in_file, "env": in_environment, "directory": in_directory}


@pytest.fixture(params=list(SOURCES))
def put(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    return PUTS[request.param](tmp_path, monkeypatch)


def test_every_source_is_tested() -> None:
    assert set(PUTS) == set(SOURCES)


def test_a_key_is_had_by_its_reference(put: Put) -> None:
    assert load_private(put(DOCUMENT)) == a_private()


@pytest.mark.parametrize(
    "text",
    ["", "not a key", "=", DOCUMENT.replace('"ed25519"', '"rsa"'), DOCUMENT.replace("owner", "ownr"), DOCUMENT[:-20],
     f'secret = "{SECRET}"\n', SECRET],
)  # fmt: skip
def test_what_is_no_key_is_refused_by_place_and_never_shown(put: Put, text: str) -> None:
    reference = put(text)
    with pytest.raises(KeyringError) as caught:
        load_private(reference)
    assert reference.partition(":")[2] in str(caught.value)
    assert SECRET[:8] not in str(caught.value)


@pytest.mark.parametrize("place", ["nowhere", "a\0b", "/", "no/where", "../x" * 2000])
def test_a_place_where_nothing_is_is_an_error(put: Put, place: str) -> None:
    source = put(DOCUMENT).partition(":")[0]
    with pytest.raises(KeyringError):
        read_secret_text(f"{source}:{place}")


def test_a_source_says_what_to_look_at_for_a_change(put: Put) -> None:
    reference = put(DOCUMENT)
    name = reference.partition(":")[0]
    assert [path for path in secret_files(reference) if not path.exists()] == []
    assert bool(secret_files(reference)) == (name != "env"), "nobody can change a variable of a running process"
    assert secret_files(f"{name}:no/where\0") is not None


def test_a_path_is_made_absolute_and_nothing_else(put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = put(DOCUMENT)
    name, _, place = reference.partition(":")
    assert absolute(reference) == reference
    if name != "env":
        monkeypatch.chdir(tmp_path)
        short = f"{name}:{Path(place).relative_to(tmp_path)}"
        assert absolute(short) == reference
        assert load_private(short) == load_private(reference)
    for odd in ("", "file:", SECRET):
        assert absolute(odd) == odd


@pytest.mark.parametrize(
    "reference",
    ["", ":", "file", "file:", "env:", "FILE:/x", "vault:/x", "/run/secrets/web.key", SECRET, DOCUMENT, " file:x"],
)
def test_a_reference_that_is_none_is_an_error_that_does_not_quote_it(reference: str) -> None:
    with pytest.raises(KeyringError, match="must begin with file: or env:") as caught:
        load_private(reference)
    assert SECRET[:8] not in str(caught.value)


def test_a_misspelt_source_is_suggested() -> None:
    with pytest.raises(KeyringError, match="did you mean 'file'"):
        load_private("fil:/run/secrets/web.key")


# The environment


@pytest.mark.parametrize(
    "form",
    [
        DOCUMENT,
        f"\n\n{DOCUMENT}\n  ",
        base64.b64encode(DOCUMENT.encode()).decode(),
        base64.encodebytes(DOCUMENT.encode()).decode(),
        base64.b64encode((DOCUMENT + " ").encode()).decode() + "\n",
        base64.b64encode((DOCUMENT + "  ").encode()).decode(),
    ],
    ids=["document", "space-around", "base64", "base64-wrapped", "base64-line", "base64-padding"],
)
def test_a_variable_holds_the_document_or_its_base64(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setenv("WEB_KEY", form)
    assert load_private("env:WEB_KEY") == a_private()


@pytest.mark.parametrize("text", ["   ", "\n", "%%%", "AAA", base64.b64encode(b"\xff\xfe").decode()])
def test_a_variable_with_neither_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("WEB_KEY", text)
    with pytest.raises(KeyringError, match="env:WEB_KEY"):
        load_private("env:WEB_KEY")


# Files


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_of_its_owners_alone_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    reference = in_file(tmp_path, monkeypatch)(DOCUMENT)
    Path(reference[5:]).chmod(mode)
    assert load_private(reference) == a_private()


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
def test_a_file_open_to_others_in_any_way_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bit: int) -> None:
    reference = in_file(tmp_path, monkeypatch)(DOCUMENT)
    path = Path(reference[5:])
    path.chmod(0o600 | bit)
    with pytest.raises(KeyringError, match=rf"mode 0{0o600 | bit:o} lets others read it; chmod 600 {path}"):
        load_private(reference)


def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(in_file(tmp_path, monkeypatch)(DOCUMENT)[5:])
    link = tmp_path / "..data"
    link.symlink_to(path)
    assert load_private(f"file:{link}") == a_private()
    path.chmod(0o644)
    with pytest.raises(KeyringError, match="mode 0644"):
        load_private(f"file:{link}")


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for path in (tmp_path / "fifo", Path("/dev/null"), tmp_path):
        with pytest.raises(KeyringError, match="not a regular file"):
            load_private(f"file:{path}")


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = in_file(tmp_path, monkeypatch)(DOCUMENT)
    owner = Path(reference[5:]).stat().st_uid
    if owner == 0:  # root may give it away
        os.chown(reference[5:], 65_534, -1)
        owner = 65_534
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(KeyringError, match=f"belongs to user {owner}"):
        load_private(reference)


def test_a_file_is_not_read_beyond_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = in_file(tmp_path, monkeypatch)
    assert load_private(put(DOCUMENT + "#" * (_LARGEST - len(DOCUMENT)))) == a_private()
    with pytest.raises(KeyringError, match="larger than 16384 bytes"):
        load_private(put(DOCUMENT + "#" * (_LARGEST + 1 - len(DOCUMENT))))


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "web.key"
    path.write_bytes(b"\xff" + DOCUMENT.encode())
    path.chmod(0o600)
    with pytest.raises(KeyringError, match="not UTF-8"):
        load_private(f"file:{path}")


def test_a_file_of_root_may_be_shown_to_a_group_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make files of root's")
    reference = in_file(tmp_path, monkeypatch)(DOCUMENT)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for mode, readable in ((0o440, True), (0o640, True), (0o400, True), (0o460, False), (0o444, False), (0o441, False)):
        Path(reference[5:]).chmod(mode)
        if readable:
            assert load_private(reference) == a_private()
        else:
            with pytest.raises(KeyringError, match=f"mode 0{mode:o} lets others read it"):
                load_private(reference)

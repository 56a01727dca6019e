"""Where key files may go, and how the trust file grows."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from safecelery.errors import KeyringError
from safecelery.keys.trust import TrustStore

__all__ = ["append_trust", "config_home", "keep_key", "read_trust", "refuse_git_worktree", "replace_trust"]


def config_home() -> Path:
    """``~/.config/safecelery``, or as XDG_CONFIG_HOME says (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "safecelery"


def refuse_git_worktree(path: Path, override: str) -> None:
    """Private keys do not belong where the next ``git add .`` takes them along.

    Raises:
        KeyringError: there is a ``.git`` beside the file or above it.
    """
    for directory in path.resolve().parents:
        if (directory / ".git").exists():
            raise KeyringError(
                f"{path} lies in the git work tree {directory}; a private key there is committed sooner or later. "
                f"Choose another place with --out, or insist with {override}"
            )


def read_trust(path: Path) -> str:
    """The text of a trust file that can be used, with its line ends as they are.

    Raises:
        KeyringError: it cannot be used.
    """
    TrustStore.load(path)
    return path.read_bytes().decode("utf-8")


def keep_key(
    path: Path,
    document: str,
    entry_of: Callable[[Path], str],
    *,
    trust: Path | None,
    inside_git_worktree: bool,
    own_place: bool,
) -> tuple[Path, str]:
    """Write a new private key, and add its entry to the trust file, if there is one; both or neither.

    Args:
        entry_of: makes the entry of the place where the key is.
        own_place: the directory is ours to make.

    Returns:
        Where the key is, and the entry.

    Raises:
        KeyringError: the key's place is taken or in a git work tree, or the trust file is none.
    """
    from safecelery.keys.generate import write_document

    path = Path(os.path.abspath(path))  # noqa: PTH100  # keeps links
    if not inside_git_worktree:
        refuse_git_worktree(path, "--allow-inside-git-worktree")
    entry = entry_of(path)
    if own_place:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_document(path, document)
    if trust is not None:
        try:
            append_trust(trust, entry)
        except BaseException:
            path.unlink()  # half a key would only be in the way
            raise
    return path, entry


def append_trust(path: Path, entry: str) -> None:
    """Add an entry; the file is replaced as a whole, and only by one that can be used.

    Raises:
        KeyringError: the file as it is, or as it would be, is no trust store.
    """
    before = read_trust(path) if path.exists() else ""
    replace_trust(path, before, before.rstrip("\r\n") + "\n\n" + entry if before else entry)


def replace_trust(path: Path, before: str, after: str) -> None:
    """Put another text in the place of the file, whole and at once, with the mode and owner that the file has.

    Args:
        path: a link is followed, and stays.
        before: what the new text was made of; empty: the file is new.

    Raises:
        KeyringError: the new text is no trust store, or somebody else has changed the file since it was read.
    """
    path = path.resolve()
    TrustStore.parse(after, str(path))
    found = path.stat() if path.exists() else None
    if (path.read_bytes().decode("utf-8") if found else "") != before:
        raise KeyringError(f"trust store {path}: somebody changed it at the same time; nothing was written, try again")
    mode = (
        stat.S_IMODE(found.st_mode) if found else 0o644
    )  # public keys: all may read them, nobody else may change them
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=".trust-", delete=False) as file:
        try:
            file.write(after.encode("utf-8"))
            file.flush()
            if found and (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), found.st_uid, found.st_gid)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise

"""Where key files may go, and how the trust file grows."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from safecelery.errors import KeyringError
from safecelery.keys.trust import TrustStore

__all__ = ["append_trust", "config_home", "refuse_git_worktree"]


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


def append_trust(path: Path, entry: str) -> None:
    """Add an entry; the file is replaced as a whole, and only by one that can be used.

    Raises:
        KeyringError: the file as it is, or as it would be, is no trust store.
    """
    path = path.resolve()
    before = ""
    mode = 0o644  # public keys: everybody may read them, nobody else may change them
    if path.exists():
        TrustStore.load(path)
        before = path.read_text(encoding="utf-8").rstrip("\n") + "\n\n"
        mode = stat.S_IMODE(path.stat().st_mode)
    after = before + entry
    TrustStore.parse(after, str(path))
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".trust-", encoding="utf-8", delete=False) as file:
        try:
            file.write(after)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise

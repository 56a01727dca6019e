"""Who answers, who asks, and who would like to answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from safecelery.keys.generate import generate_key, trust_entry, write_private
from safecelery.keys.private import PrivateKey
from tests.attacks.ciphertext import Recipients

__all__ = ["HIDDEN", "SIGNERS", "AnswerKeys"]

_ALL = ("service.*",)
#: Owner -> tasks that its key may send, and those for which it may answer. ``caller`` asks, ``worker`` answers;
#: ``mute`` may send everything and answer nothing, ``narrow`` may answer for one task, ``clerk`` may send one that is
#: no chord's.
OWNERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "caller": (_ALL, ()),
    "worker": (_ALL, ("service.*", "celery.*")),
    "mute": (_ALL, ()),
    "narrow": (_ALL, ("service.add",)),
    "clerk": (("service.note",), ()),
    "revoked": (_ALL, _ALL),
    "expired": (_ALL, _ALL),
}
SIGNERS = (*OWNERS, "unknown", "none")
QUEUES = ("orders", "other")
#: The task that must be encrypted, and does what ``service.held`` does.
HIDDEN = "service.hidden"


class AnswerKeys:
    """Private keys by owner, and the trust file of worker and caller."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._private: dict[str, PrivateKey] = {"unknown": generate_key("unknown")}
        entries = []
        for owner, (send, results) in OWNERS.items():
            old = {"now": datetime.now(UTC) - timedelta(days=1)} if owner == "expired" else {}
            key = generate_key(owner, lifetime=timedelta(hours=12), **old)
            write_private(directory / f"{owner}.key", key)
            self._private[owner] = key
            entry = trust_entry(key, send=send, queues=QUEUES)
            entry += f"results = {list(results)}\n" if results else ""
            entries.append(entry + ("revoked = true\n" if owner == "revoked" else ""))
        self.recipients = Recipients(directory)
        entries.append(self.recipients.create("worker", "caller"))
        self.trust_file = directory / "trust.toml"
        self.trust_file.write_text("\n".join(entries))

    def reference(self, owner: str) -> str:
        """What ``SAFECELERY_SIGNING__KEY`` takes."""
        return f"file:{self._directory / f'{owner}.key'}"

    def private(self, owner: str) -> PrivateKey:
        """The owner's key; the message attacks call the one who may send everything ``full``."""
        return self._private["caller" if owner == "full" else owner]

    def kid(self, owner: str) -> str:
        """Its id."""
        return self.private(owner).kid

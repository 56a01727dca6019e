"""The keys of the attack stage: who holds them, and what the worker grants them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from safecelery.keys.generate import generate_key, trust_entry, write_private
from safecelery.keys.private import PrivateKey
from tests.attacks.ciphertext import Recipients

__all__ = ["Keys"]

EVERYTHING = ("service.*",)
#: What the holder of the limited key may send. Nothing that is secret, and to one queue only.
LIMITED = ("service.add", "service.note", "service.context", "service.nap", "service.fail")


@dataclass(slots=True)
class Keys:
    """Private keys by owner, and the trust file that the worker reads.

    ``full`` may send every task to both queues and give every command, ``limited`` some tasks to one queue;
    ``reported`` as well, but what is beyond that is only reported. ``expired``, ``revoked`` and ``early``, whose time
    begins tomorrow, could do what ``full`` can; ``unknown`` is in nobody's trust store. ``worker`` signs retries and
    canvas.
    """

    directory: Path
    recipients: Recipients = field(init=False)
    _private: dict[str, PrivateKey] = field(default_factory=dict)
    _entries: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recipients = Recipients(self.directory)

    @classmethod
    def create(cls, directory: Path) -> Keys:
        """Make them all."""
        keys = cls(directory)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        keys._add("worker", results=("*",))
        keys._add("full", control=("*",))  # a worker listens to commands where somebody may give any
        keys._add("limited", send=LIMITED, queues=("orders",))
        keys._add("reported", send=LIMITED, queues=("orders",), suffix='mode = "report"\n')
        keys._add("revoked", suffix="revoked = true\n")
        keys._add("expired", now=yesterday, lifetime=timedelta(hours=1))
        keys._add("early", now=datetime.now(UTC) + timedelta(days=1))
        keys._private["unknown"] = generate_key("unknown")
        keys._entries.append(keys.recipients.create("worker"))
        keys.trust_file.write_text("\n".join(keys._entries))
        return keys

    @property
    def trust_file(self) -> Path:
        """What the worker trusts."""
        return self.directory / "trust.toml"

    def reference(self, owner: str) -> str:
        """What ``SAFECELERY_SIGNING__KEY`` takes."""
        return f"file:{self.directory / f'{owner}.key'}"

    def private(self, owner: str) -> PrivateKey:
        """The owner's key."""
        return self._private[owner]

    def kid(self, owner: str) -> str:
        """Its id."""
        return self._private[owner].kid

    def _add(
        self,
        owner: str,
        *,
        send: tuple[str, ...] = EVERYTHING,
        queues: tuple[str, ...] = ("orders", "other"),
        control: tuple[str, ...] = (),
        results: tuple[str, ...] = (),
        now: datetime | None = None,
        lifetime: timedelta = timedelta(days=1),
        suffix: str = "",
    ) -> None:
        key = generate_key(owner, now=now, lifetime=lifetime)
        write_private(self.directory / f"{owner}.key", key)
        self._private[owner] = key
        self._entries.append(trust_entry(key, send=send, queues=queues, control=control, results=results) + suffix)

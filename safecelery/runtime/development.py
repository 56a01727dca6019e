"""The development profile: whatever is missing is made, on this machine only, and every start says so loudly."""

from __future__ import annotations

import logging
import os
import re
from datetime import timedelta
from pathlib import Path

from safecelery.brokers.embedded import EmbeddedRedis, make_private
from safecelery.keys.generate import generate_key, trust_entry, write_private
from safecelery.settings import BrokerSettings, LedgerSettings, ResultSettings, SafeCelerySettings, SigningSettings

__all__ = ["development_settings", "state_directory"]

logger = logging.getLogger("safecelery")

#: Long enough for a sandbox, short enough that nobody moves it to production.
_KEY_LIFETIME = timedelta(days=90)


def state_directory(name: str, settings: SafeCelerySettings) -> Path:
    """Where the development broker and keys of this app live."""
    if settings.state_dir is not None:
        return settings.state_dir
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "safecelery" / re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def development_settings(name: str, settings: SafeCelerySettings) -> SafeCelerySettings:
    """The settings, completed by an embedded broker and generated keys.

    Raises:
        SettingsError: no Redis server can be had, or the directory is open to others.
    """
    directory = state_directory(name, settings)
    update: dict[str, object] = {}
    notes: list[str] = []
    if not settings.broker.url:
        broker = EmbeddedRedis(directory)
        started = broker.ensure()
        notes.append(f"embedded broker {broker.url} (pid {broker.pid}, {'started' if started else 'already running'})")
        update["broker"] = BrokerSettings.model_validate({**settings.broker.model_dump(), "url": broker.url})
        if settings.results.url is None:
            update["results"] = ResultSettings.model_validate({**settings.results.model_dump(), "url": broker.url})
    if _needs_a_ledger(settings):
        ledger = EmbeddedRedis(directory)
        ledger.ensure()
        notes.append(f"delivery ledger in the embedded Redis {ledger.url}")
        update["ledger"] = LedgerSettings.model_validate({**settings.ledger.model_dump(), "url": ledger.url})
    if settings.signing.key is None:
        key_file, trust_file = _keys(directory)
        notes.append(f"generated keys in {directory}, which may send everything")
        update["signing"] = SigningSettings(key=f"file:{key_file}", trust_file=trust_file)
    logger.warning(
        "safecelery runs in the DEVELOPMENT profile, never use it in production: %s", "; ".join(notes) or "-"
    )
    return settings.model_copy(update=update)


def _needs_a_ledger(settings: SafeCelerySettings) -> bool:
    """A broker of the developer's own that is no Redis, and no other place (see ``ledger.approved_place``)."""
    urls = [*settings.broker_urls, *([settings.results.url.get_secret_value()] if settings.results.url else [])]
    elsewhere = ("redis", "memory")
    return settings.ledger.url is None and bool(settings.broker_urls) and not any(u.startswith(elsewhere) for u in urls)


def _keys(directory: Path) -> tuple[Path, Path]:
    make_private(directory)
    key_file, trust_file = directory / "development.key", directory / "trust.toml"
    if not (key_file.exists() and trust_file.exists()):
        key_file.unlink(missing_ok=True)
        trust_file.unlink(missing_ok=True)
        key = generate_key("development", lifetime=_KEY_LIFETIME)
        write_private(key_file, key)
        trust_file.touch(mode=0o600)  # a umask of 002 would let the group write it, and then nobody believes it
        trust_file.write_text(trust_entry(key, send=["*"], queues=["*"], control=["*"]))
    return key_file, trust_file

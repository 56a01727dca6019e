"""The development profile's keys: usable under any umask, kept from run to run, and loudly announced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safecelery.keys.sources import load_private
from safecelery.keys.trust import TrustStore
from safecelery.runtime.development import development_settings
from safecelery.settings import SafeCelerySettings


def settings(state: Path) -> SafeCelerySettings:
    return SafeCelerySettings(profile="development", broker={"url": "memory://"}, state_dir=state)


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077, 0o000])
def test_keys_are_made_and_believed(tmp_path: Path, umask: int, caplog: pytest.LogCaptureFixture) -> None:
    before = os.umask(umask)
    try:
        made = development_settings("shop", settings(tmp_path / "state"))
    finally:
        os.umask(before)
    assert made.signing.key is not None
    assert made.signing.trust_file is not None
    key = load_private(made.signing.key)
    assert TrustStore.load(made.signing.trust_file).keys[key.kid].may_send_task("anything")
    assert "DEVELOPMENT profile, never use it in production" in caplog.text


def test_the_second_start_finds_the_first_ones_keys(tmp_path: Path) -> None:
    first, second = (development_settings("shop", settings(tmp_path / "state")) for _ in range(2))
    assert first.signing.key is not None
    assert load_private(first.signing.key).kid == load_private(second.signing.key or "").kid

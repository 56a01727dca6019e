"""Large results: a place for files, and a sealed claim that names one of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from celery.result import AsyncResult
from pydantic import SecretStr

from safecelery import ResultRefused, ResultTooLarge, SafeCelery, SettingsError
from safecelery.errors import Reason, Rejected
from safecelery.runtime.results.claims import ClaimPlace, place_of
from safecelery.settings import ResultSettings
from tests.unit.runtime.results_app import Shop, request_of

LARGE = "x" * 5_000


DIGEST = "0" * 64


@pytest.fixture
def place(tmp_path: Path) -> ClaimPlace:
    return ClaimPlace(f"file://{tmp_path / 'large'}", 10_000)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def app_of(shop: Shop, owner: str, **results: Any) -> SafeCelery:
    where = {"claim_check": f"file://{shop.directory / 'large'}", "max_bytes": 2_000}
    return shop.app(owner, **{**where, **results})


def store(app: SafeCelery, value: Any, state: str = "SUCCESS") -> None:
    app.backend.store_result("t-1", value, state, request=request_of("shop.add", "t-1"))


def read(app: SafeCelery) -> Any:
    return AsyncResult("t-1", app=app).get(timeout=1)


def test_what_was_put_is_had_again(place: ClaimPlace) -> None:
    assert place.get(place.put(b"data")) == b"data"


def test_nobody_else_reads_the_directory(place: ClaimPlace, tmp_path: Path) -> None:
    place.put(b"data")
    assert (tmp_path / "large").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "claim",
    [
        None, "name", {}, {"name": "a" * 48}, {"name": "../../etc/passwd", "sha256": DIGEST, "size": 1},
        {"name": "a" * 48, "sha256": DIGEST, "size": "1"}, {"name": "a" * 48, "sha256": DIGEST, "size": -1},
        {"name": "a" * 48, "sha256": DIGEST, "size": True}, {"name": "A" * 48 + "\n", "sha256": DIGEST, "size": 1},
        {"name": "a" * 48, "sha256": "\u00e9" * 64, "size": 1}, {"name": "a" * 48, "sha256": [1], "size": 1},
    ],
    ids=str,
)  # fmt: skip
def test_no_claim_names_anything_else(place: ClaimPlace, claim: Any) -> None:
    with pytest.raises(Rejected) as caught:
        place.get(claim)
    assert caught.value.reason is Reason.BODY_MALFORMED
    place.remove(claim)


@pytest.mark.parametrize("planted", ["pipe", "link", "directory"])
def test_only_a_file_is_read(place: ClaimPlace, tmp_path: Path, planted: str) -> None:
    """A pipe that nobody writes to would never end."""
    claim = place.put(b"data")
    path = tmp_path / "large" / claim["name"]
    path.rename(tmp_path / "elsewhere")
    if planted == "pipe":
        os.mkfifo(path)
    elif planted == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    with pytest.raises(Rejected, match="cannot be read") as caught:
        place.get(claim)
    assert caught.value.reason is Reason.BODY_MALFORMED


def test_a_claim_that_is_larger_than_the_reader_takes(place: ClaimPlace) -> None:
    claim = place.put(b"x" * 9_000)
    with pytest.raises(Rejected) as caught:
        ClaimPlace(place.url, 8_000).get(claim)
    assert caught.value.reason is Reason.TOO_LARGE
    with pytest.raises(ResultTooLarge, match="claim_max_bytes"):
        place.put(b"x" * 10_001)


@pytest.mark.parametrize("data", [b"y" * 100, b"x" * 99, b"x" * 101, b""])
def test_an_object_that_was_changed(place: ClaimPlace, tmp_path: Path, data: bytes) -> None:
    claim = place.put(b"x" * 100)
    (tmp_path / "large" / claim["name"]).write_bytes(data)
    with pytest.raises(Rejected) as caught:
        place.get(claim)
    assert caught.value.reason is Reason.SIGNATURE_INVALID


def test_an_object_that_is_gone(place: ClaimPlace) -> None:
    claim = place.put(b"x")
    place.remove(claim)
    place.remove(claim)
    with pytest.raises(Rejected, match="FileNotFoundError"):
        place.get(claim)


def test_a_place_that_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("a file")
    with pytest.raises(ResultTooLarge, match="did not take"):
        ClaimPlace(f"file://{tmp_path / 'large'}", 100).put(b"x")


def test_what_is_missing_is_told_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert place_of(ResultSettings()) is None
    with pytest.raises(SettingsError, match="no URL of fsspec"):
        place_of(ResultSettings(claim_check=SecretStr("nonsense://user:secret@x")))
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(SettingsError, match="claimcheck"):
        place_of(ResultSettings(claim_check=SecretStr("file:///tmp/x")))


# In a backend ---------------------------------------------------------------------------------------------------


def test_a_large_result_comes_by_claim(shop: Shop) -> None:
    store(app_of(shop, "worker"), LARGE)
    assert len(Shop.raw("t-1")) < 2_000
    assert read(app_of(shop, "web")) == LARGE


def test_a_state_needs_no_value(shop: Shop) -> None:
    worker = app_of(shop, "worker")
    store(worker, LARGE)
    for file in (shop.directory / "large").iterdir():
        file.unlink()
    store(worker, "second")
    assert len(Shop.raw("t-1")) > 500
    with pytest.raises(ResultRefused, match="cannot be read"):
        read(app_of(shop, "web"))


def test_a_reader_without_the_place_says_what_to_do(shop: Shop) -> None:
    store(app_of(shop, "worker"), LARGE)
    with pytest.raises(ResultRefused, match=r"results\.claim_check"):
        read(app_of(shop, "web", claim_check=None))


def test_without_a_place_the_task_fails_and_says_why(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    store(app_of(shop, "worker", claim_check=None), LARGE)
    with pytest.raises(ResultTooLarge, match=r"'shop.add' ran, and its result is lost: 5\d\d\d bytes"):
        read(app_of(shop, "web"))
    assert "its result is lost" in caplog.text
    assert LARGE not in caplog.text


def test_a_large_failure_is_no_value(shop: Shop) -> None:
    store(app_of(shop, "worker"), ValueError(LARGE), "FAILURE")
    with pytest.raises(ResultTooLarge):
        read(app_of(shop, "web"))
    assert not (shop.directory / "large").exists()


def test_a_place_that_is_full_loses_the_result_and_says_so(shop: Shop) -> None:
    store(app_of(shop, "worker", claim_max_bytes=3_000), LARGE)
    with pytest.raises(ResultTooLarge, match="claim_max_bytes"):
        read(app_of(shop, "web"))


def test_what_is_forgotten_is_gone_there_too(shop: Shop) -> None:
    worker = app_of(shop, "worker")
    store(worker, LARGE)
    AsyncResult("t-1", app=worker).forget()
    assert list((shop.directory / "large").iterdir()) == []
    AsyncResult("t-1", app=worker).forget()
    store(worker, "small")
    Shop.plant("t-1", b"forged")
    AsyncResult("t-1", app=worker).forget()


def test_an_unsigned_claim_is_not_followed(shop: Shop) -> None:
    place = ClaimPlace(f"file://{shop.directory / 'large'}", 10_000)
    claim = place.put(b'"planted"')
    value = worker_meta(claim)
    Shop.plant("t-1", value)
    with pytest.raises(ResultRefused, match="nobody signed"):
        read(app_of(shop, "web", mode="report"))


def worker_meta(claim: dict[str, Any]) -> bytes:
    import json

    return json.dumps({"status": "SUCCESS", "result": None, "safecelery_claim": claim, "task_id": "t-1"}).encode()

"""What is refused of results before a worker takes any work, and what it says."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from safecelery import SafeCelery, SettingsError
from safecelery.runtime.results.memory import SealedMemoryBackend
from safecelery.runtime.results.redis import SealedRedisBackend, SealedSentinelBackend
from safecelery.runtime.results.starting import check_results
from safecelery.runtime.results.table import BACKENDS, sealed_class
from safecelery.settings import ResultSettings
from tests.unit.runtime.results_app import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def worker(shop: Shop) -> SafeCelery:
    return shop.app("worker")


def nothing() -> None:
    """A task's code."""


def test_other_backends_are_refused_and_the_escape_is_loud(caplog: pytest.LogCaptureFixture) -> None:
    from celery.backends.filesystem import FilesystemBackend

    with pytest.raises(SettingsError, match="rediss://"):
        sealed_class(FilesystemBackend, ResultSettings())
    loud = ResultSettings(unsealed_backend="anyone-can-forge-results")
    assert sealed_class(FilesystemBackend, loud) is FilesystemBackend
    assert "ANYONE CAN FORGE RESULTS" in caplog.text


@pytest.mark.parametrize("theirs", BACKENDS)
def test_every_backend_of_the_table_has_one_of_ours(theirs: str) -> None:
    from celery.utils.imports import symbol_by_name

    ours = sealed_class(symbol_by_name(theirs), ResultSettings())
    assert issubclass(ours, symbol_by_name(theirs))
    assert sealed_class(ours, ResultSettings()) is ours


@pytest.mark.parametrize("expires", [None, 0])
def test_results_without_an_end_are_refused(worker: SafeCelery, expires: int | None) -> None:
    worker.conf.result_expires = expires
    with pytest.raises(SettingsError, match="result_expires"):
        check_results(worker)
    with pytest.raises(SettingsError, match="result_expires"):
        _ = worker.backend


@pytest.mark.parametrize("compression", ["zstd", "brotli"])
def test_a_compression_without_a_limit_is_refused(worker: SafeCelery, compression: str) -> None:
    backend = worker.backend
    backend.compression = compression
    with pytest.raises(SettingsError, match="gzip"):
        backend.check_settings()


def test_a_cache_that_is_not_in_memory_is_refused(worker: SafeCelery, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery.backends import cache

    monkeypatch.setitem(cache.backends, "memcached", cache.backends["memory"])
    with pytest.raises(SettingsError, match="memcached"):
        SealedMemoryBackend(worker, url="memcached://somewhere")


def test_a_task_with_a_backend_of_its_own_is_refused(worker: SafeCelery) -> None:
    from celery.backends.cache import CacheBackend

    plain = CacheBackend(worker, backend="memory://")
    with pytest.raises(SettingsError, match="result backend of its own"):
        worker.task(name="shop.apart", backend=plain, time_limit=5, soft_time_limit=4)(nothing)
    worker.task(name="shop.same", backend=worker.backend, time_limit=5, soft_time_limit=4)(nothing)


def test_a_worker_says_for_which_tasks_nobody_will_believe_it(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    app = shop.app("worker")
    for name, ignored in (("shop.answered", False), ("billing.pay", False), ("billing.quiet", True)):
        app.task(name=name, ignore_result=ignored, time_limit=5, soft_time_limit=4)(nothing)
    with caplog.at_level(logging.WARNING):
        check_results(app)
    (told,) = [record.getMessage() for record in caplog.records if "may not answer for" in record.getMessage()]
    assert "billing.pay" in told
    assert "shop.answered" not in told
    assert "billing.quiet" not in told


def test_report_mode_is_told_at_start(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    check_results(shop.app("worker", mode="report"))
    assert "REPORT MODE of results" in caplog.text


def test_an_app_without_results_has_nothing_to_say(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    app = shop.app("worker", url=None)
    caplog.clear()  # that its keys end tomorrow
    check_results(app)
    assert caplog.text == ""


def test_the_backends_on_redis_connect_to_nothing_before_they_are_asked(worker: SafeCelery) -> None:
    kinds = {"redis://nowhere.example:1": SealedRedisBackend, "sentinel://nowhere.example:1": SealedSentinelBackend}
    for url, cls in kinds.items():
        backend = cls(worker, url=url)
        assert backend.result_consumer._decode_result == backend.published_meta
        assert backend.published_meta(b"anything") is None
        backend.result_consumer.on_state_change(None, None)


def test_a_name_that_cannot_be_imported_is_told_at_start(shop: Shop) -> None:
    with pytest.raises(SettingsError, match=r"results\.exceptions"):
        check_results(shop.app("worker", exceptions=("no.such:Thing",)))

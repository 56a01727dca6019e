"""Sealed results without a server: what is stored, what is believed, and who decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from celery.backends.cache import _DUMMY_CLIENT_CACHE
from celery.exceptions import TaskRevokedError
from celery.result import AsyncResult, GroupResult

from safecelery import ResultRefused, SafeCelery
from safecelery.errors import Reason
from safecelery.keys.encryption.ring import DecryptionKeys
from safecelery.telemetry.results import REFUSED_RESULTS, REPORTED_RESULTS
from tests.unit.keys.encryption_builders import a_cipher, a_key, a_recipient
from tests.unit.runtime.results_app import Shop, request_of


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def worker(shop: Shop) -> SafeCelery:
    return shop.app("worker")


@pytest.fixture
def web(shop: Shop) -> SafeCelery:
    return shop.app("web")


def store(app: SafeCelery, value: Any, task_id: str = "t-1", *, task: str = "shop.add", state: str = "SUCCESS") -> None:
    app.backend.store_result(task_id, value, state, request=request_of(task, task_id))


def read(app: SafeCelery, task_id: str = "t-1") -> Any:
    return AsyncResult(task_id, app=app).get(timeout=1)


def refused(app: SafeCelery, task_id: str = "t-1") -> Reason:
    with pytest.raises(ResultRefused) as caught:
        read(app, task_id)
    return caught.value.reason


# Who may answer -------------------------------------------------------------------------------------------------


def test_a_result_of_who_may_answer_is_read(worker: SafeCelery, web: SafeCelery) -> None:
    store(worker, {"total": 3})
    assert read(web) == {"total": 3}


def test_one_of_who_may_not_is_refused_counted_and_logged(
    shop: Shop, web: SafeCelery, caplog: pytest.LogCaptureFixture
) -> None:
    before = REFUSED_RESULTS[Reason.RESULT_NOT_GRANTED]
    store(shop.app("stranger"), "canary")
    assert refused(web) is Reason.RESULT_NOT_GRANTED
    assert REFUSED_RESULTS[Reason.RESULT_NOT_GRANTED] == before + 1
    assert "result refused: result-not-granted" in caplog.text
    assert "canary" not in caplog.text


def test_a_service_believes_itself(web: SafeCelery) -> None:
    store(web, 1)
    assert read(web) == 1


def test_another_task_is_refused_where_the_task_is_known(shop: Shop, web: SafeCelery) -> None:
    web.guard.sent.add("t-1", "shop.pay")
    store(shop.app("worker"), 1)
    assert refused(web) is Reason.RESULT_OF_ANOTHER_TASK


def test_so_it_is_where_its_result_came_before_the_task_was_sent(shop: Shop, worker: SafeCelery) -> None:
    """An id that can be foreseen: another task's answer lies ready, which is believed by whoever has the id alone."""
    store(worker, "forged")
    web = shop.app("web")
    assert read(web) == "forged"
    web.guard.sent.add("t-1", "shop.pay")
    assert refused(web) is Reason.RESULT_OF_ANOTHER_TASK


def test_so_it_is_where_it_was_published_to_somebody_who_waited_for_another(shop: Shop, worker: SafeCelery) -> None:
    web = shop.app("web", url="rediss://web:a-long-enough-password@redis.example:6379/0", ca_file=shop.trust_file)
    for task, said in (("shop.add", "forged"), ("shop.pay", "true")):
        _DUMMY_CLIENT_CACHE.clear()
        store(worker, said, task=task)
        web.backend.result_consumer.on_state_change(web.backend.published_meta(shop.raw("t-1")), None)
    web.guard.sent.add("t-1", "shop.pay")
    waiting = AsyncResult("t-1", app=web)
    web.backend.add_pending_result(waiting)
    assert waiting._cache["result"] == "true"


def test_a_success_stays_and_what_is_forged_does_not(shop: Shop, worker: SafeCelery, web: SafeCelery) -> None:
    shop.plant("t-1", b'{"status": "SUCCESS", "result": "forged", "task_id": "t-1"}')
    store(worker, "first")
    store(worker, "second")
    assert read(web) == "first"


def test_a_revocation_needs_no_name_and_a_value_does(worker: SafeCelery, web: SafeCelery) -> None:
    web.guard.sent.add("t-1", "shop.add")
    worker.backend.mark_as_revoked("t-1", "not wanted")
    with pytest.raises(TaskRevokedError):
        read(web)
    worker.backend.store_result("t-1", "a value", "SUCCESS")
    assert refused(web) is Reason.RESULT_OF_ANOTHER_TASK


@pytest.mark.parametrize(
    "change",
    [
        {"task_id": "t-2"}, {"status": 1}, {"traceback": 3}, {"children": "x"}, {"result": ...}, {"status": ...},
        {"status": "FAILURE"}, {"children": [1]}, {"children": [[]]}, {"children": [["t-2"]]},
        {"children": [[[None, None], None]]}, {"children": [[[["x"], None], None]]}, {"children": [[["t-2", 5], None]]},
        {"children": [[["t-2", None], 5]]}, {"children": [[["t-2", None], ["xy"]]]},
        {"date_done": "soon"}, {"date_done": 5}, {"date_done": ""}, {"date_done": ["2026-01-01"]},
    ],
    ids=str,
)  # fmt: skip
def test_whoever_signed_it_a_result_has_the_form_of_one(worker: SafeCelery, shop: Shop, change: dict[str, Any]) -> None:
    meta = {"status": "SUCCESS", "result": 1, "traceback": None, "children": [], "task_id": "t-1", **change}
    body = worker.backend.body_of({name: value for name, value in meta.items() if value is not ...})
    shop.plant(
        "t-1", worker.backend.seal.stored("result", body, lifetime_s=60, task="shop.add", id="t-1", state="SUCCESS")
    )
    assert refused(worker) is Reason.BODY_MALFORMED


def test_no_reader_of_celerys_is_left_that_believes(worker: SafeCelery) -> None:
    with pytest.raises(ResultRefused):
        worker.backend.decode_result(b'{"status": "SUCCESS", "result": 1}')
    store(worker, 1)
    with pytest.raises(ResultRefused):
        worker.backend.opened_meta("t-2", Shop.raw("t-1"))
    assert worker.backend.task_result_exists("t-1")
    assert not worker.backend.task_result_exists("t-2")


def test_many_at_once_each_by_its_own_key(worker: SafeCelery, web: SafeCelery, shop: Shop) -> None:
    store(worker, 1, "t-1")
    store(worker, 2, "t-2")
    assert {key: meta["result"] for key, meta in web.backend.get_many(["t-1", "t-2"])} == {"t-1": 1, "t-2": 2}
    shop.plant("t-2", shop.raw("t-1"))
    web.backend._cache.clear()
    with pytest.raises(ResultRefused, match="t-2"):
        list(web.backend.get_many(["t-1", "t-2"]))


@pytest.mark.parametrize("saved", [5, [], [["g", None], None], [["g", None], [1]], [["g", 5], []], [[None, None], []]])
def test_whoever_signed_it_a_group_has_the_form_of_one(worker: SafeCelery, saved: Any) -> None:
    body = worker.backend.body_of({"result": saved})
    worker.backend.set(b"celery-taskset-meta-g", worker.backend.seal.stored("group", body, lifetime_s=60, group="g"))
    with pytest.raises(ResultRefused) as caught:
        GroupResult.restore("g", app=worker)
    assert caught.value.reason is Reason.BODY_MALFORMED


def test_groups(worker: SafeCelery, web: SafeCelery, shop: Shop) -> None:
    store(worker, 1, "t-1")
    GroupResult("g-1", [AsyncResult("t-1", app=worker)], app=worker).save()
    restored = GroupResult.restore("g-1", app=web)
    assert restored.get(timeout=1) == [1]
    GroupResult("g-2", [AsyncResult("t-1", app=worker)], app=shop.app("stranger")).save(shop.app("stranger").backend)
    with pytest.raises(ResultRefused, match="result-not-granted"):
        GroupResult.restore("g-2", app=web)
    assert GroupResult.restore("g-3", app=web) is None


# Report mode ----------------------------------------------------------------------------------------------------


PLAIN = json.dumps({"status": "SUCCESS", "result": 7, "traceback": None, "children": [], "task_id": "t-1"}).encode()


def test_report_mode_believes_what_nobody_signed_and_says_so(
    shop: Shop, web: SafeCelery, caplog: pytest.LogCaptureFixture
) -> None:
    shop.plant("t-1", PLAIN)
    assert refused(web) is Reason.ENVELOPE_MISSING
    before = REPORTED_RESULTS[Reason.ENVELOPE_MISSING]
    assert read(shop.app("web", mode="report")) == 7
    assert REPORTED_RESULTS[Reason.ENVELOPE_MISSING] == before + 1
    assert "result would be refused: envelope-missing" in caplog.text


def test_report_mode_reads_what_a_plain_worker_compressed(shop: Shop) -> None:
    import zlib

    magic = b"\x00celery-compressed\x00"
    shop.plant("t-1", magic + b"application/x-gzip\x00" + zlib.compress(PLAIN))
    assert read(shop.app("web", mode="report")) == 7
    shop.plant("t-1", magic + b"application/x-gzip\x00" + zlib.compress(b" " * 5_000_000))
    assert refused(shop.app("web", mode="report")) is Reason.TOO_LARGE
    shop.plant("t-1", magic + b"no end")
    assert refused(shop.app("web", mode="report")) is Reason.BODY_MALFORMED
    shop.plant("t-1", b" " * 1_050_000)
    assert refused(shop.app("web", mode="report")) is Reason.TOO_LARGE


def test_report_mode_believes_nothing_with_a_bad_seal(shop: Shop, worker: SafeCelery) -> None:
    store(worker, 3)
    shop.plant("t-1", shop.raw("t-1").replace(b'"result": 3', b'"result": 4'))
    assert refused(shop.app("web", mode="report")) is Reason.SIGNATURE_INVALID


def test_report_mode_overrules_a_missing_grant(shop: Shop) -> None:
    store(shop.app("stranger"), 5)
    assert read(shop.app("web", mode="report")) == 5


# Compression, size, encryption ----------------------------------------------------------------------------------


@pytest.fixture
def encrypting(shop: Shop) -> Any:
    key = a_key("shop")

    def made(owner: str, **results: Any) -> SafeCelery:
        app = shop.app(owner, **results)
        app.guard.cipher = a_cipher(key, to=[a_recipient(key, results=("shop.*",))], tasks=["shop.secret"])
        return app

    return made


def test_a_result_that_has_to_be_encrypted_is(encrypting: Any) -> None:
    store(encrypting("worker"), "canary", task="shop.secret")
    assert b"canary" not in Shop.raw("t-1")
    assert read(encrypting("web")) == "canary"


def test_it_is_refused_where_it_is_not_and_where_nobody_can_read_it(
    encrypting: Any, shop: Shop, worker: SafeCelery
) -> None:
    store(worker, "canary", task="shop.secret")
    assert refused(encrypting("web")) is Reason.NOT_ENCRYPTED
    shop.plant("t-1", b"")
    store(encrypting("worker"), "canary", task="shop.secret")
    assert refused(shop.app("web")) is Reason.UNDECRYPTABLE


def test_what_is_not_encrypted_and_has_to_be_does_not_stay(encrypting: Any, worker: SafeCelery) -> None:
    store(worker, "in clear", task="shop.secret")
    store(encrypting("worker"), "true", task="shop.secret")
    assert read(encrypting("web")) == "true"


def test_an_encrypted_success_stays_though_its_writer_cannot_read_it(encrypting: Any) -> None:
    blind = encrypting("worker")
    blind.guard.cipher._private = DecryptionKeys()
    store(blind, "first", task="shop.secret")
    store(blind, "second", task="shop.secret")
    assert read(encrypting("web")) == "first"


def test_a_saved_group_is_no_task_s_result_where_all_tasks_are_encrypted(shop: Shop) -> None:
    worker, key = shop.app("worker"), a_key("shop")
    worker.guard.cipher = a_cipher(key, to=[a_recipient(key, results=("*",))], tasks=["*"])
    store(worker, 1)
    GroupResult("g-1", [AsyncResult("t-1", app=worker)], app=worker).save()
    restored = GroupResult.restore("g-1", app=worker)
    assert restored.get(timeout=1) == [1]


def test_whatever_goes_wrong_in_decrypting_is_a_refusal(
    encrypting: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> bytes:
        raise OverflowError("canary")

    store(encrypting("worker"), 1, task="shop.secret")
    web = encrypting("web")
    monkeypatch.setattr(web.guard.cipher, "decrypt", broken)
    assert refused(web) is Reason.INTERNAL
    assert "OverflowError" in caplog.text
    assert "canary" not in caplog.text


def test_a_large_encrypted_result_is_encrypted_where_it_goes(encrypting: Any, tmp_path: Path) -> None:
    place = {"claim_check": f"file://{tmp_path / 'large'}", "max_bytes": 2_000}
    store(encrypting("worker", **place), "canary" * 1_000, task="shop.secret")
    (kept,) = (tmp_path / "large").iterdir()
    assert b"canary" not in kept.read_bytes()
    assert read(encrypting("web", **place)) == "canary" * 1_000

"""Somebody can write to the place where results are kept, and has no key, or one that may do something else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery, chord
from celery.app.task import Context
from celery.exceptions import ChordError
from celery.result import AsyncResult
from service.factory import make_app

from safecelery import ResultRefused, SafeCelery
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.result_stage import ResultStage, on_result_stage
from tests.integration.stage import IDLE, TIMEOUT, eventually, let_go

pytestmark = [
    pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning"),
    pytest.mark.redis,
]


@pytest.fixture(scope="module", params=["redis", "sqlite", "postgresql"])
def results(
    redis_server: RedisServer, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ResultStage]:
    """Each place that keeps results."""
    directory = tmp_path_factory.mktemp("attacked")
    database = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    with on_result_stage(redis_server, redis_server, directory, request.param, database) as stage:
        yield stage


on_redis = pytest.mark.parametrize("results", ["redis"], indirect=True, scope="module")


@pytest.fixture
def stranger(results: ResultStage) -> Iterator[SafeCelery]:
    """A service that is trusted with something else."""
    app = make_app(results.settings("stranger"))
    yield app
    let_go(app)


def done(results: ResultStage) -> str:
    """The id of a task that has returned 3."""
    sent = results.task("service.add").delay(1, 2)
    assert sent.get(timeout=TIMEOUT) == 3
    results.app.backend._cache.clear()
    return str(sent.id)


def meta(task_id: str, **members: Any) -> dict[str, Any]:
    return {"status": "SUCCESS", "result": "forged", "traceback": None, "children": [], "task_id": task_id, **members}


def failure(task_id: str, module: str, kind: str, *args: Any) -> dict[str, Any]:
    raised = {"exc_type": kind, "exc_module": module, "exc_message": list(args)}
    return meta(task_id, status="FAILURE", result=raised)


FORGERIES: dict[str, Callable[[ResultStage, str], bytes]] = {
    "unsigned": lambda _, task_id: json.dumps(meta(task_id)).encode(),
    "system-exit": lambda _, task_id: json.dumps(failure(task_id, "builtins", "SystemExit", 3)).encode(),
    "os-system": lambda _, task_id: json.dumps(failure(task_id, "os", "system", "touch pwned")).encode(),
    "changed": lambda results, task_id: (results.stored(task_id) or b"").replace(b'"result": 3', b'"result": 4'),
    "of-another-id": lambda results, _: results.stored(done(results)) or b"",
    "not-json": lambda *_: b"\x80\x04\x95garbage",
    "empty-object": lambda *_: b"{}",
    "bomb": lambda *_: b"\x00celery-compressed\x00application/x-gzip\x00" + b"x" * 100,
    "container": lambda *_: b"\x00safecelery\x00a.b\x00{}",
    "huge": lambda *_: b"[" * 3_000_000,
    "deep": lambda *_: b'{"status": "SUCCESS", "result": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_result_is_refused_in_a_caller_that_lives_on(results: ResultStage, forgery: str) -> None:
    task_id = done(results)
    results.plant(task_id, FORGERIES[forgery](results, task_id))
    with pytest.raises(ResultRefused) as caught:
        AsyncResult(task_id, app=results.app).get(timeout=TIMEOUT)
    assert caught.value.task_id == task_id
    with pytest.raises(ResultRefused):
        _ = AsyncResult(task_id, app=results.app).state


@pytest.mark.parametrize("forgery", ["unsigned", "system-exit"])
def test_so_it_is_in_another_process(results: ResultStage, forgery: str) -> None:
    task_id = done(results)
    results.plant(task_id, FORGERIES[forgery](results, task_id))
    assert results.ask("get", task_id)["error"] == "ResultRefused"


def test_a_key_that_may_not_answer_is_refused(results: ResultStage, stranger: SafeCelery) -> None:
    task_id = done(results)
    note = Context({"task": "service.note", "id": task_id})
    results.plant(task_id, stranger.backend.sealed_meta(task_id, meta(task_id), note))
    with pytest.raises(ResultRefused, match="result-of-another-task"):
        AsyncResult(task_id, app=results.app).get(timeout=TIMEOUT)
    add = Context({"task": "service.add", "id": task_id})
    results.plant(task_id, stranger.backend.sealed_meta(task_id, meta(task_id), add))
    assert results.ask("get", task_id)["reason"] == "result-not-granted"


def test_a_task_of_the_attackers_own_does_not_answer_under_the_id_of_another(
    results: ResultStage, stranger: SafeCelery
) -> None:
    waiting = results.task("service.add").apply_async((1, 2), queue=IDLE)
    stranger.tasks["service.note"].apply_async(("mine",), task_id=waiting.id, queue=results.queue)
    eventually(lambda: results.stored(waiting.id), what="the attacker's result")
    with pytest.raises(ResultRefused, match="result-of-another-task"):
        AsyncResult(waiting.id, app=results.app).get(timeout=TIMEOUT)


def test_a_planted_success_does_not_keep_the_true_result_out(results: ResultStage) -> None:
    task_id = f"chosen-{results.place}"
    results.plant(task_id, json.dumps(meta(task_id)).encode())
    results.task("service.add").apply_async((20, 22), task_id=task_id)
    eventually(lambda: b"forged" not in (results.stored(task_id) or b"forged"), what="the true result")
    assert AsyncResult(task_id, app=results.app).get(timeout=TIMEOUT) == 42


@on_redis
def test_who_waits_in_vain_for_one_that_is_not_believed_is_told(results: ResultStage) -> None:
    """As for a worker whose key was not granted what it answers for."""
    sent = results.task("service.add").apply_async((1, 2), queue=IDLE)
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            sent.get(timeout=10)
        except Exception as error:
            caught.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    with results.redis_place() as client:
        value = json.dumps(meta(sent.id)).encode()
        eventually(lambda: client.publish(f"celery-task-meta-{sent.id}", value), what="a subscriber")
        client.set(f"celery-task-meta-{sent.id}", value)
    waiting.join(timeout=TIMEOUT)
    (error,) = caught
    assert isinstance(error, ResultRefused)


@on_redis
@pytest.mark.parametrize("forgery", ["unsigned", "system-exit", "not-json", "empty-object", "deep"])
def test_a_forged_publication_is_dropped_and_waiting_goes_on(results: ResultStage, forgery: str, tmp_path: Any) -> None:
    sent = results.task("results.waits").delay(str(tmp_path / "go"))
    value = FORGERIES[forgery](results, sent.id)
    told: list[Any] = []
    sent.then(lambda found: told.append(found.result))
    with results.redis_place() as client:
        eventually(lambda: client.publish(f"celery-task-meta-{sent.id}", value), what="a subscriber")
    (tmp_path / "go").touch()
    assert sent.get(timeout=TIMEOUT) == "done"
    assert told == ["done"]


@on_redis
def test_a_true_result_published_to_another_channel_is_nobody_elses(results: ResultStage, tmp_path: Any) -> None:
    sent = results.task("results.waits").delay(str(tmp_path / "go"))
    other = results.stored(done(results))
    with results.redis_place() as client:
        eventually(lambda: client.publish(f"celery-task-meta-{sent.id}", other or b""), what="a subscriber")
    (tmp_path / "go").touch()
    assert sent.get(timeout=TIMEOUT) == "done"


# Chords and groups ----------------------------------------------------------------------------------------------


def slow_chord(results: ResultStage, path: Any, body: Any) -> tuple[Any, str]:
    """A chord of two, one of which waits for a file; and the id of its group."""
    header = [results.sign("add", 1, 1), results.task("results.waits").s(str(path))]
    sent = chord(header, body).apply_async()
    return sent, sent.parent.id


@on_redis
def test_forged_parts_are_thrown_out_and_the_chord_completes_without_them(results: ResultStage, tmp_path: Any) -> None:
    sent, group_id = slow_chord(results, tmp_path / "go", results.sign("note"))
    key = f"celery-taskset-meta-{group_id}.j"
    with results.redis_place() as client:
        eventually(lambda: client.zcard(key) == 1, what="the first part")
        for score in range(5):
            forged = json.dumps([1, f"forged-{score}", "SUCCESS", "forged"])
            client.zadd(key, {forged: score})
    (tmp_path / "go").touch()
    assert sent.get(timeout=TIMEOUT) == "noted"
    (line,) = [found for found in results.witnesses("note") if found["args"] == ["[2, 'done']"]]
    assert "forged" not in json.dumps(line)


@on_redis
def test_a_part_of_another_chord_is_not_a_part_of_this_one(results: ResultStage, tmp_path: Any) -> None:
    other, other_group = slow_chord(results, tmp_path / "never", results.sign("note"))
    sent, group_id = slow_chord(results, tmp_path / "go", results.sign("note"))
    with results.redis_place() as client:
        key = "celery-taskset-meta-{}.j".format
        eventually(lambda: client.zcard(key(other_group)) == 1 and client.zcard(key(group_id)) == 1, what="parts")
        client.zadd(key(group_id), {client.zrange(key(other_group), 0, -1)[0]: 7})
    (tmp_path / "go").touch()
    assert sent.get(timeout=TIMEOUT) == "noted"
    (tmp_path / "never").touch()
    assert other.get(timeout=TIMEOUT) == "noted"


@on_redis
@pytest.mark.parametrize("attack", ["removed", "forged", "of-another-chord"])
def test_a_chord_whose_size_nobody_vouches_for_fails_and_says_so(
    results: ResultStage, tmp_path: Any, attack: str
) -> None:
    body = results.sign("note").on_error(results.sign("note", f"errback-{attack}"))
    sent, group_id = slow_chord(results, tmp_path / "go", body)
    key = f"celery-taskset-meta-{group_id}.safecelery-s"
    with results.redis_place() as client:
        assert client.exists(key)
        if attack == "removed":
            client.delete(key)
        else:
            other = results.app.backend.seal.bare("chord-size", lifetime_s=60, group="other", size=1)
            client.set(key, "1" if attack == "forged" else other)
    (tmp_path / "go").touch()
    with pytest.raises(ChordError, match="size of the chord"):
        sent.get(timeout=TIMEOUT)
    eventually(lambda: [line for line in results.witnesses("note") if f"'errback-{attack}'" in line["args"]])


@on_redis
def test_a_chord_that_is_said_to_be_smaller_waits_for_all_its_parts(results: ResultStage, tmp_path: Any) -> None:
    sent, group_id = slow_chord(results, tmp_path / "go", results.sign("note"))
    with results.redis_place() as client:
        eventually(lambda: client.zcard(f"celery-taskset-meta-{group_id}.j") == 1, what="the first part")
        client.set(f"celery-taskset-meta-{group_id}.s", 1, ex=60)
    (tmp_path / "go").touch()
    assert sent.get(timeout=TIMEOUT) == "noted"


@on_redis
def test_a_planted_group_is_refused(results: ResultStage) -> None:
    task_id = done(results)
    with results.redis_place() as client:
        planted = json.dumps({"result": [["planted", None], [[[task_id, None], None]]]})
        client.set("celery-taskset-meta-planted", planted, ex=60)
    assert results.ask("group", "planted") == {
        "error": "ResultRefused", "reason": "envelope-missing",
        "text": "result of task planted refused: envelope-missing: the message is not signed",
    }  # fmt: skip


# Adoption -------------------------------------------------------------------------------------------------------


def test_a_plain_caller_reads_what_is_sealed(results: ResultStage, redis_server: RedisServer) -> None:
    task_id = done(results)
    plain = Celery("plain", broker="memory://", backend=results.results_url, set_as_current=False)
    if results.place == "redis":
        plain.conf.redis_backend_use_ssl = {"ssl_cert_reqs": "required", "ssl_ca_certs": str(redis_server.ca_file)}
    assert AsyncResult(task_id, app=plain).get(timeout=TIMEOUT) == 3
    let_go(plain)


# Replies --------------------------------------------------------------------------------------------------------


def test_a_forged_reply_is_dropped_and_waiting_goes_on(
    broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path: Any
) -> None:
    with on_result_stage(broker, redis_server, tmp_path, "rpc") as stage:
        sent = stage.task("results.waits").delay(str(tmp_path / "go"))
        queue = stage.app.backend.oid
        eventually(lambda: stage.witness_file.exists())
        for value in FORGERIES["unsigned"], FORGERIES["system-exit"], FORGERIES["not-json"], FORGERIES["empty-object"]:
            for headers in {}, {"safecelery": "a.b"}, {"safecelery": 3}, {"compression": "application/x-gzip"}:
                stage.put(queue, value(stage, sent.id), headers, correlation_id=sent.id)
        (tmp_path / "go").touch()
        assert sent.get(timeout=TIMEOUT) == "done"
        assert sent.state == "SUCCESS"

"""Behind the veil Celery says that something happened, and not with what."""

from __future__ import annotations

import io
import logging
import pickle
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import celery
import pytest
from celery.app.task import Context
from celery.app.trace import report_internal_error

from safecelery.runtime.chord_binding import Header, chord_digest
from safecelery.runtime.hidden import (
    HIDDEN,
    LOGGERS,
    Hidden,
    HiddenBytes,
    HiddenDict,
    HiddenList,
    behind_veil,
    draw_veil,
    gathered_for,
    gathering,
    is_hidden,
    is_veiled,
    veil,
    veil_is_down,
)

CANARY = "canary-4111"
HEADER = Header("5f" * 32)


class Ear(logging.Handler):
    """Keeps records, and their text as they were when they came."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.text += self.format(record) + "\n" + repr(vars(record))


@pytest.fixture
def ear() -> Iterator[Ear]:
    heard, root = Ear(), logging.getLogger()
    before = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    yield heard
    root.removeHandler(heard)
    root.setLevel(before)


def test_containers_do_not_print_and_are_otherwise_what_they_were() -> None:
    kinds = (HiddenList([CANARY]), HiddenDict(a=CANARY), HiddenBytes(CANARY.encode()))
    for kind in kinds:
        assert repr(kind) == str((kind,))[1:-2] == HIDDEN
        assert pickle.loads(pickle.dumps(kind)) == kind
    assert [*kinds[0]] == [CANARY]
    assert CANARY not in repr(Context({"args": kinds[0], "kwargs": kinds[1]}))


def test_the_veil_is_of_one_message_and_one_thread() -> None:
    seen: list[bool] = []
    with veil("one", "shop.pay"), veil("two", "shop.pay"):
        assert is_veiled("one")
        assert is_veiled("two")
        assert not is_veiled(None)
        thread = threading.Thread(target=lambda: seen.append(is_veiled("one")))
        thread.start()
        thread.join()
    assert seen == [False]
    assert not is_veiled("one")


def test_a_context_keeps_what_says_nothing(ear: Ear) -> None:
    context = {
        "id": "t-1", "name": "shop.pay", "runtime": 0.5, "return_value": CANARY, "args": CANARY, "kwargs": CANARY,
        "exc": CANARY, "traceback": CANARY, "hostname": "w@h", "description": "raised",
    }  # fmt: skip
    logger = logging.getLogger("celery.app.trace")
    with veil("t-1", "shop.pay"):
        logger.info(
            "Task %(name)s[%(id)s] succeeded in %(runtime)ss: %(return_value)s", context, extra={"data": context}
        )
    assert CANARY not in ear.text
    assert ear.records[0].getMessage() == f"Task shop.pay[t-1] succeeded in 0.5s: {HIDDEN}"
    logger.info("%(exc)s", context)
    assert CANARY in ear.text, "without the veil nothing changes"


def test_positional_arguments_keep_numbers_and_what_is_known(ear: Ear) -> None:
    with veil("t-1", "shop.pay"):
        logging.getLogger("celery.worker.request").error("%ss %s[%s] %r", 5, "shop.pay", "t-1", ValueError(CANARY))
        logging.getLogger("celery.worker.request").error("nothing to say")
    assert ear.records[0].getMessage() == f"5s shop.pay[t-1] {HIDDEN!r}"
    assert ear.records[1].getMessage() == "nothing to say"


def test_an_exception_keeps_its_class_and_place_and_loses_text_and_frames(ear: Ear) -> None:
    with veil("t-1", "shop.pay"):
        try:
            local = CANARY
            raise ValueError(local)
        except ValueError:
            logging.getLogger("celery.app.trace").exception("failed: %r", sys.exc_info()[1])
    (record,) = ear.records
    assert CANARY not in ear.text
    assert record.exc_info is not None
    assert record.exc_info[0] is Hidden
    assert record.exc_info[2] is None
    assert "ValueError" in ear.text
    assert "test_an_exception_keeps_its_class" in ear.text


def test_our_own_words_stay_and_the_frames_of_what_we_caught_do_not(ear: Ear) -> None:
    with veil("t-1", "shop.pay"):
        try:
            local = CANARY
            raise ValueError(local)
        except ValueError:
            logging.getLogger("safecelery").exception("chord %r failed", "g-1")
    (record,) = ear.records
    assert "chord 'g-1' failed" in ear.text
    assert CANARY not in ear.text
    assert record.exc_info is not None
    assert record.exc_info[2] is None


def test_what_is_gathered_for_a_chord_draws_the_veil_until_that_is_over(ear: Ear) -> None:
    assert gathered_for() is None
    with gathering(HEADER):
        assert gathered_for() is HEADER
        assert not veil_is_down()
        draw_veil("shop.pay")
        assert veil_is_down()
        assert not is_veiled("t-1"), "no message is kept from going out as it is"
        logging.getLogger("celery.app.builtins").error("chord raised: %r", CANARY)
    assert CANARY not in ear.text
    assert gathered_for() is None
    assert not veil_is_down()


@pytest.mark.parametrize("shown", [{}, {"argsrepr": HIDDEN}])
def test_celerys_own_task_that_completes_chords_gathers_for_the_callback_that_it_was_given(
    shown: dict[str, str],
) -> None:
    def trace(*args: Any) -> Header | None:
        return gathered_for()

    callback, found = {"task": "shop.total", "options": {"task_id": "t-2"}}, {"result": [[["t-3", None], None]]}
    unlock, request = behind_veil(trace, "celery.chord_unlock"), {"id": "t-1", **shown}
    expected = Header(chord_digest(callback), frozenset({"t-3"}))
    assert unlock("t-1", ["g-1", callback], found, request) == expected
    assert unlock("t-1", ["g-1"], {"callback": callback, **found}, request) == expected
    assert unlock("t-1", [], {}, request) == Header(""), "and for nobody without one"
    assert behind_veil(trace, "shop.pay")("t-1", ["g-1", callback], {}, request) is None


def test_a_handler_that_fails_does_not_tell_the_exception_that_was_being_handled(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)

    class _Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                raise OSError("the mail server is away")
            except OSError:
                traceback.print_exc(None, said)

    broken = _Broken()
    logging.getLogger().addHandler(broken)
    try:
        with veil("t-1", "shop.pay"):
            try:
                raise ValueError(CANARY)
            except ValueError:
                logging.getLogger("celery.app.trace").exception("failed")
    finally:
        logging.getLogger().removeHandler(broken)
    assert "the mail server is away" in said.getvalue()
    assert CANARY not in said.getvalue()


def test_the_projects_own_words_are_its_own(ear: Ear) -> None:
    with veil("t-1", "shop.pay"):
        logging.getLogger("shop.tasks").info("paid with %s", "a word of the task")
        logging.getLogger("celery.redirected").warning("printed by the task")
    assert "a word of the task" in ear.text
    assert "printed by the task" in ear.text


def test_what_celery_warns_of_outside_of_a_task_is_blank(ear: Ear) -> None:
    class _Task:
        class backend:  # noqa: N801
            @staticmethod
            def prepare_exception(error: Exception, kind: str) -> Exception:
                return error

    logging.captureWarnings(True)
    try:
        with veil("t-1", "shop.pay"), warnings.catch_warnings():
            warnings.simplefilter("always")
            try:
                raise ValueError(CANARY)
            except ValueError as error:
                report_internal_error(_Task, error)
    finally:
        logging.captureWarnings(False)
    assert "Exception raised outside body" in ear.text
    assert CANARY not in ear.text


def test_loggers_that_come_later_are_covered_too(ear: Ear) -> None:
    with veil("t-1", "shop.pay"):
        pass
    later = logging.getLogger("celery.made.later")
    with veil("t-1", "shop.pay"):
        later.info("got %s", CANARY)
    assert CANARY not in ear.text


def test_every_module_of_celerys_that_may_speak_while_a_task_runs_is_in_the_table() -> None:
    """Its worker's loop, its commands and the backends that are refused aside."""
    package = Path(celery.__file__).parent
    speaking = {
        "celery." + str(path.relative_to(package)).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for folder in ("app", "backends", "concurrency", "utils")
        for path in (package / folder).rglob("*.py")
        if "get_logger(__name__)" in path.read_text()
    }
    elsewhere = {
        "celery.backends." + name
        for name in ("azureblockblob", "cassandra", "consul", "cosmosdbsql", "dynamodb", "gcs")
    }
    assert speaking - set(LOGGERS) - elsewhere - {"celery.app.log"} == set()


def tracer(seen: list[Any]) -> Any:
    def trace(uuid: str, args: Any, kwargs: Any, request: Any = None) -> str:
        seen.append((is_veiled(uuid), repr(args), repr(kwargs), repr(request)))
        return f"{[*args]} {dict(kwargs)}"

    return trace


def test_a_hidden_request_is_traced_behind_the_veil() -> None:
    seen: list[Any] = []
    trace = behind_veil(tracer(seen), "shop.pay")
    request = {
        "id": "t-1", "argsrepr": HIDDEN, "args": [CANARY], "kwargs": {"a": CANARY}, "callbacks": [CANARY],
        "chord": {"args": CANARY}, "chain": None,
    }  # fmt: skip
    assert is_hidden(request)
    assert CANARY in trace("t-1", [CANARY], {"a": CANARY}, request)
    assert seen[0][0] is True
    assert CANARY not in str(seen)


@pytest.mark.parametrize("request_", [None, {}, {"argsrepr": "('x',)"}])
def test_any_other_is_traced_as_ever(request_: Any) -> None:
    seen: list[Any] = []
    behind_veil(tracer(seen), "shop.pay")("t-1", [CANARY], {}, request_)
    assert seen[0][0] is False
    assert CANARY in seen[0][1]

"""A worker's node obeys what was admitted, answers sealed, and lets nothing out but the end that a command means."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import WorkerShutdown, WorkerTerminate

from safecelery.errors import Reason
from safecelery.message.claims import Audience
from safecelery.runtime import pidbox as module
from safecelery.runtime.pidbox import ControlStep, PidboxConsumer
from safecelery.telemetry.control import COMMANDS_REFUSED
from tests.unit.apps import an_app
from tests.unit.runtime.pidboxes import ADDRESS, HOST, Pidbox, a_pidbox, message


@pytest.fixture
def pidbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pidbox:
    return a_pidbox(tmp_path, monkeypatch)


def refused(pidbox: Pidbox, received: Any, reason: Reason) -> None:
    before = COMMANDS_REFUSED[reason]
    pidbox.node.receive(received)
    assert COMMANDS_REFUSED[reason] == before + 1
    assert pidbox.ran == []
    assert pidbox.published == []


def test_a_sealed_command_is_obeyed_without_a_reply(pidbox: Pidbox) -> None:
    pidbox.node.receive(pidbox.seal("ping"))
    assert pidbox.ran == [("ping", {})]
    assert pidbox.published == []


def test_a_reply_is_sealed_for_the_one_who_asked(pidbox: Pidbox) -> None:
    assert pidbox.ask("ping") == {"ok": "ping"}


def test_a_command_of_the_projects_own_takes_what_its_handler_takes(pidbox: Pidbox) -> None:
    assert pidbox.ask("mine", {"anything": [1]}) == {"ok": "mine"}
    pidbox.node.handlers["mine"] = lambda state: {"ok": 1}
    assert "TypeError" in pidbox.ask("mine", {"anything": [1]})["error"]


def test_wrong_arguments_are_told_and_counted(pidbox: Pidbox) -> None:
    before = COMMANDS_REFUSED[Reason.COMMAND_ARGUMENTS]
    answer = pidbox.ask("rate_limit", {"task_name": 3, "rate_limit": "4111"})
    assert answer == {"error": "command-arguments: rate_limit: task_name is of another type, or out of range"}
    assert COMMANDS_REFUSED[Reason.COMMAND_ARGUMENTS] == before + 1
    assert pidbox.ran == []


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), SystemExit(3), RecursionError(), MemoryError()])
def test_whatever_a_handler_raises_is_an_error_reply(pidbox: Pidbox, error: BaseException) -> None:
    def failing(state: Any) -> None:
        raise error

    pidbox.node.handlers["mine"] = failing
    assert pidbox.ask("mine") == {"error": repr(error)}


@pytest.mark.parametrize("end", [WorkerShutdown(0), WorkerTerminate(1)])
def test_the_end_of_the_worker_is_let_out(pidbox: Pidbox, end: BaseException) -> None:
    def ending(state: Any) -> None:
        raise end

    pidbox.node.handlers["shutdown"] = ending
    with pytest.raises(type(end)):
        pidbox.node.receive(pidbox.seal("shutdown"))


def test_an_answer_that_is_not_json(pidbox: Pidbox) -> None:
    pidbox.node.handlers["mine"] = lambda state: {"a": object()}
    assert pidbox.ask("mine")["error"].startswith("the answer is not JSON (")


def test_an_answer_that_is_too_large(pidbox: Pidbox) -> None:
    pidbox.node.handlers["mine"] = lambda state: "x" * 3_000_000
    assert "bytes" in pidbox.ask("mine")["error"]


def test_an_answer_has_no_secret_of_the_configuration(pidbox: Pidbox) -> None:
    pidbox.app.conf.broker_transport_options = {"sentinel_kwargs": {"password": "correct-horse"}}
    pidbox.node.handlers["mine"] = lambda state: ["the password is correct-horse", {"password": "other"}]
    assert pidbox.ask("mine") == ["the password is ********", {"password": "********"}]


def test_a_reply_that_cannot_be_sent_is_logged(
    pidbox: Pidbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(*_: object) -> None:
        raise ConnectionError("broker")

    monkeypatch.setattr(pidbox.app.control.mailbox, "producer_or_acquire", gone)
    pidbox.node.receive(pidbox.seal("ping", ticket="t", reply_to=ADDRESS))
    assert "the reply to command ping was not sent: ConnectionError" in caplog.text


def test_what_is_refused_is_not_run(pidbox: Pidbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = pidbox.seal("ping")
    refused(pidbox, message(good.body, {}), Reason.ENVELOPE_MISSING)
    refused(pidbox, message(good.body + b" ", good.headers), Reason.SIGNATURE_INVALID)
    refused(pidbox, pidbox.seal("ping", typ="task"), Reason.TYPE_MISMATCH)
    refused(pidbox, pidbox.seal("ping", aud=Audience(queue="celery")), Reason.AUDIENCE_MISMATCH)
    refused(pidbox, pidbox.seal("nothing"), Reason.COMMAND_UNKNOWN)
    refused(pidbox, pidbox.seal("election"), Reason.COMMAND_UNKNOWN)
    refused(pidbox, message(good.body, None), Reason.INTERNAL)
    refused(pidbox, SimpleNamespace(), Reason.INTERNAL)
    other = a_pidbox(tmp_path, monkeypatch, control=["conf"])
    refused(other, other.seal("ping"), Reason.COMMAND_NOT_GRANTED)


def test_a_command_for_another_worker_is_silence(pidbox: Pidbox) -> None:
    before = COMMANDS_REFUSED.total()
    pidbox.node.receive(pidbox.seal("ping", destination=["b@host"], ticket="t", reply_to=ADDRESS))
    assert (pidbox.ran, pidbox.published) == ([], [])
    assert COMMANDS_REFUSED.total() == before


def test_a_second_time_is_refused_with_one_line_that_has_no_payload(
    pidbox: Pidbox, caplog: pytest.LogCaptureFixture
) -> None:
    command = pidbox.seal("mine", {"card": "4111-1111"})
    pidbox.node.receive(command)
    caplog.clear()
    pidbox.node.receive(command)
    assert pidbox.ran == [("mine", {"card": "4111-1111"})]
    (record,) = caplog.records
    assert record.getMessage().startswith("command refused: command-replayed (")
    assert "key=ops-" in record.getMessage()
    assert "4111" not in caplog.text


def test_a_consumer_drops_what_its_channel_cannot_read(caplog: pytest.LogCaptureFixture) -> None:
    class Channel:
        def message_to_python(self, received: Any) -> Any:
            if received is None:
                raise KeyError("4111")
            return received

    heard: list[Any] = []
    consumer = PidboxConsumer.__new__(PidboxConsumer)
    consumer.channel, consumer.accept, consumer.on_message = Channel(), None, heard.append
    consumer._receive_from("q", None)
    assert "what came on q is no message: KeyError" in caplog.text
    assert "4111" not in caplog.text
    consumer._receive_from("q", SimpleNamespace())
    assert [received.consumed_queue for received in heard] == ["q"]


@pytest.mark.parametrize(
    ("control", "enabled", "on", "line"),
    [
        (["*"], True, True, "remote control is on, for signed commands of: ops-"),
        ([], True, False, "remote control is off: no key"),
        (["*"], False, False, "remote control is off: worker_enable_remote_control"),
    ],
)
def test_a_worker_listens_only_where_somebody_may_command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    control: list[str],
    enabled: bool,
    on: bool,
    line: str,
) -> None:
    caplog.set_level("INFO", "safecelery")
    app = a_pidbox(tmp_path, monkeypatch, control=control).app
    app.conf.worker_enable_remote_control = enabled
    consumer = SimpleNamespace(app=app, conninfo=SimpleNamespace(supports_exchange_type=lambda kind: kind == "fanout"))
    step = ControlStep.__new__(ControlStep)
    assert step.include_if(consumer) is on
    assert line in caplog.text


def test_the_node_of_an_app_is_ours(tmp_path: Path) -> None:
    node = an_app(tmp_path).control.mailbox.Node(HOST, handlers={}, state=SimpleNamespace())
    assert isinstance(node, module.SafeNode)

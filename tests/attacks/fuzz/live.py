"""Mutants against one real worker: what it did must be what the same mutants did in this process."""

from __future__ import annotations

import base64
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from unittest.mock import patch

import amqp

from safecelery.runtime import consume
from safecelery.testing.servers import CertificateAuthority, RabbitServer, RedisServer
from tests.attacks.fuzz.harness import Harness, _Letters
from tests.attacks.fuzz.layers import Mutant, mutate
from tests.attacks.fuzz.oracle import Broken
from tests.attacks.fuzz.samples import capture, memory_app
from tests.attacks.judging import MOST_MIB
from tests.attacks.keys import LIMITED
from tests.attacks.operations import Sent
from tests.attacks.stage import BROKER_DB, Stage, eventually, on_stage
from tests.attacks.subjects import SUBJECTS
from tests.attacks.wire import Wire, wire_to

__all__ = ["LiveFigures", "run_live"]

BATCH = 100
#: Seconds within which a batch has become dead letters.
PATIENCE_S = 60.0
#: What mutants of the samples may leave in the witness file.
MAY_RUN = {name.removeprefix("service.") for name in LIMITED}


@dataclass(slots=True)
class LiveFigures:
    """Of one broker."""

    broker: str
    sent: int = 0
    refused: int = 0
    seconds: float = 0.0
    grown_mib: int = 0
    """Growth of the worker's peak memory."""


def run_live(broker: str, seed: str, count: int, say: Callable[[str], None]) -> LiveFigures:
    """Servers and a worker of their own; batches of mutants.

    Raises:
        AssertionError: the law does not hold, or the worker suffers.
    """
    figures = LiveFigures(broker)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sc-")))
        ca = CertificateAuthority.create(home)
        redis = stack.enter_context(RedisServer(home, ca))
        server = stack.enter_context(RabbitServer(home, ca)) if broker == "rabbitmq" else redis
        (home / "stage").mkdir()
        stage = stack.enter_context(on_stage(SUBJECTS["safecelery"], server, redis, home / "stage"))
        keys = stage.ready.sealer._keys  # type: ignore[attr-defined]
        samples = [sample for sample in capture(keys) if "due soon" not in sample.name]
        app = stack.enter_context(memory_app(keys, "worker"))
        stack.enter_context(patch.object(consume, "DeadLetters", _Letters))
        twin = Harness(app, keys, samples)
        stage.check_alive()
        memory, began = stage.peak_mib(), time.monotonic()
        for batch in range(0, count, BATCH):
            numbers = range(batch, min(count, batch + BATCH))
            _play(
                stage,
                lambda: wire_to(server, BROKER_DB),
                twin,
                [Random(f"{seed}-{broker}-{number}") for number in numbers],
                figures,
            )
            say(f"{broker}: {figures.sent} sent, {figures.refused} refused")
        figures.seconds = time.monotonic() - began
        figures.grown_mib = stage.peak_mib() - memory
    return figures


def _play(
    stage: Stage, connect: Callable[[], Wire], twin: Harness, randoms: list[Random], figures: LiveFigures
) -> None:
    before, refused = stage.witness_count(), 0
    for random in randoms:
        mutant = mutate(twin.forgery, random)
        if _put(stage, connect, mutant, figures.broker):
            figures.sent += 1
            refused += not twin.judge(mutant, over_amqp=figures.broker == "rabbitmq")
    letters = 0

    def arrived() -> bool:
        nonlocal letters
        assert stage.worker.running, f"the worker died:\n{stage.worker.log[-4000:]}"
        letters += len(stage.dead_letters())
        return letters >= refused

    eventually(arrived, lambda: f"{refused} dead letters, but {letters}", PATIENCE_S)
    stage.check_alive(PATIENCE_S)
    assert letters + len(stage.dead_letters()) == refused, "more was refused than should have been"
    figures.refused += refused
    if odd := [line for line in stage.witnesses(before) if line["task"] not in MAY_RUN]:
        raise Broken(f"ran: {odd}")
    assert stage.peak_mib() < MOST_MIB, f"{stage.peak_mib()} MiB"


def _put(stage: Stage, connect: Callable[[], Wire], mutant: Mutant, broker: str) -> bool:
    """Whether the mutant can be sent at all: AMQP has types of its own for headers and properties."""
    if broker == "redis":
        stage.wire.put(Sent(b"", {}, {}, mutant.queue, raw_item=mutant.wire))
        return True
    item = mutant.item
    try:
        body, headers = base64.b64decode(item["body"]), item["headers"]
        sent = Sent(body, headers, {}, mutant.queue, item["content-type"], item["content-encoding"])
        amqp.Message(
            body, application_headers=headers, content_type=sent.content_type, content_encoding=sent.content_encoding
        )._serialize_properties()
        if not isinstance(headers, dict) or len(body) + len(str(headers)) > 100_000:
            return False
    except Exception:
        return False
    try:
        stage.wire.put(sent)
    except (amqp.exceptions.AMQPError, OSError):  # RabbitMQ hangs up on some tables; nobody else sees them
        stage.wire = connect().__enter__()
        return False
    return True

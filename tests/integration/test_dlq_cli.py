"""``safecelery dlq`` on both brokers, with letters that a real worker wrote."""

from __future__ import annotations

import json
import stat
from importlib.metadata import entry_points

from safecelery import SafeCelery
from safecelery.runtime.dead_letters.stream import open_letters
from tests.conftest import missing
from tests.integration.dlq_stage import CANARY, DEAD, Desk, expired, plant
from tests.integration.stage import TIMEOUT, Stage, eventually
from tests.integration.test_operations import celery

BODY = json.dumps([[CANARY], {}, {}]).encode()
HOSTILE = "evil\x1b[31m\u202etask"


def unsigned(stage: Stage, task: str = "service.add", **headers: str) -> None:
    stage.put("celery", BODY, {"task": task, "id": "made-up", "argsrepr": f"({CANARY!r},)", **headers})


def test_list_says_what_was_refused_and_why_and_never_a_payload(stage: Stage, desk: Desk, producer: SafeCelery) -> None:
    unsigned(stage)
    desk.until(1)
    producer.send_task("service.nobody", (CANARY,))
    desk.until(2)
    expired(stage, "service.add", CANARY, 1)
    desk.until(3)
    plant(stage, CANARY.encode())
    desk.until(4)
    done = desk.run("list")
    table = {line.split()[3]: line for line in done.stdout.splitlines() if " celery " in line}
    assert "service.add?" in table["envelope-missing"], "nobody signed that name"
    assert " service.nobody " in table["task-unknown"]
    assert " service.add " in table["stale"], "an expired message was signed all the same"
    assert "producer-" in table["stale"]
    assert all("worker-" in line for line in table.values()), "the worker vouches for its letters"
    assert "4 dead letters in safecelery.dead-letters" in done.stdout
    assert "not-a-dead-letter" in done.stdout
    assert CANARY not in done.stdout + done.stderr + desk.run("list", "--format", "json").stdout
    desk.until(4)


def test_it_is_a_command_of_celery_too(stage: Stage, desk: Desk) -> None:
    if not [entry for entry in entry_points(group="celery.commands") if entry.name == "safecelery"]:
        missing("safecelery is not installed, so Celery cannot find its command: pip install -e .")
    unsigned(stage)
    desk.until(1)
    done = celery(stage, ["safecelery", "dlq", "list"])
    assert done.returncode == 0, done.stderr
    assert "envelope-missing" in done.stdout


def test_filters(stage: Stage, desk: Desk) -> None:
    unsigned(stage)
    unsigned(stage, "other.task")
    expired(stage, "service.add", 1, 1)
    desk.until(3)
    everything = desk.listed()
    assert [letter["at"] for letter in everything] == sorted(letter["at"] for letter in everything)
    assert {letter["reason"] for letter in desk.listed("--reason", "stale")} == {"stale"}
    assert [letter["claimed_task"] for letter in desk.listed("--task", "other.*")] == ["other.task"]
    assert len(desk.listed("--task", "service.*")) == 2
    assert desk.listed("--queue", "extra") == []
    assert desk.listed("--older-than", "2h") == []
    assert len(desk.listed("--newer-than", "2h", "--limit", "2")) == 2
    assert [letter["id"] for letter in desk.listed("--id", everything[1]["id"][:8])] == [everything[1]["id"]]
    assert "is no duration" in desk.run("list", "--older-than", "soon", status=2).stderr
    assert "too short" in desk.run("list", "--id", "a", status=2).stderr


def test_hostile_names_and_payloads_are_printed_harmlessly(stage: Stage, desk: Desk) -> None:
    unsigned(stage, HOSTILE, **{"x\x1b]0;owned\x07": HOSTILE})
    plant(stage, b"\x1b[2J not a letter")
    desk.until(2)
    for words in (
        ["list"], ["show", desk.listed("--reason", "envelope-missing")[0]["id"], "--show-payload"],
        ["show", desk.listed("--reason", "not-a-dead-letter")[0]["id"], "--show-payload"], ["replay"],
    ):  # fmt: skip
        done = desk.run(*words, status=None)
        assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr), words


def test_show_prints_the_payload_only_if_asked(stage: Stage, desk: Desk) -> None:
    unsigned(stage)
    desk.until(1)
    (letter,) = desk.listed()
    for form in ("text", "json"):
        masked = desk.run("show", letter["id"][:10], "--format", form)
        assert CANARY not in masked.stdout + masked.stderr
        assert "envelope-missing" in masked.stdout
        assert CANARY in desk.run("show", letter["id"][:10], "--format", form, "--show-payload").stdout
    assert "no dead letter" in desk.run("show", "ffffffffff", status=1).stderr


def test_looking_often_loses_nothing(stage: Stage, desk: Desk) -> None:
    for _ in range(5):
        unsigned(stage)
    desk.until(5)
    seen = set()
    for _ in range(25):  # RabbitMQ 4 would drop a letter after 20, where the queue did not say otherwise
        with open_letters(stage.app) as letters:
            seen.add(frozenset(entry.id for entry in letters.walk()))
    assert len(seen) == 1
    desk.until(5)


def test_a_genuine_message_is_replayed_under_the_operators_key(stage: Stage, desk: Desk) -> None:
    task_id = expired(stage, "service.add", 31_001, 1)
    desk.until(1)
    dry = desk.run("replay", "--reason", "stale")
    assert "would send service.add to celery, signed by producer-" in dry.stdout
    (letter,) = desk.listed()
    assert (desk.book, stage.witnesses("add", x=31_001)) == ([], [])
    done = desk.run("replay", "--reason", "stale", "--yes")
    assert "1 of 1 sent again under key operator-" in done.stdout
    assert stage.app.AsyncResult(task_id).get(timeout=TIMEOUT) == 31_002, "the task's id is what it was"
    assert desk.listed() == []
    intent, sent = desk.book
    assert (intent["event"], sent["event"]) == ("replaying", "replayed")
    assert intent["letter"] == sent["letter"] == letter["id"]
    assert intent["by"].startswith("operator-")
    assert intent["signed_by"].startswith("producer-")
    assert (intent["task"], intent["queue"]) == ("service.add", "celery")
    assert intent["jti"] == sent["jti"] in dry.stdout
    assert stat.S_IMODE((desk.home / "state/safecelery/replays.jsonl").stat().st_mode) == 0o600


def test_a_key_replays_only_what_it_may_send(stage: Stage, desk: Desk) -> None:
    expired(stage, "service.add", 31_002, 1)
    desk.until(1)
    done = desk.run("replay", "--yes", owner="clerk", status=1)
    assert "task-not-granted" in done.stdout
    assert "0 of 1 sent again" in done.stdout
    assert desk.book == []
    desk.until(1)
    assert "queue-not-granted" in desk.run("replay", "--to", "elsewhere", "--yes", status=1).stdout


def test_a_call_that_was_not_to_run_any_more_needs_a_word(stage: Stage, desk: Desk) -> None:
    expired(stage, "service.add", 31_003, 1, expires="2001-01-01T00:00:00+00:00")
    desk.until(1)
    assert "wanted it not to run after 2001-01-01 00:00 UTC" in desk.run("replay", status=1).stdout
    desk.run("replay", "--run-expired", "--yes")
    eventually(lambda: stage.witnesses("add", x=31_003))


def test_what_nobody_signed_runs_only_on_the_operators_word(stage: Stage, desk: Desk) -> None:
    stage.put("celery", json.dumps([[31_004, 1], {}, {}]).encode(), {"task": "service.add", "id": "by-hand"})
    desk.until(1)
    refused = desk.run("replay", "--yes", status=1).stdout
    assert "the original is not validly signed (envelope-missing); --i-vouch-for-unsigned" in refused
    assert "name the queue with --to" in desk.run("replay", "--i-vouch-for-unsigned", "--yes", status=1).stdout
    done = desk.run("replay", "--i-vouch-for-unsigned", "--to", "celery", "--yes")
    assert "SIGNED BY NOBODY" in done.stdout
    eventually(lambda: stage.witnesses("add", x=31_004))
    assert desk.book[0]["signed_by"] is None


def test_a_planted_letter_is_recognised(stage: Stage, desk: Desk) -> None:
    """A genuine message of long ago, in a letter that an attacker made up: sending it would run it again."""
    expired(stage, "service.add", 31_005, 1)
    (real,) = desk.letters(1)
    plant(stage, real.to_bytes())
    desk.until(1)
    assert desk.listed()[0]["sealed_by"] is None
    assert "nobody" in desk.run("list").stdout
    assert "no trusted worker vouches for the letter (not sealed)" in desk.run("replay", "--yes", status=1).stdout
    desk.until(1)


def test_garbage_is_shown_and_kept(stage: Stage, desk: Desk) -> None:
    for body in (b"", b"\xff\xfe", b"[]", b'{"v": 1}', b"[" * 10_000, b'{"v":1,"v":1}'):
        plant(stage, body)
    count = 6
    if stage.on_redis:
        with stage.admin() as client:
            for item in (b"not json", b"[]", b"\x00\xff", b"{}"):
                client.lpush(DEAD, item)
        count += 4
    desk.until(count)
    assert {letter["reason"] for letter in desk.listed()} == {"not-a-dead-letter"}
    assert "nothing to remove" in desk.run("purge", "--yes").stdout
    assert "0 of 0" in desk.run("replay", "--yes").stdout
    desk.run("export", "all.jsonl")
    assert len((desk.home / "all.jsonl").read_text().splitlines()) == count
    desk.until(count)
    assert f"removed {count}" in desk.run("purge", "--reason", "not-a-dead-letter", "--yes").stdout
    assert desk.listed() == []


def test_export_keeps_everything_in_a_private_file_and_then_removes(stage: Stage, desk: Desk) -> None:
    unsigned(stage)
    unsigned(stage, "other.task")
    desk.until(2)
    file = desk.home / "letters.jsonl"
    done = desk.run("export", "letters.jsonl", "--task", "service.*", "--remove")
    assert "exported 1 to letters.jsonl, removed 1" in done.stdout
    assert CANARY not in done.stdout + done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (line,) = map(json.loads, file.read_text().splitlines())
    assert json.loads(line["record"])["claimed_task"] == "service.add"
    assert line["sealed_by"].startswith("worker-")
    assert [path.name for path in desk.home.glob(".letters*")] == []
    assert [letter["claimed_task"] for letter in desk.listed()] == ["other.task"]
    before = file.read_bytes()
    assert "exists" in desk.run("export", "letters.jsonl", status=2).stderr
    assert file.read_bytes() == before
    assert "nothing to export" in desk.run("export", "none.jsonl", "--reason", "stale", status=1).stderr
    assert not (desk.home / "none.jsonl").exists()


def test_purge_asks_and_removes_what_it_counted(stage: Stage, desk: Desk) -> None:
    for task in ("service.add", "service.add", "other.task"):
        unsigned(stage, task)
    desk.until(3)
    assert "say --yes where nobody can be asked" in desk.run("purge", status=2).stderr
    assert "would remove 2 of" in desk.run("purge", "--task", "service.*", "--dry-run").stdout
    desk.until(3)
    assert "removed 2 of" in desk.run("purge", "--task", "service.*", "--yes").stdout
    assert [letter["claimed_task"] for letter in desk.listed()] == ["other.task"]


def test_what_the_broker_refuses_is_one_sentence(stage: Stage, desk: Desk) -> None:
    assert "0 dead letters in none" in desk.run("list", SAFECELERY_DEAD_LETTER_QUEUE="none").stdout
    if stage.on_redis:  # a key of another type
        done = desk.run("list", status=2, SAFECELERY_DEAD_LETTER_QUEUE="_kombu.binding.celery")
        assert done.stderr.startswith("error: dead letters in '_kombu.binding.celery' at rediss://")
        assert "Traceback" not in done.stderr

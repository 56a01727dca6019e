"""Beat's schedule in a JSON file: runs are remembered over restarts and changes, and nothing is unpickled."""

from __future__ import annotations

import json
import pickle
import shelve
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.beat import PersistentScheduler
from celery.schedules import crontab

from safecelery.errors import SettingsError, StateFileError
from safecelery.runtime.beat import SafeScheduler, SafeService
from tests.unit.apps import an_app

HOURLY = {"task": "orders.report", "schedule": 3600.0}
#: Celery's own entry, for result backends that do not expire by themselves.
CLEANUP = "celery.backend_cleanup"
Start = Callable[..., SafeScheduler]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "schedule.json"


@pytest.fixture
def start(tmp_path: Path, path: Path) -> Start:
    """A scheduler of an app with these entries and settings, as after a restart."""

    def run(entries: dict[str, Any], **conf: Any) -> SafeScheduler:
        app = an_app(tmp_path, memory=True)
        app.conf.update(beat_schedule=entries, **conf)
        return SafeScheduler(app, schedule_filename=str(path))

    return run


def remember(path: Path, name: str, last_run_at: datetime, count: int = 1, **changes: Any) -> None:
    entries = {name: {"last_run_at": last_run_at.isoformat(), "total_run_count": count}}
    document = {"timezone": None, "enable_utc": True, "entries": entries, **changes}
    path.write_text(json.dumps({"safecelery": "beat-schedule", "version": 1, **document}))
    path.chmod(0o600)


def test_the_default_scheduler_and_its_file_are_not_celerys(tmp_path: Path) -> None:
    conf = an_app(tmp_path).conf
    assert conf.beat_scheduler == "safecelery.runtime.beat:SafeScheduler"
    assert conf.beat_schedule_filename == "celerybeat-schedule.json"


def test_a_restart_keeps_the_last_run(start: Start, path: Path) -> None:
    first = start({"hourly": HOURLY})
    ran = first.reserve(first.schedule["hourly"])
    first.close()
    again = start({"hourly": HOURLY}).schedule["hourly"]
    assert (again.last_run_at, again.total_run_count) == (ran.last_run_at, 1)
    assert not again.is_due().is_due
    assert path.stat().st_mode & 0o777 == 0o600


def runs_on_disk(path: Path) -> int:
    entries = json.loads(path.read_text())["entries"]
    return sum(entry["total_run_count"] for entry in entries.values())


def all_due(path: Path, count: int) -> dict[str, Any]:
    """Settings of so many entries, each of which the file knows to be due."""
    moment = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    names = [f"entry-{number}" for number in range(count)]
    remember(path, "x", datetime.now(UTC),
             entries={name: {"last_run_at": moment, "total_run_count": 0} for name in names})  # fmt: skip
    return dict.fromkeys(names, HOURLY)


def test_what_was_sent_is_on_disk_before_beat_sleeps(start: Start, path: Path) -> None:
    """Killed in its sleep, it would otherwise send it again."""
    scheduler = start(all_due(path, 3))
    scheduler._do_sync()
    seen = []
    while scheduler.tick() == 0:
        seen.append(runs_on_disk(path))
    assert seen[0] == 0  # one write for what is sent at once
    assert runs_on_disk(path) == 3


def test_while_there_is_always_something_due_it_is_written_all_the_same(
    start: Start, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecelery.runtime.beat._PAUSE_S", 0.0)
    scheduler = start(all_due(path, 3))
    scheduler._do_sync()
    assert scheduler.tick() == 0
    assert runs_on_disk(path) == 1


def test_with_beat_sync_every_it_is_written_after_so_many_tasks(start: Start, path: Path) -> None:
    scheduler = start(all_due(path, 3), beat_sync_every=2)
    scheduler._do_sync()
    seen = []
    for _ in range(3):
        scheduler.tick()
        seen.append(runs_on_disk(path))
    assert seen[:2] == [0, 2]


def test_a_changed_entry_keeps_its_last_run_and_takes_the_rest(start: Start, path: Path) -> None:
    ran = datetime.now(UTC) - timedelta(minutes=10)
    remember(path, "entry", ran, 7)
    entry = start({"entry": {"task": "orders.other", "schedule": 300.0, "args": (1,)}}).schedule["entry"]
    assert (entry.task, entry.args, entry.last_run_at, entry.total_run_count) == ("orders.other", (1,), ran, 7)
    assert entry.is_due().is_due


def test_entries_that_are_gone_or_new(start: Start, path: Path) -> None:
    remember(path, "gone", datetime.now(UTC))
    scheduler = start({"new": HOURLY})
    assert set(scheduler.schedule) == {"new", CLEANUP}
    assert set(json.loads(path.read_text())["entries"]) == {"new", CLEANUP}
    assert not scheduler.schedule["new"].is_due().is_due


def test_a_crontab_entry_that_was_missed_runs_in_the_apps_zone(start: Start, path: Path) -> None:
    """At 03:30 in Brussels every day; the last run is kept in UTC."""
    remember(path, "nightly", datetime(2026, 7, 1, 1, 30, tzinfo=UTC), timezone="Europe/Brussels")
    entry = start({"nightly": {**HOURLY, "schedule": crontab("30", "3")}}, timezone="Europe/Brussels").schedule[
        "nightly"
    ]
    assert (entry.last_run_at.hour, entry.last_run_at.utcoffset()) == (3, timedelta(hours=2))
    assert entry.is_due().is_due


@pytest.mark.parametrize("changed", [{"timezone": "Asia/Tokyo"}, {"enable_utc": False}])
def test_another_time_zone_begins_anew_as_with_celery(
    start: Start, path: Path, changed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    remember(path, "hourly", datetime.now(UTC) - timedelta(hours=5), 7)
    entry = start({"hourly": HOURLY}, **changed).schedule["hourly"]
    assert entry.total_run_count == 0
    assert "the time zone was None (UTC True)" in caplog.text


def test_a_run_in_the_future_does_not_stop_an_entry(start: Start, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    remember(path, "hourly", datetime.now(UTC) + timedelta(days=400))
    entry = start({"hourly": HOURLY}).schedule["hourly"]
    assert entry.is_due().next <= 3600
    assert "which is still to come" in caplog.text


def test_the_cleanup_of_results_is_remembered_too(start: Start, path: Path) -> None:
    ran = datetime.now(UTC) - timedelta(days=2)
    remember(path, CLEANUP, ran, 3)
    assert start({}).schedule[CLEANUP].last_run_at == ran


def test_looking_at_it_touches_nothing(tmp_path: Path, path: Path) -> None:
    scheduler = SafeScheduler(an_app(tmp_path), schedule_filename=str(path), lazy=True)
    assert scheduler.info == f"    . db -> {path}"
    scheduler.sync()
    scheduler.close()
    assert not path.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"entries": []}, {"entries": {"a": 1}}, {"entries": {"a": {}}}, {"timezone": 1}, {"enable_utc": "yes"},
        {"entries": {"a": {"last_run_at": "yesterday", "total_run_count": 1}}},
        {"entries": {"a": {"last_run_at": 12, "total_run_count": 1}}},
        {"entries": {"a": {"last_run_at": "2026-11-21T10:00:00", "total_run_count": 1}}},
        {"entries": {"a": {"last_run_at": "0001-01-01T00:00:00+14:00", "total_run_count": 1}}},
        {"entries": {"a": {"last_run_at": "0001-01-01T00:00:00+00:00", "total_run_count": 1}}},
        {"entries": {"a": {"last_run_at": "9999-12-31T23:59:59+00:00", "total_run_count": 1}}},
        {"entries": {"a": {"last_run_at": "2026-11-21T10:00:00+00:00", "total_run_count": 10**4200}}},
        {"entries": {"a": {"last_run_at": "2026-11-21T10:00:00+00:00"}}},
        {"entries": {"a": {"last_run_at": "2026-11-21T10:00:00+00:00", "total_run_count": -1}}},
        {"entries": {"a": {"last_run_at": "2026-11-21T10:00:00+00:00", "total_run_count": True}}},
    ],
)  # fmt: skip
def test_broken_content_is_refused_and_kept(start: Start, path: Path, change: dict[str, Any]) -> None:
    remember(path, "hourly", datetime.now(UTC), **change)
    before = path.read_bytes()
    with pytest.raises(StateFileError, match="broken"):
        start({"hourly": HOURLY})
    assert path.read_bytes() == before


def test_celerys_file_in_its_place_is_refused_and_kept(start: Start, path: Path) -> None:
    path.write_bytes(pickle.dumps({}))
    path.chmod(0o600)
    with pytest.raises(StateFileError, match="never opened here"):
        start({"hourly": HOURLY})
    assert pickle.loads(path.read_bytes()) == {}


@pytest.mark.parametrize("name", ["celerybeat-schedule", "celerybeat-schedule.db", "schedule.json.dat"])
def test_celerys_file_beside_it_is_told_of(
    start: Start, path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with shelve.open(str(path.with_name("made"))) as shelf:
        shelf["entries"] = {}
    for made in path.parent.glob("made*"):
        made.rename(path.with_name(name))
    start({"hourly": HOURLY})
    (warning,) = [record.getMessage() for record in caplog.records if "begins empty" in record.getMessage()]
    assert str(path.with_name(name)) in warning
    assert "all entries count from now" in warning
    assert "hourly" in json.loads(path.read_text())["entries"]


def test_while_it_cannot_be_written_beat_goes_on_and_says_so(
    start: Start, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = start({"hourly": HOURLY})
    path.with_name(f".{path.name}.tmp").mkdir()
    scheduler.sync()
    scheduler.close()
    assert caplog.text.count("would send what was already sent") == 2


@pytest.mark.parametrize("scheduler", ["celery.beat:PersistentScheduler", PersistentScheduler])
def test_a_scheduler_that_keeps_a_pickle_is_refused_before_it_opens_it(tmp_path: Path, scheduler: object) -> None:
    service = SafeService(an_app(tmp_path), scheduler_cls=scheduler, schedule_filename=str(tmp_path / "s"))
    for lazy in (True, False):
        with pytest.raises(SettingsError, match="keeps a pickle"):
            service.get_scheduler(lazy=lazy)
    assert list(tmp_path.glob("s*")) == []
    with pytest.raises(SystemExit):
        service.start()

"""The places upstream that the state files of workers and of beat build on; a part of ``SEAMS``."""

from __future__ import annotations

from safecelery.runtime.seam import Seam

__all__ = ["STATE_SEAMS"]

STATE_SEAMS: tuple[Seam, ...] = (
    Seam("celery.worker.worker:WorkController.Blueprint", "runtime/startup.py:_REPLACED", "the steps that open pickles",
         lines=("'celery.worker.components:StateDB'", "'celery.worker.components:Beat'")),
    Seam("celery.worker.components:StateDB.create", "runtime/statedb.py:StateDBStep", "replaced",
         lines=("w.state.Persistent(w.state, w.statedb, w.app.clock)",
                "atexit.register(w._persistence.save)")),
    Seam("celery.worker.components:Timer.create", "runtime/statedb.py:StateDBStep", "the timer is there before",
         lines=("w.timer = _Timer(",)),
    Seam("celery.worker.state:Persistent", "runtime/statedb.py:RevokedTasks", "replaced, for all it keeps",
         lines=("'zrevoked': self.compress(self._dumps(self._revoked_tasks))", "'clock': self.clock.forward()")),
    Seam("celery.utils.collections:LimitedSet.add", "runtime/statedb.py:_newest", "a new tuple at the end, each time",
         parameters=("item", "now"),
         lines=("self.discard(item)", "entry = (now, next(self._seq), item)", "self._data[item] = entry",
                "time.monotonic()")),
    Seam("celery.worker.control:revoke", "runtime/commands.py:revoke", "kept before it is answered",
         parameters=("state", "task_id", "terminate", "signal")),
    Seam("celery.worker.control:terminate", "runtime/commands.py:terminate", "calls revoke, Celery's own",
         lines=("return revoke(state, task_id, terminate=True, signal=signal)",)),
    Seam("celery.worker.components:Beat.create", "runtime/beat.py:BeatStep", "the embedded service is replaced",
         lines=("b = w.beat = EmbeddedService(w.app", "scheduler_cls=w.scheduler", "return b")),
    Seam("celery.beat:_Process.run", "runtime/beat.py:BeatStep", "the child starts what we put there",
         lines=("self.service.start(embedded_process=True)",)),
    Seam("celery.app.base:Celery.Beat", "app.py:Beat", "what the command starts",
         lines=("subclass_with_self('celery.apps.beat:Beat')",)),
    Seam("celery.apps.beat:Beat.start_scheduler", "runtime/beat.py:SafeBeat", "the service is ours",
         lines=("service = self.Service(", "schedule_filename=self.schedule")),
    Seam("celery.beat:Service.get_scheduler", "runtime/beat.py:get_scheduler", "asked before anything is opened",
         parameters=("lazy", "extension_namespace"),
         lines=("schedule_filename=filename", "lazy=lazy")),
    Seam("celery.beat:PersistentScheduler", "runtime/beat.py:_refuse_shelves", "keeps a pickle, and when it is opened",
         lines=("persistence = shelve", "known_suffixes = ('', '.db', '.dat', '.bak', '.dir')",
                "self.merge_inplace(self.app.conf.beat_schedule)", "self.install_default_entries(self.schedule)")),
    Seam("celery.beat:Scheduler.__init__", "runtime/beat.py:SafeScheduler", "no set-up if it is only looked at",
         lines=("if not lazy:", "self.setup_schedule()", "self.sync_every_tasks = (")),
    Seam("celery.beat:Scheduler.tick", "runtime/beat.py:tick", "zero while something is due",
         lines=("heappush(H, event_t(self._when(next_entry, next_time_to_run),", "return 0")),
    Seam("celery.beat:Scheduler.apply_async", "runtime/beat.py:_tasks_since_sync", "says that a task was sent",
         lines=("self._tasks_since_sync += 1", "if self.should_sync():", "self._do_sync()")),
    Seam("celery.beat:Scheduler.merge_inplace", "runtime/beat.py:setup_schedule", "a changed entry keeps its runs",
         lines=("schedule[key].update(entry)",)),
)  # fmt: skip

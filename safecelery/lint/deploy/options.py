"""The options of Celery's commands, as data: one visible table per command.

Read from celery/bin/{celery,worker,beat,base,multi}.py of Celery 5.7; a unit test compares it with click's parameters.
Flower's options are tornado options (flower/options.py): ``-`` and ``_`` in their names are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["BEAT", "COMMANDS", "FLOWER", "GLOBAL", "LEGACY", "MULTI", "WORKER", "Options"]


class Options:
    """The options of one command: every spelling -> the canonical name, and which of them take a value."""

    def __init__(self, values: str, flags: str, *also: Options) -> None:
        self.names: dict[str, str] = {}
        self.flags: set[str] = set()
        for options in also:
            self.names |= options.names
            self.flags |= options.flags
        for text, is_flag in ((values, False), (flags, True)):
            for entry in text.split():
                spellings = entry.split("|")
                canonical = next(spelling for spelling in spellings if spelling.startswith("--"))[2:]
                for spelling in spellings:
                    self.names[spelling] = canonical
                    self.flags.discard(spelling)
                    if is_flag:
                        self.flags.add(spelling)


GLOBAL: Final = Options(
    "--app|-A --broker|-b --result-backend --loader --config --workdir",
    "--no-color|-C --quiet|-q --version --skip-checks --help",
)
"""celery/bin/celery.py, ``celery``."""

_DAEMON = Options("--logfile|-f --pidfile --uid --gid --umask --executable", "--help")
"""celery/bin/base.py, ``CeleryDaemonCommand``."""

WORKER: Final = Options(
    """
    --hostname|-n --statedb|-S --loglevel|-l --optimization|-O --prefetch-multiplier --concurrency|-c --pool|-P
    --time-limit --soft-time-limit --max-tasks-per-child --pool-start-method --max-memory-per-child --queues|-Q
    --exclude-queues|-X --include|-I --heartbeat-interval --autoscale --schedule-filename|--schedule|-s --scheduler
    """,
    """
    --detach|-D --disable-prefetch --task-events|--events|-E --purge|--discard --without-gossip --without-mingle
    --without-heartbeat --beat|-B
    """,
    _DAEMON,
)
"""celery/bin/worker.py, ``worker``."""

BEAT: Final = Options(
    "--schedule|-s --scheduler|-S --max-interval --hostname|-n --loglevel|-l",
    "--detach --enable-remote-control --no-enable-remote-control",
    _DAEMON,
)
"""celery/bin/beat.py, ``beat``."""

MULTI: Final = Options(
    "--range-prefix --cmd --append --executable --suffix",
    "--nosplash --verbose --quiet|-q --no-color -1|--one",
    GLOBAL,
    WORKER,
)
"""celery/apps/multi.py and celery/bin/multi.py: its own options beside the worker's."""

FLOWER: Final = Options(
    """
    --port --unix-socket --address --basic-auth --oauth2-key --oauth2-secret --oauth2-redirect-uri --auth
    --auth-provider --certfile --keyfile --ca-certs --cookie-secret --url-prefix --max-workers --max-tasks --db
    --state-save-interval --conf --broker-api --inspect-timeout --format-task --natural-time --tasks-columns
    --auto-refresh --task-runtime-metric-buckets --persistent --enable-events --purge-offline-workers --xheaders
    --static-url-prefix --static-path --log-file-prefix --log-file-max-size --log-file-num-backups --log-rotate-mode
    --log-rotate-interval --log-rotate-when --logging --inspect
    """,
    "--debug --help --version --log-to-stderr",
)
"""flower/options.py and tornado/log.py. Every flag may also be written ``--name=true``."""

LEGACY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "--maxtasksperchild": "--max-tasks-per-child",
        "--maxmemperchild": "--max-memory-per-child",
        "--time-limits": "--time-limit",
        "--autoreload": "",
        "--no-execv": "",
        "--with-gossip": "",
    }
)
"""Options of Celery before 5, with what they are called now ("": gone). Celery 5 does not start with them."""

COMMANDS: Final[Mapping[str, Options]] = MappingProxyType(
    {"worker": WORKER, "beat": BEAT, "multi": MULTI, "flower": FLOWER}
)
"""By sub-command."""

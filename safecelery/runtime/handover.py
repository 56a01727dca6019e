"""What was handed to the pool: before a worker that stops gives up what no child has begun, it hears which ones have.

Celery discards every job that its main process believes not to be begun (``AsynPool.flush``), and the broker delivers
those messages again. A child says that it has begun a job through the pipe on which it sends results, and whoever stops
the worker stops reading there: a job that was written to a child just before runs to its end, and then once more.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterable
from typing import Any

from celery.concurrency.asynpool import AsynPool, _get_job_writer

__all__ = ["hear_who_began"]

#: Seconds to wait for a child that was sent a job to say that it has begun. One that is free says so in milliseconds;
#: one that is not (``-O default`` writes ahead) says nothing before its present job ends, and then we do not wait.
HEAR_S = 5.0


def hear_who_began(pool: Any, within_s: float = HEAR_S) -> int:
    """Read what children say, until each job that was written to one is known to be begun, or the time is over.

    Args:
        pool: the worker's, of any kind; only prefork's children can know more than the main process.
        within_s: seconds; a pool in which nothing is under way costs none.

    Returns:
        How many jobs were written to a child and are not known to be begun.
    """
    children: Any = getattr(pool, "_pool", None)
    if not isinstance(children, AsynPool):
        return 0
    deadline = time.monotonic() + within_s
    while (written := _not_begun(children)) and (left := deadline - time.monotonic()) > 0:
        gone: set[int] = set()
        for output in _readable({child.outqR_fd for child in written}, left):
            children._result_handler._flush_outqueue(
                output, gone.add, children._fileno_to_outq, children._result_handler.on_state_change
            )
        if gone:
            break
    return len(_not_begun(children))


def _not_begun(children: Any) -> list[Any]:
    """The live child of each job that was written to one, and that it has not spoken of. A job that was written in part
    is written to its end."""
    found = []
    for job in tuple(children._cache.values()):
        child = job._write_to
        if child is None or job._accepted or not child._is_alive():
            continue
        writer = _get_job_writer(job)
        if writer in children._active_writers:  # a part of it is on its way, and the rest belongs to it
            children._flush_writer(child, writer)
        found.append(child)
    return found


def _readable(outputs: Iterable[int], within_s: float) -> list[int]:
    poll = select.poll()
    for output in outputs:
        poll.register(output, select.POLLIN)
    return [output for output, _ in poll.poll(within_s * 1000)]

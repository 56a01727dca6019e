"""What a task does to the worker process it runs in: exits, signals, threads, event loops, debuggers, sleeping."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import chain_of, is_true

__all__ = ["process_calls"]

_KIND_OF: Final = {
    "time.sleep": ("sleep-in-task", "time.sleep() holds the worker's slot"),
    "gevent.sleep": ("sleep-in-task", "gevent.sleep() holds the worker's slot"),
    "os._exit": ("process-exit-in-task", "os._exit()"),
    "os.abort": ("process-exit-in-task", "os.abort()"),
    "sys.exit": ("process-exit-in-task", "sys.exit()"),
    "exit": ("process-exit-in-task", "exit()"),
    "quit": ("process-exit-in-task", "quit()"),
    "signal.alarm": ("alarm-in-task", "signal.alarm()"),
    "signal.setitimer": ("alarm-in-task", "signal.setitimer()"),
    "signal.signal": ("alarm-in-task", "signal.signal()"),
    "asyncio.run": ("event-loop-per-call", "asyncio.run()"),
    "asyncio.new_event_loop": ("event-loop-per-call", "asyncio.new_event_loop()"),
    "asyncio.get_event_loop().run_until_complete": ("event-loop-per-call", "run_until_complete()"),
    "breakpoint": ("debugger-in-task", "breakpoint()"),
    "pdb.set_trace": ("debugger-in-task", "pdb.set_trace()"),
    "ipdb.set_trace": ("debugger-in-task", "ipdb.set_trace()"),
    "celery.contrib.rdb.set_trace": ("debugger-in-task", "rdb.set_trace() listens on a port"),
    "input": ("debugger-in-task", "input() waits for a terminal"),
    "os.fork": ("process-started-in-task", "os.fork()"),
}
_THREADS: Final = frozenset(("threading.Thread", "threading.Timer"))
_PROCESSES: Final = frozenset(
    (
        "multiprocessing.Process",
        "multiprocessing.Pool",
        "multiprocessing.pool.Pool",
        "multiprocessing.Manager",
        "concurrent.futures.ProcessPoolExecutor",
        "concurrent.futures.process.ProcessPoolExecutor",
    )
)


def process_calls(body: Body) -> Iterator[Site]:
    """Everything that is told by the name of the called function alone, and threads that nobody waits for."""
    joined = any(call.attr == "join" and not call.node.args and _joins_a_thread(body, call.node) for call in body.calls)
    for call in body.calls:
        if not call.name:
            continue
        if call.name in _KIND_OF:
            kind, detail = _KIND_OF[call.name]
            if call.name == "time.sleep" and _is_zero(call.node):
                continue
            yield Site(kind, call.node, detail)
        elif call.name in _THREADS and not joined:
            daemon = " as a daemon" if is_true(keyword(call.node, "daemon")) else ""
            yield Site("thread-outlives-task", call.node, f"{call.name}{daemon}, and nobody waits for it")
        elif call.name in _PROCESSES:
            yield Site("process-started-in-task", call.node, call.name)
    for node in body.of(ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if isinstance(raised, ast.Name) and raised.id == "SystemExit":
            yield Site("process-exit-in-task", node, "raise SystemExit")


def _joins_a_thread(body: Body, call: ast.Call) -> bool:
    """``thread.join()`` and not ``", ".join(...)`` (which has an argument)."""
    return isinstance(call.func, ast.Attribute) and bool(chain_of(call.func.value))


def _is_zero(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0

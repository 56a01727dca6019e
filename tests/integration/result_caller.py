"""A caller in a process of its own: reads what it is asked to, and says in JSON what came of it.

``python -m tests.integration.result_caller WHAT ID SECONDS``; it ends with 0 and one line, or was ended by something.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from celery.result import AsyncResult, GroupResult
from service.factory import make_app

from tests.integration import result_tasks  # noqa: F401  # registers shared tasks


def outcome(what: str, task_id: str, timeout: float) -> dict[str, Any]:
    """What this caller gets to see."""
    app = make_app()
    try:
        if what == "group":
            restored = GroupResult.restore(task_id, app=app)
            return {"value": None if restored is None else restored.get(timeout=timeout)}
        result = AsyncResult(task_id, app=app)
        if what == "state":
            return {"value": result.state}
        return {"value": result.get(timeout=timeout)}
    except Exception as error:
        return {"error": type(error).__name__, "text": str(error), "reason": getattr(error, "reason", None)}


if __name__ == "__main__":
    line = json.dumps(outcome(sys.argv[1], sys.argv[2], float(sys.argv[3])))
    print(f"outcome {line}", flush=True)
    os._exit(0)  # what Celery leaves behind at exit is not what is looked at

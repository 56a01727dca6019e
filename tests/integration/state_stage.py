"""Processes with state files: started as a user starts them, and what they say if they refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

__all__ = ["HOURLY", "refusal", "remembered", "run"]

HOURLY = "tests.integration.hourly_app"


def remembered(file: Path, *, hours_ago: float) -> None:
    """What a beat left that sent the hourly task so long ago."""
    moment = (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat()
    entries = {"hourly": {"last_run_at": moment, "total_run_count": 7}}
    document = {"safecelery": "beat-schedule", "version": 1, "timezone": None, "enable_utc": True, "entries": entries}
    file.write_text(json.dumps(document))
    file.chmod(0o600)


def run(environment: dict[str, str], directory: Path, app: str, *words: str) -> subprocess.Popen[str]:
    """``celery -A APP WORDS``, its output in a file."""
    with (directory / "output").open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", app, *words],
            env={
                "PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory),
                "PYTHONPATH": os.pathsep.join(sys.path), **environment,
            },
            cwd=directory, stdout=output, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


def refusal(environment: dict[str, str], directory: Path, app: str, *words: str) -> str:
    """What a process says that is expected to end by itself with 1."""
    process = run(environment, directory, app, *words)
    try:
        status = process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
    said = (directory / "output").read_text()
    assert status == 1, said
    assert "Traceback" not in said
    return said

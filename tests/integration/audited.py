"""A project on disk, and what an audit of it in a process of its own says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

__all__ = ["Project", "places"]

#: What a new interpreter prints: the result, and the facts document.
AUDIT = """
import json, sys
from dataclasses import asdict
from safecelery.audit.document import facts_document
from safecelery.audit.run import audit, read_app
from safecelery.errors import PolicyViolationError, SafeCeleryError
from safecelery.policy.profile import load_policy
name, policy = sys.argv[1:]
try:
    try:
        live = read_app(name)
    except PolicyViolationError:
        live = None
    result = audit(name, load_policy(policy), live)
    print(json.dumps([asdict(result), result.exit_status, facts_document(live) if live else None], default=str))
except SafeCeleryError as error:
    print(json.dumps(str(error)))
"""


class Project:
    """Files in a directory, and what an audit in a new process says of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.env: dict[str, str] = {}

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.directory / name).parent.mkdir(parents=True, exist_ok=True)
            (self.directory / name).write_text(dedent(text).lstrip("\n"))

    def audit(self, app: str, policy: str = "baseline") -> Any:
        done = subprocess.run(
            [sys.executable, "-c", AUDIT, app, policy], cwd=self.directory, capture_output=True, text=True,
            timeout=60, check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": os.pathsep.join(sys.path), **self.env},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.stderr = done.stderr
        return json.loads(done.stdout)


def places(findings: list[dict[str, Any]], code: str) -> list[tuple[str, int, str]]:
    return [(item["path"], item["line"], item["subject"]) for item in findings if item["code"] == code]

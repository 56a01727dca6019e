"""The files that CI systems read: they parse, and the commands, options and hooks in them exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from safecelery._version import __version__
from safecelery.cli.main import safecelery

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guides" / "lint-in-ci.md"
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
SNIPPETS = [yaml.safe_load(text) for language, text in BLOCKS if language == "yaml"]

COMMANDS = sorted(
    {
        *(hook["entry"] for hook in HOOKS),
        *(match for _, text in BLOCKS for match in re.findall(r"(?:\$ |- |run: )(safecelery [^\n]*)", text)),
        *re.findall(r"`(safecelery [^`]+)`", GUIDE.read_text()),
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_shown_exists_with_all_its_options(command: str) -> None:
    name, *words = shlex.split(command)[1:]
    found = safecelery.get_command(None, name)  # type: ignore[arg-type]  # the context is not looked at
    assert found is not None
    options = {option for parameter in found.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options
    shown = CliRunner().invoke(safecelery, [name, "--help"])
    assert shown.exit_code == 0


def test_there_are_commands_to_check() -> None:
    assert {"safecelery lint", "safecelery lint --fix", "safecelery audit -A shop --compare"} <= set(COMMANDS)


def test_hooks_have_what_pre_commit_asks_for_and_take_no_file_names() -> None:
    assert [hook["id"] for hook in HOOKS] == ["safecelery-lint", "safecelery-lint-fix"]
    for hook in HOOKS:
        assert hook["language"] == "python"
        assert hook["pass_filenames"] is False
        assert hook["require_serial"] is True


def test_the_guide_uses_hooks_inputs_and_a_version_that_exist() -> None:
    text = GUIDE.read_text()
    used = [hook["id"] for snippet in SNIPPETS if "repos" in snippet for hook in snippet["repos"][0]["hooks"]]
    assert used == ["safecelery-lint"]
    (steps,) = (snippet["jobs"]["safecelery"]["steps"] for snippet in SNIPPETS if "jobs" in snippet)
    (ours,) = (step for step in steps if step.get("uses", "").startswith("OWNER/safecelery"))
    assert set(ours["with"]) <= set(ACTION["inputs"])
    assert set(re.findall(r"(?:rev: |safecelery@)v(\S+)", text)) == {__version__}


def test_the_action_passes_inputs_as_data_and_every_input_is_used() -> None:
    steps = ACTION["runs"]["steps"]
    assert ACTION["runs"]["using"] == "composite"
    for step in steps:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
    given = " ".join(value for step in steps for value in step["env"].values())
    assert set(re.findall(r"inputs\.(\w+)", given)) == set(ACTION["inputs"])


@pytest.mark.parametrize(
    ("inputs", "status", "calls"),
    [
        ({}, 0, ["lint . --format github"]),
        (
            {"PATHS": "src deploy", "POLICY": "my policy.toml", "ARGS": "--no-cache"},
            0,
            ["lint src deploy --no-cache --policy my policy.toml --format github"],
        ),
        (
            {"SARIF": "lint.sarif", "EXIT": "1"},
            1,
            ["lint . --format sarif --output-file lint.sarif", "lint . --format github"],
        ),
        ({"PATHS": "$(touch owned)"}, 0, ["lint $(touch owned) --format github"]),
    ],
)
def test_the_actions_script_calls_the_linter(
    tmp_path: Path, inputs: dict[str, str], status: int, calls: list[str]
) -> None:
    binary = tmp_path / "safecelery" / "bin" / "safecelery"
    binary.parent.mkdir(parents=True)
    binary.write_text('#!/bin/bash\necho "$*" >>calls\n[ -z "$SARIF" ] || echo {} >"$SARIF"\nexit "${EXIT:-0}"\n')
    binary.chmod(0o755)
    defaults = {name.upper(): value["default"] for name, value in ACTION["inputs"].items()}
    done = subprocess.run(
        ["bash", "-c", ACTION["runs"]["steps"][-1]["run"]], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path), **defaults, **inputs},
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert (tmp_path / "calls").read_text().splitlines() == calls
    assert not (tmp_path / "owned").exists()

"""The group: what it lists, what it imports, how it says no."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from click.testing import Result

from safecelery._version import __version__
from safecelery.cli.keys.group import COMMANDS as KEYS_COMMANDS
from safecelery.cli.lazy import LazyGroup
from safecelery.cli.main import COMMANDS, safecelery
from safecelery.errors import SettingsError

ALL = [[name] for name in COMMANDS] + [["keys", name] for name in KEYS_COMMANDS]
#: What takes long to import, and no command needs to say what it does.
HEAVY = ("celery", "kombu", "pydantic", "redis", "cryptography", "asyncio")


def python(*words: str) -> str:
    """Standard output of a new interpreter that finds the same packages."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True, check=True).stdout


def test_help_lists_every_command_in_the_order_of_the_table(run: Callable[..., Result]) -> None:
    lines = run("--help").output.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")][: len(COMMANDS)] == list(COMMANDS)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_teaches_by_example(run: Callable[..., Result], words: list[str]) -> None:
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert f"  safecelery {words[0]}" in result.output.partition("Examples:")[2]


@pytest.mark.parametrize("words", [["--help"], ["version"], ["keys", "--help"], ["demo", "--help"], ["init", "--help"]])
def test_what_runs_nothing_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom safecelery.cli.main import main\n"
        f"sys.argv = ['safecelery', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print('HEAVY', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    assert python("-c", code).endswith("HEAVY []\n")


def test_the_module_runs_as_a_program() -> None:
    assert f"safecelery    {__version__}\n" in python("-m", "safecelery", "version")


def test_a_misspelt_command_gets_a_hint(run: Callable[..., Result]) -> None:
    result = run("dmeo")
    assert result.exit_code == 2
    assert "no command 'dmeo' (did you mean 'demo'?)" in result.stderr


def failing(error: BaseException) -> LazyGroup:
    group = LazyGroup("safecelery", table={"fail": (f"{__name__}:fail", "")})

    @click.command()
    def fail() -> None:
        raise error

    globals()["fail"] = fail
    return group


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (SettingsError("no such thing"), "error: no such thing\n", 2),
        (PermissionError(13, "Permission denied", "x.key"), "error: x.key: Permission denied\n", 2),
        (OSError("strange"), "error: strange\n", 2),
        (KeyboardInterrupt(), "interrupted\n", 130),
    ],
)
def test_what_goes_wrong_is_a_sentence_not_a_traceback(error: BaseException, text: str, code: int) -> None:
    result = click.testing.CliRunner().invoke(failing(error), ["fail"])
    assert (result.stderr, result.exit_code) == (text, code)


def test_a_bug_keeps_its_traceback() -> None:
    assert isinstance(
        click.testing.CliRunner().invoke(failing(ZeroDivisionError()), ["fail"]).exception, ZeroDivisionError
    )


def test_the_group_is_what_the_entry_points_name(run: Callable[..., Result]) -> None:
    assert isinstance(safecelery, click.Group)
    assert safecelery.name == "safecelery"


def test_a_command_that_does_not_exist_is_none() -> None:
    assert safecelery.get_command(click.Context(safecelery), "nothing") is None

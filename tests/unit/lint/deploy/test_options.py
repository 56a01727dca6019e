"""The tables of options are those of the installed Celery, spelling by spelling."""

from __future__ import annotations

import click
import pytest
from celery.bin.celery import celery

from safecelery.lint.deploy.options import BEAT, GLOBAL, WORKER, Options

PLAIN = {"worker": WORKER, "beat": BEAT}


def spellings(command: click.Command) -> dict[str, bool]:
    """Every spelling of an option of the command, and whether it is a flag."""
    return {
        name: param.is_flag
        for param in command.params
        if isinstance(param, click.Option)
        for name in (*param.opts, *param.secondary_opts)
    }


@pytest.mark.parametrize(
    ("command", "table"), [(celery, GLOBAL), *((celery.commands[name], table) for name, table in PLAIN.items())]
)
def test_a_table_holds_what_click_parses(command: click.Command, table: Options) -> None:
    wanted = spellings(command) | {"--help": True}
    assert {name: name in table.flags for name in table.names} == wanted


def test_two_spellings_of_one_option_have_one_name() -> None:
    assert WORKER.names["-P"] == WORKER.names["--pool"] == "pool"
    assert WORKER.names["--discard"] == WORKER.names["--purge"] == "purge"
    assert BEAT.names["-S"] == "scheduler"
    assert WORKER.names["-S"] == "statedb"

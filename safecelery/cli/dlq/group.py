"""The table of ``safecelery dlq`` commands."""

from __future__ import annotations

import click

from safecelery.cli.lazy import CommandTable, LazyGroup

__all__ = ["COMMANDS", "dlq"]

COMMANDS: CommandTable = {
    "list": ("safecelery.cli.dlq.listing:list_letters", "What was refused, when and why; never a payload."),
    "show": ("safecelery.cli.dlq.show:show", "Everything about one letter; its payload only if you ask."),
    "replay": ("safecelery.cli.dlq.replay:replay", "Send messages again, under your own key and grants."),
    "export": ("safecelery.cli.dlq.export:export", "Write letters to a file, and remove them once it is safe."),
    "purge": ("safecelery.cli.dlq.purge:purge", "Remove letters for good, after a question."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def dlq() -> None:
    """Dead letters: the messages that workers refused, kept whole with the reason.

    Looking at them removes nothing. On RabbitMQ nobody else sees a letter while a command looks at it.

    \b
    Examples:
      safecelery dlq list -A shop --newer-than 1d
      safecelery dlq show -A shop 4f9a01
      safecelery dlq replay -A shop --reason task-unknown --key file:operator.key
      safecelery dlq export -A shop letters.jsonl --older-than 30d --remove
      safecelery dlq purge -A shop --reason envelope-missing
    """

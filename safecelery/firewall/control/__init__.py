"""From a verified control message to a command that is obeyed, or a reply that is believed. Default deny."""

from __future__ import annotations

from safecelery.firewall.control.arguments import ALIASES, COMMANDS, check_arguments
from safecelery.firewall.control.command import Command, CommandContext, admit_command
from safecelery.firewall.control.memory import Memory
from safecelery.firewall.control.reply import Question, admit_reply

__all__ = [
    "ALIASES",
    "COMMANDS",
    "Command",
    "CommandContext",
    "Memory",
    "Question",
    "admit_command",
    "admit_reply",
    "check_arguments",
]

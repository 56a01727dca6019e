"""Shell text, cut into the simple commands it may run, with variables replaced as far as they are known.

Enough of the POSIX shell language to find ``exec celery -A shop worker -c "${CONCURRENCY:-4}"`` in an entrypoint:
quotes, variables with defaults, assignments, branches (each of which may run), functions, here-documents, redirections.
What decides at run time is a hole (see :mod:`safecelery.lint.deploy.environment`). Never fails on any text.
"""

from __future__ import annotations

from collections.abc import Iterator

from safecelery.deferred import dataclass
from safecelery.lint.deploy.environment import HOLE, Environment
from safecelery.lint.deploy.shell_words import ASSIGNMENT, BLANK, OPERATORS, Word, WordReader

__all__ = ["Command", "Word", "commands", "split"]

_OPENING = frozenset({"if", "case", "for", "while", "until", "select"})
_CLOSING = frozenset({"fi", "esac", "done"})
_DECLARING = frozenset({"export", "readonly", "declare", "local", "typeset"})
_LONGEST = 400_000  # characters of one file that are looked at


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: its words and the line of its first."""

    words: tuple[Word, ...]
    line: int
    taken: frozenset[str] = frozenset()
    """The environment variables whose defaults went into the words."""


def split(text: str) -> tuple[Word, ...]:
    """The words of an ``exec`` line that no shell reads: quotes count, ``$`` and operators do not."""
    reader = _Reader(text, Environment(), 1, expand=False)
    return tuple(word for command in reader.commands() for word in command.words)


def commands(text: str, environment: Environment, line: int = 1) -> Iterator[Command]:
    """The simple commands of a shell text, in order. ``environment`` learns the text's own assignments."""
    return _Reader(text[:_LONGEST], environment, line, expand=True).commands()


class _Reader(WordReader):
    def __init__(self, text: str, environment: Environment, line: int, *, expand: bool) -> None:
        super().__init__(text, environment, line, expand=expand)
        self.depth = 0  # of if, case and loops: an assignment there may not happen
        self.assigned: dict[str, str] = {}
        self.pending: list[str] = []  # delimiters of here-documents whose bodies start on the next line

    def commands(self) -> Iterator[Command]:
        words: list[Word] = []
        line = self.line
        text, end = self.text, len(self.text)
        while self.at < end:
            char = text[self.at]
            if char in BLANK or (not self.expand and char == "\n"):
                self.step(char)
            elif text.startswith("\\\n", self.at) or text.startswith("\\\r\n", self.at):
                self.at = text.index("\n", self.at) + 1
                self.line += 1
            elif char == "#" and self.expand:
                newline = text.find("\n", self.at)
                self.at = end if newline < 0 else newline
            elif self.expand and char in OPERATORS:
                if words:
                    yield from self._finished(words, line)
                    words = []
                self.step(char)
                if char == "\n":
                    self._skip_documents()
            elif self.expand and char in "<>":
                self._redirection(words)
            else:
                if not words:
                    line = self.line
                before = self.at
                words.extend(self.word())
                if self.at == before:  # cannot happen; a reader must never stand still
                    self.at += 1
        if words:
            yield from self._finished(words, line)

    def _finished(self, words: list[Word], line: int) -> Iterator[Command]:
        """Branch keywords and assignments are taken in; what remains is a command."""
        if not self.expand:
            yield Command(tuple(words), line)
            return
        first = words[0].text
        if first in _OPENING:
            self.depth += 1
        elif first in _CLOSING:
            self.depth = max(0, self.depth - 1)
        taken = frozenset(self.environment.taken)
        self.environment.taken.clear()
        rest = words
        if rest and rest[0].text in _DECLARING:
            rest = [word for word in rest[1:] if not word.text.startswith("-")]
        leading: dict[str, str] = {}
        while rest and (match := ASSIGNMENT.match(rest[0].text)):
            value = HOLE if match.group(2) else rest[0].text[match.end() :]
            leading[match.group(1)] = value
            rest = rest[1:]
        if rest and words[0].text not in _DECLARING:
            for name, value in leading.items():  # X=1 celery ...: for this command; good enough to keep it
                self.environment.values.setdefault(name, value)
            yield Command(tuple(rest), line, taken)
            return
        for name, value in leading.items():
            again = name in self.assigned and self.assigned[name] != value
            self.assigned[name] = value
            self.environment.values[name] = HOLE if again or self.depth else value
            self.environment.origins[name] = taken

    def _skip_documents(self) -> None:
        for delimiter in self.pending:
            while self.at < len(self.text):
                newline = self.text.find("\n", self.at)
                stop = len(self.text) if newline < 0 else newline
                body = self.text[self.at : stop].strip("\t\r ")
                self.at = min(stop + 1, len(self.text))
                self.line += 1
                if body == delimiter:
                    break
        self.pending = []

    def _redirection(self, words: list[Word]) -> None:
        """``>file``, ``2>&1``, ``<<EOF``: none of it is an argument."""
        if words and words[-1].text.isdigit() and self.at and self.text[self.at - 1] not in BLANK:
            words.pop()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "<>&|-":
            self.at += 1
        operator = self.text[start : self.at]
        if operator.startswith("<") and self.text.startswith("(", self.at):  # <(process): read as a hole
            self.balanced("(", ")")
            words.append(Word(HOLE))
            return
        while self.at < len(self.text) and self.text[self.at] in BLANK:
            self.at += 1
        if self.at < len(self.text) and self.text[self.at] not in OPERATORS + "<>":
            target = self.word()
            if operator in ("<<", "<<-") and target:
                self.pending.append(target[0].text)

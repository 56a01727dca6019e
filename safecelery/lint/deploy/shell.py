"""Shell text, cut into the simple commands it may run, with variables replaced as far as they are known.

Enough of the POSIX shell language to find ``exec celery -A shop worker -c "${CONCURRENCY:-4}"`` in an entrypoint:
quotes, variables with defaults, assignments, branches (each of which may run), functions, here-documents, redirections.
What decides at run time is a hole (see :mod:`safecelery.lint.deploy.environment`). Never fails on any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from safecelery.lint.deploy.environment import HOLE, Environment

__all__ = ["Command", "Word", "commands", "split"]

_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=")
_OPENING = frozenset({"if", "case", "for", "while", "until", "select"})
_CLOSING = frozenset({"fi", "esac", "done"})
_DECLARING = frozenset({"export", "readonly", "declare", "local", "typeset"})
_BLANK = " \t\r"
_OPERATORS = ";&|()\n"
_ALL = frozenset({'"$@"', '"${@}"'})
_LONGEST = 400_000  # characters of one file that are looked at
_LONGEST_DEFAULT = 300  # of ${X:-default}; also bounds how deep defaults nest


@dataclass(frozen=True, slots=True)
class Word:
    """One argument. ``many``: it may turn out to be none, one or several, as an unquoted ``$OPTIONS`` does."""

    text: str
    many: bool = False


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


class _Reader:
    def __init__(self, text: str, environment: Environment, line: int, *, expand: bool) -> None:
        self.text = text
        self.at = 0
        self.line = line
        self.environment = environment
        self.expand = expand
        self.depth = 0  # of if, case and loops: an assignment there may not happen
        self.assigned: dict[str, str] = {}
        self.pending: list[str] = []  # delimiters of here-documents whose bodies start on the next line

    def commands(self) -> Iterator[Command]:
        words: list[Word] = []
        line = self.line
        text, end = self.text, len(self.text)
        while self.at < end:
            char = text[self.at]
            if char in _BLANK or (not self.expand and char == "\n"):
                self._step(char)
            elif text.startswith("\\\n", self.at) or text.startswith("\\\r\n", self.at):
                self.at = text.index("\n", self.at) + 1
                self.line += 1
            elif char == "#" and self.expand:
                newline = text.find("\n", self.at)
                self.at = end if newline < 0 else newline
            elif self.expand and char in _OPERATORS:
                if words:
                    yield from self._finished(words, line)
                    words = []
                self._step(char)
                if char == "\n":
                    self._skip_documents()
            elif self.expand and char in "<>":
                self._redirection(words)
            else:
                if not words:
                    line = self.line
                before = self.at
                words.extend(self._word())
                if self.at == before:  # cannot happen; a reader must never stand still
                    self.at += 1
        if words:
            yield from self._finished(words, line)

    def _step(self, char: str) -> None:
        self.at += 1
        if char == "\n":
            self.line += 1

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
        while rest and (match := _ASSIGNMENT.match(rest[0].text)):
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
        if words and words[-1].text.isdigit() and self.at and self.text[self.at - 1] not in _BLANK:
            words.pop()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "<>&|-":
            self.at += 1
        operator = self.text[start : self.at]
        if operator.startswith("<") and self.text.startswith("(", self.at):  # <(process): read as a hole
            self._balanced("(", ")")
            words.append(Word(HOLE))
            return
        while self.at < len(self.text) and self.text[self.at] in _BLANK:
            self.at += 1
        if self.at < len(self.text) and self.text[self.at] not in _OPERATORS + "<>":
            target = self._word()
            if operator in ("<<", "<<-") and target:
                self.pending.append(target[0].text)

    def _word(self) -> list[Word]:
        """One word as written; several where an unquoted variable holds blanks."""
        parts: list[str] = []
        fields: list[Word] = []
        quoted = many = False
        text, end = self.text, len(self.text)
        while self.at < end:
            char = text[self.at]
            if char in _BLANK or char == "\n" or (self.expand and char in _OPERATORS + "<>"):
                if char == "(" and parts and parts[-1].endswith("="):  # an array
                    self._balanced("(", ")")
                    parts.append(HOLE)
                    continue
                break
            if char == "\\" and self.at + 1 < end:
                following = text[self.at + 1]
                self.at += 2
                if following == "\n":
                    self.line += 1
                else:
                    parts.append(following)
            elif char == "'":
                quoted = True
                parts.append(self._single())
            elif char == '"':
                quoted = True
                start = self.at
                parts.append(self._double())
                raw = text[start : self.at]
                many = many or (self.expand and (raw in _ALL or raw.endswith('[@]}"')))
            elif char == "`" and self.expand:
                self.at += 1
                stop = text.find("`", self.at)
                self._advance(end if stop < 0 else stop + 1)
                parts.append(HOLE)
                many = True
            elif char == "$" and self.expand:
                value = self._variable()
                if value == HOLE:
                    parts.append(HOLE)
                    many = True
                elif _ASSIGNMENT.match("".join(parts[:60])):
                    parts.append(value)  # no splitting in an assignment
                else:
                    pieces = value.split()
                    if len(pieces) > 1:
                        fields += [Word("".join([*parts, pieces[0]])), *(Word(piece) for piece in pieces[1:-1])]
                        parts = [pieces[-1]]
                    elif pieces:
                        parts.append(pieces[0])
            else:
                parts.append(char)
                self.at += 1
        joined = "".join(parts)
        if joined or quoted:
            fields.append(Word(joined, many and joined == HOLE))
        return fields

    def _advance(self, to: int) -> None:
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def _single(self) -> str:
        stop = self.text.find("'", self.at + 1)
        stop = len(self.text) if stop < 0 else stop
        value = self.text[self.at + 1 : stop]
        self._advance(min(stop + 1, len(self.text)))
        return value

    def _double(self) -> str:
        self.at += 1
        parts: list[str] = []
        text, end = self.text, len(self.text)
        while self.at < end and text[self.at] != '"':
            char = text[self.at]
            if char == "\\" and self.at + 1 < end:
                following = text[self.at + 1]
                if following not in '"\\$`\n':
                    parts.append(char)
                if following != "\n":
                    parts.append(following)
                else:
                    self.line += 1
                self.at += 2
            elif char == "$" and self.expand:
                parts.append(self._variable())
            elif char == "`" and self.expand:
                stop = text.find("`", self.at + 1)
                self._advance(end if stop < 0 else stop + 1)
                parts.append(HOLE)
            else:
                parts.append(char)
                self._step(char)
        self.at = min(self.at + 1, end)
        return "".join(parts)

    def _variable(self) -> str:
        """At a ``$``."""
        text = self.text
        if text.startswith("$(", self.at):
            self.at += 1
            self._balanced("(", ")")
            return HOLE
        if text.startswith("${", self.at):
            start = self.at + 1
            self.at += 1
            self._balanced("{", "}")
            return self._braced(text[start + 1 : self.at - 1])
        match = _NAME.match(text, self.at + 1)
        if match:
            self.at = match.end()
            return self.environment.look(match.group())
        self.at += 1
        if self.at < len(text) and text[self.at] in "@*#?!$-0123456789":
            self.at += 1
            return HOLE
        return "$" if self.at >= len(text) or text[self.at] not in "'\"" else ""

    def _braced(self, inside: str) -> str:
        match = _NAME.match(inside)
        if match is None:
            return HOLE
        name, rest = match.group(), inside[match.end() :]
        if not rest or rest.startswith((":?", "?")):
            return self.environment.look(name)
        for operator in (":-", ":=", "-", "="):
            if rest.startswith(operator):
                inner = rest[len(operator) :]
                words = _Reader(inner[:_LONGEST_DEFAULT], self.environment, 1, expand=True)._word() if inner else []
                return self.environment.look(name, " ".join(word.text for word in words))
        return HOLE

    def _balanced(self, opening: str, closing: str) -> None:
        """From an opening bracket to behind its closing one, quotes respected."""
        depth = 0
        text, end = self.text, len(self.text)
        while self.at < end:
            char = text[self.at]
            if char == "\\":
                self.at += 1
            elif char == "'" and opening == "(":
                stop = text.find("'", self.at + 1)
                if stop > 0:
                    self._advance(stop)
            elif char == opening:
                depth += 1
            elif char == closing:
                depth -= 1
                if depth == 0:
                    self.at += 1
                    return
            if self.at < end:
                self._step(text[self.at])
        self.at = min(self.at, end)

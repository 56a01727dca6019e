"""One word of shell text: quotes, variables with defaults, command substitutions. Where a word ends, this stops."""

from __future__ import annotations

import re

from safecelery.deferred import dataclass
from safecelery.lint.deploy.environment import HOLE, Environment

__all__ = ["ASSIGNMENT", "BLANK", "OPERATORS", "Word", "WordReader"]

_NAME = re.compile(r"[A-Za-z_]\w*")
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=")
BLANK = " \t\r"
OPERATORS = ";&|()\n"
_ALL = frozenset({'"$@"', '"${@}"'})
_LONGEST_DEFAULT = 300  # of ${X:-default}; also bounds how deep defaults nest


@dataclass(frozen=True, slots=True)
class Word:
    """One argument. ``many``: it may turn out to be none, one or several, as an unquoted ``$OPTIONS`` does."""

    text: str
    many: bool = False


class WordReader:
    """A place in a text, from which words are read. ``expand``: a shell reads it, so ``$`` and operators count."""

    def __init__(self, text: str, environment: Environment, line: int, *, expand: bool) -> None:
        self.text = text
        self.at = 0
        self.line = line
        self.environment = environment
        self.expand = expand

    def step(self, char: str) -> None:
        """Past this character."""
        self.at += 1
        if char == "\n":
            self.line += 1

    def word(self) -> list[Word]:
        """One word as written; several where an unquoted variable holds blanks."""
        parts: list[str] = []
        fields: list[Word] = []
        quoted = many = False
        text, end = self.text, len(self.text)
        while self.at < end:
            char = text[self.at]
            if char in BLANK or char == "\n" or (self.expand and char in OPERATORS + "<>"):
                if char == "(" and parts and parts[-1].endswith("="):  # an array
                    self.balanced("(", ")")
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
                elif ASSIGNMENT.match("".join(parts[:60])):
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
                self.step(char)
        self.at = min(self.at + 1, end)
        return "".join(parts)

    def _variable(self) -> str:
        """At a ``$``."""
        text = self.text
        if text.startswith("$(", self.at):
            self.at += 1
            self.balanced("(", ")")
            return HOLE
        if text.startswith("${", self.at):
            start = self.at + 1
            self.at += 1
            self.balanced("{", "}")
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
                words = WordReader(inner[:_LONGEST_DEFAULT], self.environment, 1, expand=True).word() if inner else []
                return self.environment.look(name, " ".join(word.text for word in words))
        return HOLE

    def balanced(self, opening: str, closing: str) -> None:
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
                self.step(text[self.at])
        self.at = min(self.at, end)

"""MiniZinc data (``.dzn``), as far as scheduling instances use it: numbers, truth values, sets, arrays, array2d."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from benchmarks.readers.numbers import malformed

_TOKEN = re.compile(r"\s+|%[^\n]*|(?P<token>\[\||\|\]|\.\.|-?\d+(?:\.(?!\.)\d+)?|[A-Za-z_]\w*|.)", re.DOTALL)


@dataclass(frozen=True)
class Value:
    """What a name stands for, and the line of the name. ``[| ... |]`` and array2d are lists of rows."""

    value: Any
    line: int


class Assignments:
    """The assignments of a file; queries raise InputError with the line of what is not as it should be."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.values = _Parser(text, file).assignments()

    def number(self, name: str, least: int = 0, most: int | None = None) -> int:
        return self._checked(name, self._value(name), least, most)

    def vector(self, name: str, length: int, least: int = 0, most: int | None = None) -> list[int]:
        value = self._value(name)
        if not isinstance(value, list) or len(value) != length or any(isinstance(v, list | range) for v in value):
            self.fail(name, f"should be a list of {length} numbers")
        return [self._checked(name, v, least, most) for v in value]

    def matrix(self, name: str, rows: int, columns: int, truth: bool = False) -> list[list[int]]:
        """Whole numbers not below 0, or truth values."""
        value = self._value(name)
        if not isinstance(value, list) or [len(row) for row in value if isinstance(row, list)] != [columns] * rows:
            self.fail(name, f"should be a table of {rows} rows and {columns} columns")
        if any(type(cell) is not (bool if truth else int) or cell < 0 for row in value for cell in row):
            self.fail(name, "should hold only " + ("true and false" if truth else "whole numbers not below 0"))
        return list(value)

    def sets(self, name: str, length: int, most: int) -> list[list[int]]:
        """A list of sets of numbers from 1 to most."""
        value = self._value(name)
        if not isinstance(value, list) or len(value) != length:
            self.fail(name, f"should be a list of {length} sets")
        return [[self._checked(name, v, 1, most) for v in members] for members in value]

    def fail(self, name: str, problem: str) -> None:
        raise malformed(self.file, self.values[name].line, f"{name} {problem}")

    def _value(self, name: str) -> Any:
        if name not in self.values:
            raise malformed(self.file, None, f"it gives no value to {name}")
        return self.values[name].value

    def _checked(self, name: str, value: Any, least: int, most: int | None) -> int:
        if type(value) is not int or value < least or (most is not None and value > most):
            limits = f"from {least} to {most}" if most is not None else f"not below {least}"
            self.fail(name, f"should be whole and {limits}, not {value}")
        return int(value)


class _Parser:
    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.tokens: list[tuple[str, int]] = []
        line = 1
        for match in _TOKEN.finditer(text):
            if (token := match["token"]) is not None:
                self.tokens.append((token, line))
            line += match[0].count("\n")
        self.tokens.append(("", line))
        self.at = 0

    def assignments(self) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while self.peek():
            name, line = self.tokens[self.at]
            if not name.isidentifier():
                self.wrong("a name")
            self.at += 1
            self.expect("=")
            found[name] = Value(self.value(), line)
            if self.peek():
                self.expect(";")
        return found

    def peek(self) -> str:
        return self.tokens[self.at][0]

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][0]

    def expect(self, token: str) -> None:
        if self.peek() != token:
            self.wrong(repr(token))
        self.at += 1

    def wrong(self, expected: str) -> None:
        token, line = self.tokens[self.at]
        raise malformed(
            self.file, line, f"{expected} is expected, not {token!r}" if token else f"{expected} is missing"
        )

    def value(self) -> Any:
        token = self.peek()
        if token == "[|":
            return self.table()
        if token in ("[", "{"):
            self.at += 1
            return self.listed("]" if token == "[" else "}")
        if token in ("array1d", "array2d"):
            return self.shaped(int(token[5]))
        if token in ("true", "false"):
            self.at += 1
            return token == "true"
        return self.amount()

    def amount(self) -> Any:
        """A number, or a range of numbers."""
        token = self.peek()
        if not re.fullmatch(r"-?\d+(\.\d+)?", token):
            self.wrong("a value")
        self.at += 1
        if self.peek() == ".." and "." not in token:
            self.at += 1
            last = self.peek()
            if not re.fullmatch(r"-?\d+", last):
                self.wrong("the end of a range")
            self.at += 1
            return range(int(token), int(last) + 1)
        return float(token) if "." in token else int(token)

    def listed(self, close: str) -> list[Any]:
        found = []
        while self.peek() != close:
            found.append(self.value())
            if self.peek() != close:
                self.expect(",")
        self.at += 1
        return found

    def table(self) -> list[list[Any]]:
        """``[| 1, 2 | 3, 4 |]``; a row may end in a comma."""
        self.at += 1
        rows: list[list[Any]] = [[]]
        while self.peek() != "|]":
            if self.peek() == "|":
                self.at += 1
                rows.append([])
                continue
            rows[-1].append(self.value())
            if self.peek() not in ("|", "|]"):
                self.expect(",")
        self.at += 1
        return [row for row in rows if row]

    def shaped(self, dimensions: int) -> list[Any]:
        """``array2d(1..2, 1..3, [...])``."""
        self.at += 1
        self.expect("(")
        sizes = []
        for _ in range(dimensions):
            index = self.amount()
            if not isinstance(index, range):
                self.wrong("a range such as 1..4")
            sizes.append(len(index))
            self.expect(",")
        line = self.tokens[self.at][1]
        flat = self.value()
        self.expect(")")
        wanted = sizes[0] * (sizes[1] if dimensions == 2 else 1)
        if not isinstance(flat, list) or len(flat) != wanted:
            raise malformed(self.file, line, f"an array of {wanted} values is expected")
        if dimensions == 1:
            return flat
        return [flat[k * sizes[1] : (k + 1) * sizes[1]] for k in range(sizes[0])]

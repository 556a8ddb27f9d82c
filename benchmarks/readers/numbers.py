"""The numbers of an instance file one after the other, each with the line that it stands on."""

from __future__ import annotations

from typing import NoReturn

from throttle.errors import InputError
from throttle_models import Finding


def malformed(file: str, line: int | None, problem: str) -> InputError:
    """What is wrong with an instance file, as a sentence that names the file and, where there is one, the line."""
    where = f"{file}, line {line}" if line is not None else file
    return InputError([Finding(level="error", code="malformed-instance", message=f"{where}: {problem}")])


class Numbers:
    """Reads whitespace-separated whole numbers; line ends mean nothing, as in the files themselves."""

    def __init__(self, text: str, file: str, first_line: int = 1) -> None:
        self.file = file
        self.words = [(word, k) for k, line in enumerate(text.splitlines(), first_line) for word in line.split()]
        self.last_line = first_line + max(0, len(text.splitlines()) - 1)
        self.at = 0

    @property
    def more(self) -> bool:
        return self.at < len(self.words)

    @property
    def line(self) -> int:
        """Of the number taken last."""
        return self.words[self.at - 1][1] if self.at else self.last_line

    def take(self, what: str, least: int = 0, most: int | None = None) -> int:
        """The next number, between least and most. Raises InputError that says ``what`` it should have been."""
        return self._number(self._next(what), what, least, most)

    def several(self, count: int, what: str, least: int = 0, most: int | None = None) -> list[int]:
        return [self.take(what, least, most) for _ in range(count)]

    def pair(self, what: str) -> tuple[int, int]:
        """The next ``a:b``."""
        left, colon, right = self._next(what).partition(":")
        if not colon:
            self.fail(f"{left!r} is no {what}, which is two numbers with a colon between, such as 1:2")
        return self._number(left, what, 0, None), self._number(right, what, 0, None)

    def end(self) -> None:
        """Raises InputError if anything is left."""
        if self.more:
            word, line = self.words[self.at]
            raise malformed(self.file, line, f"{word!r} is more than the counts before it announce")

    def fail(self, problem: str) -> NoReturn:
        """Raises InputError about the number taken last."""
        raise malformed(self.file, self.line, problem)

    def _next(self, what: str) -> str:
        if not self.more:
            raise malformed(self.file, self.last_line, f"the file ends where {what} should be")
        self.at += 1
        return self.words[self.at - 1][0]

    def _number(self, word: str, what: str, least: int, most: int | None) -> int:
        try:
            number = int(word)
        except ValueError:
            self.fail(f"{word!r} is no whole number; {what} should be here")
        if number < least or (most is not None and number > most):
            limits = f"at least {least}" if most is None else f"from {least} to {most}"
            self.fail(f"{what} should be {limits}, not {number}")
        return number

"""Bytes to text: by trial, strictly, and on the record. Nothing is ever replaced in silence."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from throttle.ingest.notes import refusal

_MAGIC = (
    (b"PK\x03\x04", "an Excel workbook or zip archive: export or save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file: save it as CSV"),
    (b"%PDF", "a PDF: export as CSV"),
    (b"\x1f\x8b", "compressed (gzip): unpack it first"),
    (b"\x89PNG", "an image"),
    (b"SQLite format 3", "a database"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_FILES = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7"}
_CONTROL = bytes(set(range(32)) - {0x09, 0x0A, 0x0C, 0x0D, 0x1A, 0x1B})
_STEP = 1 << 20


@dataclass(frozen=True)
class Encoding:
    """What was chosen, why, and how many bytes of byte order mark to skip."""

    name: str
    why: str
    skip: int = 0
    fallback: bool = False


def is_text_encoding(name: str) -> bool:
    """Whether files are written in it: not so Python's own notations (``unicode_escape``), nor those of host names."""
    try:
        "".encode(name)  # LookupError for what is unknown or no text encoding
        return codecs.lookup(name).name.replace("-", "_") not in _NO_FILES
    except (LookupError, ValueError):
        return False


def choose_encoding(data: bytes, file: str, declared: str | None = None) -> Encoding:
    """Byte order mark, then strict UTF-8, then what the caller declares, then Windows-1252 as a fallback.

    Raises InputError for empty, binary, cut and undecodable files.
    """
    if not data.strip():
        raise refusal("empty-file", f"{file} is empty", file)
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise refusal("binary-file", f"{file} is {what}", file)
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _strictly(data, Encoding(name, "byte order mark", len(bom)), file)
    head = data[:4096]
    if b"\0" in head and declared is not None:
        return _strictly(data, Encoding(declared, "declared"), file)
    if b"\0" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) > len(head) // 4 and min(even, odd) <= len(head) // 50:
            name = "utf-16-le" if odd > even else "utf-16-be"
            return _strictly(data, Encoding(name, "every other byte is zero"), file)
    if b"\0" in data or _control_bytes(data) > len(data) // 100:
        raise refusal("binary-file", f"{file} is binary, not text: export as CSV or JSON", file)
    problem = _problem(data, "utf-8")
    if problem is None:
        return Encoding("utf-8", "valid UTF-8")
    if problem.reason == "unexpected end of data" and _problem(data[: problem.start], "utf-8") is None:
        raise refusal("truncated", f"{file} is cut off in the middle of a letter: export it again", file)
    if declared is not None:
        return _strictly(data, Encoding(declared, "declared; not UTF-8"), file)
    # Valid multi-byte letters are so unlikely in an 8-bit encoding that such a file is damaged UTF-8, not Windows-1252.
    letters = sum(c > "\x7f" for c in data.decode("utf-8", errors="ignore"))
    if letters > 20 * _invalid(data, problem.start):
        raise refusal(
            "encoding",
            f"{file} is UTF-8 that is damaged at byte {problem.start}: export it again, or say --encoding",
            file,
        )
    if _problem(data, "cp1252") is None:
        return Encoding("cp1252", "not UTF-8; Windows-1252 taken", fallback=True)
    raise refusal(
        "encoding",
        f"{file} is neither UTF-8 nor Windows-1252 (byte {problem.start}): say --encoding, such as mac_roman or "
        "gb18030",
        file,
    )


def _strictly(data: bytes, choice: Encoding, file: str) -> Encoding:
    if not is_text_encoding(choice.name):
        raise refusal("encoding", f"{choice.name} is not a known text encoding: write a name such as cp1252", file)
    problem = _problem(data[choice.skip :], choice.name)
    if problem is not None:
        raise refusal(
            "encoding",
            f"{file} is not valid {choice.name} ({choice.why}) at byte {problem.start + choice.skip}: "
            "export it again, or say another --encoding",
            file,
        )
    return choice


def _problem(data: bytes, encoding: str) -> UnicodeDecodeError | None:
    """The first thing that does not decode. In steps, so that the text is never in memory as a whole."""
    decoder = codecs.getincrementaldecoder(encoding)()
    at = 0
    try:
        for at in range(0, len(data), _STEP):
            decoder.decode(data[at : at + _STEP], final=at + _STEP >= len(data))
    except UnicodeDecodeError as problem:
        # positions are relative to the step, less what was kept of the one before: at most three bytes off
        return UnicodeDecodeError(encoding, b"", at + problem.start, at + problem.end, problem.reason)
    except UnicodeError as problem:
        return UnicodeDecodeError(encoding, b"", at, at, str(problem))
    return None


def _control_bytes(data: bytes) -> int:
    steps = (data[at : at + _STEP] for at in range(0, len(data), _STEP))
    return sum(len(step) - len(step.translate(None, _CONTROL)) for step in steps)


def _invalid(data: bytes, first: int) -> int:
    tail = data[first : first + _STEP]
    count = 0
    while tail and count < 1000:
        try:
            tail.decode("utf-8")
            break
        except UnicodeDecodeError as problem:
            count += 1
            tail = tail[problem.end :]
    return max(1, count)

"""RCPSP as PSPLIB writes it (``.sm``; Kolisch and Sprecher, EJOR 96, 1996): renewable resources, one mode, makespan.

Read are the sections PRECEDENCE RELATIONS, REQUESTS/DURATIONS and RESOURCEAVAILABILITIES. Release and due date of the
project are not part of the problem, and nonrenewable and doubly constrained resources are refused.
"""

from __future__ import annotations

import re

from benchmarks.readers.numbers import Numbers, malformed
from benchmarks.readers.portfolios import always_open, predecessors, renewables, unstaffed

from throttle_models import Portfolio

_HEADING = re.compile(r"^(PRECEDENCE RELATIONS|REQUESTS/DURATIONS|RESOURCEAVAILABILITIES)\s*:", re.MULTILINE)
_COUNT = r"^\s*-?\s*{}[^:\n]*:\s*(\d+)"


def read_psplib(text: str, file: str) -> Portfolio:
    """Resources become environments, jobs unstaffed items. Raises InputError."""
    count = _count(text, "jobs", file)
    resources = _count(text, "renewable", file)
    for other in ("nonrenewable", "doubly constrained"):
        if _count(text, other, file, 0):
            raise malformed(file, None, f"it has {other} resources, which have no place in a portfolio")
    sections = _sections(text, file)
    successors: dict[str, list[str]] = {}
    numbers = sections["PRECEDENCE RELATIONS"]
    for k in range(1, count + 1):
        numbers.take("the number of a job, in order", k, k)
        numbers.take(f"the number of modes of job {k}", 1, 1)
        later = numbers.take(f"the number of successors of job {k}")
        successors[str(k)] = [str(s) for s in numbers.several(later, f"a successor of job {k}", 1, count)]
    numbers.end()
    numbers = sections["REQUESTS/DURATIONS"]
    durations, demands = {}, {}
    for k in range(1, count + 1):
        numbers.take("the number of a job, in order", k, k)
        numbers.take(f"the mode of job {k}", 1, 1)
        durations[str(k)] = numbers.take(f"the duration of job {k}")
        demands[str(k)] = numbers.several(resources, f"a request of job {k}")
    numbers.end()
    capacities = sections["RESOURCEAVAILABILITIES"].several(resources, "the capacity of a resource")
    sections["RESOURCEAVAILABILITIES"].end()
    before = predecessors(successors)
    return always_open(
        {id: unstaffed(durations[id], demands[id], before[id]) for id in durations},
        environments=renewables(capacities),
    )


def _count(text: str, what: str, file: str, default: int | None = None) -> int:
    match = re.search(_COUNT.format(re.escape(what)), text, re.MULTILINE)
    if match:
        return int(match[1])
    if default is None:
        raise malformed(file, None, f"no line says how many: {what}")
    return default


def _sections(text: str, file: str) -> dict[str, Numbers]:
    """The numbers under each heading, without the line of column names and the rules of dashes and stars."""
    headings = list(_HEADING.finditer(text))
    found = {}
    for k, heading in enumerate(headings):
        end = headings[k + 1].start() if k + 1 < len(headings) else len(text)
        first = text.count("\n", 0, heading.end()) + 1
        lines = text[heading.end() : end].split("\n")
        kept = [line if re.fullmatch(r"[\s\d]+", line) else "" for line in lines[2:]]  # after the column names
        if wrong := [n for n, line in enumerate(lines[2:], first + 2) if line.strip() and not _known(line)]:
            raise malformed(file, wrong[0], f"under {heading[1]} only numbers are expected")
        found[heading[1]] = Numbers("\n".join(kept), file, first + 2)
    for name in ("PRECEDENCE RELATIONS", "REQUESTS/DURATIONS", "RESOURCEAVAILABILITIES"):
        if name not in found:
            raise malformed(file, None, f"it has no section {name}")
    return found


def _known(line: str) -> bool:
    return re.fullmatch(r"[\s\d]+|\s*[-*]+\s*", line) is not None

"""What a kind of job is to the rest of the service: one function, and what it returns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from throttle_api.jobs.states import Outcome

Report = Callable[[Mapping[str, Any]], None]
"""Told how far a job is: small facts such as ``incumbent``, ``bound``, ``gap``, ``phase``, ``seconds``. Under
:data:`BEST` there may be the best answer so far, as a document: it is kept for who asks before the end."""
BEST = "best"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: the outcome, a JSON document where there is one, and small facts for its status."""

    outcome: Outcome
    document: bytes | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)


class Kind(Protocol):
    """Runs in a process of its own. ``request`` is what the client asked for, ``inputs`` the documents by name.

    Once ``stop`` is set it is to end soon with the best it has. Raises ThrottleError where the question cannot be
    answered as it was asked.
    """

    def __call__(
        self, request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event
    ) -> Answer: ...

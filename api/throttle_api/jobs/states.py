"""The life of a job: its states, what moves it from one to another, and nothing else that may.

The state says what became of the *job*; what became of the *question* is the outcome: to find that no plan is feasible
is a job that succeeded.
"""

from __future__ import annotations

from enum import StrEnum

MOST_ATTEMPTS = 3
"""So often a job is begun that ends by no fault of its own (a process that dies, a host that goes away)."""


class State(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class Outcome(StrEnum):
    """What is known of the answer."""

    OPTIMAL = "OPTIMAL"
    FEASIBLE = "FEASIBLE"
    INFEASIBLE = "INFEASIBLE"
    UNKNOWN = "UNKNOWN"


class Move(StrEnum):
    """What can happen to a job."""

    BEGIN = "begin"
    SUCCEED = "succeed"
    FAIL = "fail"
    STOP = "stop"
    """It was cancelled while it ran; what it had found is kept."""
    WITHDRAW = "withdraw"
    """It was cancelled before it began."""
    REQUEUE = "requeue"
    """Whoever ran it is gone, or gives it back."""
    EXPIRE = "expire"


MOVES: dict[Move, tuple[frozenset[State], State]] = {
    Move.BEGIN: (frozenset({State.QUEUED}), State.RUNNING),
    Move.SUCCEED: (frozenset({State.RUNNING}), State.SUCCEEDED),
    Move.FAIL: (frozenset({State.RUNNING}), State.FAILED),
    Move.STOP: (frozenset({State.RUNNING}), State.CANCELLED),
    Move.WITHDRAW: (frozenset({State.QUEUED}), State.CANCELLED),
    Move.REQUEUE: (frozenset({State.RUNNING}), State.QUEUED),
    Move.EXPIRE: (frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED}), State.EXPIRED),
}
"""From which states each move leads, and where to."""

ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED})


def after_a_loss(tries: int, cancelled: bool, attempts: int = MOST_ATTEMPTS) -> Move:
    """What becomes of a running job whose worker is gone: begun again, unless it was cancelled or begun too often.

    ``tries`` counts its beginnings, but for those that a worker ended in good order.
    """
    if cancelled:
        return Move.STOP
    return Move.FAIL if tries >= attempts else Move.REQUEUE

"""How long work waits for those who do it, by how busy they are: approximations for single stations.

All times are in hours at work of one server. u is the load: work that arrives / work that can be done. For u >= 1 there
is no waiting time: the backlog grows without end, which is None here, never a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt


def busy_to_idle(load: float) -> float | None:
    """Per cent busy / per cent idle: how many times its own length a task waits at one server (M/M/1)."""
    return load / (1 - load) if load < 1 else None


def wait(load: float, servers: int, task: float, arrivals: float = 1.0, tasks: float = 1.0) -> float | None:
    """Mean time from arrival to begin; None where the load is 1 or above.

    task: mean length; arrivals, tasks: squared coefficients of variation of the times between arrivals and of task
    lengths (1: as random as Poisson arrivals). u^(sqrt(2(c+1))-1) / (c (1-u)) x (Ca2 + Cs2) / 2 x task: Sakasegawa,
    "An approximation formula L_q = alpha rho^beta / (1 - rho)" (1977); with one server that of Kingman, "The single
    server queue in heavy traffic" (1961).
    """
    if servers < 1:
        raise ValueError("a queue needs a server")
    if load >= 1:
        return None
    factor: float = load ** (sqrt(2 * (servers + 1)) - 1) / (servers * (1 - load))
    return factor * (arrivals + tasks) / 2 * task


def growth(load: float, hours_a_week: float) -> float:
    """Hours that the backlog grows by each week; 0 where the load is below 1."""
    return max(0.0, load - 1) * hours_a_week


def variation(values: Sequence[float]) -> float | None:
    """Squared coefficient of variation: variance / mean squared; None for fewer than two values, or a mean of 0."""
    if len(values) < 2:
        return None
    mean = fsum(values) / len(values)
    if mean <= 0:
        return None
    return fsum((v - mean) ** 2 for v in values) / (len(values) - 1) / mean**2

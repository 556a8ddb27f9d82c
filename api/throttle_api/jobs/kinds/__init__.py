"""The kinds of jobs there are: one kind is one module with a function ``run`` (:class:`throttle_api.jobs.answers.Kind`)
and one line here."""

from __future__ import annotations

KINDS: dict[str, str] = {
    "solve": "throttle_api.jobs.kinds.solve:run",
    "forecast": "throttle_api.jobs.kinds.forecast:run",
    "curve": "throttle_api.jobs.kinds.curve:run",
    "elevate": "throttle_api.jobs.kinds.elevate:run",
    "what-if": "throttle_api.jobs.kinds.what_if:run",
    "batch": "throttle_api.jobs.kinds.batch:run",
}
"""Name to where the function is, so that it is imported only in the process that runs it."""

"""The ways in which a request can fail, each with its exit code."""

from __future__ import annotations

from collections.abc import Sequence

from throttle_models import Finding, Verdict


class ThrottleError(Exception):
    """Base of all; ``exit_code`` is what the command line ends with, ``findings`` what it prints."""

    exit_code = 1

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(f.message for f in self.findings))


class InputError(ThrottleError):
    """The input is wrong; every problem found is listed."""

    exit_code = 2


class NoPlanError(ThrottleError):
    """No feasible plan was found; the findings say what stands in the way, or that it is unknown."""

    exit_code = 3


class InterruptedWithoutPlanError(ThrottleError):
    """Interrupted before any plan was found."""

    exit_code = 6


class VerificationError(ThrottleError):
    """The checker found violations: a defect of the solver, or a plan that was changed."""

    exit_code = 5

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(
            [Finding(level="error", code=v.kind, message=v.message, ids=v.ids) for v in verdict.violations]
        )


class RunsFailedError(ThrottleError):
    """Some runs of a batch have no plan; the others were written."""

    exit_code = 7

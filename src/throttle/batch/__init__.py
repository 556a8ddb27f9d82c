"""Many plans at once: portfolios x variants of their policy x seeds, each a verified plan or a sentence why not.

What is finished is kept on disk as it comes, so that a batch that ended early goes on where it was.
"""

from throttle.batch.driver import Event, run_batch
from throttle.batch.read import Batch, Run, read_batch
from throttle.batch.results import FILES, RESULTS_CSV, RESULTS_JSON

__all__ = ["FILES", "RESULTS_CSV", "RESULTS_JSON", "Batch", "Event", "Run", "read_batch", "run_batch"]

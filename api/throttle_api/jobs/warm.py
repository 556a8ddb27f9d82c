"""Imported once by the process that the processes of jobs are forked from: what nearly every job needs."""

import gc
from importlib import import_module

NEEDED = (
    "throttle_api.jobs.child",
    "throttle_api.jobs.kinds.solve",
    "dateutil.easter",  # what follows are libraries that the modules above import only when they come to need them
    "holidays",
    "numba",
    "ortools.sat.python.cp_model",
)
for _name in NEEDED:
    import_module(_name)

gc.collect()
gc.freeze()  # what is shared with every job's process stays shared

"""Throttle: what work an IT organisation should let in, and when, as a verified schedule that protects its bottleneck.

Nothing heavy is imported here; the parts are ``throttle.ingest``, ``throttle.planning``, ``throttle.check`` and others.
"""

__version__ = "0.1.0"

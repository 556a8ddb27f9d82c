"""One module for each section of the report; see ``throttle.report.SECTIONS``."""

"""What the service holds when things go wrong: real processes killed, stopped and starved, on real databases.

    python -m benchmarks.faults [--short | --times N] [--only NAME ...]

Prints a JSON line for each promise and the table of them all, with what was measured; exit code 1 if one does not
hold. ``--short`` does less of everything, in some minutes; the default takes an hour on two cores.
"""

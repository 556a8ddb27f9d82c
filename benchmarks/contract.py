"""The contract: a running service against its own OpenAPI description, with every check of schemathesis.

``python -m benchmarks.contract [--examples N] [--seed S]`` begins a service in a folder that is removed afterwards,
with a dataset, a finished job and an accepted plan in it; runs all phases (examples, coverage, fuzzing, stateful);
prints one JSON line with the cases and findings; and ends with 1 where anything was found, or the service is not well
afterwards. With ``--malformed N`` it sends N malformed inputs instead (:mod:`benchmarks.malformed`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.malformed import MOST_MEMORY, send_all

from throttle.client import Client
from throttle.demo import demo_folder
from throttle.files import load_portfolio, save_portfolio

CONFIG = """
[checks.positive_data_acceptance]
# what fits the schema may still be wrong: an item that is not in the plan, a dataset that there is already
expected-statuses = ["2xx", "401", "403", "404", "406", "409", "410", "412", "422", "428"]

[[operations]]
include-operation-id = ["listJobs", "listDatasets"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400"]  # a cursor is text that only the service can make

[[operations]]
include-operation-id = ["createJob", "replan"]  # the queue is short
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "409", "422", "429"]

[[operations]]
include-operation-id = ["watchJob", "putDataset", "acceptPlan", "putPin"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "406", "409", "410", "412", "422", "428"]
"""
"""Headers such as If-Match are text to the description, and 400 where they are no ETag."""
SHORT_QUEUE = {"queued_jobs": "4", "longest_budget": "20"}
"""Whoever watches a job waits for its end, and for those of all before it."""


@contextmanager
def service(folder: Path, **settings: str) -> Iterator[tuple[str, str, int]]:
    """A service in a process of its own: its address, a key with every scope, and the id of the process."""
    environment = {
        **os.environ,
        "THROTTLE_DATA": str(folder / "data"),
        "THROTTLE_RATE": "1000000/second",
        "THROTTLE_RATE_UNKNOWN": "1000000/second",
        "THROTTLE_LONGEST_WAIT": "1",
        "THROTTLE_WEBHOOKS": "true",
        "THROTTLE_LOG_LEVEL": "error",
        **{f"THROTTLE_{name.upper()}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "throttle"]
    made = subprocess.run(
        [*command, "keys", "create", "--scopes", "all"], env=environment, capture_output=True, text=True, check=True
    )
    with subprocess.Popen(
        [*command, "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            match = re.search(r"http://\S+", said)
            if match is None:
                raise RuntimeError(f"the service did not begin: {said}{process.stderr.read()}")
            yield match[0], made.stdout.strip(), process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def seed(address: str, key: str) -> dict[str, str]:
    """Something to ask about: ids by name."""
    client = Client(address, key)
    with tempfile.TemporaryDirectory() as folder:
        save_portfolio(load_portfolio(demo_folder()), Path(folder) / "demo.json")
        portfolio = json.loads((Path(folder) / "demo.json").read_bytes())
    client.put_dataset("it-portfolio", portfolio)
    job = client.solve(dataset="it-portfolio", budget=1.0)
    client.wait(job["id"], 300)
    client.accept(job["id"])
    return {"job": job["id"]}


def run(address: str, key: str, folder: Path, examples: int, seed: int, more: list[str]) -> dict[str, Any]:
    """What schemathesis says: cases, findings, and its whole text."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    begun = time.monotonic()
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run",
        f"{address}/openapi.json", "-H", f"Authorization: Bearer {key}", "--checks", "all", "--continue-on-failure",
        "--max-examples", str(examples), "--seed", str(seed), "--request-timeout", "120", "--max-response-time", "90",
        "--no-color",
        *more,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    cases = re.search(r"([\d,]+) generated", text)
    return {
        "cases": int(cases[1].replace(",", "")) if cases else 0,
        "status": done.returncode,
        "seconds": round(time.monotonic() - begun, 1),
        "text": text,
    }


def well(address: str) -> bool:
    with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
        return bool(answer.status == 200)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=250, help="of each operation in each phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--malformed", type=int, metavar="N", help="send N malformed inputs instead")
    parser.add_argument("more", nargs="*", help="for schemathesis")
    given = parser.parse_args()
    # what malformed bodies happen to ask for is to wait, and not to be refused for the length of the queue
    settings = {"queued_jobs": "10000000"} if given.malformed else SHORT_QUEUE
    with tempfile.TemporaryDirectory() as name, service(Path(name), **settings) as (address, key, process):
        seed(address, key)
        if given.malformed:
            found = {"contract": "malformed", **send_all(address, key, process, given.malformed, given.seed)}
            holds = not found["bad"] and found["most_megabytes"] < MOST_MEMORY
        else:
            found = {
                "contract": "schemathesis",
                **run(address, key, Path(name), given.examples, given.seed, given.more),
            }
            print(found.pop("text"))
            holds = found["status"] == 0 and found["cases"] > 0
        ready = well(address)
    print(json.dumps({**found, "well_afterwards": ready}))
    return 0 if holds and ready else 1


if __name__ == "__main__":
    sys.exit(main())

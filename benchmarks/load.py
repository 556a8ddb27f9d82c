"""How fast the service answers while it solves.

    python -m benchmarks.load [--seconds 20] [--rate 200]

Begins ``throttle serve`` in a folder of its own, plans 500 items, and while the next plan of them is searched for, asks
for the state of that job so many times a second, then for the finished schedule five times a second. Requests are sent
when they are due, whatever became of those before (an open loop), and their time counts from then. Prints a JSON line
for each promise and the table; exit code 1 if one does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.contract import service
from benchmarks.variants import portfolio

from throttle.client import Client

ITEMS, PEOPLE = 500, 30
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Promise:
    name: str
    text: str
    milliseconds: float


STATUS = Promise("status", "status read at 200 requests/s during a solve: p99 at most 50 ms", 50.0)
SCHEDULE = Promise("schedule", f"schedule of {ITEMS} items during a solve: p99 at most 100 ms", 100.0)


class Connection:
    """One kept-alive connection, with one request at a time."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.head = f"Host: {parts.netloc}\r\nAuthorization: Bearer {key}\r\nAccept: application/json\r\n\r\n"
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[int, int]:
        """Status, and bytes of the body."""
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        reader, writer = self.streams
        writer.write(f"GET {path} HTTP/1.1\r\n{self.head}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        await reader.readexactly(length)
        return int(head.split(" ", 2)[1]), length

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()


async def load(address: str, key: str, path: str, rate: float, seconds: float) -> dict[str, Any]:
    """Ask for a path so many times a second; the times in milliseconds, from when each request was due."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    everyone = [Connection(address, key) for _ in range(CONNECTIONS)]
    for connection in everyone:
        free.put_nowait(connection)
    times: list[float] = []
    wrong, sizes = 0, set()

    async def one(due: float) -> None:
        nonlocal wrong
        connection = await free.get()
        try:
            status, size = await connection.get(path)
        finally:
            free.put_nowait(connection)
        times.append((time.perf_counter() - due) * 1000)
        wrong += status != 200
        sizes.add(size)

    begin, tasks = time.perf_counter(), []
    for k in range(int(rate * seconds)):
        due = begin + k / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.ensure_future(one(due)))
    await asyncio.gather(*tasks)
    took = time.perf_counter() - begin
    for connection in everyone:
        connection.close()
    times.sort()
    return {
        "requests": len(times),
        "not 200": wrong,
        "per second": round(len(times) / took, 1),
        "bytes": max(sizes),
        "p50": round(times[len(times) // 2], 1),
        "p99": round(times[int(len(times) * 0.99)], 1),
        "most": round(times[-1], 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=200.0)
    given = parser.parse_args()
    made = portfolio(ITEMS, PEOPLE, 1, "tardiness", False).model_dump(mode="json", exclude_defaults=True)
    table, broken = [], False
    with tempfile.TemporaryDirectory(prefix="throttle-load-") as folder, service(Path(folder)) as (address, key, _):
        client = Client(address, key)
        client.put_dataset("load", made)
        first = client.wait(client.solve(dataset="load", budget=5)["id"])
        budget = 3 * given.seconds + 60
        second = client.solve(dataset="load", budget=budget, seed=2)["id"]
        while client.job(second)["progress"] is None:
            time.sleep(0.1)
        for promise, path, rate in (
            (STATUS, f"/v1/jobs/{second}", given.rate),
            (SCHEDULE, f"/v1/jobs/{first['id']}/result", 5.0),
        ):
            figures = asyncio.run(load(address, key, path, rate, given.seconds))
            figures["solving"] = client.job(second)["state"] == "RUNNING"
            holds = figures["p99"] <= promise.milliseconds and not figures["not 200"] and figures["solving"]
            broken = broken or not holds
            print(json.dumps({"name": promise.name, "holds": holds, **figures}), flush=True)
            told = ", ".join(f"{name} {value}" for name, value in figures.items())
            table.append(f"| {promise.text} | {'yes' if holds else 'NO'} | {told} |")
        client.cancel(second)
    print("\n| promise | holds | measured (milliseconds) |\n|---|---|---|")
    print("\n".join(table))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

"""Small exports, written as their trackers write them, and read as a user would."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from throttle.errors import InputError
from throttle.ingest import Ingested, ReadOptions, read_exports
from throttle_models import Finding, Mapping, TeamFile


def csv_bytes(header: Sequence[str], *rows: Sequence[str], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", delimiter=delimiter)
    writer.writerows([header, *rows])
    return text.getvalue().encode(encoding)


@dataclass
class Desk:
    """A folder of exports."""

    folder: Path

    def file(self, content: bytes | str | Any, name: str = "export.csv") -> Path:
        path = self.folder / name
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def read(
        self,
        content: Any,
        *,
        name: str = "export.csv",
        team: dict[str, Any] | None = None,
        mapping: dict[str, Any] | None = None,
        **options: Any,
    ) -> Ingested:
        ingested = read_exports(
            [self.file(content, name)],
            team=TeamFile.model_validate(team) if team is not None else None,
            mapping=Mapping.model_validate(mapping) if mapping is not None else None,
            options=ReadOptions(**options),
        )
        report = ingested.report
        assert report.rows_read == report.imported + report.merged + report.rejected
        assert all(f.rows == f.imported + f.merged + f.rejected and f.merged >= 0 for f in report.files)
        return ingested

    def jira(self, header: str, *rows: str, **how: Any) -> Ingested:
        """Columns and cells separated by ``|``."""
        return self.read(csv_bytes(header.split("|"), *(row.split("|") for row in rows)), **how)

    def problems(self, content: Any, **how: Any) -> list[Finding]:
        with pytest.raises(InputError) as caught:
            self.read(content, **how)
        return list(caught.value.findings)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def codes() -> Callable[[Ingested], list[str]]:
    return lambda ingested: [finding.code for finding in ingested.report.findings]

"""Ticket exports, sent as files, to a portfolio."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from throttle_api.context import Caller, Planner, service_of
from throttle_api.negotiation import tag
from throttle_api.problems import Problem
from throttle_api.routes.common import problems
from throttle_api.sandbox import read_exports
from throttle_api.storage import audit
from throttle_api.storage import datasets as store
from throttle_api.storage.packing import new_id
from throttle_api.views import ImportView, dataset_view

router = APIRouter(prefix="/v1/imports", tags=["datasets"])

_FILES, _ONE, _WORDS = ("file",), ("team", "map"), ("dataset", "zone", "date_order", "encoding")
_PIECE = 1 << 20
_LONGEST_NAME = 120
"""Bytes that are kept of what a file is called."""
_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def _schema() -> dict[str, Any]:
    file = {"type": "string", "format": "binary"}
    text = {"type": "string", "maxLength": 100}
    return {
        "type": "object",
        "required": ["file"],
        "additionalProperties": False,
        "properties": {
            "file": {
                "type": "array",
                "minItems": 1,
                "items": file,
                "description": "Ticket exports; several are read as one.",
            },
            "team": {**file, "description": "People, skills, calendars and policy (YAML or JSON)."},
            "map": {**file, "description": "What columns and words mean, as `throttle map` proposes it."},
            "dataset": {
                "type": "string",
                "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
                "description": "The dataset to put the portfolio into, as its next version. Default: a new one.",
            },
            "zone": {**text, "description": "Time zone of times without one, such as America/Chicago."},
            "date_order": {"type": "string", "enum": ["dmy", "mdy"], "description": "Where no date settles it."},
            "encoding": {**text, "description": "Of the exports, where it is found wrongly."},
        },
    }


async def _form(request: Request) -> FormData:
    """The parts, the files of them on disk; counted as they come. Raises Problem."""
    settings = service_of(request).settings
    try:
        form = await request.form(
            max_files=settings.upload_files + 2, max_fields=20, max_part_size=settings.upload_field
        )
    except MultiPartException as problem:
        raise Problem("malformed-request", f"The form cannot be read: {problem.message}") from None
    return form


@router.post(
    "",
    operation_id="createImport",
    status_code=201,
    response_model=ImportView,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _schema()}}}},
    responses=problems(
        "malformed-request",
        "too-large",
        "unsupported-media-type",
        "unreadable-upload",
        "busy",
        "invalid-request",
        "changed",
        "no-space",
    ),
)
async def create_import(request: Request, caller: Planner) -> JSONResponse:
    """Read ticket exports into a dataset, with a report that accounts for every row. Nothing is kept of what fails."""
    form = await _form(request)
    try:
        return await run_in_threadpool(_import, caller, form)
    finally:
        await form.close()


def _import(caller: Caller, form: FormData) -> JSONResponse:
    settings = caller.service.settings
    errors = _wrong(form, settings.upload_files)
    if errors:
        raise Problem("invalid-request", "The form does not fit its description; see errors.", errors)
    words = {name: form[name] for name in _WORDS if name in form and form[name] != ""}
    with caller.service.scratch() as folder:
        names: set[str] = {"task.json", "answer.json", "answer.part", "portfolio.json"}
        files = [_save(part, folder, names) for part in form.getlist("file")]
        extra = {name: _save(form[name], folder, names, f"{name}.yaml") if name in form else None for name in _ONE}
        options = {k: v for k, v in words.items() if k != "dataset"}
        read = read_exports(files, extra["team"], extra["map"], options, folder, settings)
    id = str(words.get("dataset") or new_id("ds"))
    with caller.write() as tx:
        made, _ = store.put(tx, id, read.portfolio.encode(), by=caller.actor, title=read.title)
        kept = store.add_import(tx, read.report, made, by=caller.actor)
        audit.add(tx, caller.actor, "import.created", kept.id, {"dataset": id, "version": made.version})
    view = ImportView(id=kept.id, dataset=dataset_view(made), report=read.report)
    headers = {"Location": f"/v1/datasets/{id}", "ETag": tag(made.etag)}
    return JSONResponse(view.model_dump(mode="json"), 201, headers)


def _wrong(form: FormData, most: int) -> list[dict[str, Any]]:
    def say(where: str, message: str) -> None:
        errors.append({"where": f"body.{where}", "message": message})

    errors: list[dict[str, Any]] = []
    for name in dict.fromkeys(form.keys()):
        given = form.getlist(name)
        if name in (*_FILES, *_ONE) and not all(isinstance(g, UploadFile) for g in given):
            say(name, "is a file: send it with a file name")
        elif name in _WORDS and not all(isinstance(g, str) for g in given):
            say(name, "is a word, not a file")
        elif name not in (*_FILES, *_ONE, *_WORDS):
            say("form", "has a part that is not known; there are file, team, map, dataset, zone, date_order, encoding")
        if name not in _FILES and len(given) > 1:
            say(name if name in (*_ONE, *_WORDS) else "form", "is there more than once")
    if not form.getlist("file"):
        say("file", "is missing: send at least one export")
    elif len(form.getlist("file")) > most:
        say("file", f"is there more than {most} times")
    if errors:
        return errors
    if (dataset := form.get("dataset")) and not _DATASET.fullmatch(str(dataset)):
        say("dataset", "is a word of letters, digits, dots, dashes and underscores")
    if form.get("date_order") not in (None, "", "dmy", "mdy"):
        say("date_order", "is dmy or mdy")
    if (zone := form.get("zone")) and not _is_zone(str(zone)):
        say("zone", "is the name of a time zone, such as America/Chicago")
    if (encoding := form.get("encoding")) and not _is_encoding(str(encoding)):
        say("encoding", "is the name of a text encoding, such as cp1252")
    return errors


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _is_encoding(name: str) -> bool:
    from throttle.ingest.decode import is_text_encoding

    try:
        return is_text_encoding(name)
    except ValueError:
        return False


def _save(part: Any, folder: Path, taken: set[str], name: str | None = None) -> Path:
    """A part under a safe name of its own, which keeps what the client called it as far as it can."""
    said = (part.filename or "").replace("\\", "/").split("/")[-1].encode(errors="replace")[-_LONGEST_NAME:]
    stem = name or re.sub(r"[^\w. -]", "_", said.decode(errors="ignore")).strip(" .") or "export"
    given, n = stem, 1
    while given.lower() in taken:
        n += 1
        given = f"{n}-{stem}"
    taken.add(given.lower())
    with (folder / given).open("wb") as file:
        while piece := part.file.read(_PIECE):
            file.write(piece)
    return folder / given

"""Where to tell of finished jobs and accepted plans: one address for each tenant."""

from __future__ import annotations

import base64
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from throttle_api.bodies import json_text, parsed
from throttle_api.context import Admin
from throttle_api.problems import Problem
from throttle_api.routes.common import BODY, body_of, problems
from throttle_api.storage import audit
from throttle_api.storage import webhooks as store
from throttle_api.views import WebhookBody, WebhookView
from throttle_api.webhooks import AddressError, resolve

router = APIRouter(prefix="/v1/webhook", tags=["webhook"])


@router.get("", operation_id="getWebhook", responses=problems("not-found"))
def get_webhook(caller: Admin) -> WebhookView:
    """The address that is set, without its secret."""
    with caller.read() as tx:
        if (found := store.find(tx)) is None:
            raise Problem("not-found", "There is no webhook.")
    return WebhookView(url=found.url, active=found.active, created=found.created)


@router.put(
    "",
    operation_id="putWebhook",
    response_model=WebhookView,
    openapi_extra=body_of(WebhookBody, {"url": "https://hooks.example.com/throttle"}),
    responses=problems(*BODY, "off", "address-not-allowed"),
)
def put_webhook(caller: Admin, text: Annotated[str, Depends(json_text)]) -> Response:
    """Set the address, and make a new secret. Messages are signed as Standard Webhooks has it."""
    body = parsed(text, WebhookBody)
    if not caller.service.settings.webhooks:
        raise Problem("off", "Webhooks are off here; the setting `webhooks` allows them.")
    try:
        resolve(body.url)
    except AddressError as problem:
        raise Problem("address-not-allowed", str(problem)) from None
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    with caller.write() as tx:
        made = store.put(tx, body.url, secret, by=caller.actor, active=body.active)
        audit.add(tx, caller.actor, "webhook.set", body.url.split("/")[2])
    view = WebhookView(url=made.url, active=made.active, created=made.created, secret=secret)
    return JSONResponse(view.model_dump(mode="json"))


@router.delete("", operation_id="deleteWebhook", status_code=204, responses=problems())
def delete_webhook(caller: Admin) -> Response:
    """Tell nobody any more."""
    with caller.write() as tx:
        if store.find(tx) is not None:
            store.remove(tx)
            audit.add(tx, caller.actor, "webhook.removed", "")
    return Response(status_code=204)

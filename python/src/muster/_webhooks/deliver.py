"""Signed deliveries to a webhook source of a mesh."""

from __future__ import annotations

import os
import time
import uuid
from typing import TYPE_CHECKING, Any

from muster._answers.deliveries import DeliveryView
from muster._client.submission import json_text
from muster._http.api import Api, ApiRequest, segment
from muster._webhooks.standard import mac_key, secret_of, sign

if TYPE_CHECKING:
    import httpx


def new_webhook_secret() -> str:
    """A new secret for a webhook source: 32 random bytes in the form of Standard Webhooks, `whsec_` and base64."""
    return secret_of(os.urandom(32))


def sign_delivery(secret: str, *, id: str, at: float, body: bytes | str) -> dict[str, str]:  # noqa: A002 - as the header
    """The signature headers of one delivery (Standard Webhooks, symmetric `v1`); `at` is Unix seconds.

    Raises `OptionsError` for a bad secret.
    """
    content = body.encode() if isinstance(body, str) else bytes(body)
    timestamp = str(int(at))
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(mac_key(secret), id, timestamp, content),
    }


async def deliver(
    event: Any,
    *,
    url: str,
    source: str,
    secret: str,
    id: str | None = None,  # noqa: A002 - the name in the SDK for TypeScript
    client: httpx.AsyncClient | None = None,
) -> DeliveryView:
    """Sign an event and deliver it to a webhook source. Retries while the mesh is unreachable or busy.

    - `url`: the mesh's base URL
    - `source`: the name of the webhook source
    - `secret`: the source's secret, `whsec_` and base64. Deliveries need no token: the signature authenticates them.
    - `id`: identifies the event: a second delivery with the same ID creates no second task. Default: a fresh ID.
    """
    body = json_text(event, "event").encode()
    delivery_id = str(uuid.uuid4()) if id is None else id
    headers = sign_delivery(secret, id=delivery_id, at=time.time(), body=body)
    async with Api(url, None, client) as api:
        request = ApiRequest(
            method="POST",
            path=f"v1/webhooks/{segment(source)}",
            content=body,
            headers=headers,
            idempotent=True,
        )
        return await api.read(DeliveryView, request)

"""The secrets that sign callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muster._answers.callbacks import CallbackSecretView
from muster._client.admin_options import CallbackOwnerOptions, RotateCallbackSecretOptions
from muster._client.options import check_options
from muster._client.requests import with_body
from muster._http.api import ApiRequest

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster._http.api import Api


class CallbacksClient:
    """The secrets that sign callbacks to a receiver, for `verify_callback`.

    A receiver is the origin of a callback's URL; each has a secret of its own.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def secret(self, url: str, **options: Unpack[CallbackOwnerOptions]) -> CallbackSecretView:
        """The secret that signs callbacks to this URL, and the one before while it signs, too."""
        check_options("callbacks.secret", options, CallbackOwnerOptions)
        query = {"url": url, "owner": options.get("owner")}
        request = ApiRequest(path="v1/callback-secret", query=query)
        return await self._api.read(CallbackSecretView, request)

    async def rotate_secret(
        self, url: str, **options: Unpack[RotateCallbackSecretOptions]
    ) -> CallbackSecretView:
        """Replace the secret. Both sign until the overlap ends, so that the receiver can be given the new one meanwhile."""
        check_options("callbacks.rotate_secret", options, RotateCallbackSecretOptions)
        return await self._change("rotate", {"url": url, **options})

    async def end_previous_secret(
        self, url: str, **options: Unpack[CallbackOwnerOptions]
    ) -> CallbackSecretView:
        """End the overlap of a rotation at once: only the new secret signs."""
        check_options("callbacks.end_previous_secret", options, CallbackOwnerOptions)
        return await self._change("end-previous", {"url": url, **options})

    async def _change(self, action: str, body: dict[str, Any]) -> CallbackSecretView:
        request = with_body("POST", f"v1/callback-secret/{action}", body)
        return await self._api.read(CallbackSecretView, request)

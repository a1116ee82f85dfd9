"""Facts and settings of the mesh as a whole."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from muster._answers.imports import ImportView
from muster._answers.mesh import AuthModeBody, DrainedMesh, MeshView, StorageView
from muster._base.bytes import utf8_or_none
from muster._client.admin_options import DrainMeshOptions, MetricsOptions
from muster._client.options import check_options
from muster._client.requests import with_body
from muster._http.api import ApiRequest, segment
from muster.errors import MusterApiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Any

    from typing_extensions import Unpack

    from muster._answers.names import AuthMode
    from muster._http.api import Api

_IMPORT_TIMEOUT = 300.0
"""How long a part, or the commit of an import, may take."""


class SettingsClient:
    """Facts and settings of the mesh as a whole."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def mesh(self) -> MeshView:
        """The mesh's name and public keys. Works without a token."""
        return await self._api.read(MeshView, ApiRequest(path="v1/mesh"))

    async def is_ready(self) -> bool:
        """Whether the mesh answers and can take tasks (`/readyz`). Works without a token; False also if it can't be reached."""
        try:
            answer = await self._api.send(ApiRequest(path="readyz", idempotent=False, timeout=10))
        except MusterApiError:
            return False
        return answer.status == _OK

    async def storage(self) -> StorageView:
        """How large the mesh's database is, how large it may be, and whose tasks are in it."""
        return await self._api.read(StorageView, ApiRequest(path="v1/mesh/storage"))

    async def metrics(self, **options: Unpack[MetricsOptions]) -> str:
        """The metrics of the mesh in the text format of Prometheus, or in OpenMetrics 1.0 (docs/metrics.md)."""
        check_options("settings.metrics", options, MetricsOptions)
        is_open = options.get("format") == "openmetrics"
        accept = "application/openmetrics-text" if is_open else "text/plain"
        answer = await self._api.send(ApiRequest(path="metrics", headers={"accept": accept}))
        text = utf8_or_none(answer.body)
        # Both formats begin with what describes the first metric.
        if text is not None and text.startswith("# "):
            return text
        what = "not UTF-8" if text is None else "no metrics"
        detail = f"this is no Muster mesh: its answer to /metrics is {what}"
        raise MusterApiError("invalid_response", 200, detail)

    async def drain(self, **options: Unpack[DrainMeshOptions]) -> int:
        """End all sessions before a restart of the mesh; returns how many.

        The peers go on with what they run and come back in their order, after `pause_seconds`.
        """
        check_options("settings.drain", options, DrainMeshOptions)
        body = {"pause_seconds": options.get("pause_seconds", 0)}
        answer = await self._api.read(DrainedMesh, with_body("POST", "v1/mesh/drain", body))
        return answer.sessions

    @asynccontextmanager
    async def export_mesh(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """A backup of the mesh as it is now, without its secrets, as parts of bytes (docs/backup.md).

        A stream that ends without an error is a whole backup only if its last line is there: `muster backup --verify` checks a file.
        """
        async with self._api.stream(ApiRequest(path="v1/export")) as response:
            yield response.aiter_bytes()

    async def begin_import(self, backup: Mapping[str, Any]) -> ImportView:
        """Begin to import a backup into an empty mesh, or continue the import of the same backup (docs/backup.md).

        `backup` is the first line of the file.
        """
        request = with_body("POST", "v1/imports", backup, idempotent=True)
        return await self._api.read(ImportView, request)

    async def put_import_part(
        self, import_id: str, part: int, content: bytes, sha256: str
    ) -> ImportView:
        """Send a part of a backup, the first with number 1. `sha256` is its digest in base64."""
        request = ApiRequest(
            method="PUT",
            path=f"v1/imports/{segment(import_id)}/parts/{part}",
            content=content,
            content_type="application/octet-stream",
            headers={"content-digest": f"sha-256=:{sha256}:"},
            timeout=_IMPORT_TIMEOUT,
        )
        return await self._api.read(ImportView, request)

    async def commit_import(self, import_id: str, parts: int) -> ImportView:
        """Make what has arrived the state of the mesh.

        Goes on while the mesh does not answer, as when it is busy with a large backup: a commit that is repeated is answered alike.
        """
        request = with_body(
            "POST",
            f"v1/imports/{segment(import_id)}/commit",
            {"parts": parts},
            idempotent=True,
            timeout=_IMPORT_TIMEOUT,
            outage=_IMPORT_TIMEOUT,
        )
        return await self._api.read(ImportView, request)

    async def end_import(self, import_id: str) -> None:
        """End an import, and remove what has arrived."""
        await self._api.remove(f"v1/imports/{segment(import_id)}")

    async def auth_mode(self) -> AuthMode:
        """Whether the mesh admits any key (`open`) or only listed ones (`allowlist`)."""
        return (await self._api.read(AuthModeBody, ApiRequest(path="v1/auth-mode"))).mode

    async def set_auth_mode(self, mode: AuthMode) -> AuthMode:
        """Change the auth mode and return it."""
        request = with_body("PUT", "v1/auth-mode", {"mode": mode})
        return (await self._api.read(AuthModeBody, request)).mode


_OK = 200

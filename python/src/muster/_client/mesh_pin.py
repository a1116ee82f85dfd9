"""Leads from the pinned identity key of a mesh to its signing key: the mesh proves both, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._answers.mesh import MeshProofView
from muster._crypto.identity import generate_identity, peer_id_of
from muster._crypto.key_proofs import verify_mesh_proof
from muster._discovery.statements import Verifier
from muster._http.api import Api, ApiRequest
from muster.errors import MusterApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx


class MeshPin:
    """The keys that the mesh must prove: the pinned one, or the one that it has announced as its next."""

    def __init__(self, url: str, client: httpx.AsyncClient, keys: Sequence[str]) -> None:
        # Without a token: the proof is public.
        self._api = Api(url, None, client)
        self._keys = keys
        self._verifier: Verifier | None = None

    async def verifier(self, outage: float = 0.0) -> Verifier:
        """Verifies the mesh's signatures. Raises `MusterApiError`, code `mesh_unproved` if the server does not prove the key."""
        if self._verifier is None:
            self._verifier = await self._proved(outage)
        return self._verifier

    async def _proved(self, outage: float) -> Verifier:
        key, *following = self._keys
        try:
            return await self._signing_key_of(key, outage)
        except MusterApiError as error:
            # The mesh has completed its rotation to the key that it had announced. That key must be proved like the other.
            if error.code == "mesh_key_unknown" and following:
                return await self._signing_key_of(following[0], outage)
            raise

    async def _signing_key_of(self, mesh_key: str, outage: float) -> Verifier:
        public_key = bytes.fromhex(mesh_key)
        own = generate_identity()
        challenge = own.public_key.hex()
        query = {"challenge": challenge, "mesh": peer_id_of(public_key)}
        request = ApiRequest(path="v1/mesh/proof", query=query, outage=outage)
        stated = await self._api.read(MeshProofView, request)
        if verify_mesh_proof(
            own.private_key, public_key, challenge, stated.signing_key, stated.time, stated.proof
        ):
            return Verifier(bytes.fromhex(stated.signing_key))
        detail = f"the server at {self._api.base} does not hold the pinned key {mesh_key}"
        raise MusterApiError("mesh_unproved", 200, detail)

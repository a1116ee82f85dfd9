"""The API tokens of a mesh, and its join keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._answers.admission import (
    JoinKeyList,
    JoinKeyView,
    NewJoinKeyView,
    NewTokenView,
    TokenList,
    TokenView,
)
from muster._client.admin_options import (
    CreateTokenOptions,
    JoinKeyOptions,
    OwnerLimitOptions,
    RevokeOptions,
    TokenFilter,
)
from muster._client.listing import Listing, listing
from muster._client.options import check_options
from muster._client.requests import keep_tasks_query, with_body
from muster._http.api import segment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster._answers.names import Scope
    from muster._http.api import Api


class TokensClient:
    """The API tokens of a mesh."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, **conditions: Unpack[TokenFilter]) -> Listing[TokenView]:
        """The tokens that meet the filter, the oldest first, without their secrets. Without a filter also revoked and expired ones."""
        check_options("tokens.list", conditions, TokenFilter)
        return listing(self._api, TokenList, "v1/tokens", conditions, lambda page: page.tokens)

    async def create(
        self, scope: Scope, label: str = "", **options: Unpack[CreateTokenOptions]
    ) -> NewTokenView:
        """Create a token. `token` of the answer is the only copy of its secret."""
        check_options("tokens.create", options, CreateTokenOptions)
        body = {"scope": scope, "label": label, **options}
        return await self._api.read(NewTokenView, with_body("POST", "v1/tokens", body))

    async def update(self, token_id: str, **limits: Unpack[OwnerLimitOptions]) -> TokenView:
        """Change the weight and the limits of a token's tasks."""
        check_options("tokens.update", limits, OwnerLimitOptions)
        request = with_body("PATCH", f"v1/tokens/{segment(token_id)}", limits)
        return await self._api.read(TokenView, request)

    async def revoke(self, token_id: str, **options: Unpack[RevokeOptions]) -> None:
        """Revoke a token by its ID. The tasks that were submitted with it are cancelled, unless `keep_tasks` says otherwise."""
        check_options("tokens.revoke", options, RevokeOptions)
        await self._api.remove(f"v1/tokens/{segment(token_id)}", keep_tasks_query(options))


class JoinKeysClient:
    """Join keys: a peer that presents one is added to the allowlist."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self) -> Listing[JoinKeyView]:
        """Every join key, revoked ones included, without its secret."""
        return listing(self._api, JoinKeyList, "v1/join-keys", {}, lambda page: page.join_keys)

    async def create(self, **options: Unpack[JoinKeyOptions]) -> NewJoinKeyView:
        """Create a join key. The answer holds the only copy of the key, and a `muster://` link that contains it."""
        check_options("join_keys.create", options, JoinKeyOptions)
        return await self._api.read(NewJoinKeyView, with_body("POST", "v1/join-keys", options))

    async def revoke(self, key_id: str) -> None:
        """Revoke a join key by its ID. Peers that it has added stay on the allowlist."""
        await self._api.remove(f"v1/join-keys/{segment(key_id)}")

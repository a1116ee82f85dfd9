"""The error of sealed forms."""

from __future__ import annotations

from typing import Literal, TypeAlias

from muster.errors import MusterError

StmfErrorCode: TypeAlias = Literal[
    "public_key_invalid",
    "private_key_invalid",
    "recipients_invalid",
    "form_invalid",
    "container_invalid",
    "container_unsupported",
    "container_too_large",
    "container_sealed_otherwise",
    "content_invalid",
    "blob_missing",
    "record_invalid",
    "identity_mismatch",
]


class StmfError(MusterError):
    """A form could not be sealed, or a container not be opened. Tell errors apart by `code`.

    - `public_key_invalid`: the recipient's key is not 32 bytes, or is of low order
    - `private_key_invalid`: the private key is not 32 bytes
    - `recipients_invalid`: no recipient, or more than 64
    - `form_invalid`: the input is not a form, or exceeds a limit
    - `container_invalid`: the input is not STMF
    - `container_unsupported`: an unsupported version or algorithm
    - `container_too_large`: more than 36 MiB
    - `container_sealed_otherwise`: sealed to another key, or changed after sealing
    - `content_invalid`: the container opens, but does not contain a form
    - `blob_missing`: the store has no blob under the pointer's blob ID
    - `record_invalid`: the form is not a peer record
    - `identity_mismatch`: the record's ID does not belong to its public key
    """

    code: StmfErrorCode
    detail: str

    def __init__(self, code: StmfErrorCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

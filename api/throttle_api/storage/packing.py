"""Texts as they are kept: compressed, with the hash of what they were."""

from __future__ import annotations

import hashlib
import secrets
import zlib


def pack(body: bytes) -> bytes:
    return zlib.compress(body, 1)


def unpack(body: bytes) -> bytes:
    return zlib.decompress(body)


def etag_of(body: bytes) -> str:
    """SHA-256, hexadecimal: what identifies a version of a document."""
    return hashlib.sha256(body).hexdigest()


def new_id(prefix: str) -> str:
    """A new id that nobody can guess, such as ``job_4f0c...``: 96 random bits."""
    return f"{prefix}_{secrets.token_hex(12)}"

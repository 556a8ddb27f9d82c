"""Who is asking: keys of this service (``thr_<id>_<secret>``), or, as an option, JSON Web Tokens of another one."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from throttle.errors import InputError
from throttle_api.problems import Problem
from throttle_api.settings import SHARED, Settings
from throttle_models import Finding

SCOPES: dict[str, str] = {
    "read": "plans, weeks, jobs, datasets and explanations",
    "plan": "ask for jobs, cancel and delete them, and put datasets and imports",
    "decide": "accept a plan, pin, report progress, plan again",
    "admin": "the webhook, and the tokens of calendars",
    "metrics": "the figures of the whole service at /metrics",
}
"""What a key may be allowed; nothing contains another."""
USUAL = ("read", "plan", "decide")
MOST_LIVE = 2
"""Live keys of one name: the old one and its successor."""
_KEY = re.compile(r"thr_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_SECRET_BYTES = 32
_LONGEST_SUBJECT = 200
_CLOCKS_APART = 30
"""Seconds by which the clock of a token's issuer may differ."""
_DUMMY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, for which tenant, and what they may."""

    tenant: str
    actor: str
    """``key:ID`` or ``jwt:SUBJECT``: what the audit log says."""
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What the database knows of a key; never the secret."""

    tenant: str
    id: str
    hash: str
    scopes: tuple[str, ...]
    expires: datetime | None
    revoked: datetime | None


class KeySource(Protocol):
    def __call__(self, id: str) -> StoredKey | None: ...


def valid_tenant(name: str) -> bool:
    """Whether a tenant may be called so: small letters, digits, ``_`` and ``-``."""
    return _TENANT.fullmatch(name) is not None


def hash_of(secret: str) -> str:
    """SHA-256, hexadecimal: a secret of 256 random bits cannot be guessed, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key() -> tuple[str, str, str]:
    """Id, the whole key (to be shown once), and the hash to store."""
    id = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(12))
    secret = secrets.token_urlsafe(32)
    return id, f"thr_{id}_{secret}", hash_of(secret)


def by_key(text: str, find: KeySource, now: datetime) -> Principal | None:
    """Whose key this is, if it is one that is live."""
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    stored = find(match[1])
    # the same work whether there is such an id or not, and a comparison that does not tell where it failed
    same = hmac.compare_digest(hash_of(match[2]), stored.hash if stored else _DUMMY)
    if stored is None or not same or stored.revoked is not None:
        return None
    if stored.expires is not None and stored.expires <= now:
        return None
    return Principal(stored.tenant, f"key:{stored.id}", frozenset(stored.scopes))


class Tokens:
    """JSON Web Tokens of one issuer: RFC 7519 with ``exp``, ``aud``, ``iss``, ``sub``, ``tenant`` and ``scope``."""

    def __init__(self, settings: Settings) -> None:
        """Raises InputError where the key cannot be used."""
        self._settings = settings
        self._key = _key_of(settings, settings.jwt_key) if settings.jwt_key is not None else None

    def principal(self, token: str) -> Principal | None:
        """Whose token this is, if it is sound and not expired."""
        if self._key is None:
            return None
        import jwt

        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key,
                algorithms=list(self._settings.jwt_algorithms),
                audience=self._settings.jwt_audience,
                issuer=self._settings.jwt_issuer,
                leeway=_CLOCKS_APART,
                options={"require": ["exp", "aud", "iss", "sub"], "verify_signature": True},
            )
        except jwt.PyJWTError:
            return None
        tenant, scope = claims.get("tenant"), claims.get("scope", "")
        subject = claims["sub"]
        if not isinstance(tenant, str) or not valid_tenant(tenant) or not isinstance(scope, str):
            return None
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
            return None
        return Principal(tenant, f"jwt:{subject}", frozenset(scope.split()) & SCOPES.keys())


def _key_of(settings: Settings, file: Path) -> bytes:
    try:
        key = file.read_bytes().strip()
    except OSError as problem:
        why = (problem.strerror or type(problem).__name__).lower()
        raise _unusable(f"The key of JSON Web Tokens, {file}, cannot be read: {why}.", file) from None
    if settings.jwt_algorithms[0] in SHARED:
        if len(key) < _SECRET_BYTES or key.startswith(b"-----BEGIN"):
            raise _unusable(
                f"{file} is no shared secret: it needs at least {_SECRET_BYTES} bytes, and is no PEM.", file
            )
        return key
    import jwt

    try:
        for name in settings.jwt_algorithms:
            jwt.get_algorithm_by_name(name)
    except NotImplementedError:
        needed = "needs the package cryptography: pip install 'pyjwt[crypto]', or use HS256 with a shared secret"
        raise _unusable(f"jwt_algorithms {', '.join(settings.jwt_algorithms)} {needed}.", file) from None
    if not key.startswith(b"-----BEGIN PUBLIC KEY") and not key.startswith(b"-----BEGIN RSA PUBLIC KEY"):
        raise _unusable(f"{file} is no public key in PEM.", file)
    return key


def _unusable(message: str, file: Path) -> InputError:
    return InputError([Finding(level="error", code="jwt-key", message=message, file=str(file))])


def bearer(header: str | None) -> str | None:
    """What an ``Authorization`` header carries; None without one of the scheme Bearer."""
    scheme, _, text = (header or "").strip().partition(" ")
    return text.strip() if scheme.lower() == "bearer" and text.strip() else None


def unknown() -> Problem:
    detail = "Send a key as `Authorization: Bearer thr_...`; this one is missing, unknown, revoked or expired."
    return Problem("no-key", detail, headers={"WWW-Authenticate": 'Bearer realm="throttle"'})

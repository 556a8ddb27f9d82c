"""What can be set: by environment (``THROTTLE_`` and the name in capitals), or in a TOML file; the environment wins."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import TomlConfigSettingsSource

from throttle.errors import InputError
from throttle_models import Finding

PREFIX = "THROTTLE_"
OTHERS = frozenset({"THROTTLE_DEBUG", "THROTTLE_SETTINGS", "THROTTLE_KEY"})
"""Variables of the same prefix that are no setting: of the command line, the name of the file, and of the client."""

SHARED = ("HS256", "HS384", "HS512")
PUBLIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Algorithms of JSON Web Tokens (RFC 7518), by what signs them."""

Names = Annotated[tuple[str, ...], NoDecode]
Whole = Annotated[int, Field(ge=1)]


class Settings(BaseSettings):
    """Everything about a service that is not the same everywhere."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` for all, behind a proxy that does TLS."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0: any free one."""
    names: Names = ("127.0.0.1", "localhost")
    """Host names that requests may be for, separated by commas; `*` for any. Others are refused with 421."""
    address: str = ""
    """Address that clients use, such as `https://throttle.example.com`, where a proxy is between; for the addresses of
    calendars."""
    data: Path = Path("throttle-data")
    """Folder of the embedded database and of uploads while they are read."""
    database: SecretStr | None = None
    """URL of a PostgreSQL database, such as `postgresql://throttle@db/throttle`. Default: SQLite in the data folder."""
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    """Jobs at once in the embedded worker; with PostgreSQL, `throttle worker` works instead."""
    solver_threads: Annotated[int, Field(ge=1, le=64)] = 2
    """Threads of one solve; a job that asks for more gets these."""
    longest_budget: Annotated[float, Field(gt=0)] = 3600.0
    """Most seconds that a job may ask to search for."""
    attempts: Whole = 3
    """How often a job is begun before it is given up as FAILED."""
    job_memory: Whole = 4096
    """MiB of memory of one job's process."""
    queued_jobs: Whole = 1000
    """Jobs of one tenant that may wait at once; more get 429."""
    keep_days: Annotated[float, Field(gt=0)] = 30.0
    """Days after which a finished job's result expires, unless it was accepted."""
    longest_wait: Annotated[float, Field(ge=0, le=300)] = 60.0
    """Most seconds that `Prefer: wait=N` holds a request."""
    streams: Whole = 100
    """Event streams open at once."""
    json_bytes: Whole = 20_000_000
    """Most bytes of a JSON body."""
    json_depth: Annotated[int, Field(ge=1, le=100)] = 32
    """Most levels of nesting of a JSON body."""
    upload_bytes: Whole = 500_000_000
    """Most bytes of an upload, all files together."""
    upload_rows: Whole = 200_000
    """Most rows of an upload, all files together."""
    upload_field: Whole = 65_536
    """Most characters of one field of an upload."""
    upload_files: Whole = 20
    """Most files in one upload."""
    import_seconds: Annotated[float, Field(gt=0)] = 120.0
    """Most seconds that an upload is read for."""
    import_memory: Whole = 2048
    """MiB of memory of the process that reads an upload."""
    heavy_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Most seconds for an explanation, a comparison or a report, which a process of its own makes."""
    rate: str = "1200/minute"
    """Requests of one key (or of one address without a key), as N/second, N/minute or N/hour; more get 429."""
    rate_unknown: str = "60/minute"
    """Failed sign-ins of one address; more get 429 before the key is looked at."""
    jwt_key: Path | None = None
    """File with the key of whoever issues JSON Web Tokens: a public key (PEM), or a shared secret of at least 32 bytes.
    Without it, only keys of Throttle count."""
    jwt_algorithms: Names = ("HS256",)
    """Algorithms of these tokens: of shared secrets (HS256 and so on), or of public keys (RS256, ES256, EdDSA and so
    on; these need the package `cryptography`)."""
    jwt_audience: str = "throttle"
    """What their `aud` must contain."""
    jwt_issuer: str = ""
    """What their `iss` must be; needed with `jwt_key`."""
    webhooks: bool = False
    """Whether webhooks may be set and are sent. Needs a way out to the internet."""
    shutdown: Annotated[float, Field(ge=0, le=600)] = 20.0
    """Seconds that requests and solves under way have to finish at an end; solves that do not are queued again."""
    log: Literal["json", "text"] = "json"
    """How log lines are written."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least level that is written."""

    @field_validator("names", "jwt_algorithms", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(v.strip() for v in value.split(",") if v.strip()) if isinstance(value, str) else value

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[\w./-]*)?", value):
            raise ValueError("write an address such as https://throttle.example.com")
        return value.rstrip("/")

    @field_validator("rate", "rate_unknown")
    @classmethod
    def _is_rate(cls, value: str) -> str:
        from limits import parse

        parse(value)
        return value

    @field_validator("jwt_algorithms")
    @classmethod
    def _of_one_family(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(value) - {*SHARED, *PUBLIC}):
            raise ValueError(f"{', '.join(unknown)} is not among {', '.join((*SHARED, *PUBLIC))}")
        if not value or (set(value) & set(SHARED) and set(value) & set(PUBLIC)):
            # otherwise the public key, which everyone knows, would do as a shared secret
            raise ValueError("name algorithms of shared secrets or of public keys, and not of both")
        return value

    @model_validator(mode="after")
    def _issuer(self) -> Settings:
        if self.jwt_key is not None and not self.jwt_issuer:
            raise ValueError("jwt_key needs jwt_issuer: whose tokens are accepted")
        return self

    @property
    def url(self) -> str:
        """Of the database."""
        return self.database.get_secret_value() if self.database else f"sqlite:///{self.data / 'throttle.db'}"

    @property
    def embedded(self) -> bool:
        """Whether this process serves and works alone, on SQLite."""
        return self.url.startswith("sqlite")


def load_settings(file: Path | None = None, **given: Any) -> Settings:
    """The settings of the environment, over those of a TOML file (else ``THROTTLE_SETTINGS``), under ``given``.

    Raises InputError for a file that cannot be read, values that do not fit, and unknown names in either.
    """
    named = file or (Path(os.environ["THROTTLE_SETTINGS"]) if os.environ.get("THROTTLE_SETTINGS") else None)
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(v for v in os.environ if v.startswith(PREFIX) and v not in known | OTHERS)
    if unknown:
        message = (
            f"The environment sets {', '.join(unknown)}, which is no setting: see docs/service.md for their names."
        )
        raise InputError([Finding(level="error", code="unknown-setting", message=message)])
    if named is not None and not named.is_file():
        message = f"There is no settings file {named}: name another one, or none."
        raise InputError([Finding(level="error", code="no-file", message=message, file=str(named))])

    class _WithFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources = (init_settings, env_settings)
            return (*sources, TomlConfigSettingsSource(settings_cls, toml_file=named)) if named else sources

    try:
        return _WithFile(**given)
    except ValidationError as problem:
        findings = [
            Finding(
                level="error",
                code="wrong-setting",
                message=f"The setting {'.'.join(map(str, e['loc'])) or 'as a whole'}: {e['msg']}; see docs/service.md.",
                file=str(named) if named else None,
            )
            for e in problem.errors(include_input=False)
        ]
        raise InputError(findings) from None
    except ValueError as problem:  # the file is no TOML
        message = f"The settings file {named} is not sound TOML: {problem}."
        raise InputError([Finding(level="error", code="wrong-setting", message=message, file=str(named))]) from None

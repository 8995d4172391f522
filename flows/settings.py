"""Where things are: read once, at the edge, from the environment (``PAIRWRIGHT_…``) or a ``.env`` file.

Nothing here changes data: which lake, which ledger, how many workers.
"""

from __future__ import annotations

import os
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import UsageError


class Settings(BaseSettings):
    """Settings.

    Attributes:
        root: the lake. ledger: where answers are kept; null is ``ledger.sqlite`` in the lake, a ``postgresql://`` URL
            is a server that several machines share.
        patience_s: how long a full disk or a database that does not answer is waited for, answers in hand.
        workers: processes that run rules. ask_above: a run that would cost more US dollars asks first.
        sandbox: SPEC of what runs programs; ``sandbox?unsafe=1`` allows to run them without one.
    """

    model_config = SettingsConfigDict(env_prefix="PAIRWRIGHT_", env_file=".env", extra="ignore", frozen=True)

    root: str = "./lake"
    ledger: str | None = None
    patience_s: float = Field(default=60.0, ge=0)
    workers: int = Field(default=min(2, os.cpu_count() or 1), ge=0)
    ask_above: float = 1.0
    sandbox: str = "sandbox"

    def __init__(self, **values: Any) -> None:
        """Reads the environment.

        Raises:
            UsageError: a setting is none; the message names its variable.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = f"PAIRWRIGHT_{'_'.join(map(str, first['loc'])).upper()}"
            raise UsageError(f"{name}: {first['msg']}, found {first['input']!r}") from error

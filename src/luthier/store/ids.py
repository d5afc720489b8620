"""New ids: a prefix that says of what, and random letters that cannot be guessed."""

from __future__ import annotations

import secrets
import string

_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """Returns `prefix` and `length` random letters and digits (24 of them hold 142 bits)."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))

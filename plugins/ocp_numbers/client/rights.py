"""What an access token says of its bearer's rights, where it says anything: Keycloak's are JSON Web Tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

_MOST, _LONGEST = 500, 200


def rights_in(token: str) -> tuple[str, ...]:
    """The roles and groups in an access token, such as ``role owner`` or ``group /retail``, in alphabetical order.

    None where the token is of another kind. Its signature is not looked at: it came from the token endpoint just now.
    """
    try:
        _, claims, _ = token.split(".")
        told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (ValueError, RecursionError):
        return ()
    return tuple(sorted({*_rights(told)}))[:_MOST]


def _rights(told: Any) -> Iterator[str]:
    claims = _mapping(told)
    for role in _texts(_mapping(claims.get("realm_access")).get("roles")):
        yield f"role {role}"
    for client, access in _mapping(claims.get("resource_access")).items():
        for role in _texts(_mapping(access).get("roles")):
            yield f"role {client[:_LONGEST]}/{role}"
    for group in _texts(claims.get("groups")):
        yield f"group {group}"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, str) and each.isprintable():
            yield each[:_LONGEST]

"""Writes the ``.env`` of a new deployment: ``.env.example`` with a fresh secret in place of each ``generate``."""

from __future__ import annotations

import os
import secrets
import sys
from base64 import urlsafe_b64encode

from ocp_cluster import PROJECT

EXAMPLE = PROJECT / ".env.example"
TARGET = PROJECT / ".env"


def filled(example: str) -> str:
    """The text of an ``.env`` with every secret drawn anew; a Fernet key has to be 32 bytes in URL-safe base64."""
    lines = []
    for line in example.splitlines():
        name, _, value = line.partition("=")
        if value == "generate" and not line.startswith("#"):
            secret = urlsafe_b64encode(secrets.token_bytes(32)).decode() if name == "FERNET_KEY" else _secret()
            line = f"{name}={secret}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def variables(text: str) -> dict[str, str]:
    """The variables of an ``.env``."""
    pairs = (line.partition("=") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def _secret() -> str:
    # Hex: these stand in URLs, where other characters would need escaping.
    return secrets.token_hex(24)


def main() -> int:
    """Write ``.env`` unless it is there: the keys in it open what is stored, so it is never overwritten."""
    try:
        descriptor = os.open(TARGET, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{TARGET.name} is there and stays as it is")
        return 0
    with os.fdopen(descriptor, "w") as file:
        file.write(filled(EXAMPLE.read_text()))
    print(f"wrote {TARGET.name} with fresh secrets; ADMIN_PASSWORD in it is the first login of user admin")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a training was made from, as digests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest_of(value: Any) -> str:
    return sha256_of(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def code_digest() -> str:
    """Over the trainer's own source files."""
    return digest_of({path.name: sha256_of(path.read_bytes()) for path in sorted(PACKAGE.glob("*.py"))})


def lock_digest() -> str:
    lock = PACKAGE.parent / "requirements.lock"
    return sha256_of(lock.read_bytes()) if lock.exists() else "none"


def file_digests(root: Path, below: str) -> dict[str, dict[str, Any]]:
    """Path relative to `root` → SHA-256 and size, for every file in one of its folders."""
    return {
        path.relative_to(root).as_posix(): {"sha256": sha256_of(path.read_bytes()), "bytes": path.stat().st_size}
        for path in sorted((root / below).rglob("*"))
        if path.is_file()
    }

"""What a job says, checked once at the door."""

from __future__ import annotations

from typing import Any

from .errors import TrainerError


def required(job: dict[str, Any], path: str, kind: type | tuple[type, ...]) -> Any:
    """The value at a dotted path, or InvalidInput with that path."""
    value: Any = job
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            raise TrainerError("InvalidInput", f"The job has no {path}.")
        value = value[key]
    if not isinstance(value, kind):
        raise TrainerError("InvalidInput", f"The job's {path} is a {type(value).__name__}.")
    return value

"""The lines the parent reads: progress while it lasts, then one result or error."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

# Boosting reports every iteration; the parent needs to see movement, not each step.
MIN_FRACTION_STEP = 0.01


class Events:
    """Writes JSON lines to the parent's pipe, which is taken away from everything else that prints."""

    def __init__(self) -> None:
        self._pipe = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        # Libraries print to stdout, from C++ as well: from here on that is stderr.
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self._last = ("", 0.0)

    def progress(self, stage: str, fraction: float, message: str = "") -> None:
        """Reports how far a stage is, 0 to 1. Steps too small to see are left out."""
        last_stage, last_fraction = self._last
        if stage == last_stage and not message and 0 < fraction < 1 and fraction - last_fraction < MIN_FRACTION_STEP:
            return
        self._last = (stage, fraction)
        self._write({"event": "progress", "stage": stage, "fraction": round(fraction, 4), "message": message})

    def result(self, result: dict[str, Any]) -> None:
        self._write({"event": "result", **result})

    def error(self, failure: str, message: str) -> None:
        self._write({"event": "error", "type": failure, "message": message})

    def _write(self, event: dict[str, Any]) -> None:
        # allow_nan=False: a NaN is not JSON, and a figure that could not be computed must have become null before.
        line = json.dumps(event, allow_nan=False)
        with self._lock:
            self._pipe.write(line + "\n")
            self._pipe.flush()

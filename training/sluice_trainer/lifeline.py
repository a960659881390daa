"""No orphan trains on: the process ends when its parent asks for it, and when its parent is gone."""

from __future__ import annotations

import os
import signal
import sys
import threading

from .errors import Terminated

# Enough to tell MLflow that the run was killed; after that the process ends whatever it is doing.
GRACE_SECONDS = 4.0


def exit_with_parent() -> None:
    """Turns SIGTERM, and the end of stdin (the parent holds it open while it lives), into `Terminated` in the main thread."""

    def raise_terminated(_signal: int, _frame: object) -> None:
        # A second signal must not interrupt the clean-up that the first one started.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end_soon()
        raise Terminated

    signal.signal(signal.SIGTERM, raise_terminated)
    threading.Thread(target=_watch_stdin, daemon=True).start()


def _watch_stdin() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    # The handler above runs between two Python instructions; a long call into C would keep it waiting.
    _end_soon()


def _end_soon() -> None:
    timer = threading.Timer(GRACE_SECONDS, os._exit, args=(143,))
    timer.daemon = True
    timer.start()

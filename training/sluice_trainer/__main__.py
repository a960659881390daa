"""`python -m sluice_trainer JOB.json`: runs one job. Only the standard library is imported before the job is read."""

from __future__ import annotations

import errno
import importlib
import json
import logging
import sys
import traceback
from pathlib import Path

from .errors import Terminated, TrainerError
from .events import Events
from .lifeline import exit_with_parent

COMMANDS = {"train": "train", "evaluate": "evaluate", "score": "score"}
HOW_TO_INSTALL = (
    "Install the locked packages: pip install --require-hashes -r training/requirements.lock "
    "(`npm start` does it), or point SLUICE_PYTHON at an interpreter that has them."
)


def run(job_path: str, events: Events) -> None:
    try:
        job = json.loads(Path(job_path).read_text(encoding="utf-8"))
        command = COMMANDS[job["command"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        known = ", ".join(COMMANDS)
        raise TrainerError("InvalidInput", f"{job_path} is not a job (commands: {known}): {error!r}") from error
    # Each command imports what it needs: scoring must start in a moment, training may take seconds.
    module = importlib.import_module(f".{command}", __package__)
    events.result(module.run(job, events))


def main() -> int:
    events = Events()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    if len(sys.argv) != 2:
        events.error("InvalidInput", "usage: python -m sluice_trainer JOB.json")
        return 2
    try:
        exit_with_parent()
        run(sys.argv[1], events)
        return 0
    except Terminated:
        return 143
    except TrainerError as error:
        events.error(error.failure, str(error))
    except ModuleNotFoundError as error:
        package = (error.name or "unknown").partition(".")[0]
        events.error(
            "PythonPackageMissing", f"Python package {package} is missing for {sys.executable}. {HOW_TO_INSTALL}"
        )
    except Exception as error:
        traceback.print_exc()
        events.error(*describe(error))
    return 1


def describe(error: Exception) -> tuple[str, str]:
    """The type and message of a failure that nobody expected."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return (
            "DiskFull",
            f"The disk is full ({error.filename or 'temporary files'}). Free space, then run the release again.",
        )
    if isinstance(error, OSError) and ".so" in str(error):
        return (
            "PythonPackageMissing",
            f"A system library is missing: {error}. LightGBM needs libgomp (Debian: apt-get install libgomp1).",
        )
    if isinstance(error, MemoryError):
        return "TrainingFailed", "Out of memory. Train on a shorter window (data.window_days) or on a larger machine."
    return "TrainingFailed", f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())

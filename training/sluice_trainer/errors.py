"""Failures the trainer reports by type; the parent turns them into its own."""

from __future__ import annotations

from typing import Literal

FailureType = Literal["InvalidInput", "TrainingFailed", "PythonPackageMissing", "Unreachable", "DiskFull"]


class TrainerError(Exception):
    """A failure with a type; the message says what happened and what to do next."""

    def __init__(self, failure: FailureType, message: str) -> None:
        super().__init__(message)
        self.failure = failure


class Terminated(BaseException):
    """The parent asked for an end, or is gone. Not an Exception, so that no library swallows it."""

"""
MLflow, as far as the trainer needs it. It needs the tracking server's address only: artifacts go through the server.

One finished run per release and inputs: an attempt that finds one returns its result; runs that an earlier attempt left
unfinished are marked KILLED.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import TrainerError

# Set before the import: the activity's retries are Temporal's, and a server that is down must be known in seconds.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import requests
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

MAX_METRICS, MAX_PARAMS = 1000, 100
RESULT = "result.json"
RELEASE, INPUTS, SUPERSEDED = "sluice.release_id", "sluice.inputs", "sluice.superseded"
PARENT = "mlflow.parentRunId"
# By itself MLflow opens a new experiment on its page for language models; activities set the same on theirs.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}


def _now_ms() -> int:
    return int(time.time() * 1000)


@contextlib.contextmanager
def _named_failures(uri: str) -> Iterator[None]:
    """MLflow's and its transport's failures, with the address tried and what to do."""
    where = "MLflow at " + re.sub(r"//[^/@]*@", "//", uri)
    try:
        yield
    except requests.exceptions.RequestException as error:
        status = getattr(error.response, "status_code", None)
        raise _failure(where, status, str(error)) from error
    except MlflowException as error:
        no_answer = "failed with exception" in str(error) or "too many" in str(error)
        raise _failure(where, None if no_answer else error.get_http_status_code(), str(error)) from error


def _failure(where: str, status: int | None, message: str) -> TrainerError:
    short = re.sub(r"//[^/@\s]*@", "//", message)[:500]
    if status is None:
        return TrainerError(
            "Unreachable",
            f"{where} cannot be reached. Check that it runs and that MLFLOW_TRACKING_URI is right. ({short})",
        )
    if status >= 500 or status in (408, 429):
        return TrainerError("Unreachable", f"{where} answered HTTP {status}; its log says why. ({short})")
    return TrainerError("TrainingFailed", f"{where} refused: HTTP {status}. ({short})")


class Tracking:
    """One experiment on one server."""

    def __init__(self, uri: str, experiment: str) -> None:
        self.uri = uri
        self._client = MlflowClient(tracking_uri=uri)
        with _named_failures(uri):
            self.experiment_id = self._experiment(experiment)

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name, tags=EXPERIMENT_TAGS))
            except MlflowException:
                # A rival created it in between; anything else shows below.
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    def finished_result(self, release_id: str, inputs: str, scratch: Path) -> dict[str, Any] | None:
        """The result of this release's finished run, if it was made from the same inputs. Marks unfinished ones KILLED."""
        with _named_failures(self.uri):
            quoted = release_id.replace("'", "''")
            runs = self._client.search_runs([self.experiment_id], f"tags.`{RELEASE}` = '{quoted}'")
            for run in runs:
                if run.info.status in ("RUNNING", "SCHEDULED"):
                    self._client.set_terminated(run.info.run_id, "KILLED")
            for run in runs:
                if self._is_result(run, inputs):
                    path = self._client.download_artifacts(run.info.run_id, RESULT, str(scratch))
                    return json.loads(Path(path).read_text(encoding="utf-8"))
                if run.info.status == "FINISHED" and PARENT not in run.data.tags:
                    self._client.set_tag(run.info.run_id, SUPERSEDED, "true")
        return None

    @staticmethod
    def _is_result(run: Run, inputs: str) -> bool:
        return run.info.status == "FINISHED" and run.data.tags.get(INPUTS) == inputs and PARENT not in run.data.tags

    @contextlib.contextmanager
    def run(self, name: str, tags: dict[str, str], parent: str | None = None) -> Iterator[OpenRun]:
        """A run that ends as FINISHED, as FAILED on an error, as KILLED when the process is told to end."""
        nested = {} if parent is None else {PARENT: parent}
        with _named_failures(self.uri):
            run_id = self._client.create_run(self.experiment_id, run_name=name, tags=tags | nested).info.run_id
        status = "KILLED"
        try:
            yield OpenRun(self, run_id)
            self._require_running(run_id)
            status = "FINISHED"
        except Exception:
            status = "FAILED"
            raise
        finally:
            with contextlib.ExitStack() as stack:
                if status != "FINISHED":
                    # The failure itself matters more than a mark that could not be set.
                    stack.enter_context(contextlib.suppress(Exception))
                with _named_failures(self.uri):
                    self._client.set_terminated(run_id, status)

    def _require_running(self, run_id: str) -> None:
        """A later attempt, which took this one for dead, has marked its run KILLED: then that attempt's result is the one."""
        with _named_failures(self.uri):
            status = self._client.get_run(run_id).info.status
        if status != "RUNNING":
            raise TrainerError(
                "TrainingFailed", f"MLflow run {run_id} was marked {status} meanwhile: another attempt took over."
            )

    def existing(self, run_id: str) -> OpenRun:
        """A run that has ended already, to add what was found out later."""
        return OpenRun(self, run_id)

    @property
    def client(self) -> MlflowClient:
        return self._client


class OpenRun:
    """What can be logged to a run."""

    def __init__(self, tracking: Tracking, run_id: str) -> None:
        self._tracking = tracking
        self.run_id = run_id

    def params(self, values: dict[str, Any]) -> None:
        params = [Param(name, str(value)[:6000]) for name, value in values.items()]
        self._batches(params=params, size=MAX_PARAMS)

    def metrics(self, values: dict[str, float | None]) -> None:
        """Logs what has a value. MLflow has no null, so what could not be computed is named in a tag."""
        now = _now_ms()
        self._batches(
            metrics=[Metric(name, value, now, 0) for name, value in values.items() if value is not None],
            size=MAX_METRICS,
        )
        missing = [name for name, value in values.items() if value is None]
        if missing:
            self.tags({"sluice.metrics_without_value": ", ".join(sorted(missing))[:5000]})

    def curve(self, curves: dict[str, list[float]]) -> None:
        """Logs one step per iteration."""
        now = _now_ms()
        metrics = [
            Metric(name, value, now, step) for name, values in curves.items() for step, value in enumerate(values, 1)
        ]
        self._batches(metrics=metrics, size=MAX_METRICS)

    def tags(self, values: dict[str, str]) -> None:
        self._batches(tags=[RunTag(name, value) for name, value in values.items()], size=MAX_PARAMS)

    def artifacts(self, directory: Path) -> None:
        """Uploads a directory as it is, keeping its paths."""
        with _named_failures(self._tracking.uri):
            self._tracking.client.log_artifacts(self.run_id, str(directory))

    def download(self, artifact_path: str, directory: Path) -> Path:
        with _named_failures(self._tracking.uri):
            return Path(self._tracking.client.download_artifacts(self.run_id, artifact_path, str(directory)))

    def _batches(self, size: int, **entries: list[Any]) -> None:
        with _named_failures(self._tracking.uri):
            for kind, values in entries.items():
                for start in range(0, len(values), size):
                    self._tracking.client.log_batch(self.run_id, **{kind: values[start : start + size]})

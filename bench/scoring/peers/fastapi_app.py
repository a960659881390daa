"""`POST /v1/score` in FastAPI: `python fastapi_app.py BUNDLE PORT`."""

from __future__ import annotations

import gc
import sys
from typing import Annotated
from uuid import uuid4

import orjson
import uvicorn
from bundle_scorer import BundleScorer, Refused, Transaction
from fastapi import Body, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field

OneOrMany = Annotated[Transaction | Annotated[list[Transaction], Field(min_length=1, max_length=1000)], Body()]
scorer = BundleScorer(sys.argv[1])
app = FastAPI()


@app.post("/v1/score")
async def score(request: Request, body: OneOrMany) -> Response:
    results = scorer.score(body if isinstance(body, list) else [body])
    request_id = request.headers.get("x-request-id") or str(uuid4())
    answer = {"request_id": request_id, "results": results, "versions": scorer.versions}
    # straight to bytes: a response model would be checked against itself for every row
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


@app.get("/v1/health")
async def health() -> dict:
    return {"status": "ready"}


@app.exception_handler(RequestValidationError)
async def invalid(_request: Request, error: RequestValidationError) -> Response:
    violations = [{"path": "/".join(map(str, one["loc"])), "message": one["msg"]} for one in error.errors()]
    return JSONResponse({"error": {"type": "InvalidInput", "violations": violations}}, status_code=422)


@app.exception_handler(Refused)
async def refused(_request: Request, error: Refused) -> Response:
    return JSONResponse({"error": {"type": "InvalidInput", "message": str(error)}}, status_code=422)


if __name__ == "__main__":
    gc.freeze()
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )

"""Style sheet, scripts, and plotly's JavaScript from the installed package: kept by browsers until they change."""

from __future__ import annotations

import gzip
import mimetypes
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from ocp_numbers.dashboard.look import HERE

router = APIRouter()

_PLOTLY = "plotly.js"
_OWN = {path.name: path for path in (HERE / "static").iterdir()}
_FOREVER = "private, max-age=31536000, immutable"


@router.get("/-/{version}/{name}")
def asset(request: Request, version: str, name: str) -> Response:
    """A static file. The version in its address changes with the content, so it never has to be asked for again."""
    if name != _PLOTLY and name not in _OWN:
        raise HTTPException(404, "There is no such file.")
    headers = {"cache-control": _FOREVER, "vary": "accept-encoding"}
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(_path(name).read_bytes(), media_type=kind, headers=headers)
    # Packed here, once and in a thread: plotly is megabytes, and Airflow would pack it in its event loop each time.
    return Response(_packed(name), media_type=kind, headers=headers | {"content-encoding": "gzip"})


@lru_cache
def _packed(name: str) -> bytes:
    return gzip.compress(_path(name).read_bytes(), 6, mtime=0)


def _path(name: str) -> Path:
    if name in _OWN:
        return _OWN[name]
    found = find_spec("plotly")
    if found is None or not found.submodule_search_locations:
        raise HTTPException(404, "plotly is not installed; the tables beside the charts say the same.")
    return Path(found.submodule_search_locations[0]) / "package_data" / "plotly.min.js"

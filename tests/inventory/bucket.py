"""A bucket on a local server that speaks S3, and a data root in it, for whoever tests object storage."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from upath import UPath

from ocp_numbers.data_root import DataRoot


@pytest.fixture(scope="module")
def store(s3_server: str) -> Iterator[None]:
    """The server, found by the AWS libraries of this process by their environment, and a bucket on it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ENDPOINT_URL", s3_server)
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        UPath("s3://numbers").mkdir(exist_ok=True)
        yield


@pytest.fixture
def root(store: None) -> DataRoot:
    """A data root of its own in the bucket."""
    return DataRoot(f"s3://numbers/{uuid.uuid4().hex}")

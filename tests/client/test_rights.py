"""What an access token says of rights is read where it can be, and never in the way where it cannot."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.client.rights import rights_in
from ocp_sandbox import Sandbox, Settings, User


def token(claims: object) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{encoded}.signature"


def test_roles_of_the_realm_and_of_clients_and_groups_are_told_in_order() -> None:
    claims = {
        "realm_access": {"roles": ["owner", "offline_access"]},
        "resource_access": {"numbers": {"roles": ["buyer"]}},
        "groups": ["/retail"],
        "name": "somebody",
    }
    assert rights_in(token(claims)) == ("group /retail", "role numbers/buyer", "role offline_access", "role owner")


@pytest.mark.parametrize(
    "claims", [{}, [], None, {"realm_access": []}, {"groups": "all"}, {"groups": [1, None, "a\nb"]}, "text"]
)
def test_claims_of_another_shape_tell_nothing(claims: object) -> None:
    assert rights_in(token(claims)) == ()


@given(st.text() | st.binary().map(lambda raw: f"a.{base64.urlsafe_b64encode(raw).decode()}.c"))
def test_whatever_a_token_is_it_does_no_harm(text: str) -> None:
    assert isinstance(rights_in(text), tuple)


def test_what_is_told_is_bounded() -> None:
    rights = rights_in(token({"groups": [f"{place}{'x' * 1_000}" for place in range(2_000)]}))
    assert len(rights) == 500
    assert max(map(len, rights)) < 250


def test_a_client_knows_the_rights_of_its_login() -> None:
    users = [User("ops", "secret", role="reader", groups=("retail-us",), pat="a-personal-token")]
    with Sandbox(Settings(numbers=1, users=users)) as sandbox:
        with OcpClient(ClientSettings(host=sandbox.url, login="ops", password="secret")) as client:
            assert client.rights == ("group retail-us", "role reader")
        with OcpClient(ClientSettings(host=sandbox.url, personal_access_token="a-personal-token")) as client:
            assert client.rights == ()

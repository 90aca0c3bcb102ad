"""One request against servers that misbehave: what was sent is never in doubt, and nobody is kept waiting for ever."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable
from itertools import repeat
from pathlib import Path

import pytest
import requests
from requests_toolbelt.adapters.socket_options import TCPKeepAliveAdapter

from client.certificates import certificate, tls_server
from client.conftest import PASSWORD, NewClient, Serve
from client.raw_server import answer, drip, hang_up
from ocp_numbers.client import OcpClient, Retry, connections, transport
from ocp_numbers.errors import AnswerLost, BadRequest, NoAnswer, NotConnected, Redirected, UnexpectedAnswer

NUMBER = "+12125550123"
BOUGHT = answer(body=b'{"failedNumbers": [], "purchasedNumbers": [{"number": "+12125550123", "id": "1"}]}')
ZIPPED = gzip.compress(b'{"failedNumbers": [], "purchasedNumbers": [{"number": "+12125550123", "id": "1"}]}')
PAGE = answer(body=b'{"numbers": [], "page": 1, "pageSize": 50, "numberOfPages": 0, "allNumbers": 0}')
ONCE = Retry(attempts=1)


def buy(client: OcpClient) -> object:
    return client.numbers.buy(provider="telnova", numbers=[NUMBER], group="retail")


@pytest.fixture
def nobody() -> str:
    """An address on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as closing:
        return f"http://127.0.0.1:{closing.getsockname()[1]}"


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A TLS server's context for 127.0.0.1, and the certificate that vouches for it."""
    at = certificate(tmp_path)
    return tls_server(at), at


# Nothing was sent


def test_a_refused_connection_is_repeated_even_for_a_purchase(
    nobody: str, by_token: NewClient, no_waiting: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with pytest.raises(NotConnected, match="nothing listens") as caught:
        buy(by_token(nobody, retry=Retry(attempts=3)))
    assert caught.value.settled
    assert sum("Attempt" in message for message in caplog.messages) == 2


def test_an_unknown_host_name_is_not_connected(by_token: NewClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotConnected, match="host name is not known") as caught:
        buy(by_token("https://nowhere.invalid", retry=ONCE))
    assert caught.value.settled


def test_a_refused_certificate_is_not_connected_and_not_tried_again(
    serve: Serve, by_token: NewClient, certified: tuple[ssl.SSLContext, Path]
) -> None:
    server = serve(BOUGHT, tls=certified[0])
    with pytest.raises(NotConnected, match="TLS certificate was refused"):
        buy(by_token(server.url))
    assert (server.requests, server.connections) == ([], 1)


def test_a_certificate_that_the_session_trusts_is_good(
    serve: Serve, by_token: NewClient, certified: tuple[ssl.SSLContext, Path]
) -> None:
    session = requests.Session()
    session.verify = str(certified[1])
    server = serve(BOUGHT, tls=certified[0])
    buy(by_token(server.url, session=session))
    assert len(server.requests) == 1


def test_https_to_a_server_without_it_is_not_connected(serve: Serve, by_token: NewClient) -> None:
    server = serve(hang_up)
    with pytest.raises(NotConnected):
        buy(by_token(server.url.replace("http:", "https:"), retry=ONCE, connect_timeout=0.3))


def test_a_certificate_file_that_is_not_there_is_not_connected(serve: Serve, by_token: NewClient) -> None:
    session = requests.Session()
    session.verify = "/nowhere/ca.pem"
    with pytest.raises(NotConnected, match=r"cannot be sent.*/nowhere/ca\.pem"):
        buy(by_token("https://127.0.0.1:9", session=session))


def test_a_proxy_that_refuses_the_tunnel_leaves_nothing_sent(serve: Serve, by_token: NewClient) -> None:
    proxy = serve(answer(407, b""))
    session = requests.Session()
    session.proxies = {"https": proxy.url}
    with pytest.raises(NotConnected, match="proxy did not connect"):
        buy(by_token("https://numbers.example", session=session, retry=ONCE))
    assert proxy.requests[0].startswith(b"CONNECT numbers.example:443")


# Sent, and no whole answer


def test_silence_ends_with_the_read_timeout(serve: Serve, by_token: NewClient) -> None:
    server = serve(lambda connection: time.sleep(0.6))
    with pytest.raises(AnswerLost, match="no answer in time"):
        buy(by_token(server.url, read_timeout=0.2))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "act",
    [
        hang_up,
        lambda connection: connection.sendall(BOUGHT[:20]) or connection.close(),
        lambda connection: connection.sendall(b"HTTP/1.1 200 Said\r\n\r\n") or connection.close(),
        lambda connection: connection.sendall(BOUGHT[:-5]) or connection.close(),
        lambda connection: (
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{") or connection.close()
        ),
        lambda connection: connection.sendall(b"220 smtp.example ESMTP\r\n") or connection.close(),
        lambda connection: connection.sendall(answer(body=b"no gzip", Content_Encoding="gzip")),
        lambda connection: connection.sendall(answer(body=ZIPPED[:10], Content_Encoding="gzip")),
        lambda connection: connection.sendall(answer(body=ZIPPED[:-8], Content_Encoding="gzip")),
        lambda connection: connection.sendall(answer(Content_Length="2\r\nContent-Length: 3")),
    ],
    ids=[
        "nothing",
        "half a head",
        "a head of unknown length",
        "half a body",
        "half a chunk",
        "not HTTP",
        "bad compression",
        "compressed, only its head",
        "compressed, without its end",
        "of two lengths",
    ],
)
def test_a_purchase_without_a_whole_answer_is_lost_and_not_sent_again(
    act: Callable[[socket.socket], None], serve: Serve, by_token: NewClient
) -> None:
    server = serve(act)
    with pytest.raises(AnswerLost, match="the connection broke") as caught:
        buy(by_token(server.url))
    assert not caught.value.settled
    assert len(server.requests) == 1


def test_a_compressed_answer_is_asked_for_and_read(serve: Serve, by_token: NewClient) -> None:
    server = serve(
        answer(body=gzip.compress(b'{"success": true, "message": "%s"}' % (b"x" * 3_000_000)), Content_Encoding="gzip")
    )
    assert len(by_token(server.url).numbers.detach([NUMBER]).message or "") == 3_000_000
    assert b"\r\nAccept-Encoding: gzip\r\n" in server.requests[0]


def test_a_purchase_on_a_kept_connection_that_dies_under_it_is_sent_once(serve: Serve, by_token: NewClient) -> None:
    """An HTTP library may take it for an idle connection that timed out and send again; that would buy twice."""
    server = serve(PAGE, hang_up, BOUGHT)
    client = by_token(server.url)
    client.numbers.list()
    with pytest.raises(AnswerLost):
        buy(client)
    assert [request.split(b" ")[0] for request in server.requests] == [b"GET", b"PUT"]
    assert server.connections == 1, "it was the kept connection"


def test_a_call_that_a_signal_handler_interrupts_with_another_still_knows_that_it_was_sent(
    serve: Serve, by_token: NewClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(PAGE, hang_up)
    client = by_token(server.url)
    interruptions = [client.numbers.list]
    connect = connections.HTTPConnection.connect

    def interrupted_connect(connection: object) -> None:
        connect(connection)
        if interruptions:
            interruptions.pop()()

    monkeypatch.setattr(connections.HTTPConnection, "connect", interrupted_connect)
    with pytest.raises(AnswerLost):
        buy(client)
    assert [request.split(b" ")[0] for request in server.requests] == [b"GET", b"PUT"]


def test_a_connection_closed_while_idle_is_replaced_before_anything_is_sent(serve: Serve, by_token: NewClient) -> None:
    closed = threading.Event()

    def answer_and_close(connection: socket.socket) -> None:
        connection.sendall(PAGE)
        connection.close()
        closed.set()

    server = serve(answer_and_close, BOUGHT)
    client = by_token(server.url)
    client.numbers.list()
    closed.wait(10)
    buy(client)
    assert [request.split(b" ")[0] for request in server.requests] == [b"GET", b"PUT"]
    assert server.connections == 2


def test_an_answer_that_drips_for_ever_ends_with_the_total_time(serve: Serve, by_token: NewClient) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    for endless in ((head + b"Content-Length: 9999\r\n\r\n", *repeat(b" ", 200)), (head, *repeat(b"X-Y: z\r\n", 90))):
        server = serve(drip(*endless))
        client = by_token(server.url, total_timeout=0.4, read_timeout=5)
        started = time.monotonic()
        with pytest.raises(AnswerLost, match="no whole answer within"):
            buy(client)
        assert time.monotonic() - started < 3


def test_an_answer_that_drips_under_tls_ends_as_well(
    serve: Serve, by_token: NewClient, certified: tuple[ssl.SSLContext, Path]
) -> None:
    session = requests.Session()
    session.verify = str(certified[1])
    server = serve(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", *repeat(b" ", 200)), tls=certified[0])
    with pytest.raises(AnswerLost, match="no whole answer within"):
        buy(by_token(server.url, total_timeout=0.4, read_timeout=5, session=session))


@pytest.mark.parametrize("zipped", [False, True])
def test_an_answer_without_end_is_cut_off(
    zipped: bool, serve: Serve, by_token: NewClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_largest", lambda operation: 3_000_000)
    body = b" " * 200_000_000 if zipped else b" " * 5_000_000
    sent = answer(body=gzip.compress(body, 1), Content_Encoding="gzip") if zipped else answer(body=body)
    with pytest.raises(NoAnswer, match="longer than 3,000,000 bytes"):
        by_token(serve(sent).url).numbers.list()


def test_an_answer_that_the_deadline_cut_is_none_although_it_ends_with_its_connection(
    serve: Serve, by_token: NewClient
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Encoding: identity\r\n\r\nNUMBER\r\n"
    server = serve(drip(head, *repeat(b"+12125550123\r\n", 100)))
    with pytest.raises(AnswerLost, match="no whole answer within"):
        by_token(server.url, total_timeout=0.4, read_timeout=5, retry=ONCE).numbers.export_csv()


@pytest.mark.parametrize("length", [b"-1", b"-5"])
def test_a_chunk_of_less_than_no_length_is_no_end_and_no_beginning(
    length: bytes, serve: Serve, by_token: NewClient
) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + length + b"\r\n{}")
    with pytest.raises(AnswerLost, match="chunk of less than no length") as caught:
        buy(by_token(server.url))
    assert not caught.value.settled
    assert len(server.requests) == 1


def test_what_follows_a_compressed_answer_is_not_waited_for(serve: Serve, by_token: NewClient) -> None:
    zipped = gzip.compress(PAGE.partition(b"\r\n\r\n")[2])
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: identity\r\n\r\n"
    server = serve(drip(head + zipped, *repeat(b" " * 2**22, 100), pause=0))
    assert by_token(server.url).numbers.list().all_numbers == 0


# Whole answers, however they are framed

EMPTY_PAGE = PAGE.partition(b"\r\n\r\n")[2]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (
    EMPTY_PAGE[:7],
    len(EMPTY_PAGE) - 7,
    EMPTY_PAGE[7:],
)


@pytest.mark.parametrize(
    ("said", "connections"),
    [
        (PAGE, 1),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + PAGE, 1),
        (CHUNKED, 1),
        (PAGE + b"of another answer", 1),
        (answer(body=EMPTY_PAGE, Connection="close"), 2),
        (PAGE.replace(b"HTTP/1.1", b"HTTP/1.0"), 2),
    ],
    ids=["length", "after an interim answer", "chunks", "more than its length", "last of its connection", "HTTP/1.0"],
)  # fmt: skip
def test_an_answer_is_read_to_its_end_and_its_connection_kept_if_it_may_be(
    said: bytes, connections: int, serve: Serve, by_token: NewClient
) -> None:
    server = serve(said)
    client = by_token(server.url)
    assert [client.numbers.list().all_numbers for _ in range(2)] == [0, 0]
    assert server.connections == connections


def test_an_answer_that_ends_with_its_connection_is_read_to_the_end(serve: Serve, by_token: NewClient) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n"
    server = serve(lambda connection: connection.sendall(head + EMPTY_PAGE) or connection.close())
    assert by_token(server.url).numbers.list().all_numbers == 0


def test_a_refusal_that_comes_before_everything_was_sent_is_read(serve: Serve, by_token: NewClient) -> None:
    def refuse_early(connection: socket.socket) -> None:
        connection.sendall(answer(413, b'{"message": "too long"}', Connection="close"))
        connection.shutdown(socket.SHUT_WR)

    with pytest.raises(BadRequest, match="413: too long"):
        by_token(serve(refuse_early).url).numbers.detach([f"+1212{place:07}" for place in range(100)])


@pytest.mark.parametrize(("name", "value"), [("X-Team", "voice\r\nX-Evil: 1"), ("X-Team", "gr\u0142owy")])
def test_a_header_that_cannot_be_sent_is_not_sent(name: str, value: str, serve: Serve, by_token: NewClient) -> None:
    session = requests.Session()
    session.headers[name] = value
    server = serve(BOUGHT)
    with pytest.raises(NotConnected, match=f"cannot be sent: .*{name}") as caught:
        buy(by_token(server.url, session=session))
    assert (server.requests, caught.value.settled) == ([], True)


def test_headers_and_cookies_of_the_session_go_along_in_one_spelling(serve: Serve, by_token: NewClient) -> None:
    session = requests.Session()
    session.headers.update({"accept": "text/plain", "x-team": "voice", "User-Agent": None})
    session.cookies["route"] = "b"
    server = serve(PAGE)
    by_token(server.url, session=session).numbers.list()
    lines = server.requests[0].decode().split("\r\n")
    assert f"Host: 127.0.0.1:{server.port}" in lines
    assert {"Accept: application/json", "x-team: voice", "Cookie: route=b"} <= set(lines)
    assert not any(line.lower().startswith(("accept: text", "user-agent")) for line in lines)


def test_the_login_at_a_proxy_goes_to_the_proxy_alone(serve: Serve, by_token: NewClient) -> None:
    proxy, direct = serve(PAGE), serve(PAGE)
    session = requests.Session()
    session.proxies = {"http": proxy.url.replace("//", "//me:open@")}
    by_token("http://numbers.example", allow_plain_http=True, session=session).numbers.list()
    by_token(direct.url).numbers.list()
    assert b"Proxy-Authorization: Basic bWU6b3Blbg==" in proxy.requests[0]
    assert b"Proxy-Authorization" not in direct.requests[0]


# Where credentials go


def test_a_redirect_is_refused_and_names_its_host_only(serve: Serve, by_token: NewClient) -> None:
    elsewhere = serve(PAGE)
    server = serve(answer(302, b"x" * 1_000_000, Location=f"{elsewhere.url}/login?token=abc"))
    with pytest.raises(Redirected, match=f"redirects to 127.0.0.1:{elsewhere.port}") as caught:
        by_token(server.url).numbers.list()
    assert elsewhere.requests == []
    assert "abc" not in str(caught.value)


def test_the_session_itself_carries_no_credentials_elsewhere(serve: Serve, by_token: NewClient) -> None:
    elsewhere = serve(PAGE)
    server = serve(answer(302, b"", Location=elsewhere.url))
    session = by_token(server.url).session
    with pytest.raises(requests.TooManyRedirects):
        session.get(server.url)
    session.get(elsewhere.url)
    assert b"PERSONAL" in server.requests[0].upper()
    assert b"PERSONAL" not in elsewhere.requests[0].upper()


def test_a_netrc_file_does_not_replace_our_login(
    serve: Serve, new_client: NewClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(answer(body=b'{"access_token": "T0ken", "expires_in": 300}'), PAGE)
    new_client(server.url).numbers.list()
    assert b"authorization" not in server.requests[0].lower()
    assert b"Authorization: Bearer T0ken" in server.requests[1]


def test_login_and_calls_go_through_the_sessions_proxy_with_its_headers(serve: Serve, new_client: NewClient) -> None:
    proxy = serve(answer(body=b'{"access_token": "T0ken", "expires_in": 300}'), PAGE, BOUGHT)
    session = requests.Session()
    session.proxies = {"http": proxy.url}
    session.headers["X-Team"] = "voice"
    client = new_client("http://numbers.example", allow_plain_http=True, session=session)
    client.numbers.list()
    buy(client)
    targets = [request.split(b" ")[1] for request in proxy.requests]
    assert targets[0].startswith(b"http://numbers.example/auth/realms/master/")
    assert targets[2] == b"http://numbers.example/integrations/api/numbers"
    assert all(b"X-Team: voice" in request for request in proxy.requests)
    assert proxy.connections == 1


def test_socket_options_of_a_given_session_are_kept(serve: Serve, by_token: NewClient) -> None:
    session = requests.Session()
    session.mount("http://", TCPKeepAliveAdapter(idle=77))
    server = serve(PAGE)
    client = by_token(server.url, session=session)
    client.numbers.list()
    adapter = client.session.get_adapter(server.url + "/")
    assert (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77) in adapter.poolmanager.connection_pool_kw["socket_options"]


def test_an_adapter_of_the_callers_own_is_used_as_it_is(by_token: NewClient) -> None:
    class Down(requests.adapters.BaseAdapter):
        def send(self, *args: object, **kwargs: object) -> requests.Response:
            raise requests.ConnectionError("down")

        def close(self) -> None:
            pass

    session = requests.Session()
    session.mount("https://", Down())
    with pytest.raises(AnswerLost, match="down"):
        buy(by_token("https://numbers.example", session=session))


# What the messages say


def test_the_login_page_of_something_else_is_recognised(serve: Serve, by_token: NewClient, no_waiting: None) -> None:
    server = serve(answer(body=b"<html>Sign in</html>", Content_Type="text/html"))
    with pytest.raises(UnexpectedAnswer, match=r"numbers\.list \(GET /api/numbers\): 200: an HTML page.*login page"):
        by_token(server.url).numbers.list()


def test_the_password_of_a_proxy_is_not_shown(by_token: NewClient, nobody: str) -> None:
    session = requests.Session()
    session.proxies = {"http": nobody.replace("//", f"//me:{PASSWORD}@"), "https": f"htt p://me:{PASSWORD}@x:y"}
    for host in ("http://numbers.example", "https://numbers.example"):
        with pytest.raises(NotConnected) as caught:
            by_token(host, allow_plain_http=True, session=session, retry=ONCE).numbers.list()
        assert PASSWORD not in str(caught.value)

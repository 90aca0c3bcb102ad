"""People are told, over real HTTP and SMTP; and the work goes on, whatever becomes of that."""

from __future__ import annotations

import asyncio
from email import message_from_string
from typing import Any

import pytest

from notifications.conftest import Chat, Post, Routing
from ocp_numbers.errors import InvalidInput
from ocp_numbers.notifications import Event, OcpNotifier, notify, sending

EVENT = Event(
    kind="approval_needed",
    environment="ocp_eu",
    subject="Provision desk: 3 numbers?",
    text="A plan waits <b>here</b> {{ 1 + 1 }}.",
    link="https://airflow/a?b=1&c",
)


class Store(dict[str, str]):
    def set(self, key: str, value: str) -> None:
        self[key] = value


def test_a_chat_is_told_over_http(chat: Chat, routing: Routing) -> None:
    routing.to_chat()

    notify({}, EVENT)

    assert chat.messages == [{"path": "/hook", "text": EVENT.message, "kind": "approval_needed"}]


def test_what_came_from_outside_is_never_a_template(chat: Chat, routing: Routing) -> None:
    routing.to_chat()

    notify({}, EVENT)

    assert "{{ 1 + 1 }}" in chat.messages[0]["text"]


def test_a_mailbox_is_told_over_smtp_with_markup_as_text(post: Post, routing: Routing) -> None:
    routing(
        """
        approval_needed:
          - notifier: airflow.providers.smtp.notifications.smtp.SmtpNotifier
            smtp_conn_id: mail
            to: ops@example.com
            subject: "{{ event.subject }}"
            html_content: "{{ event.html }}"
        """
    )

    notify({}, EVENT)

    (mail,) = post.mails
    message = message_from_string(mail)
    (body,) = [part.get_payload(decode=True) for part in message.walk() if part.get_content_type() == "text/html"]
    assert message["Subject"] == EVENT.subject
    assert message["To"] == "ops@example.com"
    assert isinstance(body, bytes)
    assert "&lt;b&gt;here&lt;/b&gt;" in body.decode()


def test_where_there_is_nothing_to_look_at_no_link_is_told() -> None:
    event = Event(kind="late_export", environment="", subject="late & lost", text="one\ntwo")
    assert event.message == "late & lost\n\none\ntwo"
    assert event.html == "<p><b>late &amp; lost</b></p>\n<p>one<br>\ntwo</p>"


def test_only_those_are_told_who_want_to_be(chat: Chat, routing: Routing) -> None:
    routing.to_chat("drift")

    notify({}, EVENT)

    assert chat.messages == []


class TestTheWorkGoesOn:
    def test_when_nobody_listens(self, routing: Routing, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", "http://127.0.0.1:9")
        routing.to_chat()

        notify({}, EVENT)

        assert "HttpNotifier could not tell 'Provision desk: 3 numbers?'" in caplog.text

    def test_when_the_message_is_refused(self, chat: Chat, routing: Routing, caplog: pytest.LogCaptureFixture) -> None:
        chat.status = 500
        routing.to_chat()

        notify({}, EVENT)

        assert "HttpNotifier could not tell" in caplog.text

    def test_when_a_notifier_hangs(
        self, chat: Chat, routing: Routing, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sending, "PATIENCE", 0.1)
        chat.slow.clear()
        routing.to_chat()

        notify({}, EVENT)

        assert "HttpNotifier is not done after" in caplog.text

    def test_when_the_file_is_wrong(self, routing: Routing, caplog: pytest.LogCaptureFixture) -> None:
        routing("aproval_needed: []")

        notify({}, EVENT)

        assert "did you mean approval_needed?" in caplog.text

    def test_and_the_next_notifier_has_its_turn(self, chat: Chat, post: Post, routing: Routing) -> None:
        routing(
            """
            all:
              - {notifier: airflow.providers.http.notifications.http.HttpNotifier, http_conn_id: no_such_connection}
              - {notifier: airflow.providers.http.notifications.http.HttpNotifier, http_conn_id: chat,
                 json: {text: "{{ event.subject }}"}}
            """
        )

        notify({}, EVENT)

        assert [message["text"] for message in chat.messages] == [EVENT.subject]


class TestOnce:
    def test_a_task_that_is_tried_again_does_not_repeat_itself(self, chat: Chat, routing: Routing) -> None:
        routing.to_chat()
        context = {"task_state_store": Store()}

        notify(context, EVENT)
        notify(context, EVENT)

        assert len(chat.messages) == 1

    def test_but_says_what_is_new(self, chat: Chat, routing: Routing) -> None:
        routing.to_chat()
        context = {"task_state_store": Store()}

        notify(context, EVENT)
        notify(context, Event(kind="approval_needed", environment="ocp_eu", subject="Another plan", text=""))

        assert len(chat.messages) == 2

    def test_a_store_that_is_out_of_reach_stops_nothing(self, chat: Chat, routing: Routing) -> None:
        class Broken(Store):
            def get(self, *_: Any) -> Any:
                raise RuntimeError("away")

            def set(self, key: str, value: str) -> None:
                raise RuntimeError("away")

        routing.to_chat()
        notify({"task_state_store": Broken()}, EVENT)

        assert len(chat.messages) == 1


class TestTheNotifier:
    def test_goes_the_same_ways_as_a_callback(self, chat: Chat, routing: Routing) -> None:
        routing.to_chat()

        OcpNotifier(kind="drift", subject="{{ dag_run }} drifted", text="Look.")({"dag_run": "nightly"})

        assert chat.messages[0]["text"] == "nightly drifted\n\nLook."

    def test_and_in_the_triggerer(self, chat: Chat, routing: Routing) -> None:
        routing.to_chat()

        async def missed() -> None:
            await OcpNotifier(kind="late_export", subject="late", text="", context={})

        asyncio.run(missed())

        assert chat.messages[0]["kind"] == "late_export"

    def test_refuses_an_event_that_nobody_knows(self) -> None:
        with pytest.raises(InvalidInput, match="kind: 'late' is not an event"):
            OcpNotifier(kind="late", subject="", text="")  # type: ignore[arg-type]

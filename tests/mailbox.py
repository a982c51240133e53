"""A real mail server of tests: keeps what it is given, and does what it is told to."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.processes import free_port


class Mailbox:
    """Mails that arrived; ``answer`` is what the server says to the next ones."""

    def __init__(self, **how: Any) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 Taken"
        self.arrived: Callable[[], None] = lambda: None
        self.signed_in: list[str] = []
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, authenticator=self._signs_in, **how)

    def __enter__(self) -> Mailbox:
        self._controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=default))
            self.arrived()
        return self.answer

    def _signs_in(self, _server: object, _session: object, _envelope: object, _way: str, said: object) -> AuthResult:
        assert isinstance(said, LoginPassword)
        self.signed_in.append(said.login.decode())
        right = said.password == b"rahasia"
        return AuthResult(success=right, handled=right)  # else the server says so

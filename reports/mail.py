"""A mail: a short text, the same as HTML, and the file of a report. Only the standard library."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from email.utils import formatdate
from html import escape
from typing import Final

from access.schedules.report_schedule import check_address
from config import Settings
from errors import ConfigurationError, MailFailed
from escaping import visible

_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True)
class Attachment:
    """A file as it is attached: its type is ``main/sub``."""

    name: str
    content_type: str
    content: bytes


def report_mail(
    settings: Settings, recipients: Sequence[str], title: str, lines: Sequence[str], file: Attachment | None, message_id: str
) -> EmailMessage:
    """Return the mail. Nothing in it can become a second header: what is not one line is shown so,
    addresses are checked again.

    Raises:
        InvalidRequest: an address cannot be one.
    """
    message = EmailMessage(policy=SMTP_LINES)
    message["Subject"] = visible(title)[:200]
    message["From"] = check_address(settings.smtp_from)
    message["To"] = ", ".join(check_address(address) for address in recipients)
    message["Date"] = formatdate()
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    shown = [visible(line) for line in (title, *lines)]
    message.set_content("\n".join([shown[0], "", *shown[1:]]) + "\n")
    body = "".join(f"<p>{escape(line)}</p>" for line in shown[1:])
    page = f'<!doctype html><html><head><meta charset="utf-8"></head><body><h2>{escape(shown[0])}</h2>{body}</body></html>\n'
    message.add_alternative(page, subtype="html")
    if file is not None:
        main, _slash, sub = file.content_type.partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    return message


def message_id_of(settings: Settings, schedule: str, period: str) -> str:
    """Return the Message-ID of a period's mail: the same however often it is sent."""
    return f"<{schedule}.{period}@{settings.smtp_from.rpartition('@')[2] or 'riwayat.invalid'}>"


def send_mail(settings: Settings, message: EmailMessage) -> Sequence[str]:
    """Give a mail to the server; returns the recipients that it refused, where it took others.

    Raises:
        ConfigurationError: no server is set.
        MailFailed: it does not answer, or does not take the mail; to be tried again.
    """
    if not settings.smtp_host or not settings.smtp_from:
        raise ConfigurationError("No mail can be sent: set RIWAYAT_SMTP_HOST and RIWAYAT_SMTP_FROM.")
    try:
        with _connected(settings) as server:
            return sorted(server.send_message(message))
    except (smtplib.SMTPException, OSError) as exc:
        where = f"{settings.smtp_host}:{_port(settings)}"
        raise MailFailed("The mail server {server} did not take the mail: {why}.", server=where, why=_reason(exc)) from exc


@contextmanager
def _connected(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A server that has greeted, encrypted and signed us in as the settings say."""
    address, timeout_s = (settings.smtp_host, _port(settings)), settings.smtp_timeout
    trusted = ssl.create_default_context()
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(*address, timeout=timeout_s, context=trusted)
    else:
        server = smtplib.SMTP(*address, timeout=timeout_s)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=trusted)
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        yield server


def _port(settings: Settings) -> int:
    return settings.smtp_port or _PORTS[settings.smtp_security]


def _reason(exc: Exception) -> str:
    if isinstance(exc, smtplib.SMTPResponseException):
        said = exc.smtp_error.decode(errors="replace") if isinstance(exc.smtp_error, bytes) else str(exc.smtp_error)
        return f"{exc.smtp_code} {said.splitlines()[0] if said else ''}".strip()
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{address}: {code}" for address, (code, _said) in sorted(exc.recipients.items()))
    return str(exc) or type(exc).__name__

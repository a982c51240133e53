"""Mails about alarms: what they say, and sending those that are due.

That a mail is being sent is noted before, that the server has it afterwards, as of reports
(reports/delivery.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import structlog

from access.alarm_rules.alarm_messages import AlarmMail, AlarmNews, due_mails, gather, note_sent_mail, note_unsent_mail, take_mail
from access.alarm_rules.alarm_rule import AlarmRule
from access.store import AccessStore
from config import Settings
from data.catalogue import Catalogue
from data.site import Site
from errors import ConfigurationError, MailFailed, RiwayatError
from i18n import current_language, format_time
from i18n import gettext as _
from reports.mail import message_id_of, report_mail, send_mail
from reports.material import sensor_label
from reports.report_schedules import mails
from reports.writing import in_language

log = structlog.get_logger(__name__)


def send_alarms(site: Site, access: AccessStore, clock_ms: Callable[[], int]) -> int:
    """Send the mails that are due by a clock (int ms UTC); return how many the server has taken."""
    gather(access.engine, clock_ms())
    sent = 0
    for mail_id in due_mails(access.engine, clock_ms()):
        mail = take_mail(access.engine, mail_id, clock_ms())
        if mail is None:
            continue
        try:
            _send(site, mail)
        except RiwayatError as exc:
            log.warning("a mail about alarms is not sent yet", mail=mail_id, tries=mail.tries, reason=exc.message)
            note_unsent_mail(access.engine, mail, exc.message, clock_ms())
        else:
            note_sent_mail(access.engine, mail, clock_ms())
            sent += 1
    return sent


def send_test(settings: Settings, rule: AlarmRule) -> None:
    """Send each recipient of a rule a mail that says that it is a test.

    Raises:
        ConfigurationError, MailFailed: as reports/mail.py.
    """
    title, lines = _test_words(rule)
    for address in rule.wishes.recipients:
        message_id = message_id_of(settings, secrets.token_hex(8), "test")
        _give(settings, address, title, lines, message_id)


def _test_words(rule: AlarmRule) -> tuple[str, list[str]]:
    with in_language(rule.wishes.language):
        title = _("Test of the alarm {name}").format(name=rule.wishes.name)
        return title, [_("This is a test: nothing has happened. Mails of this alarm will come to this address.")]


def _send(site: Site, mail: AlarmMail) -> None:
    title, lines = _test_words(mail.news[0].rule) if mail.is_test else _news_words(site, mail)
    _give(site.settings, mail.address, title, lines, message_id_of(site.settings, mail.id, "alarm"))


def _news_words(site: Site, mail: AlarmMail) -> tuple[str, list[str]]:
    first = mail.news[0]
    with in_language(first.rule.wishes.language):
        title = (
            f"{first.rule.wishes.name} – {first.station}"
            if len(mail.news) == 1
            else _("{count} news of alarms").format(count=len(mail.news))
        )
        lines = [_line(site.knowing([each.rule.wishes.sensor]).catalogue, each) for each in mail.news]
    return title, lines


def _give(settings: Settings, address: str, title: str, lines: list[str], message_id: str) -> None:
    if not mails(settings):
        raise ConfigurationError("No mail can be sent: set RIWAYAT_SMTP_HOST and RIWAYAT_SMTP_FROM.")
    refused = send_mail(settings, report_mail(settings, [address], title, lines, None, message_id))
    if refused:
        raise MailFailed("The mail server refuses {address}.", address=address)


def _line(catalogue: Catalogue, news: AlarmNews) -> str:
    """Return what a mail says of an event."""
    wishes, change = news.rule.wishes, news.change
    known = wishes.sensor in catalogue
    label = sensor_label(catalogue[wishes.sensor], current_language()) if known else wishes.sensor
    said = _("Alarm") if change.status == "firing" else _("Over")
    value = "" if change.value is None else f": {change.value:.6g}"
    return f"{said} – {wishes.name}, {news.station}, {format_time(change.at_ms, wishes.timezone)}, {label}{value}"

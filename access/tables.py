"""Tables of who may see what: account, member, proxy_member, grant_rule, api_key, session, embed,
saved_view, formula_definition, own_formula, note, report_schedule, report_run, alarm_rule,
alarm_state, alarm_event, alarm_message, quality_decision, quality_revision, quality_limit, audit.
Times are int ms UTC.

They stand in the database of jobs; access/migrations makes them (on MariaDB with a binary
collation: ``Bob`` is not ``bob``).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, String, Table, Text, column, false, table

metadata = MetaData()

_NUMBER = BigInteger().with_variant(Integer, "sqlite")

account = Table(
    "account",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("password", Text, comment="argon2id; null where the account has none (proxy)"),
    Column("admin", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("session", String(32), nullable=False, comment="random; a new one ends all sessions of the account"),
    Column("created_ms", BigInteger, nullable=False),
    Column("password_ms", BigInteger, comment="when the password was set"),
    comment="Users that this site knows by name. Behind a proxy, a user without an account is one without admin.",
)

member = Table(
    "member",
    metadata,
    Column("user_group", String(255), primary_key=True),
    Column("account", String(255), primary_key=True, comment="a user's name; behind a proxy it needs no account"),
    Index("member_account", "account"),
    comment="Groups and who is in them. A group is there as long as it has a member or a grant.",
)

proxy_member = Table(
    "proxy_member",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("user_group", String(255), primary_key=True),
    comment="Groups that the proxy named for a user in the latest request; workers, keys and embedded charts need them, too.",
)

grant_rule = Table(
    "grant_rule",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("subject_kind", String(16), nullable=False, comment="user, group or everyone"),
    Column("subject", String(255), nullable=False, comment="empty for everyone"),
    Column("stations", Text, nullable=False, comment="JSON list of patterns"),
    Column("sensors", Text, nullable=False, comment="JSON list of patterns"),
    Column("from_ms", BigInteger, comment="null: from the beginning"),
    Column("to_ms", BigInteger, comment="exclusive; null: without an end"),
    Column("longest_ms", BigInteger, comment="longest range in one request; null: any"),
    Column("finest", String(8), nullable=False, comment="the finest resolution allowed"),
    Column("may_export", Boolean, nullable=False),
    Column("may_embed", Boolean, nullable=False),
    Column("may_review", Boolean, nullable=False, server_default=false()),
    Column("note", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", String(255), nullable=False),
    Index("grant_subject", "subject_kind", "subject"),
    comment="What is granted to whom.",
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", String(32), primary_key=True, comment="public part of the key"),
    Column("owner", String(255), nullable=False),
    Column("label", String(255), nullable=False),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the secret, hexadecimal"),
    Column("scopes", Text, nullable=False, comment="JSON list: load, read, export, embed, review, admin"),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, comment="null: never"),
    Column("revoked_ms", BigInteger),
    Column("used_ms", BigInteger, comment="last use, to the minute or so"),
    Column("addresses", Text, comment="JSON list of networks from which it may be used; null: from anywhere"),
    Index("api_key_owner", "owner"),
    comment="Keys for scripts; what a key may is never more than what its owner may today.",
)

session = Table(
    "session",
    metadata,
    Column("id", String(64), primary_key=True, comment="as its cookie has it; it opens nothing without the signature"),
    Column("account", String(255), nullable=False),
    Column("word", String(32), nullable=False, comment="the account's when it began; the session has ended when that is another"),
    Column("began_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False, comment="last request, to the minute or so"),
    Column("address", String(64), nullable=False, comment="of the last request"),
    Column("browser", String(255), nullable=False, comment="as it names itself"),
    Index("session_account", "account"),
    comment="Where somebody is signed in (AUTH=login), for themselves to see; the session itself is its cookie.",
)

embed = Table(
    "embed",
    metadata,
    Column("id", String(32), primary_key=True, comment="public; in the address of the frame"),
    Column("owner", String(255), nullable=False, comment="who made it; it never shows more than the owner may embed today"),
    Column("label", String(255), nullable=False),
    Column("shows", Text, nullable=False, comment="JSON: stations, sensors, range, resolution, theme, language, controls"),
    Column("origin", String(255), nullable=False, comment="the one origin that may frame it"),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, comment="null: never"),
    Column("revoked_ms", BigInteger),
    Index("embed_owner", "owner"),
    comment="Charts in other pages.",
)

saved_view = Table(
    "saved_view",
    metadata,
    Column("id", String(32), primary_key=True, comment="stands in its address"),
    Column("owner", String(255), nullable=False),
    Column("name", String(120), nullable=False),
    Column("shows", Text, nullable=False, comment="JSON: stations, sensors, range, resolution, window, view, options"),
    Column("shared", Boolean, nullable=False, comment="there for all who may see its stations and sensors"),
    Column("home", Boolean, nullable=False, comment="the plain address opens it for its owner"),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("saved_view_name", "owner", "name", unique=True),
    Index("saved_view_shared", "shared"),
    comment="Saved views; one gives no right to what it shows.",
)

formula_definition = Table(
    "formula_definition",
    metadata,
    Column("sensor", String(64), primary_key=True, comment="a digest of all that follows; requests name it so"),
    Column("label", String(60), nullable=False),
    Column("formula", Text, nullable=False),
    Column("unit", String(25), nullable=False, comment="of the result, as its user writes it; empty for a plain number"),
    Column("sums", Boolean, nullable=False, comment="the values of a step are added, as of rain; else averaged"),
    Column("created_ms", BigInteger, nullable=False),
    comment="What users' formulas say; never changed, and kept for the charts that show them.",
)

own_formula = Table(
    "own_formula",
    metadata,
    Column("owner", String(255), primary_key=True),
    Column("sensor", String(64), primary_key=True),
    Column("label", String(60), nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("own_formula_label", "owner", "label", unique=True),
    comment="The formulas that a user has on the list; one gives no right to what it reads.",
)

report_schedule = Table(
    "report_schedule",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(255), nullable=False, comment="with whose rights of the moment it runs"),
    Column("name", String(120), nullable=False),
    Column("definition", Text, nullable=False, comment="JSON: stations, sensors, zone, language, flags, sections"),
    Column("every", String(8), nullable=False, comment="month or week"),
    Column("format", String(8), nullable=False, comment="html, pdf or xlsx"),
    Column("recipients", Text, nullable=False, comment="JSON list of mail addresses"),
    Column("folder", Text, comment="where the file is written; null: nowhere"),
    Column("created_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False, comment="when the report of the next period is due"),
    Index("report_schedule_next", "next_ms"),
    comment="Reports that are made and sent by themselves.",
)

report_run = Table(
    "report_run",
    metadata,
    Column("schedule", String(32), primary_key=True),
    Column("period", String(20), primary_key=True),
    Column("job", String(32), comment="that makes and delivers it; null: not submitted yet"),
    Column("looks", Integer, nullable=False, comment="how often it was tried again"),
    Column("next_ms", BigInteger, comment="when it is looked at again; null: it has ended"),
    Column("sending_ms", BigInteger, comment="when an attempt last began to deliver it"),
    Column("sent_ms", BigInteger, comment="when it was delivered"),
    Column("note", Text, nullable=False, comment="why it is not delivered yet, or never will be"),
    Index("report_run_next", "next_ms"),
    comment="A period of a schedule, once.",
)

alarm_rule = Table(
    "alarm_rule",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(255), nullable=False, comment="with whose rights of the moment it is looked at"),
    Column("name", String(120), nullable=False),
    Column("stations", Text, nullable=False, comment="JSON list of patterns"),
    Column("sensor", String(64), nullable=False),
    Column("holds", Text, nullable=False, comment="JSON: kind, limit, within_ms, for_ms, hysteresis"),
    Column("quiet", String(16), comment="22:00-06:00: when no mail is sent; null: never"),
    Column("timezone", String(64), nullable=False, comment="of the quiet hours, and of times in mails"),
    Column("recipients", Text, nullable=False, comment="JSON list of mail addresses"),
    Column("language", String(8), nullable=False, comment="of mails"),
    Column("created_ms", BigInteger, nullable=False, comment="readings from before raise no alarm"),
    Column("note", Text, nullable=False, comment="why it could not be looked at the last time; empty: it could"),
    Index("alarm_rule_owner", "owner"),
    comment="What is looked at in new readings.",
)

alarm_state = Table(
    "alarm_state",
    metadata,
    Column("rule", String(32), primary_key=True),
    Column("station", String(255), primary_key=True),
    Column("status", String(16), nullable=False, comment="normal, pending, firing or resolved"),
    Column("since_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False, comment="the last reading that was looked at"),
    Column("acknowledged_by", String(255)),
    Column("acknowledged_ms", BigInteger, comment="null: nobody has seen it"),
    comment="Where each rule stands at each station.",
)

alarm_event = Table(
    "alarm_event",
    metadata,
    Column("rule", String(32), primary_key=True),
    Column("station", String(255), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False, comment="of the reading that shows it"),
    Column("status", String(16), primary_key=True),
    Column("value", Double, comment="of that reading; null: there is none"),
    Column("noted_ms", BigInteger, nullable=False),
    comment="What became of alarms, once each.",
)

alarm_message = Table(
    "alarm_message",
    metadata,
    Column("id", String(32), primary_key=True, comment="a digest of event and address"),
    Column("rule", String(32), nullable=False),
    Column("station", String(255), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("value", Double),
    Column("address", String(320), nullable=False),
    Column("mail", String(32), comment="those of one mail have the same, which names it; null: in none yet"),
    Column("tries", Integer, nullable=False),
    Column("next_ms", BigInteger, comment="when it is sent, or tried again; null: it has ended"),
    Column("sent_ms", BigInteger),
    Column("note", Text, nullable=False, comment="why it is not sent"),
    Index("alarm_message_next", "next_ms"),
    Index("alarm_message_mail", "mail"),
    Index("alarm_message_rule", "rule"),
    comment="Mails about events, written together with them.",
)

quality_decision = Table(
    "quality_decision",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=False, comment="the revision at which it was made"),
    Column("station", String(255), nullable=False),
    Column("sensor", String(255), nullable=False),
    Column("kind", String(16), nullable=False, comment="right, wrong, suspect, offset, factor, shift, delete, fill"),
    Column("from_ms", BigInteger, nullable=False, comment="first stamp that it is about"),
    Column("to_ms", BigInteger, nullable=False, comment="last stamp that it is about, included"),
    Column("rule", String(32), comment="of whose flags it decides; null: of all"),
    Column("amount", Double, comment="added (in the sensor's unit), multiplied by, or ms of a shift"),
    Column("filled_station", String(255)),
    Column("filled_sensor", String(255), comment="with the station: the series whose readings fill in"),
    Column("reason", String(500), nullable=False),
    Column("made_by", String(255), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("undone_by", String(255)),
    Column("undone_ms", BigInteger, comment="null: it is in force"),
    Column("revision", BigInteger, nullable=False, comment="that of its latest change"),
    Index("quality_decision_series", "station", "sensor"),
    Index("quality_decision_revision", "revision"),
    comment="What people decided about readings; nothing of a row changes but that it is undone, and none is removed.",
)

quality_revision = Table(
    "quality_revision",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False, comment="1"),
    Column("revision", BigInteger, nullable=False, comment="grows with each change; whoever makes one locks it"),
    comment="How often decisions and limits changed; no row before the first. Numbers appear in their order.",
)

quality_limit = Table(
    "quality_limit",
    metadata,
    Column("station", String(255), primary_key=True, comment="empty: of the sensor at all stations"),
    Column("sensor", String(255), primary_key=True),
    Column("name", String(32), primary_key=True, comment="of the limit, as in the catalogue"),
    Column("value", Text, comment="JSON, in the sensor's unit; JSON's null: the rule is off; no value: the catalogue's again"),
    Column("made_by", String(255), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False, comment="of quality_revision, at its latest change"),
    Index("quality_limit_revision", "revision"),
    comment="Limits of rules that people set over those of the catalogue; no row is removed.",
)

note = Table(
    "note",
    metadata,
    Column("id", String(32), primary_key=True, comment="a digest of what it said first; the same is written once"),
    Column("owner", String(255), nullable=False),
    Column("station", String(255), nullable=False),
    Column("sensor", String(64), comment="null: the station as a whole"),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False, comment="exclusive; equal to the start: a moment"),
    Column("kind", String(16), nullable=False, comment="event, maintenance or calibration"),
    Column("text", Text, nullable=False),
    Column("shared", Boolean, nullable=False, comment="there for all who may see the station's sensor then"),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("note_station", "station", "start_ms"),
    Index("note_owner", "owner"),
    comment="What people write on times and spans of stations; one gives no right.",
)

audit = Table(
    "audit",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(255), nullable=False, comment="user name, or embed:ID; empty: nobody known"),
    Column("via", String(16), nullable=False, comment="none, login, proxy, key, embed, command"),
    Column("address", String(64), nullable=False, comment="the peer's, empty on the command line"),
    Column("action", String(32), nullable=False, comment="such as load, export, embed, login, refused, grant"),
    Column("outcome", String(16), nullable=False, comment="done or refused"),
    Column("subject", Text, nullable=False, comment="JSON: what it was about"),
    Index("audit_at", "at_ms"),
    Index("audit_actor", "actor", "number"),
    comment="Who did what; the program only appends.",
)

# As much of the ledger (jobs/ledger/tables.py), which stands beside these,
# as a user who is removed leaves there.
left_job = table(
    "job",
    *(column(name) for name in ("owner", "share", "status", "version", "active_key", "finished_ms", "worker", "lease_until_ms")),
)

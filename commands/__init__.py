"""The commands of manage.py, one file a noun: parse, call one plain function, print.

Each file registers its commands itself; COMMANDS says which file has which, so that none imports
the others. What a command does belongs to data, jobs or access.
"""

from __future__ import annotations

from typing import Final

COMMANDS: Final[dict[str, tuple[str, str]]] = {  # by name: file, and what --help says in its list
    "alarms": ("alarm", "Rules that look at new readings, and mails when one holds."),
    "analyse": ("analyse", "Load a history through the queue and answer a question about it."),
    "audit": ("audit", "Who loaded, exported, embedded, signed in, was refused, and what was granted."),
    "delete": ("batches", "Delete imported observations; asks first, and manage.py import undo brings them back."),
    "demo": ("demo", "Make plausible synthetic stations in a tropical climate."),
    "doctor": ("doctor", "Check settings, folders, databases and the worker; exit 1 when something needs attention."),
    "embed-token": ("embeds", "Charts in other pages: the line of HTML that shows one, and its end."),
    "formulas": ("formulas", "Formulas of users."),
    "grants": ("grants", "What is granted to users, groups and everyone; nothing else may be seen."),
    "groups": ("users", "Groups of users, to whom something can be granted together."),
    "history": ("history", "Load a history through the queue and print each series' statistics; Ctrl-C cancels."),
    "import": ("imports", "Import files of observations; list what was imported, and undo it."),
    "keys": ("keys", "Keys with which programs use the API."),
    "listen": ("listen", "Take in messages of an MQTT broker, until told to stop."),
    "migrate": ("setup", "Bring the databases' schema up to date."),
    "notes": ("notes", "Notes on times of stations and sensors; logbooks that become notes."),
    "quality": ("quality", "Flags of quality rules, their events, and what people decided about readings."),
    "queue": ("queue", "Look at jobs, retry, cancel and prune them."),
    "receive": ("receive", "Store observations that gateways have sent, until told to stop."),
    "rejected": ("rejected", "What loggers wrote or published and could not be taken: list, replay, remove."),
    "report": ("report", "Make a report of stations and a period, as a page, a PDF or a workbook."),
    "reproduce": ("reproduce", "Make an exported file again and compare it with its manifest, byte by byte."),
    "schedule": ("schedule", "Reports that are made and sent by themselves."),
    "sensors": ("stations", "List the sensors of the catalogue: unit, valid range, how each is aggregated and drawn."),
    "setup": ("setup", "Make the databases and, if there is no observation yet, bring in the bundled sample."),
    "source": ("source", "A table that the site has already (RIWAYAT_SOURCE)."),
    "stations": ("stations", "List the stations: their sensors, first and last observation, usual step and rows."),
    "tiles": ("tiles", "The tiles: columns of history on disk, read once from the database."),
    "users": ("users", "Users that the site knows by name."),
    "watch": ("watch", "Take in what loggers write into folders, until told to stop."),
    "worker": ("worker", "Run jobs until told to stop."),
}

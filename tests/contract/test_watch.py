"""Files that loggers write: each line is taken once it is whole, and once only."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import struct
import threading
from pathlib import Path

import pytest

from config import Settings
from data.inbox.arrivals import Arrivals, joined_arrivals, rows_by_station
from data.inbox.positions import Positions
from data.inbox.rejected_items import RejectedItems
from errors import ConfigurationError
from jobs.receiving import open_spool
from jobs.watching import Watcher, watched_folder, watched_folders
from tests.tobfiles import frame, tob3_header

HEADER = b'"TOA5","aws1","CR6","1","os","prog","1","T"\n"TIMESTAMP","RECORD","AirTC_Avg"\n"TS","RN","Deg C"\n"","","Avg"\n'


def row(minute: int, value: str = "") -> bytes:
    return f'"2025-08-11 {minute // 60:02d}:{minute % 60:02d}:00",{minute},{value or minute / 10}\n'.encode()


class Site:
    """A folder that is watched; ``look`` does what a second's look does."""

    def __init__(self, data_dir: Path, folder: Path, profile: str | None = "campbell_toa5") -> None:
        self.settings, self.folder, self.profile = Settings(data_dir=data_dir, timezone="UTC"), folder, profile
        folder.mkdir(exist_ok=True)
        self.file = folder / "data.dat"
        self.start()

    def start(self) -> None:
        self.watcher = Watcher(self.settings, [watched_folder(self.settings, str(self.folder), self.profile)])

    def look(self, *, at_rest: bool = False) -> None:
        self.watcher.look(threading.Event(), at_rest=at_rest)

    def append(self, *lines: bytes, to: str = "data.dat") -> None:
        with (self.folder / to).open("ab") as file:
            file.write(b"".join(lines))

    def found(self) -> list[float]:
        """Temperatures in the order in which they were taken, each as often as it was."""
        taken = [each for _, each in open_spool(self.settings).take(10**9)]
        return joined_arrivals(taken).values[:, 0].tolist() if taken else []

    def arrivals(self) -> Arrivals:
        return joined_arrivals([each for _, each in open_spool(self.settings).take(10**9)])

    def rejected(self) -> list[tuple[bytes, str]]:
        return [(item.lines, item.why) for item in RejectedItems(self.settings.inbox_path).newest(99)]


@pytest.fixture
def site(data_dir: Path, tmp_path: Path) -> Site:
    return Site(data_dir, tmp_path / "loggers")


def test_lines_that_are_appended_are_taken_once_also_by_a_process_that_is_started_anew(site: Site) -> None:
    site.append(HEADER, row(1), row(2))
    site.look()
    site.append(row(3))
    site.look()
    site.start()
    site.append(row(4))
    site.look()
    assert site.found() == [0.1, 0.2, 0.3, 0.4]
    assert set(site.arrivals().stations) == {"aws1"}


@pytest.mark.parametrize("cut", [1, 5, len(row(2)) - 1])
def test_half_a_last_line_waits_for_its_end(site: Site, cut: int) -> None:
    site.append(HEADER, row(1), row(2)[:cut])
    site.look()
    assert site.found() == [0.1]
    site.append(row(2)[cut:])
    site.look()
    assert site.found() == [0.1, 0.2]
    assert site.rejected() == []


@pytest.mark.parametrize("cut", [3, 60, len(HEADER) - 1])
def test_half_a_header_waits_for_its_end(site: Site, cut: int) -> None:
    site.append(HEADER[:cut])
    site.look()
    site.append(HEADER[cut:], row(1))
    site.look()
    assert site.found() == [0.1]


@pytest.mark.parametrize("how", ["renamed", "copied and cut"])
def test_a_file_that_is_rotated_is_read_on_where_it_was_and_the_new_one_from_its_beginning(site: Site, how: str) -> None:
    site.append(HEADER, row(1), row(2))
    site.look()
    site.append(row(3))
    old = site.folder / "data.dat.1"
    if how == "renamed":
        site.file.rename(old)
    else:
        shutil.copy(site.file, old)
        site.file.write_bytes(b"")
    site.append(HEADER, row(4), row(5), row(6), row(7), row(8))  # longer than the old one was
    site.look()
    assert sorted(site.found()) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]


def test_a_file_that_was_replaced_by_one_that_begins_alike_is_read_from_its_beginning(site: Site) -> None:
    site.append(HEADER, *(row(at) for at in range(1, 300)))
    site.look()
    site.file.write_bytes(HEADER + b"".join(row(at, "" if at < 250 else "90.0") for at in range(1, 310)))
    site.look()
    assert site.found()[299:] == [*(at / 10 for at in range(1, 250)), *[90.0] * 60]


def test_killed_between_the_inbox_and_the_position_nothing_is_lost_and_nothing_doubled(site: Site) -> None:
    site.append(HEADER, row(1), row(2, "bad"), row(3))
    if (child := os.fork()) == 0:
        Positions.save = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
        site.look()
        os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    site.start()
    site.append(row(4))
    site.look()
    assert site.found() == [0.1, 0.3, 0.1, 0.3, 0.4]
    [stored] = rows_by_station(site.arrivals())
    assert stored.values[:, 0].tolist() == [0.1, 0.3, 0.4]
    assert len(site.rejected()) == 1


def test_a_further_header_in_a_file_holds_for_what_follows_also_when_it_comes_in_two_parts(site: Site) -> None:
    other = HEADER.replace(b'"RECORD","AirTC_Avg"', b'"RH","AirTC_Avg"').replace(b'"RN"', b'"%"')
    site.append(HEADER, row(1), other[:70])
    site.look()
    site.append(other[70:], row(2))
    site.look()
    site.append(row(3))
    site.look()
    found = site.arrivals()
    humidity = found.sensors.index("humidity")
    assert found.values[found.given[:, humidity], humidity].tolist() == [2.0, 3.0]
    assert site.rejected() == []


def test_lines_that_cannot_be_read_are_kept_with_their_number_and_hold_up_no_other(site: Site) -> None:
    site.append(HEADER, row(1))
    site.look()
    site.append(row(2, "warm"), row(3), b"\0\0\0\n", row(4), b"1,2\n", row(5, "NAN"), row(6))
    site.look()
    assert site.found() == [0.1, 0.3, 0.4, 0.6]
    kept = dict(site.rejected())
    assert set(kept) == {row(2, "warm"), b"\0\0\0\n", b"1,2\n"}
    assert f"{site.file}, line 6, column AirTC_Avg" in kept[row(2, "warm")]
    assert f"{site.file}, line 10" in kept[b"1,2\n"]


def test_a_file_of_an_unknown_layout_is_said_once_and_left_alone(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    site.append(b"when,what\n1,2\n", to="other.csv")
    site.append(HEADER, row(1))
    site.append(HEADER, row(1, "warm"), row(2, "hot"), to="words.dat")
    for _ in range(3):
        site.look(at_rest=True)
        site.append(b"3,4\n", to="other.csv")
    told = capfd.readouterr()
    assert (told.out + told.err).count("left alone") == 2
    assert "other.csv" in told.out + told.err
    assert "words.dat, line 5" in told.out + told.err
    assert site.found() == [0.1]
    assert site.rejected() == []


def test_of_a_file_that_grows_only_what_is_new_is_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.append(HEADER, *(row(at) for at in range(1, 1000)))
    site.look()
    read: list[int] = []
    real = Path.open

    def counting(self: Path, mode: str = "r", *arguments: object, **named: object) -> object:
        file = real(self, mode, *arguments, **named)  # type: ignore[call-overload]
        if self == site.file:
            plain = file.read

            class Counted:
                def __getattr__(self, name: str) -> object:
                    return getattr(file, name)

                def __enter__(self) -> Counted:
                    return self

                def __exit__(self, *_: object) -> None:
                    file.close()

                def read(self, size: int = -1) -> bytes:
                    data: bytes = plain(size)
                    read.append(len(data))
                    return data

            return Counted()
        return file

    site.append(row(1000))
    monkeypatch.setattr(Path, "open", counting)
    site.look()
    assert site.found()[-1] == 100.0
    assert 0 < sum(read) < 12_000 < site.file.stat().st_size


def test_a_binary_table_is_taken_whole_once_it_has_not_changed_and_again_when_it_has(site: Site) -> None:
    fields = [("AirTC_Avg", "Deg C", "IEEE4B")]

    def frames(count: int) -> bytes:
        made = (frame(f"2024-01-01 0{hour}:00:00", hour, struct.pack(">f", hour)) for hour in range(count))
        return tob3_header(fields, frame_bytes=20, interval="1 HR") + b"".join(made)

    site.file.write_bytes(frames(2))
    site.look()
    assert site.found() == []
    site.look(at_rest=True)
    site.look(at_rest=True)
    assert site.found() == [0.0, 1.0]
    site.file.write_bytes(frames(3))
    site.look(at_rest=True)
    assert site.found() == [0.0, 1.0, 0.0, 1.0, 2.0]


def test_a_csv_without_a_profile_and_a_whole_file_of_the_same_are_read(data_dir: Path, tmp_path: Path) -> None:
    site = Site(data_dir, tmp_path / "csv", None)
    site.append(b"timestamp_utc,station,temperature\n2025-01-01 00:00:00,b,1.5\n", to="a.csv")
    packed = gzip.compress(b"timestamp_utc,station,temperature\n2025-01-01 00:01:00,b,2.5\n")
    site.append(packed, to="b.csv.gz")
    site.look()
    assert site.found() == [1.5]  # the other may still be written
    site.look(at_rest=True)
    site.look(at_rest=True)
    assert site.found() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("text", "says"), [("/srv", "entry 1"), ("/a:fcr;:x", "entry 2"), ("/a:no_such_profile", "no_such_profile")]
)
def test_folders_that_are_written_wrongly_are_named(data_dir: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        watched_folders(Settings(data_dir=data_dir, watch=text))

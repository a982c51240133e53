"""What an error of the system while something is written becomes."""

from __future__ import annotations

import errno
import os

import pytest

from errors import DiskFull, RiwayatError, disk_errors


def raised(error: OSError) -> RiwayatError:
    full = DiskFull("No room in {path}.", path="/tiles")
    with (
        pytest.raises(RiwayatError) as caught,
        disk_errors(full, lambda why: RiwayatError("{path}: {why}.", path="/tiles", why=why)),
    ):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_a_quota_and_a_file_that_are_full_are_said_to_be_full(number):
    error = raised(OSError(number, os.strerror(number)))
    assert isinstance(error, DiskFull)
    assert error.message == "No room in /tiles."


@pytest.mark.parametrize(
    ("error", "why"), [(PermissionError(errno.EACCES, "Permission denied"), "Permission denied"), (OSError("odd"), "odd")]
)
def test_any_other_refusal_of_the_system_is_told_with_its_reason(error, why):
    found = raised(error)
    assert not isinstance(found, DiskFull)
    assert found.message == f"/tiles: {why}."


def test_other_errors_stay_as_they_are():
    with pytest.raises(ValueError, match="own"), disk_errors(DiskFull(), RiwayatError):
        raise ValueError("own")

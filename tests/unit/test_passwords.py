"""Hashes of passwords."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from access.passwords import LONGEST, check_new_password, hash_password, needs_new_hash, verify_password
from errors import InvalidRequest

PASSWORD = "curah hujan 1950"

pytestmark = pytest.mark.real_passwords


def test_a_password_is_its_own_hash_and_no_other():
    known = hash_password(PASSWORD)
    assert known.startswith("$argon2id$v=19$m=65536,t=3,p=4$")  # RFC 9106, second choice
    assert verify_password(known, PASSWORD)
    assert not verify_password(known, PASSWORD + " ")
    assert PASSWORD not in known


def test_equal_passwords_have_different_hashes():
    assert hash_password(PASSWORD) != hash_password(PASSWORD)


@pytest.mark.parametrize("known", [None, "", "not a hash"])
def test_without_a_hash_no_password_is_right(known):
    assert not verify_password(known, "nobody's password")
    assert not verify_password(known, "")


def test_an_accent_is_the_same_from_every_keyboard():
    assert verify_password(hash_password("pürnama-raya"), "pu\u0308rnama-raya")


def test_a_lone_surrogate_is_no_crash():
    assert not verify_password(hash_password(PASSWORD), "\ud800")


def test_an_old_hash_is_still_right_and_known_as_old():
    old = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    assert verify_password(old, PASSWORD)
    assert needs_new_hash(old)
    assert not needs_new_hash(hash_password(PASSWORD))


TOO_EASY = ["", "short", "123456789", "a" * 12, "ab" * 6, "klimatologi", "Klimatologi123!", "x" * 8 + "y" * LONGEST]


@pytest.mark.parametrize("password", TOO_EASY)
def test_a_new_password_that_others_would_guess_is_refused(password):
    with pytest.raises(InvalidRequest) as refused:
        check_new_password(password, "klimatologi")
    assert refused.value.field == "new"
    assert password not in refused.value.message or not password


@pytest.mark.parametrize("password", [PASSWORD, "klimatologi dan cuaca", "x7" * 3 + "yzab"])
def test_a_good_new_password_is_taken(password):
    check_new_password(password, "klimatologi")

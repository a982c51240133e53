"""One job and many looks at it:
second tab, second press, reload, back and forward, another range.
"""

from __future__ import annotations

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from jobs.job import Status
from tests.e2e.conftest import year_of
from tests.e2e.history_page import PATIENCE_S, extremes_in_the_database
from tests.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

HALF = "6 of 12 months"
FEBRUARY_MS = 1_359_676_800_000  # 2013, UTC


def open_tab(page, job_id):
    """A second tab on a job; it is the current one from now on."""
    page.driver.switch_to.new_window("tab")
    page.open_job(job_id)
    return page.driver.current_window_handle


def wait_for_extremes(page, expected):
    # what is flagged is a trace of its own, called after its line
    def lines():
        found = page.extremes()
        return [found[name] for name in found if not any(name != other and name.startswith(other) for other in found)]

    wait_until(lambda: lines() == expected, f"the lines to reach {expected}", PATIENCE_S)


def wait_for_end(page, text):
    wait_until(lambda: page.value("range-end") == text, f"the form to say {text}", PATIENCE_S)


def ids_of(running):
    return [job.id for job in running.ledger.jobs()]


def test_a_second_tab_attaches_to_a_job_which_another_range_then_does_not_end_and_both_draw_the_same_figure(
    running, gate, sample_page
):
    page = sample_page
    gate.hold_from("JFK", 0.5)
    page.open(**year_of("JFK", "temperature"))
    first_tab = page.driver.current_window_handle
    left = page.load()
    page.wait_for_text("progress-text", HALF)
    page.type("range-start", "2013-02-01 00:00")
    followed = page.load()
    page.wait_for_job(left.id, Status.CANCELLED)  # nobody else looks at it
    page.wait_for_text("progress-text", "5 of 11 months")

    second_tab = open_tab(page, followed.id)
    page.wait_for_text("progress-text", "5 of 11 months")  # attached, before anything new is to be told
    wait_until(lambda: page.points > 0, "the finished part in the second tab", PATIENCE_S)
    wait_until(lambda: page.polls() > 1, "polls of the second tab", PATIENCE_S)
    page.driver.switch_to.window(first_tab)
    page.type("range-start", "2013-03-01 00:00")
    newest = page.load()
    assert running.ledger.get(followed.id).status is Status.RUNNING
    gate.release()
    for job in (followed, newest):
        page.wait_for_job(job.id, Status.COMPLETED)
    wait_until(lambda: page.drawn_job == newest.id, "the newest figure", PATIENCE_S)
    page.wait_until_drawn()

    page.driver.back()
    whole = pytest.approx(extremes_in_the_database(running, "JFK", "temperature", FEBRUARY_MS))
    found = []
    for tab in (first_tab, second_tab):
        page.driver.switch_to.window(tab)
        wait_until(lambda: page.drawn_job == followed.id, "the figure of the followed job", PATIENCE_S)
        page.wait_until_drawn()
        page.wait_for_text("badge", "complete")
        found.append((page.text("badge"), page.text("stats"), page.drawn_job))
        wait_for_extremes(page, [whole])  # the badge is there before the traces are drawn
    assert found[0] == found[1]
    assert ids_of(running) == [newest.id, followed.id, left.id]
    assert running.ledger.get(followed.id).attempt == 1


def test_pressing_load_twice_is_one_job_what_is_drawn_can_be_read_again_and_is_drawn_again_without_a_job_or_a_poll(
    running, gate, sample_page
):
    page = sample_page
    gate.hold_from("JFK", 0.5)
    page.open(**year_of("JFK", "temperature"))
    reload = "return document.querySelector('button.reload').checkVisibility()"
    assert page.driver.execute_script(reload) is False
    ActionChains(page.driver).double_click(page.driver.find_element(By.ID, "load")).perform()
    job_id = wait_until(lambda: page.address_job, "a job in the address", PATIENCE_S)
    page.wait_for_text("progress-text", HALF)
    page.press("load")  # while it runs
    wait_until(page.driver.find_element(By.ID, "load").is_enabled, "the answer to the second press", PATIENCE_S)
    assert page.address_job == job_id
    assert ids_of(running) == [job_id]
    gate.release()
    page.wait_until_drawn()
    assert page.polls(job_id) > 0
    whole = [pytest.approx(extremes_in_the_database(running, "JFK", "temperature"))]
    wait_for_extremes(page, whole)

    wait_until(lambda: page.driver.execute_script(reload), "the button to read again", PATIENCE_S)
    figure = page.extremes()
    again = page.load()  # when every tile is there
    assert again.id != job_id
    assert (again.status, again.attempt, again.metrics["tiles_read"]) == (Status.COMPLETED, 0, 0)
    wait_until(lambda: page.drawn_job == again.id, "the figure of the second job", PATIENCE_S)
    page.wait_until_drawn()
    assert page.extremes() == figure
    assert page.polls(again.id) == 0


def test_reload_back_and_forward_while_a_job_runs_show_each_job_and_end_with_its_own_figure(running, gate, sample_page):
    page = sample_page
    gate.hold_from("JFK", 0.5)
    page.open(**year_of("JFK", "pressure"))
    page.type("range-end", "2013-02-01 00:00")  # not held: ends at once
    earlier = page.load()
    page.wait_until_drawn()
    earlier_badge = page.wait_for_text("badge", "rows")
    page.type("range-end", "2014-01-02 00:00")
    later = page.load()
    page.wait_for_text("progress-text", HALF)

    page.driver.refresh()
    page.wait_for_text("progress-text", HALF)
    assert page.address_job == later.id
    wait_for_end(page, "2014-01-02 00:00")

    page.driver.back()
    wait_until(lambda: page.drawn_job == earlier.id, "the earlier figure", PATIENCE_S)
    page.wait_for_text("badge", earlier_badge)
    wait_until(lambda: (page.status, page.address_job) == ("completed", earlier.id), "the earlier job", PATIENCE_S)
    wait_for_end(page, "2013-02-01 00:00")
    page.driver.forward()
    page.wait_for_text("progress-text", HALF)
    wait_until(lambda: (page.status, page.address_job) == ("active", later.id), "the later job", PATIENCE_S)

    gate.release()
    page.wait_until_drawn()
    page.wait_for_text("badge", "complete")
    assert page.drawn_job == later.id
    assert ids_of(running) == [later.id, earlier.id]
    assert running.ledger.get(later.id).attempt == 1

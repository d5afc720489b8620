from __future__ import annotations

import contextlib
import dataclasses
import os

import pytest

from luthier.report import ListReport, Report, Table, write_line

TABLE = Table("Plan", ("what", "value"), (("rows", "400"),), note="counted")


def test_a_list_report_keeps_everything_it_is_told() -> None:
    report = ListReport()
    report.progress("tune", 3, 10, {"loss": 1.5})
    report.metric(3, {"loss": 1.5})
    report.event("plan", "400 rows", table=TABLE, data={"rows": 400})
    report.event("info", "done")
    assert report.tasks == {"tune": (3, 10)}
    assert report.metrics == [(3, {"loss": 1.5})]
    assert report.events == [("plan", "400 rows"), ("info", "done")]
    assert report.tables == [TABLE]


def test_later_progress_of_a_task_replaces_the_earlier() -> None:
    report = ListReport()
    for done in (1, 2):
        report.progress("read", done, None)
    assert report.tasks == {"read": (2, None)}


def test_metrics_kept_do_not_change_with_the_callers_dict() -> None:
    report, values = ListReport(), {"loss": 1.0}
    report.metric(1, values)
    values["loss"] = 2.0
    assert report.metrics == [(1, {"loss": 1.0})]


@pytest.mark.parametrize("stop", [True, False])
def test_a_verb_learns_that_it_was_asked_to_stop(stop: bool) -> None:
    report: Report = ListReport(stop=stop)
    assert report.cancelled() is stop


def test_two_reports_share_nothing() -> None:
    ListReport().metric(1, {"loss": 1.0})
    assert ListReport().metrics == []


def test_a_table_cannot_be_changed_once_told() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TABLE.title = "other"  # type: ignore[misc]


def test_a_log_on_a_full_disk_ends_nothing() -> None:
    with open("/dev/full", "w") as full:
        write_line(full, "nobody reads this")
        with contextlib.suppress(OSError):
            full.close()


def test_a_log_that_cannot_be_written_for_another_reason_is_an_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    with pytest.raises(BrokenPipeError):
        write_line(stream, "nobody reads this")
    with contextlib.suppress(OSError):
        stream.close()

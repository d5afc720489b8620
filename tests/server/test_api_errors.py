"""What errors become on the wire."""

from __future__ import annotations

from luthier.errors import BusyError
from luthier.server.app import error_response


def test_who_finds_it_busy_is_told_when_to_come_again() -> None:
    for error, later in (
        (BusyError("full"), "2"),
        (BusyError("full", later_s=0.2), "1"),
        (BusyError("x", later_s=7), "7"),
    ):
        response = error_response(error)
        assert (response.status_code, response.headers["retry-after"]) == (429, later)
        assert response.headers["x-should-retry"] == "true"

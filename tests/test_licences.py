from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import licences
import pytest

MIT_TEXT = "Copyright (c) somebody\n        Permission is hereby granted, free of charge, to any person\n"
BSD_THEN_GPL_TEXT = (
    "Redistribution and use in source and binary forms\n        are permitted. It carries parts under the\n"
    "        GNU General Public License, version 3."
)


def part(folder: Path, name: str, *lines: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines]) + "\n")


def problem(folder: Path, *lines: str, name: str = "some_part", decisions: str = "") -> str:
    part(folder, name, *lines)
    (verdict,) = licences.check(distributions(path=[str(folder)]), decisions)
    return verdict.problem


@pytest.mark.parametrize(
    "line",
    [
        "License-Expression: MIT",
        "License-Expression: Apache-2.0 OR GPL-2.0-only",
        "License-Expression: GPL-3.0-or-later OR (MIT AND BSD-3-Clause)",
        "License-Expression: Apache-2.0 WITH LLVM-exception AND mit",
        "License-Expression: BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
        "License: Apache 2.0 License",
        "License: 3-Clause BSD License",
        "License: Apache License, Version 2.0",
        "License: MIT License",
        "License: MPL-2.0 AND MIT",
        f"License: {MIT_TEXT}",
        "Classifier: License :: OSI Approved :: BSD License",
        "Classifier: License :: OSI Approved :: ISC License (ISCL)",
        "Classifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)",
        "License: see the file\nClassifier: License :: OSI Approved :: MIT License",
    ],
)
def test_permissive_parts_pass(tmp_path: Path, line: str) -> None:
    assert problem(tmp_path, line) == ""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("License-Expression: GPL-3.0-or-later", "copyleft"),
        ("License-Expression: MIT AND GPL-2.0-only", "copyleft"),
        ("License-Expression: (MIT OR GPL-2.0-only) AND AGPL-3.0-only", "copyleft"),
        ("License-Expression: LGPL-2.1-or-later", "copyleft"),
        ("License-Expression: MIT OR", "not known"),
        ("License-Expression: (MIT", "not known"),
        ("License-Expression: MIT GPL-2.0-only", "copyleft"),
        ("License-Expression: LicenseRef-Somebody", "not known"),
        ("License: GNU GPL", "copyleft"),
        ("License: Proprietary", "not known"),
        ("License: UNKNOWN", "no licence"),
        (f"License: {BSD_THEN_GPL_TEXT}", "copyleft"),
        (f"License: {BSD_THEN_GPL_TEXT}\nClassifier: License :: OSI Approved :: BSD License", "copyleft"),
        ("License: MIT\nClassifier: License :: OSI Approved :: GNU General Public License (GPL)", "copyleft"),
        ("Classifier: License :: OSI Approved :: GNU Affero General Public License v3", "copyleft"),
        ("Classifier: License :: OSI Approved", "no licence"),
        ("Summary: says nothing", "no licence"),
    ],
)
def test_copyleft_and_unknown_parts_fail(tmp_path: Path, line: str, why: str) -> None:
    assert why in problem(tmp_path, line)


def test_lgpl_passes_only_when_the_decisions_name_the_part(tmp_path: Path) -> None:
    part(tmp_path, "some-driver", "License-Expression: LGPL-3.0-only AND MIT")
    part(tmp_path, "other", "License-Expression: LGPL-3.0-only")
    part(tmp_path, "worse", "License-Expression: AGPL-3.0-only")
    decisions = "We accept `other` here.\nLGPL, as an optional driver: `some_driver`, `worse`."
    verdicts = licences.check(distributions(path=[str(tmp_path)]), decisions)
    assert {verdict.name for verdict in verdicts if verdict.problem} == {"other", "worse"}


def test_a_reviewed_part_passes_whatever_it_states(tmp_path: Path) -> None:
    assert problem(tmp_path, "License-Expression: LicenseRef-NVIDIA", name="nvidia_cublas") == ""


def test_every_reviewed_part_has_its_reason() -> None:
    assert all(len(reason) > 20 for reason in licences.REVIEWED.values())


def test_one_gpl_part_fails_the_whole_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part(tmp_path, "good", "License-Expression: MIT")
    part(tmp_path, "bad", "License-Expression: GPL-3.0-only")
    monkeypatch.setattr(licences, "distributions", lambda: distributions(path=[str(tmp_path)]))
    assert licences.main() == 1
    said = capsys.readouterr().out
    assert "bad 1.0: copyleft: GPL-3.0-only" in said
    assert "1 parts pass, 1 fail" in said

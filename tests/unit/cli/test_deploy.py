"""auth-events deploy."""

from __future__ import annotations

from pathlib import Path

DEPLOY = Path(__file__).parents[3] / "deploy"
FILES = {str(path.relative_to(DEPLOY)): path.read_bytes() for path in DEPLOY.rglob("*") if path.is_file()}


def written(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_dashboards_and_alerts_are_written_to_a_folder(auth_events, tmp_path):
    result = auth_events("deploy", "export", tmp_path / "monitoring")
    assert (result.code, result.err) == (0, "")
    assert written(tmp_path / "monitoring") == FILES
    assert len(result.out.splitlines()) == len(FILES) >= 2
    assert auth_events("deploy", "export", tmp_path / "monitoring").code == 0, "nothing differs"


def test_a_file_that_was_changed_is_left_alone_and_nothing_is_written(auth_events, tmp_path):
    own = tmp_path / "prometheus" / "auth-events.rules.yaml"
    own.parent.mkdir()
    own.write_text("mine")
    result = auth_events("deploy", "export", tmp_path)
    assert result.code == 1
    assert str(own) in result.err
    assert written(tmp_path) == {"prometheus/auth-events.rules.yaml": b"mine"}


def test_a_folder_that_cannot_be_made_is_one_line(auth_events, tmp_path):
    (tmp_path / "file").write_text("")
    result = auth_events("deploy", "export", tmp_path / "file" / "below")
    assert result.code == 1
    assert result.err.startswith("auth-events: cannot write to ")

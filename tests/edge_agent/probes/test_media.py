"""What the paths mean that mpv tells."""

from __future__ import annotations

from edge_agent.probes.media import local_path


def test_paths_of_mpv() -> None:
    assert local_path("a b.mkv", "/media") == "/media/a b.mkv"
    assert local_path("/x/a.mkv", "/media") == "/x/a.mkv"
    assert local_path("file:///x/a%20b.mkv", None) == "/x/a b.mkv"
    assert local_path("https://host/stream", "/media") is None

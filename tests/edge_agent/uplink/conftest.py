"""One conversation a test."""

from __future__ import annotations

import pytest

from tests.edge_agent.uplink.talk import Talk


@pytest.fixture
def talk() -> Talk:
    """Not connected yet, nothing held."""
    return Talk()

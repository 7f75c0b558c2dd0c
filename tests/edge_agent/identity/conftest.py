"""One enrolling hub for each test that wants one; authority and server's certificate are made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge_agent.identity.hand_authority import HandAuthority, HandEnrolment, serving


@pytest.fixture(scope="session")
def authority() -> HandAuthority:
    return HandAuthority()


@pytest.fixture(scope="session")
def server_pem(authority: HandAuthority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.server(tmp_path_factory.mktemp("server") / "server.pem")


@pytest.fixture
def hub(authority: HandAuthority, server_pem: Path) -> Iterator[HandEnrolment]:
    enrolment = HandEnrolment(authority)
    with serving(enrolment, server_pem):
        yield enrolment

"""Both code hosts, each through the same protocol, over the stand-in of their APIs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rsspot.review.protocol import CodeHost
from rsspot.review.registry import HOSTS
from rsspot.review.rest import ApiAccess
from rsspot.simulator.clock import ManualClock
from support.code_hosts import PROJECT, REPOSITORY, TOKEN, CodeHosts, InProcess

Opened = Callable[..., CodeHost]


@pytest.fixture
def hosts() -> CodeHosts:
    return CodeHosts()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=sorted(HOSTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(hosts: CodeHosts, clock: ManualClock) -> Opened:
    """A host by its name, with a token that is right unless told otherwise."""

    def host(name: str, token: str = TOKEN, repository: str | None = None) -> CodeHost:
        url = hosts.github_url if name == "github" else hosts.gitlab_url
        access = ApiAccess(url, token, InProcess(hosts), clock)
        return HOSTS[name](access, repository or (REPOSITORY if name == "github" else str(PROJECT)))

    return host

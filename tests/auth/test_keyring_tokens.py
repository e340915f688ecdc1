"""Refresh tokens in the system's keyring: stored per profile, with clear errors if there is no keyring."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from rsspot.auth.keyring import forget, keep, recall
from rsspot.auth.stores import NO_CREDENTIAL, STORES, StoreSettings
from rsspot.errors import ConfigError
from support.keyrings import CANARY, InMemory, Locked, using


@pytest.fixture
def in_memory() -> Iterator[KeyringBackend]:
    """A keyring that works."""
    yield from using(InMemory())


@pytest.fixture(params=[Locked, NoKeyring])
def unusable(request: pytest.FixtureRequest) -> Iterator[KeyringBackend]:
    """A locked keyring, or none at all."""
    yield from using(request.param())


def test_each_profile_has_its_own_token(in_memory: InMemory) -> None:
    """All entries are stored under our own service name."""
    keep("work", CANARY)
    keep("home", "other")
    keep("work", "newer")
    assert (recall("work"), recall("home"), recall("neither")) == ("newer", "other", None)
    assert {service for service, _ in in_memory.passwords} == {"rsspot"}


@pytest.mark.usefixtures("in_memory")
def test_a_forgotten_token_is_gone() -> None:
    """Forgetting it again, or one that was never stored, is not an error."""
    keep("work", CANARY)
    keep("home", "other")
    forget("work")
    forget("work")
    forget("neither")
    assert (recall("work"), recall("home")) == (None, "other")


@pytest.mark.usefixtures("in_memory")
def test_the_store_of_a_profile_is_its_entry_in_the_keyring() -> None:
    """The profile says only that the token is there, and has no other credential."""
    written: dict[str, object] = {}
    store = STORES["keyring"](StoreSettings("work", edit=written.update))
    store.keep(CANARY)
    assert (store.recall(), recall("work")) == (CANARY, CANARY)
    assert written == {**NO_CREDENTIAL, "keyring": True}
    store.forget()
    assert store.recall() is None


@pytest.mark.usefixtures("unusable")
@pytest.mark.parametrize("use", [lambda: recall("work"), lambda: keep("work", CANARY), lambda: forget("work")])
def test_an_unusable_keyring_raises_an_error_with_a_hint(use: object) -> None:
    """The error does not quote the backend's message, which may contain the token."""
    with pytest.raises(ConfigError, match="keyring cannot be used") as caught:
        use()
    assert "profile" in str(caught.value.hint)
    assert CANARY not in str(caught.value) + repr(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("call", ["recall('p')", "keep('p', 't')", "forget('p')"])
def test_without_the_library_the_hint_says_how_to_install_it(call: str) -> None:
    """Runs in a process that cannot import it."""
    program = (
        "import sys; sys.modules['keyring'] = None\n"
        "from rsspot.auth.keyring import forget, keep, recall\n"
        "from rsspot.errors import ConfigError\n"
        f"try: {call}\n"
        "except ConfigError as error: print(error, error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "the keyring library is not installed pip install 'rsspot[keyring]'"

"""A watch is woken by changes of the objects that it covers, and by no others; then it reads only those."""

import threading
from itertools import takewhile

import pytest

from rsspot.simulator.apiserver.topics import Topics
from rsspot.simulator.world import World

PATIENCE = 60.0
ONE, TWO = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01", "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a02"


@pytest.fixture
def topics():
    """Topics with a lock of their own."""
    return Topics(threading.RLock())


@pytest.mark.parametrize(
    ("topic", "rings"),
    [
        (("pools", "mine", None), 2),
        (("pools", "mine", "one"), 1),
        (("pools", None, None), 3),
        (("pools", None, "one"), 2),
        (("clouds", "mine", None), 0),
    ],
)
def test_a_bell_rings_for_its_topic(topics, topic, rings):
    """By plural, and if the topic says so, by namespace and name; once for all the changes of one transaction."""
    with topics.listening(topic) as bell:
        for touched in (("pools", "mine", "one"), ("pools", "mine", "two"), ("pools", "other", "one")):
            topics.tell([touched, touched])
        assert bell.turn == rings


def test_a_topic_nobody_listens_to_is_forgotten(topics):
    """It stays as long as one of its listeners does."""
    with topics.listening(("pools", "mine", None)) as first:
        with topics.listening(("pools", "mine", None)) as second:
            assert first is second
        topics.tell([("pools", "mine", "one")])
    assert first.turn == 1
    with topics.listening(("pools", "mine", None)) as third:
        assert third is not first


def test_whoever_waits_is_woken(topics):
    """A change between the look and the wait is not missed either."""
    with topics.listening(("pools", "mine", None)) as bell:
        thread = threading.Thread(target=bell.wait, args=(bell.turn, PATIENCE))
        thread.start()
        topics.tell([("pools", "mine", "one")])
        thread.join(PATIENCE / 2)
        assert not thread.is_alive()
        bell.wait(0, PATIENCE)


@pytest.fixture
def watched(tenant):
    """A tenant with two pools."""
    tenant.cloudspace()
    tenant.pool(ONE)
    tenant.pool(TWO)
    tenant.spot.advance(5)
    return tenant


def streams(tenant, **query):
    """A stream of changes from now on, that has said what there was."""
    version = tenant.list("spotnodepools", limit="1").said["metadata"]["resourceVersion"]
    query = {"watch": "true", "resourceVersion": version, **query}
    response = tenant.respond("GET", tenant.path("spotnodepools"), query=query)
    assert list(takewhile(bool, response.stream)) == []
    return response


def reads(tenant, stream):
    """How often a stream reads the log when it looks, and what it has to say."""
    statements = []
    tenant.store._db.set_trace_callback(statements.append)
    events = list(takewhile(bool, stream))
    tenant.store._db.set_trace_callback(None)
    return len([each for each in statements if "body, previous FROM log" in each]), len(events)


def test_a_watch_does_not_look_for_changes_of_others(watched):
    """Those of other kinds, or of another object than the one it names."""
    every, one = streams(watched), streams(watched, fieldSelector=f"metadata.name={ONE}")
    watched.cloudspace("second")
    assert reads(watched, every.stream) == reads(watched, one.stream) == (0, 0)
    watched.patch("spotnodepools", TWO, {"metadata": {"labels": {"a": "b"}}})
    assert reads(watched, one.stream) == (0, 0)
    assert reads(watched, every.stream) == (1, 1)
    watched.patch("spotnodepools", ONE, {"metadata": {"labels": {"a": "b"}}})
    before = watched.store.parsed
    assert reads(watched, one.stream) == (1, 1)
    # The version after and the one before the change.
    assert watched.store.parsed - before == 2
    assert reads(watched, every.stream) == (1, 1)


def test_a_watch_looks_once_for_each_change(watched):
    """Not again after each event."""
    stream = streams(watched).stream
    watched.patch("spotnodepools", ONE, {"metadata": {"labels": {"a": "b"}}})
    watched.patch("spotnodepools", TWO, {"metadata": {"labels": {"a": "b"}}})
    assert reads(watched, stream) == (1, 2)
    assert reads(watched, stream) == (0, 0)


def test_a_refused_or_rehearsed_write_wakes_nobody(watched):
    """It changes nothing."""
    stream = streams(watched).stream
    watched.patch("spotnodepools", ONE, {"metadata": {"labels": {"a": "b"}}}, query={"dryRun": "All"})
    watched.patch("spotnodepools", ONE, {"spec": {"serverClass": "gp.vs1.large-ord"}})
    assert reads(watched, stream) == (0, 0)


def test_a_watch_reports_what_happened_elsewhere_too(watched):
    """A bookmark of a quiet watch is as new as the store, so that it never expires."""
    response = watched.respond(
        "GET",
        watched.path("spotnodepools"),
        query={"watch": "true", "resourceVersion": "1", "allowWatchBookmarks": "true"},
    )
    list(takewhile(bool, response.stream))
    watched.cloudspace("second")
    assert list(takewhile(bool, response.stream)) == []
    frame = response.stream.gi_frame
    assert frame.f_locals["watch"].since == watched.store.version()


def test_a_watch_hears_of_other_processes(new_tenant, tmp_path):
    """They have no bell; the file tells that somebody wrote to it."""
    tenant = new_tenant(path=tmp_path / "world.db")
    tenant.cloudspace()
    stream = streams(tenant).stream
    other = World(tmp_path / "world.db", clock=tenant.spot.clock)
    with other.store.transaction():
        other.store.put("spotnodepools", pool_of(tenant))
    other.close()
    assert reads(tenant, stream) == (1, 1)


def pool_of(tenant):
    """A stored pool, as another process writes it."""
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": "prod", "desired": 1, "bidPrice": "0.02"}
    metadata = {"name": ONE, "namespace": tenant.namespace, "uid": ONE, "generation": 1}
    return {"apiVersion": "ngpc.rxt.io/v1", "kind": "SpotNodePool", "metadata": metadata, "spec": spec}

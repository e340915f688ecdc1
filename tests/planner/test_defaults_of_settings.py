"""What the settings choose for a new object stays with it when it is made again, and through a saved plan."""

from pathlib import Path

from rsspot.manifests.manifest import Default
from rsspot.manifests.parse import load
from rsspot.planner.codec import dump_plan, load_plan
from rsspot.planner.live import LiveState
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds

MANIFEST = """
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {kubernetesVersion: 1.33.0, cni: cilium}
"""
REGIONS = {"Region": {name: {"metadata": {"name": name}} for name in ("dfw", "iad")}}
LIVE = {
    "metadata": {"name": "edge", "uid": "1", "labels": {"rsspot.dev/stack": "demo"}},
    "spec": {"region": "dfw", "kubernetesVersion": "1.33.0", "cni": "calico"},
}


def plan(folder: Path, live: dict[str, object]) -> Plan:
    """The plan of the manifest where the settings say iad."""
    (folder / "a.yaml").write_text(MANIFEST)
    manifests = load([folder / "a.yaml"], environ={}, region=lambda _: Default("iad", "region from the profile"))
    state = LiveState("org-tests", {**REGIONS, "CloudSpace": live})  # type: ignore[arg-type]
    return build(manifests.manifests, state, kinds(), stack="demo", scope="tests")


def test_an_object_that_is_made_again_stays_where_it_was(tmp_path: Path) -> None:
    """Another region in the settings since then is no reason to move it."""
    (change,) = plan(tmp_path, {"edge": LIVE}).changes
    assert change.body and change.body["spec"]["region"] == "dfw"


def test_a_saved_plan_knows_where_a_value_comes_from(tmp_path: Path) -> None:
    """Whoever approves it sees what whoever made it saw."""
    made = plan(tmp_path, {})
    (change,) = load_plan(dump_plan(made)).changes
    assert change.filled_from == {("spec", "region"): "region from the profile"}

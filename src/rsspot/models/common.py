"""What objects share by the names of rsspot 0.3, see `compatibility.models`. Ours are in `services`."""

from rsspot.compatibility.models import Condition, Metadata, SpotModel

__all__ = ["Condition", "Metadata", "SpotModel"]

"""Events by the names of rsspot 0.3, see `compatibility.models`. Ours are in `services`."""

from rsspot.compatibility.models import OrganizationEventsResponse

__all__ = ["OrganizationEventsResponse"]

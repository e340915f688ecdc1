"""Prices by the names of rsspot 0.3, see `compatibility.models`. Ours are in `services`."""

from rsspot.compatibility.models import PriceDetails, PriceDetailsList

__all__ = ["PriceDetails", "PriceDetailsList"]

"""Cloudspaces as an SDK service."""

from rsspot.services.blocking import BlockingCollection
from rsspot.services.cloudspaces.schemas import CloudSpace
from rsspot.services.collection import Collection


class CloudSpaces(Collection[CloudSpace]):
    """Kubernetes clusters of the organisation."""


class BlockingCloudSpaces(BlockingCollection[CloudSpace]):
    """The same, synchronous."""


COLLECTIONS = {"CloudSpace": CloudSpaces}

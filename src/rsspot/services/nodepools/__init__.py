"""Node pools: servers of one class in a cloudspace, won at auction or rented."""

GROUPS = {
    "ondemandnodepools": "Servers rented at a fixed price.",
    "spotnodepools": "Servers won at auction.",
}

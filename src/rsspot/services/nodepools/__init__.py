"""Node pools: servers of one class in a cloudspace, won at auction or rented."""

GROUPS = {
    "autopilotnodepools": "Capacity that the service buys by itself.",
    "ondemandnodepools": "Servers rented at a fixed price.",
    "spotnodepools": "Servers won at auction.",
}

"""Node pools: servers in a cloudspace, won at auction or rented on demand."""

GROUPS = {
    "autopilotnodepools": "Capacity that the service bids for automatically.",
    "ondemandnodepools": "Servers rented at a fixed price.",
    "spotnodepools": "Servers won at auction.",
}

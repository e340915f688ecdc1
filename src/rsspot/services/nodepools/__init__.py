"""Node pools: servers in a cloudspace, won at auction or rented on demand."""

GROUPS = {
    "autopilotnodepools": "Capacity that the service bids for automatically.",
    "ondemandnodepools": "Servers rented at a fixed price.",
    "spotnodepools": "Servers won at auction.",
}
FAMILIES = {
    "nodepools": (
        "Node pools of cloudspaces, by how their servers are billed.",
        {"spot": "spotnodepools", "ondemand": "ondemandnodepools", "autopilot": "autopilotnodepools"},
    )
}
SAMPLES = {
    "spotnodepools": "workers --cloudspace edge --server-class gp.vs1.large-dfw --bid-price 0.03 --desired 3",
    "ondemandnodepools": "base --cloudspace edge --server-class gp.vs1.large-dfw --desired 1",
    "autopilotnodepools": "NAME",
}

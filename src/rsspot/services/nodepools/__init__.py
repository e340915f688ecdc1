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
    "autopilotnodepools": "batch --cloudspace edge --vcpu-total 8 --budget-per-hour 0.20",
}
EXAMPLES = {
    "nodepools": ("rsspot nodepools spot list",),
    "spotnodepools update": ("rsspot {group} update {name} --desired 5 --bid-price 0.04",),
    "spotnodepools patch": ("""rsspot {group} patch {name} '{{"desired": 5}}'""",),
    "ondemandnodepools update": ("rsspot {group} update {name} --desired 2",),
    "ondemandnodepools patch": ("""rsspot {group} patch {name} '{{"desired": 2}}'""",),
    "autopilotnodepools update": ("rsspot {group} update {name} --vcpu-total 16 --budget-per-hour 0.40",),
    "autopilotnodepools patch": ("""rsspot {group} patch {name} '{{"budgetPerHour": "0.40"}}'""",),
}
WITHOUT_EFFECT = {"ondemandnodepools": ("autoscaling", "autoscaling-min", "autoscaling-max")}

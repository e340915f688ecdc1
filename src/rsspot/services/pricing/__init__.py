"""Pricing: current and past prices of servers, and prices of comparable servers in other clouds."""

GROUPS = {"pricing": "Current and past server prices."}
SAMPLES = {"pricing": "gp.vs1.large-dfw"}
EXAMPLES = {
    "pricing list": ("rsspot pricing list --nodes 3 --min-cpu 4 --class gp,ch", "rsspot pricing list --everywhere"),
    "pricing build": ("rsspot pricing build --nodes 5 --risk low --balanced --max-month 200",),
    "pricing history": (
        "rsspot pricing history {name}",
        "rsspot pricing history {name} --plot --bid 0.03",
        "rsspot pricing history {name} -o svg > prices.svg",
    ),
    "pricing percentiles": ("rsspot pricing percentiles --everywhere",),
    "pricing comparable": ("rsspot pricing comparable",),
}

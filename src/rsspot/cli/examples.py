"""The examples at the end of every help. A test parses each of them."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "rsspot --sandbox plan manifests/",
        "rsspot --sandbox apply manifests/ --yes",
        "rsspot --sandbox spotnodepools list",
    ),
    "init": ("rsspot --sandbox init infra --yes", "rsspot init infra --region us-central-dfw-2"),
    "plan": (
        "rsspot plan manifests/",
        "rsspot plan base/ overlays/staging/ --var-file staging.yaml",
        "rsspot plan manifests/ --prune --out plan.json --detailed-exitcode",
        "rsspot plan manifests/ --report md=plan.md --report html=plan.html",
    ),
    "apply": ("rsspot apply manifests/", "rsspot apply --plan plan.json --yes -o json"),
    "drift": (
        "rsspot drift manifests/",
        "rsspot drift manifests/ --report md=drift.md --notify-cmd ./tell-the-team.sh",
        "rsspot drift --stack production -o json",
    ),
    "show": ("rsspot show plan.json --compact", "rsspot show plan.json -o markdown > comment.md"),
    "comment": (
        "rsspot comment --plan plan.json",
        "rsspot comment --plan plan.json --comment-when changes --on gitlab --repository group/infra --number 7",
        "rsspot comment --plan drift.json --issue 'Drift of production'",
    ),
    "reviewed": (
        "rsspot reviewed --out plan.json",
        "rsspot reviewed --commit 1f0c3e5 --out plan.json -o jsonpath={.digest}",
    ),
    "graph": ("rsspot graph manifests/", "rsspot graph manifests/ -o svg > stack.svg"),
    "wait": ("rsspot wait manifests/", "rsspot wait manifests/ --wait-for gone --wait-timeout 600"),
    "destroy": ("rsspot destroy manifests/", "rsspot destroy --stack edge --yes"),
    "watch": (
        "rsspot watch manifests/ --interval 10m",
        "rsspot watch manifests/ --apply --max-deletes 2 --listen 9090 -o json",
        "rsspot watch infra --git https://example.com/team/infra.git@main --apply",
    ),
    "fleet": ("rsspot fleet status fleet.yaml",),
    "fleet plan": ("rsspot fleet plan fleet.yaml", "rsspot fleet plan stacks --only production"),
    "fleet apply": ("rsspot fleet apply fleet.yaml --yes --report md=fleet.md",),
    "fleet worker": ("rsspot fleet worker fleet.yaml --queue postgresql://ledger.example.com/rsspot",),
    "fleet status": ("rsspot fleet status fleet.yaml --report html=fleet.html",),
    "adopt": ("rsspot adopt cloudspace/edge 'edge/*' --stack production",),
    "detach": ("rsspot detach spotnodepool/edge/workers",),
    "move": ("rsspot move 'edge/*' cloudspace/edge --to-stack platform",),
    "validate": (
        "rsspot validate manifests/",
        "rsspot validate manifests/ --online",
        "rsspot validate manifests/ -o sarif > rsspot.sarif",
    ),
    "policy": ("rsspot policy test policies/",),
    "policy test": ("rsspot policy test policies/", "rsspot policy test policies/bids.test.yaml --junit results.xml"),
    "fmt": ("rsspot fmt manifests/", "rsspot fmt --check --diff manifests/", "rsspot fmt - < edge.yaml"),
    "render": ("rsspot render manifests/", "rsspot render manifests/ --var region=us-central-dfw-2 -o json"),
    "export": (
        "rsspot export --all --out backup",
        "rsspot export cloudspace/edge",
        "rsspot export --all --stack edge | rsspot plan -",
    ),
    "import": (
        "rsspot import --all --out infra --stack edge",
        "rsspot import cloudspace/edge spotnodepool/edge/workers --out infra",
    ),
    "bid": ("rsspot bid advise manifests/",),
    "bid advise": (
        "rsspot bid advise manifests/ --risk 1%",
        "rsspot bid advise gp.vs1.large-dfw --nodes 5 --nearby -o json",
        "rsspot bid advise manifests/ --risk 0.5% --write",
    ),
    "explain": (
        "rsspot explain SpotNodePool.bidPrice",
        "rsspot explain CloudSpace --recursive",
        "rsspot explain spotnodepool/edge/workers manifests/",
    ),
    "schema": ("rsspot schema > manifest.schema.json", "rsspot schema SpotNodePool"),
    "login": ("rsspot login", "rsspot login --keyring"),
    "logout": ("rsspot logout",),
    "whoami": ("rsspot whoami",),
    "configure": (
        "rsspot configure --org my-org --region us-central-dfw-1",
        "rsspot configure --profile ci --org my-org --token-stdin < token.txt",
    ),
    "profiles": ("rsspot profiles list",),
    "profiles list": ("rsspot profiles list -o json",),
    "profiles show": ("rsspot profiles show ci",),
    "profiles use": ("rsspot profiles use ci",),
    "profiles delete": ("rsspot profiles delete ci",),
    "doctor": ("rsspot doctor", "rsspot doctor -o json"),
    "config": ("rsspot config explain",),
    "config explain": ("rsspot config explain",),
    "config info": ("rsspot config info -o json",),
    "config path": ("rsspot config path",),
    "config migrate": ("rsspot config migrate",),
    "config set-default": ("rsspot config set-default region us-central-dfw-1",),
    "config unset-default": ("rsspot config unset-default region",),
    "config set-default-profile": ("rsspot config set-default-profile ci",),
    "config set-default-org": ("rsspot config set-default-org my-org",),
    "config set-default-region": ("rsspot config set-default-region us-central-dfw-1",),
    "config history": ("rsspot config history list",),
    "config history list": ("rsspot config history list --limit 10",),
    "config history info": ("rsspot config history info",),
    "config history clear": ("rsspot config history clear",),
    "history": ("rsspot history list --limit 10",),
    "history list": ("rsspot history list --limit 10",),
    "history info": ("rsspot history info",),
    "history clear": ("rsspot history clear",),
    "state": ("rsspot state path",),
    "state path": ("rsspot state path",),
    "state export": ("rsspot state export --out state.json",),
    "state import": ("rsspot state import state.json",),
    "state clear-cache": ("rsspot state clear-cache",),
    "lock": ("rsspot lock status",),
    "lock status": ("rsspot lock status --stack edge -o json",),
    "lock hold": ("rsspot lock hold --stack edge --reason 'restoring a backup'",),
    "lock break": ("rsspot lock break 7 --stack edge --yes",),
    "ledger": ("rsspot ledger runs",),
    "ledger runs": ("rsspot ledger runs --stack web --limit 10", "rsspot ledger runs --open -o json"),
    "ledger show": ("rsspot ledger show", "rsspot ledger show 3 -o json"),
    "ledger steps": ("rsspot ledger steps 3 --state failed", "rsspot ledger steps --address 'spotnodepool/*' -o json"),
    "ledger verify": ("rsspot ledger verify",),
    "ledger prune": ("rsspot ledger prune --keep 90d --dry-run", "rsspot ledger prune --keep 90d --yes"),
    "ledger export": ("rsspot ledger export ledger.json",),
    "ledger import": ("rsspot ledger import ledger.json",),
    "ledger copy": ("rsspot ledger copy ~/.config/rsspot/state.db postgresql://ledger.example.com/rsspot",),
    "ledger migrate": ("rsspot ledger migrate --ledger postgresql://owner@ledger.example.com/rsspot",),
    "ledger registrations": ("rsspot ledger registrations",),
    "registrations": ("rsspot registrations list",),
    "registrations list": ("rsspot registrations list", "rsspot registrations list --status failed -o json"),
    "registrations show": ("rsspot registrations show edge-vms-1", "rsspot registrations show edge-vms-1 -o json"),
    "registrations retry": ("rsspot registrations retry edge-vms-1", "rsspot registrations retry edge-vms-1 --anew"),
    "registrations skip": ("rsspot registrations skip edge-vms-1",),
    "registrations retire": ("rsspot registrations retire edge-vms-1 --yes",),
    "raw": (
        "rsspot raw --path /apis/ngpc.rxt.io/v1/regions",
        """rsspot raw --path /apis/ngpc.rxt.io/v1/regions --params-json '{"limit": "2"}'""",
    ),
    "simulator": ("rsspot simulator run -- rsspot regions list",),
    "simulator serve": ("rsspot simulator serve --port 8001 --kubeconfig kubeconfig",),
    "simulator run": ("rsspot simulator run -- rsspot regions list",),
    "simulator advance": ("rsspot --sandbox simulator advance 2h",),
    "simulator faults": ("rsspot --sandbox simulator faults --add 'POST spotnodepools: reset-after x2'",),
    "simulator price": ("rsspot --sandbox simulator price gp.vs1.large-dfw 0.05",),
    "simulator reset": ("rsspot --sandbox simulator reset",),
    "completion": ("source <(rsspot completion bash)", "rsspot completion fish | source"),
    "man": ("rsspot man plan | man -l -", "rsspot man --out man/"),
    "version": ("rsspot version",),
    "help": ("rsspot help spotnodepools create",),
}
"""Command -> its examples, for the commands of the CLI itself."""
OF_VERBS: dict[str, tuple[str, ...]] = {
    "list": ("rsspot {group} list", "rsspot {group} list -o json"),
    "get": ("rsspot {group} get {name}", "rsspot {group} get {name} -o yaml"),
    "create": ("rsspot {group} create {name}{options}",),
    "delete": ("rsspot {group} delete {name} --yes",),
    "wait": ("rsspot {group} wait {name}", "rsspot {group} wait {name} --gone --timeout 600"),
    "watch": ("rsspot {group} watch",),
}
"""Verb -> its examples, for the commands of a kind or service."""


def examples_of(path: str) -> tuple[str, ...]:
    """The examples of a command. path: as in its usage, such as `rsspot spotnodepools create`."""
    words = path.split()[1:]
    own = EXAMPLES.get(" ".join(words))
    return own if own is not None else _of_service(words)


def _of_service(words: list[str]) -> tuple[str, ...]:
    """The examples of a command of a service. A command of a kind has those of its verb, with a sample object."""
    from rsspot.cli.command_table import declared, group_at

    *group, verb = words
    examples: dict[str, tuple[str, ...]] = declared("EXAMPLES")
    if not group or group_at(words):
        return examples.get(" ".join(words), (f"rsspot {' '.join(words)} list",))
    plural = group_at(group) or ""
    samples: dict[str, str] = declared("SAMPLES")
    name, _, options = samples.get(plural, "NAME").partition(" ")
    lines = examples.get(f"{plural} {verb}") or OF_VERBS.get(verb, ())
    place = {"group": " ".join(group), "name": name, "options": f" {options}" if options else ""}
    return tuple(line.format(**place) for line in lines)

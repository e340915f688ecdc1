"""Cloudspaces: managed Kubernetes clusters on spot capacity."""

GROUPS = {"cloudspaces": "Kubernetes clusters on spot capacity."}
SAMPLES = {"cloudspaces": "edge --region us-central-dfw-1 --cni calico"}
EXAMPLES = {
    "cloudspaces upgrade": ("rsspot {group} upgrade {name} 1.33.0",),
    "cloudspaces kubeconfig": (
        "rsspot {group} kubeconfig {name}",
        "rsspot {group} kubeconfig {name} --merge-into ~/.kube/config",
    ),
    "cloudspaces get-config": ("rsspot {group} get-config {name} --file kubeconfig",),
    "cloudspaces patch": ("""rsspot {group} patch {name} '{{"gpuEnabled": true}}'""",),
    "cloudspaces update": ("rsspot {group} update {name} --kubernetes-version 1.33.0",),
}

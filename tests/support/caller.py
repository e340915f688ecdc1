"""Speaks HTTP to a simulator that runs as a process."""

import json
import urllib.error
import urllib.request

GROUP = "/apis/ngpc.rxt.io/v1"


class Caller:
    """Speaks HTTP to a running simulator as its organization."""

    def __init__(self, about):
        self.about = about
        form = f"grant_type=refresh_token&client_id=x&refresh_token={about['refresh_token']}".encode()
        self.token = None
        self.token = self.ask("POST", "/oauth/token", form)[1]["id_token"]
        (organization,) = self.ask("GET", "/apis/auth.ngpc.rxt.io/v1/organizations")[1]["organizations"]
        self.cloudspaces = f"{GROUP}/namespaces/{organization['metadata']['namespace']}/cloudspaces"

    def ask(self, method, path, body=None):
        """Status and document of an answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} if self.token else {}
        request = urllib.request.Request(self.about["base_url"] + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def create(self, name):
        """POST a cloudspace."""
        body = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "metadata": {"name": name}}
        body["spec"] = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}
        return self.ask("POST", self.cloudspaces, json.dumps(body).encode())

    def phase(self, name):
        """A cloudspace's phase."""
        return self.ask("GET", f"{self.cloudspaces}/{name}")[1].get("status", {}).get("phase", "")

"""What a tool costs that knows objects one by one, as Terraform does. object_by_object.py create|refresh FILE

The rule: an object is known by its name alone, so that a refresh is one GET for each, and a create is one POST and one
GET to learn what became of it; ten are under way at a time, as by Terraform's default; cloudspaces come first.
Each answer is parsed as JSON and compared with what was declared. Nothing is recorded, so this is a lower bound.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

from rsspot.wire import httpx

AT_ONCE = 10


def path_of(declared: dict[str, Any]) -> str:
    """Where objects of its kind are."""
    namespace = declared["metadata"]["namespace"]
    return f"/apis/{declared['apiVersion']}/namespaces/{namespace}/{declared['kind'].lower()}s"


def refreshed(client: httpx.Client, declared: dict[str, Any]) -> None:
    """GET an object, which must be as declared."""
    found = client.get(f"{path_of(declared)}/{declared['metadata']['name']}").raise_for_status().json()
    assert found["spec"] | declared["spec"] == found["spec"], found


def created(client: httpx.Client, declared: dict[str, Any]) -> None:
    """POST an object, and GET it."""
    client.post(path_of(declared), json=declared).raise_for_status()
    refreshed(client, declared)


def main(verb: str, file: str) -> None:
    """Do the same with every object of a file."""
    work = {"create": created, "refresh": refreshed}[verb]
    declared = json.loads(Path(file).read_text())["items"]
    form = {"grant_type": "refresh_token", "client_id": "bench", "refresh_token": os.environ["RSSPOT_REFRESH_TOKEN"]}
    url = os.environ["RSSPOT_BASE_URL"]
    bearer = httpx.post(f"{url}/oauth/token", data=form).raise_for_status().json()["id_token"]
    client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {bearer}"})
    with client, ThreadPoolExecutor(AT_ONCE) as pool:
        for _, alike in groupby(declared, key=lambda each: each["kind"]):
            list(pool.map(lambda each: work(client, each), alike))


if __name__ == "__main__":
    main(*sys.argv[1:])

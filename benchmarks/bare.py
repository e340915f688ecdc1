"""The least that a client can do: fetch every page of lists, one after the other, and parse it as JSON.

bare.py URL PATH…; prints how many pages and objects there were. Run in a process of its own by other benchmarks.
"""

import json
import os
import sys

from rsspot.wire import httpx

pages = objects = 0
bearer = {"Authorization": f"Bearer {os.environ['RSSPOT_ACCESS_TOKEN']}"}
with httpx.Client(base_url=sys.argv[1], headers=bearer) as client:
    for path in sys.argv[2:]:
        params = {"limit": "500"}
        while True:
            page = json.loads(client.get(path, params=params).raise_for_status().content)
            pages += 1
            objects += len(page.get("items") or ())
            if not (follow := (page.get("metadata") or {}).get("continue")):
                break
            params["continue"] = follow
print(pages, objects)

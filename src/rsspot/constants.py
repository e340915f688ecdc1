"""Names and addresses that never change while the program runs. No code, no imports."""

VERSION = "0.4.0"

BASE_URL = "https://spot.rackspace.com"
OAUTH_URL = "https://login.spot.rackspace.com"
FEEDS_URL = "https://ngpc-prod-public-data.s3.us-east-2.amazonaws.com"
"""Public price data. Nothing secret is ever sent there."""
CLIENT_ID = "mwG3lUMV8KyeMqHe4fJ5Bb3nM1vBvRNa"
"""The console's public OAuth client. It has no secret."""

API_VERSION = "ngpc.rxt.io/v1"
LOCAL_API_VERSION = "rsspot.dev/v1"
ORGANIZATIONS_PATH = "/apis/auth.ngpc.rxt.io/v1/organizations"

KUBECONFIG_PATH = "/apis/auth.ngpc.rxt.io/v1/generate-kubeconfig"
EVENTS_PATH = "/apis/metrics.ngpc.rxt.io/v1/events/organizations"

STACK_LABEL = "rsspot.dev/stack"
"""Which stack owns an object."""
NAME_ANNOTATION = "rsspot.dev/name"
LEASE_ANNOTATION = "rsspot.dev/lease"
"""The lease of a stack, on the live object that carries it."""
"""The name its author gave an object whose wire name is a UUID."""
ON_REMOVE_ANNOTATION = "rsspot.dev/on-remove"
"""What may become of an object that its manifest no longer declares: delete, detach or protect."""

REPLACE_ANNOTATION = "rsspot.dev/replace"
IGNORE_ANNOTATION = "rsspot.dev/ignore"
PREVIOUS_NAME_ANNOTATION = "rsspot.dev/previous-name"
DEPENDS_ON_ANNOTATION = "rsspot.dev/depends-on"

NAME_SPACE = "d8a30f17-b414-5818-a50f-8ec9d63c3a01"
"""Root of the UUIDv5 names. Changing it would rename every pool of every user."""

TRANSIENT_STATUSES = (408, 429, 500, 502, 503, 504)
"""HTTP statuses after which a read may succeed a little later."""
PAGE_SIZE = 500
USER_AGENT = f"rsspot/{VERSION}"

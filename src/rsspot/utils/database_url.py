"""URLs of databases, such as `postgresql://user:password@host/name`: read, and shown without what is secret in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

HARMLESS = re.compile(
    "host|hostaddr|port|dbname|user|passfile|service|application_name|options|connect_timeout|keepalives_[a-z]+"
    "|tcp_user_timeout|target_session_attrs|load_balance_hosts|channel_binding|require_auth|sslmode|sslnegotiation"
    "|sslrootcert|sslcert|sslkey|gssencmode|krbsrvname"
)
"""The parameters of a URL whose values may be shown. That of any other one may be a password, misspelled or not."""
HIDDEN = "***"
WHOLE = re.compile(
    r"([^@/?#:\[\]\s]*(:[^@/?#\[\]\s]*)?@)?(?P<hosts>[^@/?#\s]*)(/[^@?#\[\]\s]*)?(\?[^@#\[\]\s]*)?",
)
"""What may follow the scheme."""
HOST = re.compile(r"(\[[0-9a-fA-F:.]*(%[\w.-]+)?\]|[^:,\[\]]*)(:\d{0,5})?")


def is_well_formed(url: str) -> bool:
    """Whether a URL is read by everybody in the same way. Otherwise a part of the password may be taken for a host."""
    _, separator, rest = url.partition("://")
    found = WHOLE.fullmatch(rest)
    return bool(separator and found and all(HOST.fullmatch(host) for host in found["hosts"].split(",")))


def secrets_of(url: str) -> Iterator[str]:
    """Whatever is secret in a URL, as it is written there and as it is meant."""
    parts = urlsplit(url) if is_well_formed(url) else None
    if parts is None:
        yield url
        return
    user, _, _ = parts.netloc.rpartition("@")
    given = (value for name, value in _parameters(parts.query) if not HARMLESS.fullmatch(name))
    for secret in filter(None, (user.partition(":")[2], *given)):
        yield from {secret, unquote(secret), quote(unquote(secret), safe="")}


def shown_url(url: str) -> str:
    """A URL without what is secret in it. Of one that is not well-formed only the scheme is left.

    What has no scheme is the path of a file, which is shown.
    """
    if "://" not in url:
        return url
    if not is_well_formed(url):
        return f"{url.partition('://')[0]}://{HIDDEN}"
    parts = urlsplit(url)
    user, separator, hosts = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    given = [(each, value if HARMLESS.fullmatch(each) else HIDDEN) for each, value in parse_qsl(parts.query)]
    query = urlencode(given, safe="/*,:")
    shown = f"{name}{f':{HIDDEN}' if colon else ''}{separator}{hosts}"
    return f"{parts.scheme}://{shown}{parts.path}{'?' if query else ''}{query}"


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    """The parameters as they are written."""
    for each in query.split("&"):
        name, _, value = each.partition("=")
        yield unquote(name), value

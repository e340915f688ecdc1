"""Fetch the API's OpenAPI document and store it, with a metadata file about its origin. Writes nothing else.

Sources are tried in order: each --url, then what the API itself publishes. If all fail, the stored document stays.
Exit codes: 0 success; 1 nothing fetched and nothing stored; 2 --check found a difference; 3 usage error.
"""

from __future__ import annotations

import argparse
import hashlib
import ipaddress
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from openapi_files import Unusable, canonical, document_of, publish, spelt

from rsspot.constants import API_VERSION, BASE_URL, USER_AGENT
from rsspot.utils.clock import stamp, utc_now
from rsspot.utils.text import printable
from rsspot.wire import httpx, tls_for

FORMAT = 1
DOCUMENT, METADATA = "openapi.json", "openapi.meta.json"
LARGEST = 16 * 1024 * 1024
LONGEST = 60.0
"""The total time allowed for one source, in seconds."""
SILENCE = 20.0
"""Timeout to connect, and to wait for the next byte, in seconds."""
MOST_REDIRECTS = 5
ACCEPT = "application/json, application/yaml;q=0.9, */*;q=0.1"


@dataclass(frozen=True)
class Fetched:
    """A document as it will be stored. validators: the ETag and Last-Modified of its source."""

    source: str
    text: str
    validators: dict[str, str]


@dataclass
class Sync:
    """One run. failed: the sources that had no usable document, and why."""

    folder: Path
    base: str
    bearer: str
    failed: list[dict[str, str]] = field(default_factory=list)

    def fetch(self, sources: list[str]) -> Fetched | None:
        """The document of the first source that has one."""
        for source in sources:
            try:
                return self._fetch(source)
            except Unusable as why:
                shown = _shown(source)
                self.failed.append({"source": shown, "why": str(why)})
                print(f"skipped {shown}: {why}", file=sys.stderr)
        return None

    def _fetch(self, source: str) -> Fetched:
        bearer = self.bearer if _origin(source) == _origin(self.base) else ""
        try:
            headers, body = _download(httpx.URL(source), bearer)
        except httpx.TimeoutException:
            raise Unusable("no answer came in time") from None
        except httpx.ConnectError as refused:
            raise Unusable(printable(f"no connection was made: {refused}")) from None
        except httpx.InvalidURL:
            raise Unusable("it is not an address, or leads to none") from None
        except httpx.HTTPError as broken:
            raise Unusable(f"the exchange broke off: {type(broken).__name__}") from None
        validators = {
            name: printable(headers[header])
            for name, header in (("etag", "etag"), ("last_modified", "last-modified"))
            if header in headers
        }
        return Fetched(_shown(source), canonical(document_of(body)), validators)

    def kept(self) -> str | None:
        """The stored document, or None if it is missing or unusable."""
        try:
            body = (self.folder / DOCUMENT).read_bytes()
            document_of(body)
            return body.decode("utf-8")
        except (OSError, Unusable):
            return None

    def store(self, fetched: Fetched) -> bool:
        """Write the document and its metadata if they changed. Returns whether the document changed."""
        now, digest = stamp(utc_now()), hashlib.sha256(fetched.text.encode()).hexdigest()
        before, known = self.kept(), self._metadata()
        if fetched.text == before and known.get("sha256") == digest and known.get("format") == FORMAT:
            publish(self.folder / METADATA, spelt({**known, "checked_at": now}))
            return False
        moments = {"fetched_at": now, "checked_at": now}
        origin = {"source": fetched.source, "sha256": digest, **fetched.validators}
        # Write the document first: if the run stops here, the digest mismatch makes the next run write both again.
        publish(self.folder / DOCUMENT, fetched.text)
        publish(self.folder / METADATA, spelt({"format": FORMAT, **origin, **moments, "failed": self.failed}))
        return fetched.text != before

    def _metadata(self) -> dict[str, Any]:
        try:
            known = json.loads((self.folder / METADATA).read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. arguments: those of the process if left out"""
    options = _options(arguments)
    base = os.environ.get("RSSPOT_BASE_URL") or BASE_URL
    sync = Sync(options.output, base, options.token)
    fetched = sync.fetch(_sources(options.url, base))
    if fetched is None:
        return _without_answer(sync)
    if options.check:
        return _compare(sync, fetched)
    try:
        changed = sync.store(fetched)
    except OSError as error:
        print(f"cannot write to {options.output}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{'stored' if changed else 'unchanged:'} {options.output / DOCUMENT} from {fetched.source}")
    return 0


def _without_answer(sync: Sync) -> int:
    if sync.kept() is None:
        print("nothing could be fetched, and no document was kept", file=sys.stderr)
        return 1
    print(f"nothing could be fetched; {sync.folder / DOCUMENT} stays as it is")
    return 0


def _compare(sync: Sync, fetched: Fetched) -> int:
    kept = sync.kept()
    if fetched.text == kept:
        print(f"{sync.folder / DOCUMENT} is what {fetched.source} has")
        return 0
    print(f"{sync.folder / DOCUMENT} {'is not there' if kept is None else f'differs from {fetched.source}'}")
    return 2


def _sources(urls: list[str], base: str) -> list[str]:
    published = (f"{base.rstrip('/')}/openapi/{path}" for path in ("v2", f"v3/apis/{API_VERSION}"))
    return list(dict.fromkeys([*urls, *published]))


def _download(url: httpx.URL, bearer: str) -> tuple[httpx.Headers, bytes]:
    """Headers and body; follows redirects."""
    deadline = time.monotonic() + LONGEST
    for _ in range(MOST_REDIRECTS + 1):
        _check_address(url)
        headers = {"User-Agent": USER_AGENT, "Accept": ACCEPT, "Accept-Encoding": "identity"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        with (
            httpx.Client(verify=tls_for(str(url)), timeout=SILENCE, trust_env=False) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            if not response.has_redirect_location:
                return response.headers, _body(response, deadline)
            # A redirect can point anywhere, so drop the token and credentials, even for the same host.
            target, bearer = url.join(response.headers["location"]).copy_with(userinfo=b""), ""
        if (url.scheme, target.scheme) == ("https", "http"):
            raise Unusable("it redirects to plain http")
        url = target
    raise Unusable(f"it redirects more than {MOST_REDIRECTS} times")


def _body(response: httpx.Response, deadline: float) -> bytes:
    if response.status_code != 200:
        raise Unusable(f"it answered {response.status_code}")
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LARGEST:
            raise Unusable(f"its document is larger than {LARGEST // 1024**2} MiB")
        if time.monotonic() > deadline:
            raise Unusable(f"it took longer than {LONGEST:.0f} seconds")
    return bytes(body)


def _origin(address: str) -> tuple[str, str, int | None] | None:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return None
    return url.scheme, url.host, url.port


def _shown(address: str) -> str:
    """A URL without the parts that may be secret: credentials, query and fragment."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return "(an unreadable address)"
    return printable(f"{url.scheme}://{url.netloc.decode()}{url.raw_path.decode().partition('?')[0]}")


def _check_address(url: httpx.URL) -> None:
    if not url.host or url.scheme not in ("http", "https"):
        raise Unusable("it is not an address of http or https")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise Unusable(f"plain http is for this machine only, not for {printable(url.host)}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(3, f"{self.prog}: {message}\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(description="Fetch the API's OpenAPI document and keep it.")
    parser.add_argument("--url", action="append", default=[], help="a source to try first; may be given again")
    parser.add_argument("--output", type=Path, default=Path("openapi"), metavar="DIR", help="default: %(default)s")
    parser.add_argument(
        "--token-file",
        type=_token_in,
        dest="token",
        metavar="F",
        help="holds an id_token, which goes to the API itself only; default: the variable RSSPOT_ID_TOKEN",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; end with 2 if the document differs")
    options = parser.parse_args(arguments)
    if options.token is None:
        try:
            options.token = _token(os.environ.get("RSSPOT_ID_TOKEN", ""))
        except argparse.ArgumentTypeError as wrong:
            parser.error(f"RSSPOT_ID_TOKEN: {wrong}")
    return options


def _token_in(path: str) -> str:
    try:
        return _token(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        raise argparse.ArgumentTypeError("the file cannot be read") from None


def _token(text: str) -> str:
    if not re.fullmatch(r"[!-~]*", text.strip()):
        raise argparse.ArgumentTypeError("no token has such characters")
    return text.strip()


if __name__ == "__main__":
    sys.exit(main())

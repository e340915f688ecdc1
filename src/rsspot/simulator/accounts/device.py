"""Device authorization grant (RFC 8628): codes, the page where a person decides, and the responses to polls.

Does not issue tokens. Status codes are those of Auth0: 429 for `slow_down`, 403 for every other refused poll.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from html import escape
from urllib.parse import quote

from rsspot.simulator.accounts.people import Accounts, Person
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.apiserver.store import Store
from rsspot.simulator.rng import draw

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LIFETIME = 900
INTERVAL = 5
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters of user codes, without vowels so that no code spells a word."""
USUAL_SCOPE = "openid profile email offline_access"
REMEMBERED = 3600.0
"""Seconds after its expiry during which a code is reported as expired instead of unknown."""
_FACT = "device-codes"


@dataclass
class Login:
    """One pending login. decision: "", "approved" or "denied" · person: email of the one who decided"""

    user_code: str
    client_id: str
    organization: str
    scope: str
    expires: float
    interval: float = INTERVAL
    polled: float | None = None
    decision: str = ""
    person: str = ""


class DeviceLogins:
    """The device logins of a world, kept in its store. now: the clock that codes expire by"""

    def __init__(
        self,
        seed: int,
        key: bytes,
        store: Store,
        lock: AbstractContextManager[object],
        accounts: Accounts,
        now: Callable[[], float],
    ) -> None:
        self._seed, self._key = seed, key
        self._store, self._lock = store, lock
        self._accounts = accounts
        self._now = now

    def approve(self, user_code: str, person: str = "") -> None:
        """Approve a login, as the page's button does. Raises LookupError for a code that is not pending.

        Not for use inside a request. person: the member's email; the organization's first member if left out
        """
        self._decide_alone(user_code, "approved", person)

    def deny(self, user_code: str) -> None:
        """Deny a login, as the page's button does."""
        self._decide_alone(user_code, "denied")

    def start_endpoint(self, request: Request) -> Response:
        """POST /oauth/device/code"""
        form = request.form()
        if not form.get("client_id"):
            return refused(400, "invalid_request", "Missing required parameter: client_id")
        organization = self._accounts.organization(form.get("organization", self._accounts.organizations[0].id))
        if organization is None:
            return refused(400, "invalid_request", "parameter organization is invalid")
        scope = form.get("scope") or USUAL_SCOPE
        device_code, login = self._opened(form["client_id"], organization.id, scope)
        address = f"{request.origin}/activate"
        answer = {
            "device_code": device_code,
            "user_code": login.user_code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={quote(login.user_code)}",
            "expires_in": LIFETIME,
            "interval": INTERVAL,
        }
        return Response.of_json(200, answer)

    def _opened(self, client_id: str, organization: str, scope: str) -> tuple[str, Login]:
        serial = int(self._store.fact("device-serial", "0")) + 1
        self._store.set_fact("device-serial", str(serial))
        digest = hmac.digest(self._key, f"device/{serial}".encode(), "sha256")
        device_code = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        letters = [LETTERS[int(draw(self._seed, "user-code", serial, i) * len(LETTERS))] for i in range(8)]
        user_code = "".join(letters[:4]) + "-" + "".join(letters[4:])
        login = Login(user_code, client_id, organization, scope, self._now() + LIFETIME)
        recent = {name: each for name, each in self._logins().items() if each.expires + REMEMBERED > self._now()}
        self._keep({**recent, _hashed(device_code): login})
        return device_code, login

    def redeem(self, form: dict[str, str]) -> Login | Response:
        """Answer a poll with a device code: the approved login, which is removed, or a refusal."""
        logins, name = self._logins(), _hashed(form.get("device_code", ""))
        login = logins.get(name)
        if login is None or login.client_id != form.get("client_id"):
            return refused(403, "invalid_grant", "Invalid or expired device code.")
        refusal = self._poll_refusal(login)
        if refusal is None:
            del logins[name]
        self._keep(logins)
        return refusal or login

    def _poll_refusal(self, login: Login) -> Response | None:
        """The refusal of a poll; None if the login is approved. `slow_down` applies only while it is pending."""
        now = self._now()
        if now >= login.expires:
            return refused(403, "expired_token", "The device code has expired.")
        if login.decision == "denied":
            return refused(403, "access_denied", "User cancelled the confirmation prompt.")
        if login.decision == "approved":
            return None
        hurried = login.polled is not None and now - login.polled < login.interval
        login.polled = now
        if hurried:
            description = f"You are polling faster than the specified interval of {login.interval:g} seconds."
            login.interval += INTERVAL
            return refused(429, "slow_down", description)
        return refused(403, "authorization_pending", "User has yet to authorize device code.")

    def page_endpoint(self, request: Request) -> Response:
        """GET and POST /activate: the page where a person approves or denies a code."""
        if request.method != "POST":
            return self._decision_page(request.query.get("user_code", ""))
        form = request.form()
        decision = {"approve": "approved", "deny": "denied"}.get(form.get("action", ""))
        if decision is None:
            return self._decision_page(form.get("user_code", ""))
        try:
            self._decide(form.get("user_code", ""), decision, form.get("person", ""))
        except LookupError:
            return _page(400, "<p>This code is unknown, used or expired.</p>")
        return _page(200, f"<p>The login was {decision}. You may close this page.</p>")

    def _decision_page(self, typed: str) -> Response:
        shown = escape(typed, quote=True)
        login = self._open_login(self._logins(), typed) if typed else None
        if login is None:
            problem = f"<p>The code {shown} is unknown, used or expired.</p>" if typed else ""
            entry = '<label>Code <input name="user_code" autofocus></label> <button>Continue</button>'
            return _page(400 if typed else 200, f'{problem}<form method="get" action="/activate">{entry}</form>')
        who, what = escape(login.organization, quote=True), escape(login.scope, quote=True)
        question = (
            f"<p>A device requests access to <b>{who}</b> ({what}) with the code <b>{escape(login.user_code)}</b>.</p>"
        )
        code = f'<input type="hidden" name="user_code" value="{escape(login.user_code, quote=True)}">'
        buttons = "".join(
            f'<button name="action" value="{each}">{each.title()}</button> ' for each in ("approve", "deny")
        )
        people = _choice([each.email for each in self._members(login)])
        return _page(200, f'{question}<form method="post" action="/activate">{code}{people}{buttons}</form>')

    def _decide_alone(self, user_code: str, decision: str, person: str = "") -> None:
        with self._lock, self._store.transaction():
            self._decide(user_code, decision, person)

    def _decide(self, user_code: str, decision: str, person: str) -> None:
        logins = self._logins()
        login = self._open_login(logins, user_code)
        if login is None:
            raise LookupError(f"the code {user_code} is unknown, used or expired")
        members = [each.email for each in self._members(login)]
        if person and person not in members:
            raise LookupError(f"{person} is not a member of {login.organization}")
        login.decision, login.person = decision, person or members[0]
        self._keep(logins)

    def _members(self, login: Login) -> list[Person]:
        organization = self._accounts.organization(login.organization)
        return self._accounts.members(organization) if organization else []

    def _open_login(self, logins: dict[str, Login], typed: str) -> Login | None:
        wanted = _letters(typed)
        for login in logins.values():
            if _letters(login.user_code) == wanted and not login.decision and self._now() < login.expires:
                return login
        return None

    def _logins(self) -> dict[str, Login]:
        kept = json.loads(self._store.fact(_FACT, "{}"))
        return {name: Login(**each) for name, each in kept.items()}

    def _keep(self, logins: dict[str, Login]) -> None:
        self._store.set_fact(_FACT, json.dumps({name: asdict(each) for name, each in logins.items()}))


def refused(status: int, error: str, description: str) -> Response:
    """An error response in OAuth's format."""
    return Response.of_json(status, {"error": error, "error_description": description})


def _letters(typed: str) -> str:
    return "".join(letter for letter in typed.upper() if letter in LETTERS)


def _hashed(device_code: str) -> str:
    return hashlib.sha256(device_code.encode()).hexdigest()


def _choice(emails: list[str]) -> str:
    """A menu to choose the person who logs in, if there are several members."""
    if len(emails) < 2:
        return ""
    options = "".join(f"<option>{escape(each)}</option>" for each in emails)
    return f'<p><label>As <select name="person">{options}</select></label></p>'


def _page(status: int, body: str) -> Response:
    """A page that runs no scripts and cannot be embedded in a frame."""
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Activate a device</title>'
    html = f"{head}<h1>Activate a device</h1>{body}</html>"
    policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(status, html.encode(), "text/html; charset=utf-8", headers)

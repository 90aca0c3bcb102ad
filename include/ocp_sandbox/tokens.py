"""The token endpoint of the identity provider (Keycloak): logins, refreshes, one-time codes, locks and logouts."""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import sqlite3
import time
import uuid
from urllib.parse import parse_qsl, unquote

import pyotp

from ocp_sandbox.messages import Request, Response, answer
from ocp_sandbox.settings import Settings, User
from ocp_sandbox.store import Store

PREFIX = "/auth/"
WRONG_LOGINS = 5
LOCK_SECONDS = 60.0
CODE_LIFE = 60.0
_PATH = re.compile(r"/auth/realms/([^/]+)/protocol/openid-connect/(token|logout)")
_FORM = "application/x-www-form-urlencoded"
_Form = dict[str, str]


class _Denied(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.response = answer({"error": error, "error_description": description}, status=status)


class Tokens:
    """Sessions and their tokens, kept in the store: they outlive a restart, and die by the sandbox's clock."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def handle(self, request: Request) -> Response:
        """Answer a request below ``/auth/``."""
        found = _PATH.fullmatch(request.raw_path)
        if found is None:
            return answer({"error": "HTTP 404 Not Found"}, status=404)
        if unquote(found[1]) != self._settings.realm:
            return answer({"error": "Realm does not exist"}, status=404)
        if request.method != "POST":
            return answer({"error": "HTTP 405 Method Not Allowed"}, status=405, headers={"Allow": "POST"})
        try:
            form = self._form(request)
            if found[2] == "logout":
                self._log_out(form)
                return Response(204)
            return answer(self._token(form))
        except _Denied as denied:
            return denied.response

    def user_of(self, request: Request) -> User | None:
        """The login that an API request's credentials stand for; ``None`` when they are missing, wrong or too old."""
        pat = request.headers.get("x-ocp-personal-access-token")
        if pat is not None:
            return next((user for user in self._settings.users if user.pat and _same(user.pat, pat)), None)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        found = self._store.rows(
            "SELECT login FROM tokens JOIN sessions ON sessions.id = tokens.session"
            " WHERE token = ? AND kind = 'access' AND expires > ?",
            token.strip(),
            self._store.clock.now(),
        )
        return self._settings.user(found[0]["login"]) if found else None

    def _form(self, request: Request) -> _Form:
        if request.media_type != _FORM:
            raise _Denied(400, "invalid_request", f"Content type must be {_FORM}")
        form = dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
        if form.get("client_id") != self._settings.client_id:
            raise _Denied(401, "invalid_client", "Invalid client or Invalid client credentials")
        return form

    def _token(self, form: _Form) -> dict[str, object]:
        grant = form.get("grant_type")
        if grant is None:
            raise _Denied(400, "invalid_request", "Missing form parameter: grant_type")
        if grant == "password":
            return self._log_in(form)
        if grant == "refresh_token":
            return self._refresh(form)
        raise _Denied(400, "unsupported_grant_type", "Unsupported grant_type")

    def _log_in(self, form: _Form) -> dict[str, object]:
        name = form.get("username", "")
        user = self._settings.user(name)
        now = self._store.clock.now()
        with self._store.transaction() as db:
            row = db.execute("SELECT failures, locked_until FROM attempts WHERE login = ?", (name,)).fetchone()
            locked = row is not None and now < row["locked_until"]
            right = not locked and user is not None and self._proves(db, user, form, now)
            if not right and not locked and user is not None:
                failures = (row["failures"] if row else 0) + 1
                lock = now + LOCK_SECONDS if failures >= WRONG_LOGINS else 0.0
                values = (name, 0 if lock else failures, lock)
                db.execute("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?)", values)
            if right:
                db.execute("DELETE FROM attempts WHERE login = ?", (name,))
                db.execute("DELETE FROM tokens WHERE expires <= ?", (now - self._settings.refresh_ttl,))
                db.execute("DELETE FROM sessions WHERE id NOT IN (SELECT session FROM tokens)")
                session = str(uuid.uuid4())
                db.execute("INSERT INTO sessions VALUES (?, ?)", (session, name))
                return self._issue(db, session, name, now)
        if locked:
            raise _Denied(400, "invalid_grant", "Account temporarily disabled")
        raise _Denied(401, "invalid_grant", "Invalid user credentials")

    def _proves(self, db: sqlite3.Connection, user: User, form: _Form, now: float) -> bool:
        """Whether password and one-time code are right. A code counts by the sandbox's clock or the machine's."""
        if not _same(user.password, form.get("password", "")):
            return False
        if user.totp is None:
            return True
        code = form.get("otp", "")
        totp = pyotp.TOTP(user.totp)
        if not any(totp.verify(code, for_time=int(moment), valid_window=1) for moment in (now, time.time())):
            return False
        db.execute("DELETE FROM used_codes WHERE until <= ?", (now,))
        used = db.execute("SELECT 1 FROM used_codes WHERE login = ? AND code = ?", (user.name, code)).fetchone()
        if used is not None:
            return False
        db.execute("INSERT INTO used_codes VALUES (?, ?, ?)", (user.name, code, now + CODE_LIFE))
        return True

    def _refresh(self, form: _Form) -> dict[str, object]:
        now = self._store.clock.now()
        with self._store.transaction() as db:
            session, login = self._session(db, form, now)
            return self._issue(db, session, login, now)

    def _log_out(self, form: _Form) -> None:
        with self._store.transaction() as db:
            session, _ = self._session(db, form, self._store.clock.now())
            db.execute("DELETE FROM sessions WHERE id = ?", (session,))

    def _session(self, db: sqlite3.Connection, form: _Form, now: float) -> tuple[str, str]:
        row = db.execute(
            "SELECT session, login, expires FROM tokens JOIN sessions ON sessions.id = tokens.session"
            " WHERE token = ? AND kind = 'refresh'",
            (form.get("refresh_token", ""),),
        ).fetchone()
        if row is None:
            raise _Denied(400, "invalid_grant", "Invalid refresh token")
        if row["expires"] <= now or self._settings.user(row["login"]) is None:
            raise _Denied(400, "invalid_grant", "Token is not active")
        return row["session"], row["login"]

    def _issue(self, db: sqlite3.Connection, session: str, login: str, now: float) -> dict[str, object]:
        settings = self._settings
        lives = {"access": settings.token_ttl, "refresh": settings.refresh_ttl}
        user = settings.user(login)
        issued = {kind: _jwt(kind, session, login, now + life, user) for kind, life in lives.items()}
        for kind, token in issued.items():
            db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?)", (token, kind, session, now + lives[kind]))
        return {
            "access_token": issued["access"],
            "expires_in": int(settings.token_ttl),
            "refresh_expires_in": int(settings.refresh_ttl),
            "refresh_token": issued["refresh"],
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": session,
            "scope": "profile email",
        }


def _jwt(kind: str, session: str, login: str, expires: float, user: User | None) -> str:
    """A random token in the shape of a signed one; it is looked up, its signature means nothing."""
    claims: dict[str, object] = {"typ": kind, "sid": session, "preferred_username": login, "exp": int(expires)}
    if user is not None:
        claims |= {"realm_access": {"roles": [user.role]}, "groups": sorted(user.groups)}
    head, body = (_base64(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{head}.{body}.{secrets.token_urlsafe(48)}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode(errors="surrogatepass"))

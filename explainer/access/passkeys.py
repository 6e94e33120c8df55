"""Passkeys (WebAuthn, level 3): a person's devices sign a challenge of ours, after looking at who holds them."""

from __future__ import annotations

import base64
import sqlite3
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import orjson

from explainer.access.challenges import GOOD_FOR_S, Challenges
from explainer.access.clock import Clock, utc_now, written
from explainer.durable import DurableFile
from explainer.errors import Conflict, InvalidOption, NotAuthenticated, NotFound

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MOST = 20  # of one person
LONGEST_ANSWER = 16_384


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys are good: `site` is the host name they are bound to, `origin` the address of the pages there."""

    site: str
    origin: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """`id` is the credential's id in base64url. Times are ISO 8601 in UTC."""

    id: str
    person: str
    name: str
    public_key: bytes
    sign_count: int
    created_at: str
    last_used_at: str | None


COLUMNS = ", ".join(f.name for f in fields(Passkey))


class Passkeys:
    """Several for each person, with names. All methods raise StorageFailed when the file cannot be used.

    `purpose` binds a challenge to what it was asked for (one session, or the sign-in page), so that an answer is good
    there only.
    """

    def __init__(self, file: DurableFile, challenges: Challenges, *, clock: Clock = utc_now) -> None:
        self._file = file
        self._challenges = challenges
        self._clock = clock

    def of(self, person: str) -> list[Passkey]:
        """Oldest first."""
        query = f"SELECT {COLUMNS} FROM passkeys WHERE person = ? ORDER BY created_at, rowid"  # noqa: S608
        with self._file.reading() as connection:
            return [Passkey(*row) for row in connection.execute(query, (person,)).fetchall()]

    def ask_new(self, person: str, name: str, place: Place, purpose: str) -> dict[str, Any]:
        """Return the options of `navigator.credentials.create` for a new passkey of this person."""
        import webauthn
        from webauthn.helpers import structs

        options = webauthn.generate_registration_options(
            rp_id=place.site,
            rp_name="explainer",
            user_name=name,
            user_display_name=name,
            user_id=person.encode(),
            challenge=self._challenges.ask(f"new passkey {person} {purpose}"),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.PREFERRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_described(self.of(person)),
        )
        return _readable(webauthn.options_to_json(options))

    def add(self, person: str, name: str, answer: str, place: Place, purpose: str) -> Passkey:
        """Keep the passkey that the browser made. Raises InvalidOption, NotAuthenticated, Conflict."""
        import webauthn
        from webauthn.helpers.exceptions import WebAuthnException

        shown = name.strip() or "passkey"
        if len(shown) > 100 or not shown.isprintable():
            raise InvalidOption("name: give the passkey a name of 1 to 100 printable characters.")
        challenge = self._spent(answer, f"new passkey {person} {purpose}")
        try:
            made = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=place.site,
                expected_origin=place.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError) as error:
            raise InvalidOption(f"passkey: the browser's answer cannot be used: {error}.") from None
        credential_id = webauthn.helpers.bytes_to_base64url(made.credential_id)
        now = written(self._clock())
        passkey = Passkey(credential_id, person, shown, made.credential_public_key, made.sign_count, now, None)
        self._file.write(lambda connection: _insert(connection, passkey))
        return passkey

    def ask(self, place: Place, purpose: str, person: str | None = None) -> dict[str, Any]:
        """Return the options of `navigator.credentials.get`; without `person` the device says who it is.

        Written out here, so that the sign-in page does not need the library that checks the answer.
        """
        challenge = self._challenges.ask(f"passkey {person} {purpose}")
        known = [] if person is None else self.of(person)
        return {
            "challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "rpId": place.site,
            "timeout": int(GOOD_FOR_S * 1000),
            "allowCredentials": [{"type": "public-key", "id": passkey.id} for passkey in known],
            "userVerification": "required",
        }

    def check(self, answer: str, place: Place, purpose: str, person: str | None = None) -> Passkey:
        """Return the passkey that signed; raises NotAuthenticated for any answer that is not good.

        A counter that did not grow means that the device was copied: then nobody is let in.
        """
        import webauthn
        from webauthn.helpers.exceptions import WebAuthnException

        passkey = self._named(answer)
        challenge = self._spent(answer, f"passkey {person} {purpose}")
        if passkey is None or (person is not None and passkey.person != person):
            raise NotAuthenticated("This passkey is not known here.")
        try:
            seen = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=place.site,
                expected_origin=place.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError) as error:
            raise NotAuthenticated(f"This passkey was not accepted: {error}.") from None
        self._count(passkey, seen.new_sign_count)
        return passkey

    def remove(self, passkey_id: str, person: str) -> None:
        """Raises NotFound, also for another person's passkey."""

        def delete(connection: sqlite3.Connection) -> None:
            query = "DELETE FROM passkeys WHERE id = ? AND person = ?"
            if connection.execute(query, (passkey_id, person)).rowcount == 0:
                raise NotFound("There is no such passkey.")

        self._file.write(delete)

    def _named(self, answer: str) -> Passkey | None:
        found = _readable(answer).get("id")
        if not isinstance(found, str):
            return None
        query = f"SELECT {COLUMNS} FROM passkeys WHERE id = ?"  # noqa: S608
        with self._file.reading() as connection:
            row = connection.execute(query, (found.encode("utf-8", "replace").decode(),)).fetchone()
        return None if row is None else Passkey(*row)

    def _spent(self, answer: str, purpose: str) -> bytes:
        challenge = _challenge_in(answer)
        self._challenges.spend(challenge, purpose)
        return challenge

    def _count(self, passkey: Passkey, count: int) -> None:
        """Two answers that were checked against the same counter: the second is refused here."""
        query = "UPDATE passkeys SET sign_count = ?, last_used_at = ? WHERE id = ? AND sign_count = ?"
        values = (count, written(self._clock()), passkey.id, passkey.sign_count)
        if self._file.write(lambda c: c.execute(query, values).rowcount) == 0:
            raise NotAuthenticated("This passkey was used twice at once: try again.")


def _insert(connection: sqlite3.Connection, passkey: Passkey) -> None:
    if connection.execute("SELECT 1 FROM passkeys WHERE id = ?", (passkey.id,)).fetchone():
        raise Conflict("This passkey is registered already.")
    count = connection.execute("SELECT count(*) FROM passkeys WHERE person = ?", (passkey.person,)).fetchone()[0]
    if count >= MOST:
        raise Conflict(f"There are {MOST} passkeys already; remove one first.")
    values = tuple(getattr(passkey, f.name) for f in fields(Passkey))
    connection.execute(f"INSERT INTO passkeys ({COLUMNS}) VALUES (?,?,?,?,?,?,?)", values)  # noqa: S608


def _challenge_in(answer: str) -> bytes:
    """The challenge that the browser says it answered; whether it is ours, and fits the signature, is checked after."""
    import webauthn

    try:
        said = orjson.loads(webauthn.base64url_to_bytes(_readable(answer)["response"]["clientDataJSON"]))
        return webauthn.base64url_to_bytes(said["challenge"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotAuthenticated("The browser's answer cannot be read: try again.") from None


def _readable(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text) if len(text) <= LONGEST_ANSWER else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NotAuthenticated("The browser's answer cannot be read: try again.")
    return found


def _described(passkeys: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    import webauthn
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(p.id)) for p in passkeys]

"""The owner's part: an account, a collection signed by EIP-712, a value put in without a TEE.

And, as owner of the collection, its question: who read a secret?
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo.images import manifest
from deploy.demo.processes import DemoError, sealedger
from deploy.demo.stage import COLLECTION, Stage

CODE = "owner/recovery-code"


@dataclass(frozen=True, slots=True)
class Owner:
    """An account of nobody but its keystore file and password; neither is in the node's home."""

    stage: Stage
    keystore: Path
    password: Path

    def make_account(self) -> str:
        """A new account; its address."""
        self.password.touch(mode=0o600, exist_ok=False)
        self.password.write_text(secrets.token_urlsafe(18))
        account = json.loads(sealedger("account", "new", *self._signing, "--json"))
        return str(account["address"])

    def create(self, writer: Path, reader: Path) -> str:
        """The collection: the code of one app may write it, that of another one may read it.

        The measurement of the reader, as the owner signed it.
        """
        address = self.make_account()
        apps = (f"--writer={manifest(writer)}", f"--reader={manifest(reader)}")
        created = self._ask("collection", "create", COLLECTION, *apps)
        collection = self._ask("collection", "show", COLLECTION)
        if collection["owner"] != address or collection["readers"] != created["readers"]:
            raise DemoError(f"the collection is another one: {collection}")
        self.stage.steps.tell(
            "owner",
            f"account {address}, a keystore with a password",
            f"signs by EIP-712: {COLLECTION} may be written by the code of writer only,",
            "and read by the code of reader only",
        )
        return str(created["readers"]).removeprefix("measurement ")

    def put(self) -> str:
        """A value sealed here, to the key that the attested key service vouches for; its digest."""
        value = secrets.token_urlsafe(24)
        stored = self._ask("secret", "put", CODE, f"--collection={COLLECTION}", given=value)
        if (stored["version"], stored["bytes"]) != (1, len(value)):
            raise DemoError(f"the owner's value was stored as {stored}")
        self.stage.steps.tell("owner", f"stores {CODE}, sealed without a TEE")
        return hashlib.sha256(value.encode()).hexdigest()

    def ask_who_read(self, name: str, measurement: str) -> int:
        """Who read a secret: the reader, once; the entry in which that stands."""
        asked = self._ask("audit", "who-read", name, f"--collection={COLLECTION}")
        told = [
            (one["operation"], one["outcome"], one["signature"], one["measurement"])
            for one in asked["answers"]
        ]
        if told != [("Read", "OK", "verified", measurement)]:
            raise DemoError(f"other reads of {name} than the reader's one: {told}")
        (read,) = asked["answers"]
        self.stage.steps.tell(
            "who-read",
            f"the owner asks who read {name}: {len(told)} read, proven,",
            f"entry {read['entry']}, {read['time']}, by the reader's code {measurement[:16]}",
        )
        return int(read["entry"])

    def _ask(self, *words: str, given: str = "") -> dict[str, Any]:
        said = sealedger(*words, *self._signing, *self.stage.pinned, given=given)
        answer: dict[str, Any] = json.loads(said)
        return answer

    @property
    def _signing(self) -> tuple[str, str]:
        return (f"--account={self.keystore}", f"--password-file={self.password}")

"""``sealedger session``: sessions of enclaves, ended by owners and by members of the network.

The id of a session is the signer of what it did: ``sealedger secret history --json`` and
``sealedger audit`` name it.
"""

import asyncio

import click

from enclave_client.owner_sessions import Parted, Voted
from node.cli.hex_type import Hex
from node.cli.output import show
from node.cli.target import NAME, Target, reaching
from node.cli.words import Fields, missing_votes, plain, time_words


@click.group()
def session() -> None:
    """End sessions of enclaves before their time."""


@session.command()
@click.argument("session_id", metavar="SESSION", type=Hex(32, name="session", shortened=True))
@click.option(
    "--collection", type=NAME, help="End its part in this collection, as the owner; at once."
)
@reaching(account=True, receipt=True)
def revoke(target: Target, session_id: bytes, collection: str | None) -> None:
    """Revoke SESSION for a collection as its owner, or vote as a member to end it everywhere.

    A revoked session never comes back. Its enclave may open another one as long as policies admit
    it: who distrusts the code changes the policy or has its release revoked.
    """

    async def run() -> Parted | Voted:
        async with target.owner() as owner:
            if collection is None:
                return await owner.sessions.vote(session_id)
            return await owner.sessions.revoke(session_id, collection)

    done = asyncio.run(run())
    fields: Fields = {"session": session_id.hex(), "revoked": True}
    if isinstance(done, Voted):
        fields |= {"revoked": done.is_revoked, "votes": done.cast, "needed": done.needed}
    else:
        fields["collection"] = collection
    fields |= {
        "entry": done.receipt.index,
        "time": time_words(done.receipt.time_ms),
        **target.save(done.receipt),
    }
    if target.as_json:
        show(fields, as_json=True)
        return
    if isinstance(done, Voted):
        fields = _votes_in_words(fields, done)
    show(plain(fields), as_json=False)


def _votes_in_words(fields: Fields, voted: Voted) -> Fields:
    """For people, who cannot tell from a count whether their vote was new: nothing else can."""
    said = {name: value for name, value in fields.items() if name != "needed"}
    said["votes"] = f"{voted.cast} of {voted.needed}"
    if not voted.is_revoked:
        said["next"] = (
            f"{missing_votes(voted.cast, voted.needed)}; this member's vote is cast, and casting "
            "it again changes nothing"
        )
    return said

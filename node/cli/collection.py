"""``sealedger collection``: what an owner says about collections, signed by an account.

Who may read and write comes from a policy file (`enclave_client.policy_file`), or from the
manifests of apps on a software platform. No TEE is needed; the node is judged as any client does.
"""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from attestation.platforms.software_enclave import enclave_of
from attestation.platforms.software_files import SGX, TEES
from attestation.platforms.software_manifest import read_manifest
from attestation.policy import AnyOf, Match, Policy, decode_policy, encode_policy
from enclave_client.durations import encode_duration
from enclave_client.errors import PolicyFileError
from enclave_client.owner import Changed
from enclave_client.policy_file import encode_policy_file, read_policy_file
from enclave_client.policy_words import NOBODY, policy_words
from enclave_client.rows import CollectionRow
from ledger.errors import FormatError
from ledger.format.address import decode_address, encode_address
from ledger.format.terms import CollectionTerms
from node.cli.duration_type import DURATION
from node.cli.output import UsageFault, show, show_rows
from node.cli.target import APP_MANIFEST, NAME, Target, reaching
from node.cli.words import Fields, plain, time_words

_FILE = click.Path(path_type=Path, dir_okay=False)
_TERMS = (
    click.option("--policy", type=_FILE, help="A policy file that says all of it."),
    click.option(
        "--reader", "readers", type=_FILE, multiple=True, metavar="MANIFEST",
        help="The manifest of an app that may read. Repeatable.",
    ),
    click.option(
        "--writer", "writers", type=_FILE, multiple=True, metavar="MANIFEST",
        help="The manifest of an app that may write; without one only the owner can. Repeatable.",
    ),
    click.option(
        "--auditor", "auditors", multiple=True, metavar="ADDRESS",
        help="An account that may ask about everything in it. Repeatable.",
    ),
    click.option("--ttl", type=DURATION, help="How long values can be read, such as 90d."),
    click.option(
        "--allow-self", is_flag=True, help="Let this program, as it is now, read and write too."
    ),
    click.option(
        "--tee", type=click.Choice(TEES), default=SGX, show_default=True,
        help="The kind of TEE that apps with a MANIFEST run in.",
    ),
)  # fmt: skip
_C = TypeVar("_C", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class TermsChoice:
    """What the options say of terms."""

    policy: Path | None
    readers: tuple[Path, ...]
    writers: tuple[Path, ...]
    auditors: tuple[str, ...]
    ttl: int | None
    allow_self: bool
    tee: str

    def terms(self) -> CollectionTerms:
        """The terms to sign; UsageFault if the options contradict each other or say nothing."""
        terms = self._from_options() if self.policy is None else self._from_file(self.policy)
        if self.allow_self:
            own = _match(APP_MANIFEST, self.tee)
            terms = replace(
                terms, readers=_admit(terms.readers, own), writers=_admit(terms.writers, own)
            )
        return terms

    def _from_file(self, policy: Path) -> CollectionTerms:
        if self.readers or self.writers or self.auditors or self.ttl is not None:
            raise UsageFault(
                "--policy says all of it", "leave out --reader, --writer, --auditor and --ttl"
            )
        try:
            return read_policy_file(policy)
        except PolicyFileError as error:
            raise UsageFault(error.message, error.hint) from error

    def _from_options(self) -> CollectionTerms:
        if not (self.readers or self.writers or self.allow_self):
            raise UsageFault(
                "who may read and write?", "--policy FILE, or --reader, --writer, --allow-self"
            )
        try:
            auditors = sorted(set(map(decode_address, self.auditors)))
        except FormatError as error:
            raise UsageFault(str(error), "--auditor ADDRESS, as account show prints it") from error
        return CollectionTerms(
            self._any_of(self.readers),
            self._any_of(self.writers),
            tuple(auditors),
            self.ttl or 0,
        )

    def _any_of(self, manifests: tuple[Path, ...]) -> bytes:
        policy: Policy = NOBODY
        matches = {_match(one, self.tee): None for one in manifests}
        if matches:
            policy = AnyOf(tuple(matches)) if len(matches) > 1 else next(iter(matches))
        return encode_policy(policy)


def terms_options(command: _C) -> _C:
    """The options of terms, handed over as ``choice``."""

    @functools.wraps(command)
    def with_choice(**given: Any) -> None:
        names = ("policy", "readers", "writers", "auditors", "ttl", "allow_self", "tee")
        choice = TermsChoice(**{name: given.pop(name) for name in names})
        command(choice=choice, **given)

    for option in reversed(_TERMS):
        option(with_choice)
    return cast("_C", with_choice)


@click.group()
def collection() -> None:
    """Create collections and say who may read and write them."""


@collection.command()
@click.argument("name", type=NAME)
@terms_options
@reaching(account=True, receipt=True)
def create(target: Target, name: str, choice: TermsChoice) -> None:
    """Make the collection NAME, owned by the account."""
    terms = choice.terms()

    async def run() -> Changed:
        async with target.owner() as owner:
            return await owner.create_collection(name, terms)

    _show_changed(target, name, asyncio.run(run()), _terms_fields(terms))


@collection.command("show")
@click.argument("name", type=NAME)
@reaching(account=True)
def show_collection(target: Target, name: str) -> None:
    """Show who owns NAME and who may read and write it."""
    row = asyncio.run(_row(target, name))
    _show(target, _fields(row))


@collection.command("list")
@reaching(account=True)
def list_collections(target: Target) -> None:
    """List the collections that the account owns or audits."""

    async def run() -> list[CollectionRow]:
        async with target.owner() as owner:
            return [row async for row in owner.collections()]

    rows = list(map(_fields, asyncio.run(run())))
    if not target.as_json:
        rows = [
            plain({key: row[key] for key in ("name", "frozen", "ttl", "owner")}) for row in rows
        ]
    show_rows("collections", rows, as_json=target.as_json)


@collection.command()
@click.argument("name", type=NAME)
@reaching(account=True, receipt=True)
def freeze(target: Target, name: str) -> None:
    """Stop every read and write of NAME at once."""
    _freeze(target, name, frozen=True)


@collection.command()
@click.argument("name", type=NAME)
@reaching(account=True, receipt=True)
def unfreeze(target: Target, name: str) -> None:
    """Let reads and writes of NAME go on."""
    _freeze(target, name, frozen=False)


@collection.group("policy")
def policy_group() -> None:
    """Look at and replace a collection's terms."""


@policy_group.command("set")
@click.argument("name", type=NAME)
@terms_options
@reaching(account=True, receipt=True)
def set_policy(target: Target, name: str, choice: TermsChoice) -> None:
    """Replace the terms of NAME as a whole; whoever is not named is out at once."""
    terms = choice.terms()

    async def run() -> Changed:
        async with target.owner() as owner:
            return await owner.set_policy(name, terms)

    _show_changed(target, name, asyncio.run(run()), _terms_fields(terms))


@policy_group.command("show")
@click.argument("name", type=NAME)
@reaching(account=True)
def show_policy(target: Target, name: str) -> None:
    """Print the terms of NAME as a policy file, to be changed and set again."""
    row = asyncio.run(_row(target, name))
    text = encode_policy_file(row.terms).decode()
    if target.as_json:
        show({"name": name, "policy_file": text}, as_json=True)
    else:
        click.echo(text, nl=False)


def _freeze(target: Target, name: str, *, frozen: bool) -> None:
    async def run() -> Changed:
        async with target.owner() as owner:
            return await owner.freeze(name, frozen=frozen)

    _show_changed(target, name, asyncio.run(run()), {"frozen": frozen})


async def _row(target: Target, name: str) -> CollectionRow:
    async with target.owner() as owner:
        return await owner.collection(name)


def _show_changed(target: Target, name: str, changed: Changed, said: Fields) -> None:
    fields = {
        "collection": name,
        **said,
        "entry": changed.receipt.index,
        "time": time_words(changed.receipt.time_ms),
        **target.save(changed.receipt),
    }
    _show(target, fields)


def _show(target: Target, fields: Fields) -> None:
    show(fields if target.as_json else plain(fields), as_json=target.as_json)


def _fields(row: CollectionRow) -> Fields:
    return {
        "name": row.name,
        "owner": encode_address(row.owner) if row.owner else None,
        "frozen": row.is_frozen,
        **_terms_fields(row.terms),
    }


def _terms_fields(terms: CollectionTerms) -> Fields:
    return {
        "readers": policy_words(decode_policy(terms.readers)),
        "writers": policy_words(decode_policy(terms.writers)),
        "auditors": list(map(encode_address, terms.auditors)),
        "ttl": encode_duration(terms.ttl_ms) if terms.ttl_ms else None,
    }


def _match(manifest: Path, tee: str) -> Match:
    return enclave_of(read_manifest(manifest), tee).by_code


def _admit(policy: bytes, own: Match) -> bytes:
    """The policy with one more kind of enclave."""
    decoded = decode_policy(policy)
    if decoded in (NOBODY, own):
        return encode_policy(own)
    members = decoded.members if isinstance(decoded, AnyOf) else (decoded,)
    return encode_policy(AnyOf(members if own in members else (*members, own)))

"""What ``sealedger node init`` can be told: its options, and what they mean.

Rules: what cannot be is refused here, before anything is opened or made. Founding itself is
`node.first_home`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from attestation.errors import PlatformError
from attestation.identity import TCB_STATUSES
from attestation.platforms.detect import AUTO, PLATFORMS, SOFTWARE
from attestation.platforms.software_enclave import enclave_of
from attestation.platforms.software_files import SGX, TEES
from attestation.platforms.software_manifest import read_manifest
from attestation.policy import AnyOf, Match, encode_policy
from enclave_client.policy_file import read_policy_file
from ledger.errors import FormatError
from ledger.format.address import decode_address
from ledger.format.genesis import Collection
from ledger.format.names import is_name
from ledger.format.platforms import PLATFORM_ID_BYTES
from ledger.format.terms import MAX_AUDITORS
from ledger.format.trust import MAX_MEMBERS
from node.cli.hex_type import Hex
from node.errors import ConfigError
from node.first_home import FirstHome, PlatformChoice
from node.founding import Governance
from node.founding_core import Accepted

DEVELOPMENT = "development"
_MISSING = {
    "single": "an outside witness who signs every checkpoint",
    "consortium": "four operators' cores that certify together",
}
_FILE = click.Path(path_type=Path, dir_okay=False)
_Command = Callable[..., Any]

_OPTIONS = (
    click.option("--name", default="local", show_default=True, help="The network's name."),
    click.option(
        "--profile",
        type=click.Choice((DEVELOPMENT, *_MISSING)),
        default=DEVELOPMENT,
        show_default=True,
        help="How much a host alone can do. This version founds the first only.",
    ),
    click.option(
        "--app",
        "apps",
        multiple=True,
        metavar="COLLECTION=MANIFEST",
        help="A collection, and the manifest of an app that may read and write it, on the "
        "software platform. Repeatable.",
    ),
    click.option(
        "--policy",
        "policies",
        multiple=True,
        metavar="COLLECTION=FILE",
        help="A collection, and the policy file with its readers and writers. Repeatable.",
    ),
    click.option("--listen", default="127.0.0.1:8700", show_default=True, help="For gRPC."),
    click.option("--http-listen", default="127.0.0.1:8701", show_default=True, help="For HTTP."),
    click.option("--endpoint", help="What clients connect to.  [default: as --listen]"),
    click.option(
        "--lock",
        type=_FILE,
        help="The rollback lock's place, better on another disk.  [default: in the home]",
    ),
    click.option(
        "--platform",
        type=click.Choice((AUTO, *PLATFORMS)),
        default=SOFTWARE,
        show_default=True,
        help="Where the core runs: auto is the TEE that is found, software simulates one.",
    ),
    click.option(
        "--tee",
        type=click.Choice(TEES),
        help=f"The kind of TEE that the software platform stands for.  [default: {SGX}]",
    ),
    click.option(
        "--collateral",
        type=_FILE,
        multiple=True,
        help="Collateral of the core's hardware, or of clients'. Repeatable.",
    ),
    click.option(
        "--root",
        "roots",
        type=_FILE,
        multiple=True,
        help="A root to believe that is no vendor's, PEM or DER. Repeatable.",
    ),
    click.option(
        "--tcb-status",
        "statuses",
        type=click.Choice(sorted(TCB_STATUSES)),
        multiple=True,
        metavar="STATUS",
        help="A TCB status of the core's hardware to accept beside UpToDate. Repeatable.",
    ),
    click.option(
        "--advisory",
        "advisories",
        multiple=True,
        metavar="ID",
        help="A vendor's advisory to accept with such a status. Repeatable.",
    ),
    click.option(
        "--member",
        "members",
        multiple=True,
        metavar="ADDRESS",
        help="An account that votes on sessions and on platforms. Repeatable.",
    ),
    click.option(
        "--member-threshold",
        "threshold",
        type=click.IntRange(min=1),
        metavar="K",
        help="How many members decide together.",
    ),
    click.option(
        "--enrol",
        "platforms",
        type=Hex(*PLATFORM_ID_BYTES, name="platform_id"),
        multiple=True,
        help="A platform that is enrolled from the start, beside the core's own. Repeatable.",
    ),
    click.option(
        "--auditor",
        "auditors",
        multiple=True,
        metavar="ADDRESS",
        help="An account that may ask about everything in the network. Repeatable.",
    ),
)


def founding_options(command: _Command) -> _Command:
    """All options of init but the home."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def first_home(home: Path, chosen: dict[str, Any]) -> FirstHome:
    """What the options say; ConfigError, PolicyFileError or PlatformError for what cannot be."""
    _verify_profile(chosen["profile"])
    tee = chosen["tee"]
    if chosen["platform"] != SOFTWARE and (tee is not None or chosen["apps"]):
        option = "--app" if tee is None else "--tee"
        raise ConfigError(
            f"{option} is for the software platform, not for {chosen['platform']}",
            "name an app on hardware by what its evidence says: --policy COLLECTION=FILE",
        )
    return FirstHome(
        home=home,
        name=_named("--name", chosen["name"]),
        collections=_collections(chosen["apps"], chosen["policies"], tee or SGX),
        listen=chosen["listen"],
        http_listen=chosen["http_listen"],
        lock=chosen["lock"],
        endpoint=chosen["endpoint"],
        platform=PlatformChoice(
            kind=chosen["platform"],
            tee=tee or SGX,
            collateral=chosen["collateral"],
            roots=chosen["roots"],
            accepted=Accepted(chosen["statuses"], chosen["advisories"]),
        ),
        governance=_governance(chosen),
    )


def _verify_profile(profile: str) -> None:
    if profile != DEVELOPMENT:
        raise ConfigError(
            f"a network of the profile {profile} needs {_MISSING[profile]}, and this version "
            "cannot have that yet: it comes with the work on networks of several nodes",
            "found a development network; its clients say that they want one",
        )


def _governance(chosen: dict[str, Any]) -> Governance:
    members, threshold = chosen["members"], chosen["threshold"]
    if bool(members) != (threshold is not None):
        raise ConfigError(
            "--member and --member-threshold belong together",
            "say who the members are, and how many of them decide",
        )
    if threshold is not None and threshold > len(members):
        raise ConfigError(
            f"--member-threshold {threshold}: there are {len(members)} members",
            "it is at most the number of members",
        )
    return Governance(
        members=_addresses("--member", members, MAX_MEMBERS),
        threshold=threshold or 0,
        auditors=_addresses("--auditor", chosen["auditors"], MAX_AUDITORS),
        platforms=chosen["platforms"],
    )


def _addresses(option: str, given: tuple[str, ...], limit: int) -> tuple[bytes, ...]:
    found: set[bytes] = set()
    for text in given:
        try:
            address = decode_address(text)
        except FormatError as error:
            hint = "as sealedger account show prints it"
            raise ConfigError(f"{option} {text}: {error}", hint) from error
        if address in found:
            raise ConfigError(f"{option} {text} is said twice", "leave one out")
        found.add(address)
    if len(found) > limit:
        raise ConfigError(f"{option}: {len(found)} of them", f"at most {limit}")
    return tuple(sorted(found))


def _collections(
    apps: tuple[str, ...], policies: tuple[str, ...], tee: str
) -> tuple[Collection, ...]:
    found: dict[str, Collection] = {}
    for name, matches in _admitted(apps, tee).items():
        policy = encode_policy(AnyOf(tuple(matches)))
        found[name] = Collection(name, policy, policy)
    for given in policies:
        name, file = _pair("--policy", given, "FILE")
        if name in found:
            raise ConfigError(f"--policy {given}: {name} is said already", "leave one out")
        terms = read_policy_file(Path(file))
        if terms.auditors or terms.ttl_ms:
            raise ConfigError(
                f"{file}: a collection of genesis has readers and writers only",
                "for auditors and a time to live, create it later: sealedger collection create",
            )
        found[name] = Collection(name, terms.readers, terms.writers)
    return tuple(found.values())


def _admitted(apps: tuple[str, ...], tee: str) -> dict[str, list[Match]]:
    admitted: dict[str, list[Match]] = {}
    option = "--app"
    for app in apps:
        name, manifest = _pair(option, app, "MANIFEST")
        try:
            match = enclave_of(read_manifest(Path(manifest)), tee).by_code
        except PlatformError as error:
            hint = "the manifest of an app: docs/app-developer.md has an example"
            raise ConfigError(f"{option} {app}: {error}", hint) from error
        matches = admitted.setdefault(name, [])
        if match not in matches:
            matches.append(match)
    return admitted


def _pair(option: str, given: str, what: str) -> tuple[str, str]:
    name, equals, file = given.partition("=")
    if not equals:
        hint = f"a collection's name before the file's: {option} app/secrets=FILE"
        raise ConfigError(f"{option} {given}: expected COLLECTION={what}", hint)
    return _named(f"{option} {given}", name), file


def _named(option: str, name: str) -> str:
    if not is_name(name):
        hint = "1 to 200 characters of A-Z a-z 0-9 . _ / - in segments"
        raise ConfigError(f"{option}: {name!r} is no name", hint)
    return name

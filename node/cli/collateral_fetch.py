"""``sealedger collateral fetch``: collateral into a file, before there is a network to ask.

Nothing is believed here: whoever takes the file judges it (`node init`, `collateral update`).
"""

import asyncio
from pathlib import Path
from typing import Any

import click

from attestation.collateral import is_key
from attestation.verify import read_facts
from node.cli.node import json_option
from node.cli.output import UsageFault, show
from node.cli.saving import force_option, verify_free
from node.cli.words import time_words
from node.collateral_sources import SNP, Services, open_services
from node.home import replace_file

KEY_WORDS = "sgx/FMSPC/processor, sgx/FMSPC/platform, the same with tdx/, or snp/Milan|Genoa|Turin"
_FILE = click.Path(path_type=Path, dir_okay=False)


def checked_key(_: click.Context, __: click.Parameter, keys: str | tuple[str, ...]) -> object:
    """The key or keys as they came; wrong usage if one is none."""
    for key in (keys,) if isinstance(keys, str) else keys:
        if key and not is_key(key):
            raise UsageFault(f"{key!a} is no key of collateral", KEY_WORDS)
    return keys


@click.command()
@click.argument("key", callback=checked_key)
@click.option("--pccs", default="", metavar="URL", help="For SGX and TDX: from this PCCS.")
@click.option("--kds", default="", metavar="URL", help="For SEV-SNP: from this KDS.")
@click.option("--ca", type=_FILE, help="Certificates (PEM) that may sign for the service.")
@click.option(
    "--root-crl", type=_FILE, help="The root's revocation list, for a service without it."
)
@click.option("--save", type=_FILE, required=True, help="Write the collateral to this file.")
@force_option()
@json_option
def fetch(key: str, save: Path, force: bool, as_json: bool, **service: Any) -> None:
    """Fetch the current collateral of KEY into a file, as node init takes it.

    KEY is the kind of platform: node init names its own if it is not given. No node is asked.
    """
    services = Services(service["pccs"], service["kds"], service["ca"], service["root_crl"])
    if not services.serves(key):
        option = "--kds" if key.startswith(SNP) else "--pccs"
        raise UsageFault(f"no service that has {key}", f"{option} URL")
    verify_free(save, force=force)
    data = asyncio.run(_fetch(services, key))
    facts = read_facts(data)
    replace_file(save, data, 0o644)
    show(
        {
            "key": facts.key,
            "number": facts.lowest_number,
            "valid_from": time_words(facts.valid_from_s * 1000),
            "valid_until": time_words(facts.valid_until_s * 1000),
            "saved": str(save),
        },
        as_json=as_json,
    )


async def _fetch(services: Services, key: str) -> bytes:
    async with open_services(services) as desk:
        return await desk.fetch(key)

"""The command ``sealedger``: one file per noun; only `main` exits."""

import sys

import click

from attestation.errors import AttestationError
from contracts.errors import ContractError
from enclave_client.errors import SealedgerClientError
from kms.errors import KmsError
from ledger.errors import LedgerError
from network.errors import NetworkError
from node.cli import quiet_grpc  # noqa: F401  (before all that imports gRPC)
from node.cli.account import account
from node.cli.audit import audit
from node.cli.collateral import collateral
from node.cli.collection import collection
from node.cli.evidence import evidence
from node.cli.network import network
from node.cli.node import node
from node.cli.output import show_error
from node.cli.platform import platform
from node.cli.policy import policy
from node.cli.receipt import receipt
from node.cli.release import release
from node.cli.secret import secret
from node.cli.session import session
from node.errors import NodeError
from sealedger.version import VERSION


@click.group()
@click.version_option(VERSION, prog_name="sealedger")
def sealedger() -> None:
    """A private ledger that gives a secret only to an attested enclave, on the record."""


sealedger.add_command(account)
sealedger.add_command(audit)
sealedger.add_command(collateral)
sealedger.add_command(collection)
sealedger.add_command(evidence)
sealedger.add_command(network)
sealedger.add_command(node)
sealedger.add_command(platform)
sealedger.add_command(policy)
sealedger.add_command(receipt)
sealedger.add_command(release)
sealedger.add_command(secret)
sealedger.add_command(session)

_OURS = (
    AttestationError,
    ContractError,
    KmsError,
    LedgerError,
    NetworkError,
    NodeError,
    SealedgerClientError,
    OSError,
)


def main() -> None:
    """Run the command line: exit 0 done, 1 failed, 2 wrong usage."""
    try:
        sealedger(standalone_mode=False)
    except click.ClickException as error:
        show_error(error.format_message(), getattr(error, "hint", "see --help"))
        sys.exit(2)
    except click.Abort:
        sys.exit(1)
    except _OURS as error:
        show_error(getattr(error, "message", str(error)), getattr(error, "hint", _hint(error)))
        sys.exit(1)


def _hint(error: Exception) -> str:
    """For errors that say only what is wrong."""
    return "check the path, who may use it, and the disk" if isinstance(error, OSError) else ""


if __name__ == "__main__":
    main()

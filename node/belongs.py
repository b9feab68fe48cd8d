"""What in a home must belong to its genesis: judged before a start, and again while it opens."""

from enclave_client.network_file import NetworkFile
from ledger.format.genesis import network_id
from ledger.format.trust import Party, TrustDocument
from node.errors import ConfigError
from node.home import Home


def own_party(trust: TrustDocument, node_key: bytes) -> Party:
    """The cosigner of this network whose public key (32 bytes) the node has; else ConfigError."""
    for party in trust.cosigners:
        if party.public_key == node_key:
            return party
    raise ConfigError(
        "the node's key is none of the network's cosigners",
        "put back the keys directory that belongs to this genesis",
    )


def own_network_file(home: Home, genesis: bytes) -> NetworkFile:
    """The home's network file; NetworkFileError or, if it is another network's, ConfigError."""
    file = NetworkFile.load(home.network)
    if file.network_id != network_id(genesis):
        raise ConfigError(
            f"{home.network} is of another network than {home.genesis}",
            "put back the network file that was made with this genesis",
        )
    return file

"""Founding a network of one node: keys are born, genesis is written with them, the log starts.

1. The platform, opened and proven (node.founding_core), and what the network believes
   (node.founding_trust).
2. The key service is born and shows its log key and service key; the node's key is drawn.
3. Genesis names them, the roots, the collateral and the first collections; its hash is the network.
4. The key service binds to genesis and seals its first state; the log gets entry 0; the rollback
   lock is made; network.toml is written last, so a home without it was never finished.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from attestation.platforms.platform import Platform
from attestation.policy import Match, encode_policy
from attestation.verify import read_facts
from contracts.genesis import RULES_VERSION, genesis_state
from enclave_client.network_file import NetworkFile
from kms.birth import UnboundKeyService, create_key_service
from ledger import keys
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.format.genesis import (
    Collection,
    Genesis,
    Limits,
    Profile,
    decode_genesis,
    encode_genesis,
    network_id,
)
from ledger.format.leaf import GenesisLeaf, encode_leaf
from ledger.format.platforms import is_platform_id
from ledger.format.trust import Party, TrustDocument, encode_trust
from ledger.keys import Head
from ledger.leveldb import LevelDB
from ledger.log.merkle import leaf_hash
from ledger.log.tree import Tree
from ledger.store import Store
from node.config import NodeConfig
from node.errors import ConfigError, DamagedError
from node.founding_trust import FoundingTrust
from node.home import Home, SealedFile, replace_file
from node.rollback_lock import Locked, RollbackLock
from sealedger.v1 import ledger_pb2

OPERATOR = "operator"
# A block at least every 4 minutes: evidence may name a block end of the last 10.
_LIMITS = Limits(block_interval_ms=240_000)


@dataclass(frozen=True, slots=True)
class CorePlatform:
    """The platform that the core runs on, what the network believes, and which cores."""

    platform: Platform
    trust: FoundingTrust
    core: Match
    platform_id: bytes = b""  # of the machine; empty where the hardware tells none


@dataclass(frozen=True, slots=True)
class Governance:
    """Accounts with a word in the network, as sorted addresses of 20 bytes.

    `threshold` members together end any session, and enrol a platform or remove one; auditors may
    ask about everything; `platforms` are ids enrolled from the start beside the core's own.
    """

    members: tuple[bytes, ...] = ()
    threshold: int = 0
    auditors: tuple[bytes, ...] = ()
    platforms: tuple[bytes, ...] = ()


UNGOVERNED = Governance()


@dataclass(frozen=True, slots=True)
class FoundingPlan:
    """What the founder chooses."""

    name: str
    collections: tuple[Collection, ...]
    endpoint: str = "127.0.0.1:8700"
    limits: Limits = _LIMITS
    governance: Governance = UNGOVERNED
    lock: Path | None = None  # the rollback lock, if not in the home


class NoTiles:
    """A TileReader with nothing: a tree that starts empty."""

    def read_tile(self, level: int, index: int) -> bytes | None:  # noqa: ARG002  (the port's)
        """None, whatever is asked."""
        return None


def found_development_network(
    home: Home, plan: FoundingPlan, core: CorePlatform, now_ms: int
) -> NetworkFile:
    """Found a development network in an empty home (1 to 4 above).

    Raises ConfigError if the home is in use; OSError, StoreError or KeyServiceStateError as they
    come, after which the home is to be removed.
    """
    if home.genesis.exists() or home.data.exists():
        raise ConfigError(
            f"{home.root} already holds a node", "choose another --home, or keep using this one"
        )
    seed = Secret(os.urandom(32))
    unborn = create_key_service(platform=core.platform, store=SealedFile(home.key_service))
    genesis = encode_genesis(_genesis(plan, core, unborn, SigningKey(seed).public, now_ms))
    decoded = decode_genesis(genesis)
    replace_file(home.node_key, seed.reveal())
    replace_file(home.genesis, genesis, 0o644)
    unborn.bind(genesis).close()
    start_log(home, genesis, decoded, plan.lock)
    if not home.config.exists():
        replace_file(home.config, NodeConfig().encode(), 0o644)
    network = NetworkFile.from_genesis(genesis, (plan.endpoint,))
    replace_file(home.network, network.encode(), 0o644)
    return network


def start_log(home: Home, genesis: bytes, decoded: Genesis, lock: Path | None = None) -> None:
    """Create the database with entry 0 and the first state, and the rollback lock.

    `lock` is where that goes, if not into the home.
    """
    home.data.parent.mkdir(parents=True, exist_ok=True)
    store = LevelDB(home.data, create=True)
    try:
        head = write_genesis(store, genesis, decoded)
    finally:
        store.close()
    lock = lock or home.lock
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    RollbackLock.create(lock, network_id(genesis), Locked(head.size, head.root))


def write_genesis(store: Store, genesis: bytes, decoded: Genesis) -> Head:
    """Write entry 0, its tile, the first state and the head in one synced batch."""
    leaf = encode_leaf(GenesisLeaf(network_id(genesis), decoded.time_ms))
    appended = Tree.open(NoTiles(), 0).append([leaf_hash(leaf)])
    head = Head(appended.size, appended.root, 0, decoded.time_ms)
    batch = genesis_state(decoded, tuple(map(read_facts, decoded.collateral)))
    batch[keys.GENESIS] = genesis
    batch[keys.entry(0)] = leaf
    batch[keys.HEAD] = head.encode()
    for (level, index), tile in appended.tiles.items():
        batch[keys.tile(level, index)] = tile
    store.write(batch, sync=True)
    return head


def _genesis(
    plan: FoundingPlan,
    core: CorePlatform,
    unborn: UnboundKeyService,
    node_key: bytes,
    now_ms: int,
) -> Genesis:
    origin = f"dev.{plan.name}/1"
    trust = TrustDocument(
        version=1,
        previous_digest=b"",
        members=plan.governance.members,
        member_threshold=plan.governance.threshold,
        origin=origin,
        log_generation=1,
        log_key=unborn.log_key,
        service_key=unborn.service_key,
        cosigners=(Party(f"dev.{plan.name}/node-1", node_key, OPERATOR),),
        quorum=1,
        witnesses=(),
        witness_quorum=0,
        core_policy=encode_policy(core.core),
        roots=core.trust.roots,
        tcb_signer_pins=core.trust.tcb_signer_pins,
        tcb_floor=core.trust.limits.tcb_floor,
        tcb_ceiling=core.trust.limits.tcb_ceiling,
        rules_version=RULES_VERSION,
        rules_height=0,
        epoch=1,
        grace_s=core.trust.limits.grace_s,
    )
    return Genesis(
        name=plan.name,
        profile=Profile.DEVELOPMENT,
        time_ms=now_ms,
        salt=os.urandom(32),
        trust=encode_trust(trust),
        collateral=core.trust.collateral,
        limits=plan.limits,
        collections=plan.collections,
        auditors=plan.governance.auditors,
        platforms=_enrolled(plan, core),
    )


def _enrolled(plan: FoundingPlan, core: CorePlatform) -> tuple[bytes, ...]:
    own = {core.platform_id} if is_platform_id(core.platform_id) else set()
    return tuple(sorted(own.union(plan.governance.platforms)))


def read_genesis(path: Path) -> bytes:
    """The genesis bytes of a home; ConfigError if there are none."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", "run sealedger node init") from (
            error
        )


def known_genesis(data: bytes) -> Genesis:
    """A genesis whose rules this program knows; DamagedError or FormatError for any other."""
    rules = _rules_of(data)
    if rules not in (0, RULES_VERSION):
        raise DamagedError(
            f"this ledger was founded under rules {rules}, this program knows {RULES_VERSION}",
            "start the release that knows these rules, or found the network anew: sealedger node "
            "init with another --home; the data are left as they are",
        )
    return decode_genesis(data)


def _rules_of(data: bytes) -> int:
    """The rules version that a genesis of any release names; 0 if it names none."""
    try:
        trust = ledger_pb2.Genesis.FromString(data).trust
        return ledger_pb2.TrustDocument.FromString(trust).rules_version
    except DecodeError:
        return 0

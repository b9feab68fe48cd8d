"""The one place that builds a node: reads the home, wires the parts, opens and closes them.

1. Genesis, configuration, keys, platform.
2. The store and the rollback lock; the replica checks one against the other.
3. The key service opens its sealed state; the log as it stands is certified.
4. The engine runs; the key service's start nonce is recorded; its evidence is made.
5. gRPC and HTTP listen. Closing goes the other way and loses nothing that was acknowledged: both
   entrances take nothing new and answer what they took, the engine finishes its blocks, then the
   key service, the lock and the store are closed.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from attestation.platforms.platform import Platform
from attestation.verify import collateral_key
from attestation.worker import VerificationWorker
from kms.service import KeyService, open_key_service
from ledger import keys
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.errors import StoreBusyError
from ledger.format.genesis import Genesis, network_id
from ledger.format.trust import TrustDocument, decode_trust, quorum_rule
from ledger.leveldb import LevelDB
from network.cosigner import Cosigner
from network.embedded import EmbeddedEngine, EngineLimits
from node.asking import Asking, DurableView
from node.belongs import own_network_file, own_party
from node.candidates import EnvelopeChecker
from node.certifier import Certifier
from node.collateral import CollateralShelf
from node.collateral_answers import CollateralAnswers
from node.config import NodeConfig
from node.errors import DamagedError, NodeError
from node.founding import known_genesis, read_genesis
from node.grpc_server import GrpcServer
from node.home import Home, SealedFile, read_private
from node.http.readiness import Freshness
from node.http.site import Site, SiteParts
from node.metered import MeteredApplication, MeteredKeyService, MeteredService
from node.metrics import NodeMetrics
from node.publisher import Publisher
from node.refusals import RefusalLog
from node.releases import Releases
from node.replica import Replica, ReplicaParts
from node.rollback_lock import RollbackLock
from node.service import Engine, LedgerService, ServiceParts
from node.starting import own_evidence, start_key_service
from node.tls import ServerTls, make_server_tls
from node.verdicts import VerdictJudge
from node.verifier import EvidenceVerifier, verification_rules
from node.vitals import VitalParts, Vitals
from sealedger.v1 import node_pb2 as pb

RENEW_S = 180.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A node that serves."""

    port: int
    http_port: int
    engine: Engine
    replica: Replica[pb.SubmitReply]
    key_service: KeyService
    certifier: Certifier


def clock_s() -> int:
    """Unix time in seconds."""
    return int(time.time())


def clock_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def open_node(
    home: Home, config: NodeConfig, platform: Platform
) -> AsyncIterator[RunningNode]:
    """Open a node (1 to 5 above) and close it again at the end.

    Raises ConfigError, RollbackError, DamagedError, StoreError or KmsError with what to do.
    """
    genesis = read_genesis(home.genesis)
    decoded = known_genesis(genesis)
    trust = decode_trust(decoded.trust)
    node_key = SigningKey(Secret(read_private(home.node_key)))
    async with AsyncExitStack() as stack:
        store = _open_store(home, genesis, stack)
        lock = RollbackLock(config.ledger.lock or home.lock, network_id(genesis))
        stack.callback(lock.close)
        key_service = open_key_service(
            genesis=genesis, platform=platform, store=SealedFile(home.key_service)
        )
        stack.callback(key_service.close)
        metrics = NodeMetrics()
        certifier = Certifier(_cosigner(trust, node_key), MeteredKeyService(key_service, metrics))
        releases = Releases(key_service)
        worker = VerificationWorker()
        stack.push_async_callback(worker.close)
        rules = verification_rules(trust)
        judge = VerdictJudge(worker, rules=rules, genesis_collateral=decoded.collateral)
        replica = Replica(ReplicaParts(store, lock, Publisher(certifier, releases), judge))
        certifier.certify(replica.head, _last_leaf(replica), replica.tree)
        interval_s = decoded.limits.block_interval_ms / 1000
        engine: Engine = EmbeddedEngine(
            MeteredApplication(replica, metrics),
            clock_ms=clock_ms,
            limits=EngineLimits(config.ledger.queue_operations, block_interval_s=interval_s),
        )
        await stack.enter_async_context(engine)
        await start_key_service(key_service, engine, replica, node_key, clock_ms())
        await key_service.refresh_evidence(certifier.latest.note)
        verifier = EvidenceVerifier(
            worker,
            rules=rules,
            shelf=CollateralShelf(replica.view, decoded.collateral),
            clock_s=clock_s,
        )
        own_key = collateral_key(own_evidence(key_service))
        tls = await make_server_tls(platform, clock_s())
        refusals = RefusalLog()
        stack.callback(refusals.close)
        service = MeteredService(
            ServiceParts(
                genesis=genesis,
                tls_spki_digest=tls.spki_digest,
                checker=EnvelopeChecker(network_id(genesis), verifier, replica.view),
                engine=engine,
                replica=replica,
                certifier=certifier,
                releases=releases,
                key_service=key_service,
                asking=Asking(network_id(genesis), store, replica, certifier, clock_ms),
                collateral=_collateral_answers(
                    decoded, DurableView(store), replica, certifier, own_key
                ),
            ),
            metrics,
            refusals,
        )
        vitals = Vitals(
            VitalParts(
                engine=engine,
                key_service=key_service,
                certifier=certifier,
                rule=quorum_rule(trust),
                collateral=DurableView(store),
                own_key=own_key,
                clock_s=clock_s,
            )
        )
        renewing = asyncio.create_task(
            _renew(key_service, certifier, replica, vitals), name="renew"
        )
        stack.callback(renewing.cancel)
        parts = SiteParts(
            store=store,
            certifier=certifier,
            network=own_network_file(home, genesis),
            genesis_time_ms=decoded.time_ms,
            vitals=vitals,
            freshness=Freshness(
                decoded.limits.checkpoint_age_ms // 1000, trust.grace_s, trust.roots
            ),
            metrics=metrics,
            questions=service,
        )
        server, site = await stack.enter_async_context(_entrances(service, tls, parts, config))
        _log.info(
            "node started",
            network=network_id(genesis).hex(),
            origin=trust.origin,
            entries=replica.head.size,
            port=server.port,
            http_port=site.port,
        )
        yield RunningNode(server.port, site.port, engine, replica, key_service, certifier)
        _log.info("node stopping", entries=replica.head.size)
    _log.info("node stopped")


def _open_store(home: Home, genesis: bytes, stack: AsyncExitStack) -> LevelDB:
    try:
        store = LevelDB(home.data)
    except StoreBusyError as error:
        raise NodeError(
            str(error), "the node of this home runs already; sealedger node status asks it"
        ) from error
    stack.callback(store.close)
    if store.get(keys.GENESIS) != genesis:
        raise DamagedError(
            f"{home.data} belongs to another genesis than {home.genesis}",
            "put the right files together again",
        )
    return store


def _collateral_answers(
    genesis: Genesis,
    durable: DurableView,
    replica: Replica[pb.SubmitReply],
    certifier: Certifier,
    own_key: str,
) -> CollateralAnswers:
    shelf = CollateralShelf(durable, genesis.collateral)
    answers = CollateralAnswers(shelf, durable, certifier, (replica.view, replica.tree), own_key)
    answers.own()  # from now on there is always one that is proven
    return answers


def _cosigner(trust: TrustDocument, node_key: SigningKey) -> Cosigner:
    party = own_party(trust, node_key.public)
    return Cosigner(
        origin=trust.origin,
        name=party.name,
        public_key=party.public_key,
        sign=node_key.sign,
        clock_s=clock_s,
    )


@asynccontextmanager
async def _entrances(
    service: LedgerService, tls: ServerTls, parts: SiteParts, config: NodeConfig
) -> AsyncIterator[tuple[GrpcServer, Site]]:
    """gRPC and HTTP, listening; both are closed side by side."""
    # Half of the time to stop is for answering what was taken, half for writing it down.
    grace_s = config.stop.within_s / 2
    server = GrpcServer(service, tls, config.grpc.listen)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.close, grace_s)
        await server.open()
        site = await stack.enter_async_context(Site(parts, config.http.listen, grace_s))
        try:
            yield server, site
        finally:
            async with asyncio.TaskGroup() as closing:
                closing.create_task(server.close(grace_s))
                closing.create_task(site.close())


def _last_leaf(replica: Replica[pb.SubmitReply]) -> bytes:
    leaf = replica.view.get(keys.entry(replica.head.size - 1))
    if leaf is None:
        raise DamagedError("the last entry is missing", "run sealedger node fsck")
    return leaf


async def _renew(
    key_service: KeyService,
    certifier: Certifier,
    replica: Replica[pb.SubmitReply],
    vitals: Vitals,
) -> None:
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            await key_service.refresh_evidence(certifier.renew(replica.tree).note)
            vitals.evidence_renewed()
            key_service.checkpoint_state()
        except Exception as error:  # noqa: BLE001  # a task's top: the next round tries again
            _log.error("renewing the evidence failed", error=str(error))

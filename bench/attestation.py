"""What attestation costs, beside floors measured in the same run.

``python -m bench.attestation [smoke]`` prints a table and puts it under "attestation" into
build/bench.json, where the other numbers stay. Each is the median of repeated rounds: processor
time for what one process does alone, time on the wall for what several do.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from attestation.evidence import encode_evidence
from attestation.ratls.certificate import read_certificate, verify_binding
from attestation.verify import verify, verify_collateral
from attestation.worker import VerificationWorker
from bench.attestation_kinds import Case, cases, forget_collateral, ratls_certificate
from bench.attestation_rules import judging_us
from bench.session_open import measure_opening
from tests.support.attested import NOW_S, make_world

RESULT = Path("build/bench.json")
TEES = ("sgx", "tdx", "snp")
AT_ONCE = 32
_RSA_BITS = 4096
_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class Plan:
    """How often."""

    rounds: int
    calls: int
    worker_calls: int
    openings: int


FULL = Plan(15, 60, 400, 200)
SMOKE = Plan(3, 5, 20, 10)


def cost_ms(call: Callable[[], object], plan: Plan) -> float:
    """The median over the rounds of one call's processor time, in milliseconds."""
    taken = []
    for _ in range(plan.rounds):
        started = time.process_time()
        for _ in range(plan.calls):
            call()
        taken.append((time.process_time() - started) / plan.calls * 1000)
    return statistics.median(taken)


def floors_ms(plan: Plan) -> dict[str, float]:
    """One verification of each primitive, by `cryptography` alone, over 1,000 bytes."""
    message, sha384 = bytes(1000), hashes.SHA384()
    pss = padding.PSS(mgf=padding.MGF1(sha384), salt_length=48)
    rsa_key = rsa.generate_private_key(_EXPONENT, _RSA_BITS)
    signed = rsa_key.sign(message, pss, sha384)
    calls: dict[str, Callable[[], object]] = {
        "RSA-4096 PSS verify": lambda: rsa_key.public_key().verify(signed, message, pss, sha384)
    }
    for curve, digest in ((ec.SECP256R1(), hashes.SHA256()), (ec.SECP384R1(), sha384)):
        key, algorithm = ec.generate_private_key(curve), ec.ECDSA(digest)
        calls[f"ECDSA P-{curve.key_size} verify"] = _verifying(
            key.public_key(), key.sign(message, algorithm), message, algorithm
        )
    return {name: cost_ms(call, plan) for name, call in sorted(calls.items())}


def _verifying(
    key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes, algorithm: ec.ECDSA
) -> Callable[[], object]:
    return lambda: key.verify(signature, message, algorithm)


def verification_ms(plan: Plan, case: Case) -> dict[str, float]:
    """One kind: by collateral that is known, by new collateral, and the new collateral alone."""
    evidence, collateral, rules = case.evidence, case.collateral, case.rules

    def judge() -> object:
        return verify(evidence, collateral, rules, NOW_S)

    def anew(judge: Callable[[], object]) -> Callable[[], object]:
        def call() -> object:
            forget_collateral()
            return judge()

        return call

    return {
        case.name: cost_ms(judge, plan),
        f"{case.name}, by new collateral": cost_ms(anew(judge), plan),
        f"{case.name}: its collateral alone": cost_ms(
            anew(lambda: verify_collateral(collateral, rules, NOW_S)), plan
        ),
    }


def ratls_ms(plan: Plan, case: Case) -> dict[str, float]:
    """An RA-TLS certificate: reading and binding, and with the verification of its evidence."""
    world = make_world()
    der, collateral = ratls_certificate(world), world.collateral_bytes()

    def bind() -> None:
        certificate = read_certificate(der)
        verify_binding(certificate, certificate_data)

    def whole() -> None:
        certificate = read_certificate(der)
        evidence = encode_evidence(certificate.evidence)
        verdict = verify(evidence, collateral, world.rules, NOW_S)
        verify_binding(certificate, verdict.report_data)

    evidence = encode_evidence(read_certificate(der).evidence)
    certificate_data = verify(evidence, collateral, world.rules, NOW_S).report_data
    return {
        "RA-TLS read and bind": cost_ms(bind, plan),
        f"RA-TLS with its {case.name}": cost_ms(whole, plan),
    }


async def through_worker(plan: Plan, every: tuple[Case, ...]) -> dict[str, float]:
    """Attestations a second through the verifier process, and one alone, for each kind."""
    worker, found = VerificationWorker(), dict[str, float]()
    try:
        started = time.perf_counter()
        await _judged(worker, every[0])
        found["its start and first call, ms"] = (time.perf_counter() - started) * 1000
        for case in every:
            alone = []
            for _ in range(plan.rounds):
                started = time.perf_counter()
                await _judged(worker, case)
                alone.append((time.perf_counter() - started) * 1000)
            rates = [await _rate(worker, case, plan.worker_calls) for _ in range(3)]
            found[f"{case.name}: through the worker, ms"] = statistics.median(alone)
            found[f"{case.name}: attestations/s"] = statistics.median(rates)
    finally:
        await worker.close()
    return found


async def _rate(worker: VerificationWorker, case: Case, count: int) -> float:
    waiting = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with waiting:
            await _judged(worker, case)

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    return count / (time.perf_counter() - started)


def _judged(worker: VerificationWorker, case: Case) -> Awaitable[object]:
    return worker.verify(case.evidence, case.collateral, case.rules, NOW_S)


def openings(plan: Plan) -> dict[str, float]:
    """Sessions over the real port of a node, for each kind of TEE."""
    found = {}
    for tee in TEES:
        opened = measure_opening(tee, plan.openings)
        found[f"{tee}: session open p50, ms"] = opened.p50_ms
        found[f"{tee}: session open p99, ms"] = opened.p99_ms
        found[f"{tee}: sessions opened/s"] = opened.per_s
    return found


def measure(plan: Plan) -> dict[str, dict[str, float]]:
    """Everything, in one run, to three digits."""
    every = cases()
    floors = floors_ms(plan)
    verified: dict[str, float] = {}
    for case in every:
        verified |= verification_ms(plan, case)
    ratios = {
        f"{case.name} / its floor": verified[case.name]
        / sum(floors[name] * count for name, count in case.floor.items())
        for case in every
    }
    found = {
        "floors, ms": floors,
        "verification, ms": verified | ratls_ms(plan, every[0]),
        "ratios": ratios,
        "verifier process": asyncio.run(through_worker(plan, every)),
        "judging at each use, us": judging_us(plan.rounds),
        "sessions over the port": openings(plan),
    }
    return {
        group: {name: round(value, 3) for name, value in rows.items()}
        for group, rows in found.items()
    }


def show(found: dict[str, dict[str, float]]) -> None:
    """The table."""
    for group, rows in found.items():
        print(f"\nattestation: {group}")
        for name, value in rows.items():
            print(f"  {name:52}{value:12.3f}")


def main() -> None:
    """Measure, print, add to the result file."""
    is_smoke = sys.argv[1:] == ["smoke"]
    found = measure(SMOKE if is_smoke else FULL)
    show(found)
    result = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    result["attestation"] = found
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(f"\nwritten to {RESULT}")


if __name__ == "__main__":
    main()

"""An auditor's questions to a real node: who did what, with which code, each with its receipt."""

import asyncio
import csv
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from attestation.policy import Match, encode_policy
from enclave_client.errors import DeniedError, SealedgerClientError
from enclave_client.network_file import NetworkFile
from enclave_client.offline import verify_receipt_file
from enclave_client.owner import OwnerClient
from ledger.crypto.secp256k1 import SigningKey, generate_seed
from ledger.crypto.secret import Secret
from ledger.format.address import encode_address
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.terms import CollectionTerms
from ledger.format.transaction import decode_body
from node.audit.answers import Answers
from node.audit.asker import open_asker
from node.cli import main as program
from node.keystore import encode_keystore, write_keystore
from tests.support.real_node import OTHER_COLLECTION, NodeProcess, RealNetwork, client_of, found

COLLECTION = "owned/secrets"
NAME = "tls/key.pem"
TRIED = "in/vain"
IN_VAIN = ("NOT_FOUND", "EXPIRED", "DESTROYED", "FROZEN")  # in the order in which it happened
PLANTED = b"never in any output"


@dataclass(frozen=True, slots=True)
class Scene:
    """A node that runs, what happened on it, and the files that an auditor has."""

    folder: Path
    network: RealNetwork
    url: str  # of the public log
    owner: SigningKey
    auditor: SigningKey
    session: bytes  # of the app that may read

    @property
    def measurement(self) -> bytes:
        """The app's."""
        return self.network.app("app").enclave.measurement

    def options(self, who: str = "owner") -> tuple[str, ...]:
        """Options that name the pins and an account."""
        return (
            *("--network", str(self.folder / "network.toml"), "--allow-development"),
            *("--account", str(self.folder / f"{who}.json")),
            *("--password-file", str(self.folder / "password")),
        )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An owner's collection: two versions put, read by one app, denied to another."""
    folder = tmp_path_factory.mktemp("questions")
    network = found(folder / "network")
    process = NodeProcess(network)
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(process.start())
        process.file.save(folder / "network.toml")
        keys = {name: account(folder, name) for name in ("owner", "auditor", "nobody")}
        session = loop.run_until_complete(happen(process, network, keys))
        url = f"http://127.0.0.1:{process.http_port}"
        yield Scene(folder, network, url, keys["owner"], keys["auditor"], session)
    finally:
        loop.run_until_complete(process.stop())
        loop.close()


def account(folder: Path, name: str) -> SigningKey:
    """A keystore file that opens fast, and its key."""
    seed, password = generate_seed(), Secret(b"words")
    file = folder / "password"
    file.write_bytes(password.reveal() + b"\n")
    file.chmod(0o600)
    write_keystore(folder / f"{name}.json", encode_keystore(seed, password, 1024))
    return SigningKey(seed)


async def happen(process: NodeProcess, network: RealNetwork, keys: dict[str, SigningKey]) -> bytes:
    """What the tests ask about; gives the reader's session."""
    file = process.file
    policy = encode_policy(Match(measurement=network.app("app").enclave.measurement))
    terms = CollectionTerms(policy, policy, (keys["auditor"].address,))
    async with OwnerClient.connect(
        network=file, signer=keys["owner"], allow_development=True
    ) as owner:
        await owner.create_collection(COLLECTION, terms)
        await owner.put(COLLECTION, NAME, PLANTED)
    async with client_of(file, network.app("app"), COLLECTION) as app:
        await app.put(NAME, PLANTED)
        await app.get(NAME, version=1)
        got = await app.get(NAME)
        await app.put("another", PLANTED)
    async with client_of(file, network.app("other"), COLLECTION) as other:
        with pytest.raises(DeniedError):
            await other.get(NAME)
    async with client_of(file, network.app("other"), OTHER_COLLECTION) as other:
        await other.put("elsewhere", PLANTED)
    await try_in_vain(file, network, keys["owner"])
    return session_of(got.receipt.entry.leaf)


async def try_in_vain(file: NetworkFile, network: RealNetwork, signer: SigningKey) -> None:
    """Reads that end otherwise than granted or denied, each for another reason; then a denied one.

    They are of a session that has another name's reads, too.
    """
    async with (
        OwnerClient.connect(network=file, signer=signer, allow_development=True) as owner,
        client_of(file, network.app("app"), COLLECTION) as app,
        client_of(file, network.app("other"), COLLECTION) as other,
    ):
        with pytest.raises(SealedgerClientError, match="NOT_FOUND"):
            await app.get(TRIED)
        await owner.put(COLLECTION, TRIED, PLANTED, None, 1)
        with pytest.raises(SealedgerClientError, match="EXPIRED"):
            await app.get(TRIED)
        await owner.destroy(COLLECTION, TRIED)
        with pytest.raises(SealedgerClientError, match="DESTROYED"):
            await app.get(TRIED)
        await owner.freeze(COLLECTION)
        with pytest.raises(SealedgerClientError, match="FROZEN"):
            await app.get(TRIED)
        await owner.freeze(COLLECTION, frozen=False)
        with pytest.raises(DeniedError):
            await other.get(TRIED)


def session_of(leaf: bytes) -> bytes:
    """Who signed a transaction."""
    decoded = decode_leaf(leaf)
    assert isinstance(decoded, TransactionLeaf)
    return decode_body(decoded.body).signer


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program, as the console script runs it."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["sealedger", "audit", *arguments])
        code = 0
        try:
            program.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        assert PLANTED.decode() not in said.out + said.err
        return code, said.out, said.err

    return call


def told(run: Any, *arguments: str) -> list[dict[str, Any]]:
    """The answers to a question, as JSON."""
    code, out, error = run(*arguments, "--json")
    assert (code, error) == (0, "")
    answers = json.loads(out)["answers"]
    assert isinstance(answers, list)
    return answers


def test_who_read_a_secret(run: Any, scene: Scene) -> None:
    """Each read, denied ones too, names time, version, session and the code that it proved."""
    rows = told(run, "who-read", NAME, "--collection", COLLECTION, *scene.options())
    assert [(row["outcome"], row["version"]) for row in rows] == [
        ("OK", 1),
        ("OK", 2),
        ("DENIED", None),
    ]
    assert {row["operation"] for row in rows} == {"Read"}
    assert {row["signature"] for row in rows} == {"verified"}
    measured = [row["measurement"] for row in rows]
    other = scene.network.app("other").enclave.measurement.hex()
    assert measured == [scene.measurement.hex()] * 2 + [other]
    assert rows[0]["session"] == scene.session.hex()
    assert {row["tcb_status"] for row in rows} == {"UpToDate"}
    assert all(row["session_opened_in"] < row["entry"] for row in rows)


def test_who_read_in_vain(run: Any, scene: Scene) -> None:
    """Reads that found nothing, or were stopped, are told too; a secret's history has none."""
    question = ("who-read", TRIED, "--collection", COLLECTION)
    rows = told(run, *question, *scene.options())
    assert [row["outcome"] for row in rows] == [*IN_VAIN, "DENIED"]
    assert {row["name"] for row in rows} == {TRIED}
    assert all(row["session_opened_in"] is not None for row in rows)
    late = ("--from-entry", str(rows[2]["entry"]))
    assert told(run, *question, *late, *scene.options()) == rows[2:]
    assert told(run, *question, "--history", *scene.options()) == rows[-1:]
    nothing = ("--history", "--from-entry", str(rows[-1]["entry"] + 1))
    assert told(run, *question, *nothing, *scene.options()) == []


def test_what_an_answer_leaves_out_is_said(run: Any, scene: Scene) -> None:
    """The last sentence says from where on, and what a history has not."""
    question = ("who-read", TRIED, "--collection", COLLECTION)
    _, out, _ = run(*question, *scene.options())
    assert out.splitlines()[-1].startswith(f"5 reads of {TRIED} in {COLLECTION}; each proven")
    assert "--history" not in out
    _, out, _ = run(*question, "--history", "--from-entry", "3", *scene.options())
    last = out.splitlines()[-1]
    assert last.startswith(f"1 read of {TRIED} in {COLLECTION} that its history has from entry 3")
    assert all(reason in last for reason in IN_VAIN)


def test_auditors_are_told_the_same(run: Any, scene: Scene) -> None:
    """Whom the owner named as auditor sees what the owner sees."""
    question = ("who-read", NAME, "--collection", COLLECTION)
    assert told(run, *question, *scene.options()) == told(run, *question, *scene.options("auditor"))


def test_what_a_session_did(run: Any, scene: Scene) -> None:
    """From its opening on, everything that it asked for."""
    rows = told(run, "session", scene.session.hex(), *scene.options())
    assert [row["operation"] for row in rows] == [
        *("OpenSession", "AcquireKey", "Put", "Read", "Read", "Put"),
    ]
    assert {row["session"] for row in rows} == {scene.session.hex()}
    assert {row["session_opened_in"] for row in rows} == {rows[0]["entry"]}


def test_what_code_did(run: Any, scene: Scene) -> None:
    """By measurement, over all its sessions."""
    rows = told(run, "identity", scene.measurement.hex(), *scene.options())
    assert {row["measurement"] for row in rows} == {scene.measurement.hex()}
    assert [row["name"] for row in rows if row["operation"] == "Read"] == [NAME] * 2 + [TRIED] * 4
    last = rows[-1]["entry"]
    late = told(
        run, "identity", scene.measurement.hex(), "--from-entry", str(last), *scene.options()
    )
    assert [row["entry"] for row in late] == [last]
    assert late == rows[-1:]


def test_what_an_account_did(run: Any, scene: Scene) -> None:
    """The owner's own transactions, their signatures over the operations verified."""
    address = encode_address(scene.owner.address)
    rows = told(run, "account", address, *scene.options())
    assert [(row["operation"], row["asked"]) for row in rows] == [
        *(("CreateCollection", None), ("Put", None), ("Put", None), ("Destroy", None)),
        *(("FreezeCollection", "freeze"), ("FreezeCollection", "unfreeze")),
    ]
    assert {(row["signer"], row["signature"]) for row in rows} == {(address, "verified")}


def test_people_can_paste_it(run: Any, scene: Scene) -> None:
    """Without --json each answer is a sentence, and the last one says what they stand on."""
    code, out, _ = run("who-read", NAME, "--collection", COLLECTION, *scene.options())
    lines = out.splitlines()
    assert code == 0
    assert len(lines) == 4
    assert f"Read {COLLECTION} {NAME} version 2: OK, by session {scene.session.hex()}" in lines[1]
    assert f"measurement {scene.measurement.hex()}" in lines[1]
    assert lines[3].startswith(f"3 reads of {NAME} in {COLLECTION}; each proven")


def test_receipts_are_accepted(run: Any, scene: Scene, tmp_path: Path) -> None:
    """--receipts writes one file an answer, and each verifies offline."""
    folder = tmp_path / "receipts"
    rows = told(run, "session", scene.session.hex(), "--receipts", str(folder), *scene.options())
    assert sorted(row["receipt"] for row in rows) == sorted(map(str, folder.iterdir()))
    for row in rows:
        verified = verify_receipt_file(Path(row["receipt"]).read_bytes(), scene.network.file)
        assert (verified.index, verified.opened[0].position) == (row["entry"], row["position"])


def test_export_is_everything_that_may_be_seen(run: Any, scene: Scene, tmp_path: Path) -> None:
    """Every row is verified and has its receipt; other collections' operations are not in it."""
    file = tmp_path / "all.jsonl"
    code, out, _ = run("export", "-o", str(file), *scene.options(), "--json")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert (code, json.loads(out)["operations"]) == (0, len(rows))
    assert [row["entry"] for row in rows] == sorted(row["entry"] for row in rows)
    collections = {row["collection"] for row in rows}
    assert collections == {None, COLLECTION}
    kinds = {row["operation"] for row in rows}
    assert kinds == {
        "KeyServiceStart",
        "CreateCollection",
        "OpenSession",
        "AcquireKey",
        "Put",
        "Read",
        "Destroy",
        "FreezeCollection",
    }
    for row in rows:
        verified = verify_receipt_file(row["receipt"].encode(), scene.network.file)
        assert verified.index == row["entry"]
    assert {row["signature"] for row in rows} == {"verified"}


def test_verify_opens_what_an_account_may_see(run: Any, scene: Scene, tmp_path: Path) -> None:
    """With an account, the audit of the whole log opens and proves as many as an export has."""
    file = tmp_path / "all.jsonl"
    assert run("export", "-o", str(file), *scene.options())[0] == 0
    code, out, _ = run("verify", scene.url, "--jobs", "1", *scene.options(), "--json")
    assert code == 0
    assert json.loads(out)["operations_opened"] == len(file.read_text().splitlines())
    code, out, _ = run("verify", scene.url, "--jobs", "1", *scene.options())
    assert "operations that the account may see were opened; each is proven" in out


def test_export_as_csv(run: Any, scene: Scene, tmp_path: Path) -> None:
    """CSV has the same rows without receipts; nothing half-written is left."""
    file = tmp_path / "all.csv"
    assert run("export", "--format", "csv", "--output", str(file), *scene.options())[0] == 0
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    lines = tmp_path / "all.jsonl"
    run("export", "-o", str(lines), *scene.options())
    wanted = [json.loads(line) for line in lines.read_text().splitlines()]
    for row, expected in zip(rows, wanted, strict=True):
        assert expected.pop("receipt")
        assert row == {name: "" if cell is None else str(cell) for name, cell in expected.items()}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "all.jsonl"]


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        (("export", "-o", "{tmp}/x"), 1, "there is nothing that this signer may ask about"),
        (("who-read", NAME, "--collection", COLLECTION), 1, "no such collection"),
        (("session", "00"), 2, "expected 64 hex digits"),
        (("identity", "zz"), 2, "expected 64 or 96 hex digits"),
        (("account", "0x12"), 2, "address"),
        (("who-read", "../x", "--collection", COLLECTION), 2, "a name is"),
    ],
)
def test_what_nobody_may_know(
    run: Any, scene: Scene, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    """A stranger is told nothing, what cannot be meant is wrong usage; no file is left."""
    given = (one.format(tmp=tmp_path) for one in arguments)
    ended, out, error = run(*given, *scene.options("nobody"))
    assert (ended, out) == (code, "")
    assert message in error
    assert not list(tmp_path.iterdir())


def test_an_export_is_not_written_over(run: Any, scene: Scene, tmp_path: Path) -> None:
    """A file that is there stays, unless forced."""
    file = tmp_path / "all.jsonl"
    file.write_text("mine")
    code, _, error = run("export", "-o", str(file), *scene.options())
    assert (code, "exists already" in error, "--force" in error) == (2, True, True)
    assert file.read_text() == "mine"
    assert run("export", "-o", str(file), "--force", *scene.options())[0] == 0
    assert file.read_text().startswith("{")


def test_outputs_that_cannot_be_written(run: Any, scene: Scene, tmp_path: Path) -> None:
    """A file in no folder, a folder that is a file: exit code 2 and a hint."""
    code, _, error = run("export", "-o", str(tmp_path / "no/x"), *scene.options())
    assert (code, "cannot write" in error, "hint: " in error) == (2, True, True)
    given = ("--receipts", "/proc/nowhere")
    code, _, error = run("session", scene.session.hex(), *given, *scene.options())
    assert (code, "cannot write" in error) == (2, True)


async def test_an_opening_far_back_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for a session's opening goes back in steps until it is met."""
    monkeypatch.setattr("node.audit.asker._FIRST_STEP", 1)
    monkeypatch.setattr("node.audit.asker._STEP_GROWS", 1)
    file = scene.network.file.load(scene.folder / "network.toml")
    async with open_asker(file, scene.owner, now_ms) as asker:
        answers = Answers(asker, lambda *_: None).who_read(COLLECTION, NAME)
        found = [answer async for answer in answers]
        assert all(answer.row["session_opened_in"] is not None for answer in found)
        assert await asker.opening(bytes(32), 20) is None


def test_addresses_are_checksummed(run: Any, scene: Scene) -> None:
    """An address is said as everywhere else, however it was typed."""
    address = encode_address(scene.owner.address)
    typed = f"0x{scene.owner.address.hex()}"
    _, out, _ = run("account", typed, *scene.options())
    assert f"operations of account {address};" in out.splitlines()[-1]
    _, out, _ = run("account", typed, "--from-entry", "2", *scene.options(), "--json")
    assert json.loads(out)["question"] == f"operations of account {address} from entry 2 on"


def now_ms() -> int:
    """The clock."""
    return time.time_ns() // 1_000_000

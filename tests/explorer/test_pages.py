"""The explorer in a real browser, against a real node and against one that forges."""

import json
import re
from pathlib import Path

import pytest

from tests.explorer.conftest import Between, Explored
from tests.support.audited_ledger import AUDITOR, NAME, OWNED, VALUE
from tests.support.browser import Browser
from tests.support.wallet import provider

pytestmark = pytest.mark.slow

VERDICT = "return document.querySelector('[data-verdict]')?.dataset.verdict"
SHOWN = "return document.getElementById('main').dataset.shown === arguments[0]"


async def go(browser: Browser, url: str, page: str) -> None:
    """Open a page of the explorer and wait until it stands."""
    await browser.open("about:blank")
    await browser.open(f"{url}/explorer/{page}")
    await browser.wait(SHOWN, page)


async def receipt_verdict(browser: Browser, url: str, file: Path) -> str:
    """What the receipt page says of a file."""
    await go(browser, url, "#/receipt")
    await browser.type("input[type=file]", str(file))
    return str(await browser.wait(VERDICT))


async def quiet(browser: Browser) -> list[str]:
    """What the browser complained of, without what a test caused on purpose."""
    return [line for line in await browser.complaints() if "/v1/watch" not in line]


async def test_the_log_is_shown(browser: Browser, explored: Explored) -> None:
    """Blocks and entries are shown with a certified checkpoint, without any name or complaint."""
    await go(browser, explored.url, "#/")
    assert await browser.run(VERDICT) == "good"
    assert "The log is certified" in await browser.text("main")
    assert len(await browser.texts(".block")) > 4
    page = await browser.run("return document.documentElement.innerHTML")
    assert OWNED not in page
    assert NAME not in page
    assert VALUE.decode() not in page
    assert await quiet(browser) == []


async def test_the_log_grows_before_ones_eyes(browser: Browser, explored: Explored) -> None:
    """A new block appears by itself; not while the reader has it paused."""
    await go(browser, explored.url, "#/")
    newest = "return document.querySelector('.block h3').innerText"
    before = await browser.run(newest)
    await explored.put()
    await browser.wait(newest.replace("return", "return arguments[0] !==", 1), before)
    await browser.click(".bar button")
    paused = await browser.run(newest)
    await explored.put()
    await browser.click(".bar button")
    await browser.wait(newest.replace("return", "return arguments[0] !==", 1), paused)


async def test_every_entry_is_proven(browser: Browser, explored: Explored) -> None:
    """Each entry's page says what it is and shows its proof as checked."""
    for index, words in ((0, "genesis"), (1, "transaction"), (2, "block header")):
        await go(browser, explored.url, f"#/entry/{index}")
        assert await browser.run(VERDICT) == "good"
        assert words in await browser.text(".facts")
    assert await quiet(browser) == []


async def test_a_receipt_is_green(browser: Browser, explored: Explored, tmp_path: Path) -> None:
    """Real receipts are valid, each step is listed, and what they open is shown."""
    for name, words in (
        ("put", "write"),
        ("read", "Identity digest"),
        ("denied", "DENIED"),
    ):
        file = tmp_path / f"{name}.tlog-proof"
        file.write_bytes(getattr(explored.lived, name))
        assert await receipt_verdict(browser, explored.url, file) == "good"
        steps = await browser.run(
            "return [...document.querySelectorAll('[data-step]')].map((s) => s.dataset.step)"
        )
        assert len(steps) >= 8
        assert set(steps) == {"good"}
        shown = await browser.text("main")
        assert words in shown
        assert f"{NAME}" in shown
    assert await quiet(browser) == []


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
async def test_a_forged_receipt_is_red(
    browser: Browser, explored: Explored, tmp_path: Path, at: float
) -> None:
    """A receipt with one changed character turns red and opens nothing."""
    file = tmp_path / "forged.tlog-proof"
    data = bytearray(explored.lived.read)
    where = next(i for i in range(int(len(data) * at), len(data)) if chr(data[i]).isalnum())
    data[where] = ord("A") if data[where] != ord("A") else ord("B")
    file.write_bytes(data)
    assert await receipt_verdict(browser, explored.url, file) == "bad"
    assert "NOT valid" in await browser.text(".verdict h2")
    colour = await browser.run(
        "return getComputedStyle(document.querySelector('.verdict h2')).color"
    )
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    assert red > 2 * max(green, blue)
    assert await browser.texts(".opened") == []


def flipped(body: bytes) -> bytes:
    """The same with the last bit of its middle byte changed."""
    middle = len(body) // 2
    return body[:middle] + bytes((body[middle] ^ 1,)) + body[middle + 1 :]


def other_hash(body: bytes) -> bytes:
    """A proof file whose first hash is another one."""
    head, hashes = body.split(b"\n", 2)[:2], body.split(b"\n", 2)[2]
    first = b"A" if hashes[:1] != b"A" else b"B"
    return b"\n".join((*head, first + hashes[1:]))


@pytest.mark.parametrize(
    "path, change",
    [
        ("/tile/entries/", flipped),
        ("/proof", other_hash),
        ("/proof", lambda body: body.replace(b"index 1\n", b"index 2\n")),
        ("/proof", lambda body: body.replace(b"\n\n", b"\n\n\n", 1)),
        ("/proof", lambda body: body[:-20]),
        ("/proof", lambda _: b"no proof at all"),
    ],
    ids=["leaf", "hash", "index", "note", "cut", "nothing"],
)
async def test_a_forged_entry_is_red(
    browser: Browser, between: Between, path: str, change: object
) -> None:
    """Whatever a node changes in an entry or its proof, the page turns red."""
    assert callable(change)
    await go(browser, between.url, "#/entry/1")
    assert await browser.run(VERDICT) == "good"
    between.forge = lambda asked, body: change(body) if path in asked else body
    await go(browser, between.url, "#/entry/1")
    assert await browser.run(VERDICT) == "bad"
    assert "NOT proven" in await browser.text(".verdict h2")


def other_signature(body: bytes) -> bytes:
    """The same with another signature at its end."""
    return body[:-9] + b"AAAA" + body[-5:]


@pytest.mark.parametrize(
    "path, change",
    [
        ("/checkpoint", lambda body: body[: len(body) // 2]),
        ("/proof", other_signature),
        ("/proof", other_hash),
        ("/tile/entries/", flipped),
        ("/tile/entries/", lambda body: body[:-17] + bytes(17)),
        ("/tile/entries/", lambda body: body[:-19]),
    ],
    ids=["checkpoint", "signature", "hash", "leaf", "last", "short"],
)
async def test_a_forged_log_is_red(
    browser: Browser, between: Between, path: str, change: object
) -> None:
    """Whatever a node changes in the newest log, the page turns red and shows no block of it."""
    assert callable(change)
    await go(browser, between.url, "#/")
    assert await browser.run(VERDICT) == "good"
    between.forge = lambda asked, body: change(body) if path in asked else body
    await go(browser, between.url, "#/")
    assert await browser.run(VERDICT) == "bad"
    assert "NOT the certified log" in await browser.text("main")
    assert await browser.texts(".block") == []


async def test_data_never_become_markup(browser: Browser, between: Between) -> None:
    """What a node says is shown as text, whatever it looks like."""
    planted = "<img id='planted' src='x' onerror='document.title = 1'>"

    def forge(path: str, body: bytes) -> bytes:
        if path not in ("/v1/network", "/readyz"):
            return body
        fields = json.loads(body)
        if "name" in fields:
            return json.dumps({**fields, "name": planted, "origin": planted}).encode()
        check = {"ok": True, "reason": planted}
        return json.dumps({"ready": True, "checks": {planted: check}}).encode()

    between.forge = forge
    await go(browser, between.url, "#/node")
    assert (await browser.text("main")).count(planted) >= 3
    assert await browser.run("return document.getElementById('planted') === null")


async def test_an_address_without_hashing_says_so(browser: Browser, explored: Explored) -> None:
    """Where the browser gives no WebCrypto nothing is shown as checked, and the page says why."""
    await browser.before_each_page(
        "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })"
    )
    for page in ("#/", "#/entry/1", "#/node"):
        await go(browser, explored.url, page)
        assert "Nothing can be checked at this address" in await browser.text("main")
        assert await browser.texts(".good") == []


async def test_nothing_is_green_without_ed25519(
    browser: Browser, explored: Explored, tmp_path: Path
) -> None:
    """A browser without Ed25519 says so and calls nothing valid; what it can see is still red."""
    await browser.before_each_page(
        "const kept = SubtleCrypto.prototype.importKey;"
        "SubtleCrypto.prototype.importKey = function (format, key, algorithm, ...rest) {"
        "  if ((algorithm.name ?? algorithm) === 'Ed25519')"
        "    return Promise.reject(new DOMException('no', 'NotSupportedError'));"
        "  return kept.call(this, format, key, algorithm, ...rest); };"
    )
    file = tmp_path / "receipt.tlog-proof"
    file.write_bytes(explored.lived.read)
    assert await receipt_verdict(browser, explored.url, file) == "unknown"
    assert "no Ed25519" in await browser.text(".verdict")
    assert "This receipt is valid" not in await browser.text("main")
    for page in ("#/", "#/entry/1"):
        await go(browser, explored.url, page)
        assert await browser.run(VERDICT) == "unknown"
        assert await browser.texts(".verdict.good, .mark.good") == []
    file.write_bytes(flipped(explored.lived.read))
    assert await receipt_verdict(browser, explored.url, file) == "bad"


async def test_a_pinned_network_file_decides(
    browser: Browser, explored: Explored, tmp_path: Path
) -> None:
    """With another network's file given the same receipt is red, with the right one green."""
    file = tmp_path / "receipt.tlog-proof"
    file.write_bytes(explored.lived.read)
    right = explored.process.network.home.network.read_text()
    wrong = re.sub('network_id = "..', 'network_id = "00', right)
    for text, wanted in ((wrong, "bad"), (right, "good")):
        pinned = tmp_path / "network.toml"
        pinned.write_text(text)
        await go(browser, explored.url, "#/node")
        await browser.type("input[type=file]", str(pinned))
        await browser.wait(
            "return document.body.innerText.includes('the network file that you gave')"
        )
        await browser.run("location.hash = '#/receipt'")
        await browser.wait(SHOWN, "#/receipt")
        await browser.type("input[type=file]", str(file))
        assert await browser.wait(VERDICT) == wanted


async def test_the_node_is_well(browser: Browser, explored: Explored) -> None:
    """Readiness is shown with each condition, and so is the network."""
    await go(browser, explored.url, "#/node")
    shown = await browser.text("main")
    for words in ("ready for clients", "key service", "collateral", explored.network_id):
        assert words in shown


async def test_an_auditor_sees_one_secrets_life(browser: Browser, between: Between) -> None:
    """With the wallet's signature: who wrote, read, was denied, with which code, each proven."""
    await browser.before_each_page(provider(AUDITOR))
    await go(browser, between.url, "#/audit")
    await browser.click("details[open] button[type=submit]")
    await browser.wait("return document.querySelectorAll('tbody tr').length > 5")
    typed = json.loads(await browser.run("return globalThis.shownByWallet"))
    assert typed["message"]["summary"].startswith("OpenEntries from_index=0 limit=1000 ")
    await browser.run("document.getElementById('filter').value = ''")
    await browser.type("#filter", f"{OWNED}/{NAME}")
    rows = await browser.texts("tbody tr")
    assert [kind for row in rows for kind in ("write", "read") if kind in row.split("\t")[3]] == [
        "write",
        "read",
        "write",
        "read",
    ]
    assert "DENIED" in rows[-1]
    assert all("proven" in row and "Intel SGX" in row and "UpToDate" in row for row in rows)
    await browser.type("#wanted", "DENIED")
    await browser.press("\ue007")
    await browser.wait("return document.querySelector('#filter')?.value === 'DENIED'")
    await browser.wait("return document.querySelectorAll('tbody tr').length > 0")
    assert all("DENIED" in row for row in await browser.texts("tbody tr"))
    await browser.click("tbody a[href^='#/session/']")
    await browser.wait("return document.querySelector('h1')?.innerText === 'Session'")
    shown = await browser.text("main")
    for words in ("Measurement", "TCB status", "Quote digest", "Collateral number", "Report data"):
        assert words in shown
    await finds_what_ran_on_its_platform(browser)
    assert await quiet(browser) == []


async def finds_what_ran_on_its_platform(browser: Browser) -> None:
    """Look for the platform id that a session's page shows: what sessions there did is found."""
    names, values = [await browser.texts(f".facts {tag}") for tag in ("dt", "dd:nth-child(2)")]
    rows = dict(zip(names, values, strict=True))
    platform_id = rows["Platform id"]
    assert re.fullmatch("[0-9a-f]{32}", platform_id)
    await browser.run("document.getElementById('wanted').value = ''")
    await browser.type("#wanted", platform_id)
    await browser.press("\ue007")
    await browser.wait(
        "return document.querySelector('#filter')?.value === arguments[0]", platform_id
    )
    await browser.wait("return document.querySelectorAll('tbody tr').length > 0")
    assert all("session" in row for row in await browser.texts("tbody tr"))


async def test_a_forged_answer_is_not_believed(browser: Browser, between: Between) -> None:
    """An answer with another outcome than the log commits to is red and shows no operation."""

    def forge(path: str, body: bytes) -> bytes:
        if path != "/v1/ask":
            return body
        answer = json.loads(body)
        for entry in answer["entries"]:
            for one in entry["operations"]:
                one["outcome"] = "CAE="
        return json.dumps(answer).encode()

    between.forge = forge
    await browser.before_each_page(provider(AUDITOR))
    await go(browser, between.url, "#/audit")
    await browser.click("details[open] button[type=submit]")
    await browser.wait("return document.querySelector('.verdict.bad') !== null")
    assert "Not believed" in await browser.text(".verdict.bad")
    rows = await browser.texts("tbody tr")
    # Only outcomes that are OK without detail anyway are still what the log commits to.
    assert all("write" not in row and "session" not in row.lower() for row in rows)


async def test_receipts_are_put_together(
    browser: Browser, explored: Explored, tmp_path: Path
) -> None:
    """Receipt files and lines of JSON with receipts open operations on the audit page too."""
    await go(browser, explored.url, "#/audit")
    lines = tmp_path / "export.jsonl"
    receipts = (explored.lived.put, explored.lived.read, explored.lived.denied)
    lines.write_text("".join(json.dumps({"receipt": one.decode()}) + "\n" for one in receipts))
    await browser.type("input[type=file]", str(lines))
    await browser.wait("return document.querySelectorAll('tbody tr').length === 3")
    lines.write_text('{"index": 3, "outcome": "OK"}\n')
    await browser.type("input[type=file]", str(lines))
    await browser.wait("return document.body.innerText.includes('carries no receipt')")


async def test_by_keyboard_alone(browser: Browser, explored: Explored) -> None:
    """Every page is reached by Tab and Enter, and the focus can be seen."""
    await go(browser, explored.url, "#/")
    await browser.press("\ue004")
    assert await browser.run("return document.activeElement.className") == "skip"
    seen = []
    for _ in range(12):
        await browser.press("\ue004")
        seen.append(
            await browser.run("return document.activeElement.hash ?? document.activeElement.id")
        )
    assert [link for link in seen if link in ("#/receipt", "#/audit", "#/node")] == [
        "#/receipt",
        "#/audit",
        "#/node",
    ]
    await browser.run("document.querySelector('a[href=\"#/node\"]').focus()")
    assert await browser.run(
        "return getComputedStyle(document.activeElement).outlineStyle !== 'none'"
    )
    await browser.press("\ue007")
    await browser.wait(SHOWN, "#/node")
    assert await browser.run("return document.activeElement.id") == "main"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
async def test_pictures(  # noqa: PLR0913  (the fixtures that a picture needs)
    browser: Browser,
    between: Between,
    explored: Explored,
    screenshots: Path,
    tmp_path: Path,
    scheme: str,
    width: int,
) -> None:
    """Each page fits its screen, dark and light; pictures are kept for people."""
    await browser.colours(scheme)
    await browser.screen(width, 900, is_phone=width < 500)
    await browser.before_each_page(provider(AUDITOR))
    kind = f"{scheme}-{'phone' if width < 500 else 'desk'}"

    async def take(name: str) -> None:
        wide = await browser.run("return document.documentElement.scrollWidth")
        assert wide <= width, name
        await browser.screenshot(screenshots / f"{name}-{kind}.png")

    await go(browser, between.url, "#/")
    await take("log")
    await go(browser, between.url, "#/entry/1")
    await take("entry")
    await go(browser, between.url, "#/node")
    await take("node")
    good, bad = tmp_path / "good.tlog-proof", tmp_path / "bad.tlog-proof"
    good.write_bytes(explored.lived.read)
    bad.write_bytes(flipped(explored.lived.read))
    assert await receipt_verdict(browser, between.url, good) == "good"
    await take("receipt")
    assert await receipt_verdict(browser, between.url, bad) == "bad"
    await take("receipt-forged")
    await go(browser, between.url, "#/audit")
    await browser.click("details[open] button[type=submit]")
    await browser.wait("return document.querySelectorAll('tbody tr').length > 5")
    await take("audit")
    await browser.click("tbody a[href^='#/session/']")
    await browser.wait("return document.querySelector('h1')?.innerText === 'Session'")
    await take("session")


async def test_back_to_the_beginning(
    browser: Browser, between: Between, explored: Explored
) -> None:
    """Over more than one bundle, older entries are shown down to genesis, each bundle proven."""
    await explored.put(150)
    await go(browser, between.url, "#/")
    assert await browser.run(VERDICT) == "good"
    first = "return document.querySelector('.blocks')?.lastElementChild?.dataset.first"
    older = "return [...document.querySelectorAll('main button')].at(-1)"
    while (before := await browser.run(first)) != "0":
        await browser.run(f"({older.removeprefix('return ')}).click()")
        await browser.wait(f"{first} !== arguments[0]", before)
    indices = await browser.run(
        "return [...document.querySelectorAll('.block a')].map((a) => Number(a.hash.slice(8)))"
    )
    assert sorted(indices) == list(range(max(indices) + 1))
    assert max(indices) > 300
    assert await browser.run(f"{older}.hidden")
    assert await quiet(browser) == []
    between.forge = lambda path, body: flipped(body) if path == "/tile/entries/000" else body
    await browser.run("location.reload()")
    await browser.wait(f"const at = {first.removeprefix('return ')}; return at > 256")
    await browser.run(f"({older.removeprefix('return ')}).click()")
    shown = await browser.text(".fault")
    assert "does not lead to the checkpoint" in shown
    assert int(await browser.run(first)) > 256

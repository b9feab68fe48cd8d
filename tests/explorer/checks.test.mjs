import assert from "node:assert/strict";
import { test } from "node:test";

import { bytesOf, formats, log, logRule, network, unhex } from "./vectors.mjs";
import { FormError, hex } from "../../node/http/explorer/bytes.js";
import { checkCheckpoint, checkReceipt, verdict } from "../../node/http/explorer/checks.js";
import {
  leafHash, rootFromInclusion, treeHash, verifyBundle,
} from "../../node/http/explorer/merkle.js";
import { decodeProofFile } from "../../node/http/explorer/note.js";

test("the RFC 6962 example proof leads to the root", async () => {
  const proof = log["inclusion proof of entry 2"].match(/.{64}/g).map(unhex);
  const root = await rootFromInclusion(2n, 5n, await leafHash(bytesOf("two")), proof);
  assert.equal(hex(root), log["root of the five entries"]);
});

test("a proof of another length than the tree's is refused", async () => {
  const proof = log["inclusion proof of entry 2"].match(/.{64}/g).map(unhex);
  const hash = await leafHash(bytesOf("two"));
  await assert.rejects(rootFromInclusion(2n, 5n, hash, proof.slice(1)), FormError);
  await assert.rejects(rootFromInclusion(2n, 5n, hash, [...proof, proof[0]]), FormError);
  await assert.rejects(rootFromInclusion(5n, 5n, hash, proof), FormError);
});

test("a bundle stands in the tree by the proof of its first entry", async () => {
  for (const size of [1, 2, 5, 255, 256, 257, 300, 511, 512, 513, 700, 1024, 1025]) {
    const hashes = await Promise.all(
      Array.from({ length: size }, (_, at) => leafHash(bytesOf(String(at)))),
    );
    const root = await treeHash(hashes);
    for (let first = 0; first < size; first += 256) {
      const [bundle, proof] = [BigInt(first / 256), await pathOf(first, hashes)];
      const mine = hashes.slice(first, first + 256);
      const check = (of, path = proof) => verifyBundle(bundle, BigInt(size), of, path, root);
      await check(mine);
      const other = [...mine.slice(0, -1), new Uint8Array(32)];
      await assert.rejects(check(other), FormError, `${size} ${first}`);
      await assert.rejects(check(mine.slice(1)), FormError);
      await assert.rejects(check([...mine, mine[0]]), FormError);
      if (size > 256) await assert.rejects(check(mine, proof.slice(1)), FormError);
    }
  }
});

/** The inclusion proof of a leaf, by the definition (RFC 6962 section 2.1.1). */
async function pathOf(at, hashes) {
  if (hashes.length === 1) return [];
  let left = 1;
  while (left * 2 < hashes.length) left *= 2;
  const [low, high] = [hashes.slice(0, left), hashes.slice(left)];
  return at < left
    ? [...(await pathOf(at, low)), await treeHash(high)]
    : [...(await pathOf(at - left, high)), await treeHash(low)];
}

test("the tree over the example entries has their root", async () => {
  const entries = ["", "one", "two", "three", "four"].map(bytesOf);
  const root = await treeHash(await Promise.all(entries.map(leafHash)));
  assert.equal(hex(root), log["root of the five entries"]);
});

test("the signed checkpoint of the examples is certified", async () => {
  const found = await checkCheckpoint(bytesOf(log["signed checkpoint"]), await logRule());
  assert.equal(verdict(found.steps), "good");
  assert.equal(found.checkpoint.size, 5n);
  assert.equal(found.timeS, 1790000000n);
});

test("any changed character of the signed checkpoint turns it bad", async () => {
  const rule = await logRule();
  const whole = log["signed checkpoint"];
  for (let at = 0; at < whole.length; at += 1) {
    const other = whole[at] === "A" ? "B" : "A";
    const bytes = bytesOf(whole.slice(0, at) + other + whole.slice(at + 1));
    const found = await checkCheckpoint(bytes, rule);
    assert.equal(verdict(found.steps), "bad", `character ${at}`);
  }
});

test("the example receipt is valid and opens its operation", async () => {
  const found = await checkReceipt(bytesOf(formats["receipt file"]), await network());
  assert.deepEqual(found.steps.filter((step) => step.state !== "good"), []);
  assert.equal(verdict(found.steps), "good");
  assert.equal(found.index, 3n);
  assert.equal(hex(found.hash), formats["leaf hash"]);
  assert.equal(found.opened[0].operation.read.name, "db/password");
  assert.equal(found.opened[0].outcome.read_granted.version, 1n);
});

test("any changed character of the receipt turns it bad", async () => {
  const pinned = await network();
  const whole = formats["receipt file"];
  for (let at = 0; at < whole.length; at += 3) {
    const other = whole[at] === "A" ? "B" : "A";
    const found = await checkReceipt(bytesOf(whole.slice(0, at) + other + whole.slice(at + 1)), pinned);
    assert.equal(verdict(found.steps), "bad", `character ${at}`);
  }
});

test("a receipt cut anywhere is bad", async () => {
  const pinned = await network();
  const whole = formats["receipt file"];
  for (let at = 0; at < whole.length - 1; at += 7) {
    const found = await checkReceipt(bytesOf(whole.slice(0, at)), pinned);
    assert.equal(verdict(found.steps), "bad", `cut at ${at}`);
  }
});

test("a receipt of another network, log or quorum is bad", async () => {
  const pinned = await network();
  const file = bytesOf(formats["receipt file"]);
  const judge = async (other) => verdict((await checkReceipt(file, other)).steps);
  assert.equal(await judge({ ...pinned, networkId: new Uint8Array(32) }), "bad");
  assert.equal(await judge({ ...pinned, rule: await logRule() }), "bad");
  assert.equal(await judge({ ...pinned, rule: { ...pinned.rule, threshold: 2 } }), "bad");
  assert.equal(await judge({ ...pinned, rule: { ...pinned.rule, cosigners: [] } }), "bad");
});

test("a file that opens nothing is no receipt", async () => {
  const lines = formats["receipt file"].split("\n").filter((line) => !line.startsWith("extra "));
  const found = await checkReceipt(bytesOf(lines.join("\n")), await network());
  assert.equal(verdict(found.steps), "bad");
});

test("no step at all is nothing good, and one unknown step is not good", () => {
  const good = { state: "good" };
  assert.equal(verdict([]), "unknown");
  assert.equal(verdict([good]), "good");
  assert.equal(verdict([good, { state: "unknown" }]), "unknown");
  assert.equal(verdict([good, { state: "unknown" }, { state: "bad" }]), "bad");
});

test("a proof file has one spelling", () => {
  const whole = log["proof file"];
  assert.equal(decodeProofFile(bytesOf(whole)).index, 2n);
  for (const [from, to] of [["index 2", "index 02"], ["index 2", "index +2"], ["extra ", "Extra "],
    ["@v1\n", "@v1\r\n"], ["b3BlbmVk", "b3BlbmVl="]]) {
    assert.throws(() => decodeProofFile(bytesOf(whole.replace(from, to))), FormError, to);
  }
});

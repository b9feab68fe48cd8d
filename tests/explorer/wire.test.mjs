import assert from "node:assert/strict";
import { test } from "node:test";

import { formats, unhex } from "./vectors.mjs";
import { FormError } from "../../node/http/explorer/bytes.js";
import { AttestationVerdict, Body, Leaf, Operation, Outcome } from "../../node/http/explorer/forms.js";
import { decodeNetworkFile } from "../../node/http/explorer/network.js";
import { parseToml } from "../../node/http/explorer/toml.js";
import { decode } from "../../node/http/explorer/wire.js";

const forms = { operation: Operation, outcome: Outcome, body: Body };
const examples = Object.entries(formats).flatMap(([name, text]) => {
  if (name.endsWith("leaf")) return [[name, Leaf, unhex(text)]];
  const kind = name.split(" ")[0];
  if (!(kind in forms) || name.endsWith("digest") || name.endsWith("salt")) return [];
  return [[name, forms[kind], unhex(text)]];
});

test("every example of a leaf, body, operation and outcome is read", () => {
  assert.ok(examples.length > 15);
  for (const [name, form, bytes] of examples) assert.ok(decode(form, bytes), name);
});

test("no prefix of an example is read but a shorter message of the same form", () => {
  for (const [name, form, bytes] of examples) {
    for (let size = 0; size < bytes.length; size += 1) {
      try {
        decode(form, bytes.subarray(0, size));
        assert.ok(["operation", "outcome"].includes(name.split(" ")[0]), `${name} cut at ${size}`);
      } catch (error) {
        assert.ok(error instanceof FormError, `${name} cut at ${size}: ${error}`);
      }
    }
  }
});

test("whatever the bytes are, they are read or refused with FormError", () => {
  let state = 1;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648);
  for (let round = 0; round < 20000; round += 1) {
    const [, form, bytes] = examples[random() % examples.length];
    const changed = Uint8Array.from(bytes);
    for (let times = random() % 4; times >= 0; times -= 1) {
      changed[random() % changed.length] = random() % 256;
    }
    try {
      decode(form, changed.subarray(0, random() % 2 ? changed.length : random() % changed.length));
    } catch (error) {
      assert.ok(error instanceof FormError, String(error));
    }
  }
});

test("other spellings of one message are refused", () => {
  const header = "120f080210e0acc5a28c34200128013001";
  assert.equal(decode(Leaf, unhex(header)).header.height, 2n);
  const refused = {
    "field twice": "1211080208021" + "0e0acc5a28c34200128013001".slice(0),
    "order": "120f10e0acc5a28c340802200128013001",
    "long varint": "1210088200" + "10e0acc5a28c34200128013001",
    "default held": "1211080210e0acc5a28c341a00200128013001",
    "unknown field": "1211080210e0acc5a28c342001280130013801",
    "another wire type": "120f0d0210e0acc5a28c34200128013001",
    "two kinds": "120f080210e0acc5a28c342001280130011a00",
    "after the end": "120f080210e0acc5a28c3420012801300100",
    "length too long": "7f120f0802",
    "number over 64 bits": "120b08ffffffffffffffffff7f",
    "group": "0b0c",
  };
  for (const [what, text] of Object.entries(refused)) {
    assert.throws(() => decode(Leaf, unhex(text)), FormError, what);
  }
});

test("strings are UTF-8 and names are names", () => {
  const read = (name) => unhex(`120d0a0b${name}`);
  assert.equal(decode(Operation, read("6170702f73656372657473")).acquire_key.collection, "app/secrets");
  for (const bad of ["ff70702f73656372657473", "2f70702f73656372657473", "6170702f2e2f6372657473",
    "efbbbf2f73656372657473"]) {
    assert.throws(() => decode(Operation, read(bad)), FormError, bad);
  }
});

test("a verdict is read with its identity", () => {
  const identity = "08011220" + "11".repeat(32) + "1a20" + "22".repeat(32) + "200728033a0855" +
    "70546f44617465";
  const rest = "1240" + "33".repeat(64) + "1a20" + "44".repeat(32) + "201128e4a4a7da063080a4a7da06";
  const size = (identity.length / 2).toString(16);
  const verdict = decode(AttestationVerdict, unhex(`0a${size}${identity}${rest}`));
  assert.equal(verdict.identity.tcb_status, "UpToDate");
  assert.equal(verdict.identity.svn, 3);
  assert.equal(verdict.raw.identity.length, identity.length / 2);
  assert.throws(() => decode(AttestationVerdict, unhex(rest)), FormError);
});

test("a network file is read, and only one that can be meant", async () => {
  const key = "e97aea5018e9017369241610f14e8fe0ff4c952c1f7c700bfe0cd61206f83276";
  const file = `# given out by the operator
network_id = "0bad2319c04a8d446d85bd3e65477e04785efae756de9dd1d51d1196a41e4f74"
name = "attacked"
profile = "development"
endpoints = [
    "127.0.0.1:0", # loopback
]

[log]
vkey = "dev.attacked/1+d8d9accb+AS0QqKHvfx8lSh9buYi80G0mS5CEKKT6Uwdt14sUYLUi"
quorum = 1
witness_quorum = 0
witnesses = []

[[log.cosigners]]
name = "dev.attacked/node-1"
public_key = "${key}"
operator = "operator"
`;
  const network = await decodeNetworkFile(file);
  assert.equal(network.origin, "dev.attacked/1");
  assert.equal(network.rule.cosigners[0].operator, "operator");
  assert.ok(network.isDevelopment);
  for (const [from, to] of [["quorum = 1", "quorum = 0"], ["quorum = 1", "quorum = 2"],
    ['profile = "development"', 'profile = "single"'], ["d8d9accb", "d8d9accc"],
    ["witness_quorum = 0", "witness_quorum = 1"], ["[[log.cosigners]]", "[[log.others]]"],
    ["0bad", "0ba"], ["quorum = 1", "quorum = 1.5"], ["quorum = 1", "quorum = 0x1"],
    ['name = "attacked"', 'name = "att\\qcked"'], ["[log]", "[log"], ["[log]", "[log] junk"],
    ['operator = "operator"', 'operator = ""']]) {
    await assert.rejects(decodeNetworkFile(file.replace(from, to)), FormError, to);
  }
});

test("TOML's strings, lists and comments are read, other spellings refused", () => {
  const table = parseToml('a = "x\\u00e9\\n" # c\nb = [1, [true, "y",],]\n[t.u]\nc = \'lit\\n\'\n');
  assert.equal(table.a, "x\u00e9\n");
  assert.deepEqual(table.b, [1, [true, "y"]]);
  assert.equal(table.t.u.c, "lit\\n");
  for (const bad of ["a", "a = ", "a = 1\na = 2", "a = 01", "a = 1e5", "a = {b = 1}", '"a" = 1',
    "a = 1 b = 2", 'a = """x"""', "a = 1979-05-27", "[a]\n[a]", "a = [1", 'a = "x', "a.b = 1",
    'a = "\\ud8', "a = 1_000", "[[a]]\nb=1\n[a]"]) {
    assert.throws(() => parseToml(bad), FormError, bad);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { bytesOf, formats, unhex } from "./vectors.mjs";
import { FormError } from "../../node/http/explorer/bytes.js";
import {
  endedBy, kindOf, operationRows, outcomeRows, reasonOf, signerOf, subjectOf, versionOf,
} from "../../node/http/explorer/describe.js";
import { Body, Leaf, Operation, Outcome } from "../../node/http/explorer/forms.js";
import { decodeNetworkFile } from "../../node/http/explorer/network.js";
import { parseToml } from "../../node/http/explorer/toml.js";
import { AttestationVerdict, CollateralVerdict } from "../../node/http/explorer/verdict_forms.js";
import { bytesField, decode, numberField } from "../../node/http/explorer/wire.js";

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

const join = (...parts) => Uint8Array.from(parts.flatMap((one) => [...one]));
const fill = (size, byte) => new Uint8Array(size).fill(byte);
const text = (at, words) => bytesField(at, bytesOf(words));

const TCB = join(numberField(1, 4), numberField(3, 22), numberField(4, 213));
const FIELDS = {
  sgx: join(bytesField(1, fill(16, 5)), bytesField(2, fill(64, 0)), numberField(3, 7),
    bytesField(4, fill(16, 1)), bytesField(5, fill(16, 2))),
  tdx: join(...[1, 2, 3, 4, 5, 6, 7, 8].map((at) => bytesField(at, fill(48, at))),
    bytesField(9, fill(8, 1)), bytesField(10, fill(8, 2))),
  snp: join(bytesField(1, fill(32, 1)), bytesField(2, fill(16, 2)), bytesField(3, fill(16, 3)),
    numberField(5, 0x30000n), numberField(7, 1), bytesField(8, TCB), bytesField(9, TCB),
    text(10, "Genoa")),
};
const KINDS = { sgx: [1, 32, 12, "UpToDate"], tdx: [2, 48, 13, "OutOfDate"], snp: [3, 48, 14, "NotRated"] };

function identityOf(kind, change = {}) {
  const [platform, width, at, status] = KINDS[kind];
  const found = { platform, measured: fill(width, 0x11), status, fields: FIELDS[kind], at, svn: 3, ...change };
  return join(numberField(1, found.platform), bytesField(2, found.measured), bytesField(3, fill(48, 9)),
    numberField(4, 7), numberField(5, found.svn), text(7, found.status), text(8, "INTEL-SA-00001"),
    bytesField(9, fill(64, 7)), numberField(11, 1700000000), bytesField(found.at, found.fields));
}

const COLLATERAL_OF = { sgx: "sgx/00906ed50000/processor", tdx: "tdx/00906ed50000/platform", snp: "snp/Milan" };

function verdictOf(identity, key = COLLATERAL_OF.sgx) {
  return join(bytesField(1, identity), bytesField(2, fill(64, 0x33)), bytesField(3, fill(32, 0x44)),
    numberField(4, 17), numberField(5, 1790000100), numberField(6, 1790000000), text(7, key),
    bytesField(8, fill(32, 0x55)));
}

test("a verdict is read with its identity, of every kind of TEE", () => {
  for (const kind of Object.keys(KINDS)) {
    const identity = identityOf(kind);
    const verdict = decode(AttestationVerdict, verdictOf(identity, COLLATERAL_OF[kind]));
    assert.equal(verdict.identity.tcb_status, KINDS[kind][3]);
    assert.equal(verdict.identity.fields, kind);
    assert.equal(verdict.identity.svn, 3);
    assert.deepEqual(verdict.raw.identity, identity);
  }
  assert.equal(decode(AttestationVerdict, verdictOf(identityOf("snp"), COLLATERAL_OF.snp))
    .identity.snp.reported_tcb.snp, 22);
});

test("a verdict that cannot be meant is refused", () => {
  const big = join(numberField(1, 256));
  const snp = (at, found) => join(FIELDS.snp.subarray(0, at), found);
  for (const bad of [
    verdictOf(identityOf("sgx")).subarray(bytesField(1, identityOf("sgx")).length),
    verdictOf(identityOf("sgx"), "sgx/00906ed5000/processor"),
    verdictOf(identityOf("sgx"), "snp/Rome"),
    verdictOf(identityOf("sgx"), COLLATERAL_OF.tdx),
    verdictOf(identityOf("sgx", { platform: 4 })),
    verdictOf(identityOf("sgx", { platform: 2 })),
    verdictOf(identityOf("sgx", { measured: fill(48, 1) })),
    verdictOf(identityOf("tdx", { measured: fill(32, 1) }), COLLATERAL_OF.tdx),
    verdictOf(identityOf("sgx", { status: "NotRated" })),
    verdictOf(identityOf("snp", { status: "UpToDate" }), COLLATERAL_OF.snp),
    verdictOf(identityOf("sgx", { fields: FIELDS.sgx.subarray(18) })),
    verdictOf(identityOf("tdx", { fields: FIELDS.tdx.subarray(0, 100) }), COLLATERAL_OF.tdx),
    verdictOf(identityOf("snp", { fields: snp(-7, text(10, "Rome")) }), COLLATERAL_OF.snp),
    verdictOf(identityOf("snp", { fields: snp(-TCB.length - 9, join(bytesField(9, big), text(10, "Milan"))) }), COLLATERAL_OF.snp),
  ]) assert.throws(() => decode(AttestationVerdict, bad), FormError);
});

test("a verdict of collateral is read, its list of numbers packed", () => {
  const order = Uint8Array.from([17, 0x80, 0x01, 3, 0]);
  const of = (list, key = "snp/Turin") => join(text(1, key), bytesField(2, fill(32, 1)), list,
    numberField(4, 17), numberField(5, 18), numberField(6, 5), numberField(7, 9),
    bytesField(8, fill(32, 2)), numberField(9, 6));
  const read = decode(CollateralVerdict, of(bytesField(3, order)));
  assert.deepEqual(read.order, [17n, 128n, 3n, 0n]);
  assert.equal(read.valid_until_s, 9n);
  for (const bad of [of(numberField(3, 17)), of(join(bytesField(3, order), bytesField(3, order))),
    of(bytesField(3, [], true)), of(bytesField(3, Uint8Array.from([0x80]))), of(bytesField(3, Uint8Array.from([17, 3, 5]))),
    of(bytesField(3, Uint8Array.from([0x91, 0x00]))), of(bytesField(3, order), "snp/Rome")]) {
    assert.throws(() => decode(CollateralVerdict, bad), FormError);
  }
});

test("operations on releases that cannot be meant are refused", () => {
  const version = (...parts) => join(...parts.map((one, at) => numberField(at + 1, one)));
  const named = (name, of) => join(text(1, name), bytesField(2, of, true));
  const revoke = (message) => decode(Operation, bytesField(14, message));
  assert.equal(revoke(named("fns", version(1, 2, 3))).revoke_release.version.minor, 2);
  assert.equal(revoke(named("fns", version(0, 0, 0))).revoke_release.version.major, 0);
  for (const bad of [text(1, "fns"), named("a@b", version(1)), named("n".repeat(65), version(1)),
    named("fns", version(2 ** 31))]) assert.throws(() => revoke(bad), FormError);
  const measured = (platform, size) => join(numberField(1, platform), bytesField(2, fill(size, 1)));
  const release = ({ measurements = [measured(1, 32), measured(2, 48)], notes = "ok", auditors = [1, 2] }) =>
    decode(Operation, bytesField(12, bytesField(1, join(named("fns", version(1)),
      ...measurements.map((one) => bytesField(3, one)), bytesField(4, fill(32, 4)), text(5, notes),
      ...auditors.map((one) => bytesField(6, fill(20, one)))))));
  assert.equal(release({}).publish_release.release.measurements.length, 2);
  for (const bad of [{ measurements: [] }, { measurements: [measured(2, 48), measured(1, 32)] },
    { measurements: [measured(1, 48)] }, { measurements: [measured(4, 48)] }, { notes: "a\nb" },
    { notes: "n".repeat(513) }, { auditors: [] }, { auditors: [2, 1] }, { auditors: [1, 1] }]) {
    assert.throws(() => release(bad), FormError);
  }
  const revokeSession = (name) => decode(Operation,
    bytesField(15, join(bytesField(1, fill(32, 1)), text(2, name))));
  assert.equal(revokeSession("").revoke_session.collection, "");
  assert.throws(() => revokeSession("(all)"), FormError);
});

/** The rows of an operation as text; elements are made of what they hold. */
function textRows(operation) {
  globalThis.document = {
    createElement: () => ({
      holds: "",
      append(...children) { this.holds += children.join(""); },
      setAttribute() {},
      toString() { return this.holds; },
    }),
  };
  try {
    return operationRows(operation).map(([label, value]) => `${label}: ${value}`);
  } finally {
    delete globalThis.document;
  }
}

test("votes on platforms have words, and those that cannot be meant are refused", () => {
  const vote = (id, way) => decode(Operation, bytesField(16, join(bytesField(1, id), numberField(2, way))));
  const [intel, amd] = [fill(16, 0xab), fill(64, 0xcd)];
  assert.equal(kindOf(vote(intel, 1)), "vote to enrol platform");
  assert.equal(kindOf(vote(amd, 2)), "vote to remove platform");
  assert.equal(kindOf(vote(amd, 3)), "take back the vote on platform");
  assert.deepEqual(subjectOf(vote(amd, 2)), { collection: "cd".repeat(64), name: "" });
  assert.equal(endedBy(vote(amd, 2)), "");
  for (const [id, way] of [[fill(15, 1), 1], [fill(17, 1), 1], [fill(32, 1), 1], [fill(65, 1), 1], [[], 1],
    [intel, 0], [intel, 4], [amd, 2 ** 31]]) assert.throws(() => vote(id, way), FormError, `${id} ${way}`);
  assert.deepEqual(textRows(vote(amd, 2)), ["Operation: vote to remove platform",
    `Platform id: ${"cd".repeat(64)}`, "Vote: remove"]);
  const intels = decode(Operation, unhex(formats["operation VotePlatform of an Intel platform"]));
  assert.equal(kindOf(intels), "vote to enrol platform");
  assert.match(subjectOf(intels).collection, /^[0-9a-f]{32}$/);
  const votes = (cast, needed) => decode(Outcome, join(numberField(1, 1),
    bytesField(10, join(numberField(1, cast), numberField(2, needed)))));
  assert.equal(versionOf(votes(1, 2)), "1 of 2");
  assert.deepEqual(outcomeRows(votes(0, 2))[1], ["Votes", "0 of 2"]);
  assert.deepEqual(reasonOf(decode(Outcome, numberField(1, 72))),
    { name: "NO_CHANGE", says: "it was so already, or the vote was cast already", isDone: false });
});

test("new operations and outcomes have words", () => {
  const worded = (name) => decode(name.startsWith("operation") ? Operation : Outcome, unhex(formats[name]));
  const published = worded("operation PublishRelease");
  assert.equal(kindOf(published), "publish release");
  assert.equal(subjectOf(published).collection, "fns@1.2.0");
  assert.equal(subjectOf(worded("operation RevokeRelease of version 0.0.0")).collection, "fns@0.0.0");
  assert.equal(kindOf(worded("operation RevokeSession")), "revoke session");
  assert.equal(subjectOf(worded("operation RevokeSession")).collection, "team/secrets");
  assert.match(endedBy(worded("operation RevokeSession")), /^[0-9a-f]{64}$/);
  assert.equal(kindOf(worded("operation RevokeSession by a member")), "end session");
  assert.match(endedBy(worded("operation RevokeSession by a member")), /^[0-9a-f]{64}$/);
  assert.equal(endedBy(published), "");
  assert.equal(versionOf(worded("outcome Votes")), "2 of 3");
  const rows = (name) => outcomeRows(worded(name)).map(([label, value]) => `${label} ${value}`);
  assert.deepEqual(rows("outcome Votes"), ["Outcome OK", "Votes 2 of 3"]);
  assert.deepEqual(rows("outcome Votes that nobody counts"), ["Outcome OK", "Endorsed by 0 so far"]);
  const judged = join(text(1, "snp/Turin"), bytesField(2, fill(32, 1)),
    bytesField(3, Uint8Array.from([17, 0x80, 0x01])), numberField(4, 17), numberField(5, 18),
    numberField(6, 5), numberField(7, 9), bytesField(8, fill(32, 2)), numberField(9, 6));
  const about = (verdict) => subjectOf(worded("operation UpdateCollateral"),
    { detail: "collateral_updated", collateral_updated: { verdict } });
  assert.deepEqual(about(judged), { collection: "snp/Turin", name: "" });
  assert.deepEqual(about(fill(9, 1)), { collection: "", name: "" });
  assert.equal(subjectOf(worded("operation UpdateCollateral")).collection, "");
  const account = { signer_kind: 2, signer: fill(20, 0xab) };
  assert.deepEqual(signerOf(account), { kind: "account", id: `0x${"ab".repeat(20)}` });
  assert.equal(versionOf(worded("outcome Votes that nobody counts")), "0 so far");
  for (const [name] of examples.filter(([one]) => one.startsWith("operation "))) {
    assert.ok(kindOf(worded(name)), name);
  }
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

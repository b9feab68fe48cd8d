// Checking, step by step: every step is {name, state, detail}. state is "good", "bad", or "unknown"
// where this browser cannot tell. The verdict is good only if every step is; bad if one is.
//
// A receipt is valid (docs/spec/formats.md, Receipt) if
// 1. its checkpoint is certified: log key, quorum of operators, witnesses;
// 2. its leaf is included;
// 3. leaf and body are canonical, and the body is for this network;
// 4. each opened operation and outcome hashes to what body and leaf commit to, and decodes.

import { FormError, encode, equal, hex } from "./bytes.js";
import * as ed25519 from "./ed25519.js";
import { Body, Leaf, Opening, Operation, Outcome, digests } from "./forms.js";
import { WIDTH, leafHash, sha256, verifyBundle, verifyInclusion } from "./merkle.js";
import { decodeCheckpoint, decodeNote, decodeProofFile, signedBy } from "./note.js";
import { decode } from "./wire.js";

const OUTCOME_LABEL = encode("outcome\0");

/** good, bad or unknown: what all steps together say. No step says nothing good. */
export function verdict(steps) {
  if (steps.some((step) => step.state === "bad")) return "bad";
  return steps.length > 0 && steps.every((step) => step.state === "good") ? "good" : "unknown";
}

/** A list of steps that fills itself; after a bad step nothing that stands on it is tried. */
class Steps {
  constructor() {
    this.list = [];
  }

  /** Run a check that gives a detail or throws FormError; gives whether it held. */
  async run(name, check) {
    try {
      this.list.push({ name, state: "good", detail: await check() });
      return true;
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      this.list.push({ name, state: "bad", detail: error.message });
      return false;
    }
  }

  /** Say that a check could not be made. */
  skip(name, why) {
    this.list.push({ name, state: "unknown", detail: why });
  }
}

/** Check a signed checkpoint against a rule: {steps, checkpoint, timeS}; checkpoint null if bad. */
export async function checkCheckpoint(bytes, rule) {
  const steps = new Steps();
  const found = { checkpoint: null, timeS: 0n };
  let note;
  await steps.run("The checkpoint is well-formed", () => {
    note = decodeNote(bytes);
    const checkpoint = decodeCheckpoint(note.text);
    if (checkpoint.origin !== rule.logKey.name) {
      throw new FormError(`it is of another log: ${checkpoint.origin}`);
    }
    found.checkpoint = checkpoint;
    return `${checkpoint.origin}, ${checkpoint.size} entries`;
  });
  if (found.checkpoint === null) return { ...found, steps: steps.list };
  await checkSignatures(steps, note, rule, found);
  return { ...found, steps: steps.list };
}

async function checkSignatures(steps, note, rule, found) {
  const names = ["Signed by the log key", "Cosigned by the quorum", "Witnessed"];
  if (!(await ed25519.canVerify())) {
    const why = "this browser has no Ed25519: signatures are not checked";
    names.slice(0, rule.witnesses.length ? 3 : 2).forEach((name) => steps.skip(name, why));
    return;
  }
  let signers;
  const areValid = await steps.run("Every signature by a known key is valid", async () => {
    signers = await verifyLines(note, rule);
    return `${signers.size} of ${note.signatures.length} lines are by known keys`;
  });
  if (!areValid) return;
  await steps.run(names[0], () => {
    if (!signers.has(rule.logKey.name)) throw new FormError("there is no such signature");
    return rule.logKey.name;
  });
  await steps.run(names[1], () => {
    const latest = new Map();
    for (const { key, operator } of rule.cosigners) {
      const timeS = signers.get(key.name);
      if (timeS > (latest.get(operator) ?? 0n)) latest.set(operator, timeS);
    }
    const needed = `${rule.threshold} of distinct operators needed`;
    if (latest.size < rule.threshold) throw new FormError(`${latest.size} operators, ${needed}`);
    const times = [...latest.values()].sort((a, b) => (a < b ? 1 : -1));
    found.timeS = times[rule.threshold - 1];
    return `${[...latest.keys()].join(", ")}; ${needed}`;
  });
  if (rule.witnesses.length === 0) return;
  await steps.run(names[2], () => {
    const seen = rule.witnesses.filter(({ key }) => signers.has(key.name));
    if (seen.length < rule.witnessThreshold) {
      throw new FormError(`${seen.length} witnesses, ${rule.witnessThreshold} needed`);
    }
    return `${seen.map(({ key }) => key.name).join(", ") || "nobody"}; ${rule.witnessThreshold} needed`;
  });
}

/** Verify all lines by known keys: their names with times; FormError if one fails or is twice. */
async function verifyLines(note, rule) {
  const keys = [rule.logKey, ...[...rule.cosigners, ...rule.witnesses].map((one) => one.key)];
  const signers = new Map();
  for (const line of note.signatures) {
    const key = keys.find((one) => one.name === line.name && one.keyId === line.keyId);
    if (key === undefined) continue;
    if (signers.has(key.name)) throw new FormError(`two signature lines by ${key.name}`);
    const { message, signature, timeS } = signedBy(key, line, note.text);
    if (!(await ed25519.isValid(key.publicKey, signature, message))) {
      throw new FormError(`the signature by ${key.name} does not verify`);
    }
    signers.set(key.name, timeS);
  }
  return signers;
}

/** Check an entry's place: {steps, leaf, body, hash, checkpoint, timeS}. */
export async function checkEntry({ index, leaf, hashes, checkpoint }, network) {
  const certified = await checkCheckpoint(checkpoint, network.rule);
  const steps = new Steps();
  steps.list = certified.steps;
  const hash = await leafHash(leaf);
  const found = { leaf: null, body: null, hash, ...certified };
  if (certified.checkpoint === null) return found;
  const { size, root } = certified.checkpoint;
  await steps.run("The entry is in the tree", async () => {
    await verifyInclusion(index, size, hash, hashes, root);
    return `entry ${index} of ${size}: ${hashes.length} hashes lead to the signed root`;
  });
  await steps.run("The entry is canonical", () => {
    found.leaf = decode(Leaf, leaf);
    return `${found.leaf.kind}, ${leaf.length} bytes`;
  });
  await steps.run("It is of this network", () => {
    found.body = bodyOf(found.leaf);
    const named = (found.body ?? found.leaf?.genesis)?.network_id;
    if (found.leaf === null) throw new FormError("the entry cannot be read");
    if (named === undefined) return "a block header: the tree alone says so";
    if (!equal(named, network.networkId)) throw new FormError("it names another network");
    return hex(named);
  });
  return found;
}

/**
 * Check that `leaves` are all entries of a bundle: {steps, checkpoint, timeS}. `proof` is the proof
 * file of its first entry; its checkpoint is the one that counts.
 */
export async function checkBundle(bundle, leaves, proof, network) {
  const certified = await checkCheckpoint(proof.checkpoint, network.rule);
  const steps = new Steps();
  steps.list = certified.steps;
  if (certified.checkpoint === null) return certified;
  const { size, root } = certified.checkpoint;
  await steps.run("The entries that are shown are in its tree", async () => {
    const first = bundle * WIDTH;
    if (proof.index !== first) throw new FormError(`the node proved entry ${proof.index} instead`);
    const hashes = await Promise.all(leaves.map(leafHash));
    await verifyInclusion(first, size, hashes[0], proof.hashes, root);
    await verifyBundle(bundle, size, hashes, proof.hashes, root);
    return `entries ${first} to ${first + BigInt(leaves.length) - 1n} of ${size}`;
  });
  return { ...certified, steps: steps.list };
}

function bodyOf(leaf) {
  return leaf?.kind === "transaction" ? decode(Body, leaf.transaction.body) : null;
}

/**
 * Check opened operations: what `checkEntry` gives and `opened`, a list of {position, operation,
 * outcome} in the order given; what does not hold is not in it.
 */
export async function checkOpened(entry, operations, network) {
  const found = await checkEntry(entry, network);
  const steps = new Steps();
  steps.list = found.steps;
  const opened = [];
  if (found.body === null) {
    await steps.run("Operations can be opened", () => {
      throw new FormError("the entry is no transaction that can be read");
    });
    return { ...found, opened };
  }
  const promised = digests(found.body.operation_digests);
  const answered = digests(found.leaf.transaction.outcome_digests);
  for (const one of operations) {
    await steps.run(`Operation ${one.position} is what was signed and answered`, async () => {
      if (promised.length !== answered.length || one.position >= promised.length) {
        throw new FormError("no operation stands at this position");
      }
      if (one.salt.length !== 16) throw new FormError("a salt has 16 bytes");
      if (!equal(await sha256(one.salt, one.operation), promised[one.position])) {
        throw new FormError("the signed body does not commit to this operation");
      }
      const salt = await sha256(OUTCOME_LABEL, one.salt);
      if (!equal(await sha256(salt, one.outcome), answered[one.position])) {
        throw new FormError("the entry does not commit to this outcome");
      }
      const operation = decode(Operation, one.operation);
      const outcome = decode(Outcome, one.outcome);
      opened.push({ position: one.position, operation, outcome });
      return `${operation.kind}: both digests match`;
    });
  }
  return { ...found, opened };
}

/** Check a receipt file's bytes: what `checkOpened` gives, with `index`. */
export async function checkReceipt(bytes, network) {
  const steps = new Steps();
  let parts;
  await steps.run("The file is a receipt", () => {
    const proof = decodeProofFile(bytes);
    if (proof.extra === null) throw new FormError("it opens nothing: it has no extra line");
    const opening = decode(Opening, proof.extra);
    parts = { ...proof, leaf: opening.leaf, operations: opening.operations };
    return `entry ${proof.index}, operations opened: ${opening.operations.length}`;
  });
  if (parts === undefined) return { steps: steps.list, opened: [], leaf: null, body: null };
  const found = await checkOpened(parts, parts.operations, network);
  return { ...found, index: parts.index, steps: [...steps.list, ...found.steps] };
}

/** The digest that outcomes name an identity by. */
export function identityDigest(identity) {
  return sha256(encode("sealedger/identity/1\0"), identity);
}

// One entry of the public log: what it says, and its inclusion proof checked here.

import { entries, proofFile } from "./api.js";
import { FormError, hex, text } from "./bytes.js";
import { checkEntry } from "./checks.js";
import { signerOf } from "./describe.js";
import { code, count, facts, fill, h, moment, table } from "./dom.js";
import { digests } from "./forms.js";
import { sha256 } from "./merkle.js";
import { decodeProofFile } from "./note.js";
import { network } from "./pinned.js";
import { verdictCard } from "./verdicts.js";

const WORDS = {
  good: "This entry stands on the certified log",
  bad: "This is NOT proven: do not believe what is shown",
  unknown: "This entry was not checked in full",
};

/** Show entry `index` (a BigInt) in `main`. */
export async function showEntry(main, index) {
  const pinned = await network();
  let proof;
  let leaf = new Uint8Array();
  let found;
  try {
    proof = decodeProofFile(await proofFile(index));
    if (proof.index !== index) throw new FormError(`the node proved entry ${proof.index} instead`);
    [{ leaf }] = await entries(index, index + 1n);
    found = await checkEntry({ ...proof, leaf }, pinned);
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    const step = { name: "The node's answer is well-formed", state: "bad", detail: error.message };
    found = { steps: [step], leaf: null, body: null };
  }
  fill(main, h("h1", {}, `Entry ${count(index)}`), neighbours(index, found.checkpoint),
    verdictCard(found.steps, WORDS, pinned),
    found.leaf === null ? null : await leafSection(found),
    proof === undefined ? null : proofSection(proof, found, leaf));
}

function neighbours(index, checkpoint) {
  const link = (to, word) => h("a", { href: `#/entry/${to}` }, word);
  return h("nav", { "aria-label": "Neighbouring entries", class: "bar" },
    index > 0n ? link(index - 1n, "\u2190 Previous") : null,
    checkpoint && index + 1n < checkpoint.size ? link(index + 1n, "Next \u2192") : null);
}

async function leafSection({ leaf, body }) {
  const title = h("h2", {}, "What it says");
  if (leaf.kind === "transaction") return h("section", {}, title, await transaction(leaf, body));
  const message = leaf[leaf.kind];
  const rows = leaf.kind === "genesis"
    ? [["Kind", "genesis: the log begins"], ["Network id", code(hex(message.network_id))],
      ["Time", moment(message.time_ms)]]
    : [["Kind", "block header: a block ends"], ["Block height", count(message.height)],
      ["Time", moment(message.time_ms)],
      ["State root", message.state_root.length ? code(hex(message.state_root)) : "none yet"],
      ["Trust document", `version ${message.trust_version}`], ["Key epoch", count(message.epoch)],
      ["Rules", `version ${message.rules_version}`]];
  return h("section", {}, title, facts(rows));
}

async function transaction(leaf, body) {
  const { height, time_ms: time, body: signed, signature, outcome_digests: outcomes } = leaf.transaction;
  if (body === null) {
    return facts([["Kind", "transaction whose body cannot be read"], ["Block height", count(height)]]);
  }
  const { kind, id } = signerOf(body);
  const answered = digests(outcomes);
  const rows = digests(body.operation_digests).map((digest, at) => ({
    cells: [String(at), code(hex(digest)), answered[at] ? code(hex(answered[at])) : "missing"],
  }));
  return [
    facts([
      ["Kind", "transaction"], ["Block height", count(height)], ["Time", moment(time)],
      ["Signed by", [`${kind} `, code(id)]], ["Sequence", count(body.sequence)],
      ["Valid until", moment(body.valid_until_ms)],
      ["Atomic", body.atomic ? "yes: all operations or none" : "no"],
      ["Transaction hash", code(hex(await sha256(signed)))], ["Signature", code(hex(signature))],
    ]),
    h("h3", {}, "Operations"),
    h("p", { class: "about" }, "The log holds only digests. Names stand beside it; who is entitled to " +
      "them opens them with a receipt or on the Audit page."),
    table("Digests of the operations and their outcomes", ["Position", "Operation", "Outcome"], rows),
  ];
}

function proofSection(proof, { hash, checkpoint }, leaf) {
  return h("section", {}, h("h2", {}, "The proof"),
    facts([
      ["Leaf hash", hash ? code(hex(hash)) : null],
      ["Signed root", checkpoint ? code(hex(checkpoint.root)) : null],
    ]),
    h("details", {}, h("summary", {}, `Inclusion proof: ${proof.hashes.length} hashes`),
      h("ol", {}, proof.hashes.map((one) => h("li", {}, code(hex(one)))))),
    h("details", {}, h("summary", {}, "Signed checkpoint"),
      h("pre", {}, text(proof.checkpoint, "checkpoint"))),
    h("details", {}, h("summary", {}, `Bytes of the entry: ${count(leaf.length)}`),
      h("pre", { class: "wrap" }, hex(leaf))));
}

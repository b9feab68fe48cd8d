// Prints what the explorer's tables say, and a question with its typed data, as JSON.

import { unhex } from "./vectors.mjs";
import { hex } from "../../node/http/explorer/bytes.js";
import * as forms from "../../node/http/explorer/forms.js";
import { tilePath } from "../../node/http/explorer/api.js";
import { openEntries, typedData } from "../../node/http/explorer/query.js";
import * as verdictForms from "../../node/http/explorer/verdict_forms.js";
import { PLATFORM_VOTES } from "../../node/http/explorer/release_forms.js";
import { REASONS } from "../../node/http/explorer/reasons.js";

const messages = {};

function walk(form) {
  if (form.name in messages) return;
  messages[form.name] = [...form.fields].map(([number, field]) => {
    const message = field.message?.();
    if (message) walk(message);
    return {
      number,
      name: field.name,
      type: field.type,
      message: message?.name ?? null,
      repeated: field.repeated ?? false,
      optional: field.optional ?? false,
      group: field.group ?? null,
    };
  });
}

const limits = {};
const { AttestationVerdict, CollateralVerdict } = verdictForms;
const { Operation, Outcome, Leaf, Body, Opening } = forms;
for (const form of [Operation, Outcome, Leaf, Body, Opening, AttestationVerdict, CollateralVerdict]) {
  walk(form);
  limits[form.name] = form.limit;
}

const question = {
  networkId: unhex("11".repeat(32)),
  account: unhex("22".repeat(20)),
  timeMs: 1790000000123,
  fromIndex: 300,
  collection: "acme/payments",
  session: unhex("33".repeat(32)),
};
const everything = { ...question, fromIndex: 0, collection: "", session: new Uint8Array() };
const asked = [];
for (const one of [question, everything]) {
  asked.push({ query: hex(openEntries(one)), typedData: await typedData(one) });
}
const paths = Object.fromEntries([0n, 7n, 999n, 1000n, 1234067n].map((at) => [String(at), tilePath(at)]));
const reasons = Object.fromEntries(Object.entries(REASONS).map(([at, { name }]) => [at, name]));
const words = { reasons, signers: forms.SIGNER_KINDS, votes: PLATFORM_VOTES };
console.log(JSON.stringify({ messages, limits, asked, paths, ...words }));

// Example bytes of the repository, and the small network that they are about.

import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

import { decodeVkey, verifierKey } from "../../node/http/explorer/note.js";

globalThis.crypto ??= webcrypto;

const VECTORS = new URL("../vectors/", import.meta.url);

export function load(path) {
  return JSON.parse(readFileSync(new URL(path, VECTORS), "utf8"));
}

export function unhex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function bytesOf(text) {
  return new TextEncoder().encode(text);
}

export const log = load("log/examples.json");
export const formats = Object.assign(
  {},
  ...["genesis", "body", "leaf", "operation", "outcome", "receipt", "envelope", "keys"].map(
    (name) => load(`formats/${name}.json`).examples,
  ),
);

/** Who must have signed the checkpoint of log/examples.json. */
export async function logRule() {
  return {
    logKey: await decodeVkey(log["log key"]),
    cosigners: [{ key: await decodeVkey(log["cosigner key"]), operator: "operator-a" }],
    threshold: 1,
    witnesses: [],
    witnessThreshold: 0,
  };
}

/** The network of the receipt in formats/receipt.json; its keys stand in its trust document. */
export async function network() {
  const logKey = await verifierKey(
    "dev.example.org/ledger/1",
    1,
    unhex("9348b776b2e5edfd7409720c204bc2a523ae3a8d5b9df5df157ca4377bccbd73"),
  );
  const cosigner = await verifierKey(
    "core-a.example.org",
    4,
    unhex("d17669d40966650aa6c3115dec35ef2c5d427ec763a28fb7f3118e15757284f0"),
  );
  return {
    networkId: unhex(formats["network id"]),
    rule: {
      logKey,
      cosigners: [{ key: cosigner, operator: "operator-a" }],
      threshold: 1,
      witnesses: [],
      witnessThreshold: 0,
    },
  };
}

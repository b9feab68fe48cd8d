// Signed questions (docs/spec/formats.md): their bytes, the text that a wallet shows, and asking.

import { AskError, askJson } from "./api.js";
import { FormError, base64, encode, fromBase64, fromHex, hex, split } from "./bytes.js";
import { sha256 } from "./merkle.js";
import { bytesField, numberField } from "./wire.js";

const ACCOUNT = 2;
export const LIMIT = 1000;
const TYPES = {
  EIP712Domain: [{ name: "name", type: "string" }, { name: "version", type: "string" }],
  Query: [
    { name: "network", type: "bytes32" }, { name: "timeMs", type: "uint64" },
    { name: "summary", type: "string" }, { name: "bodyHash", type: "bytes32" },
  ],
};

/**
 * The bytes of an account's question for entries: {networkId, account} are bytes, timeMs and
 * fromIndex numbers, collection a name or nothing, session 32 bytes or none.
 */
export function openEntries({ networkId, account, timeMs, fromIndex, collection, session }) {
  const question = Uint8Array.from([
    ...numberField(1, fromIndex), ...numberField(2, LIMIT),
    ...bytesField(3, encode(collection)), ...bytesField(4, session),
  ]);
  return Uint8Array.from([
    ...bytesField(1, networkId), ...numberField(2, ACCOUNT), ...bytesField(3, account),
    ...numberField(4, timeMs), ...bytesField(10, question, true),
  ]);
}

/** What a wallet signs for that question, for eth_signTypedData_v4. */
export async function typedData(question) {
  const { networkId, timeMs, fromIndex, collection, session } = question;
  const summary = `OpenEntries from_index=${fromIndex} limit=${LIMIT} collection=${JSON.stringify(collection)} ` +
    `session=${hex(session)} indices=`;
  return {
    types: TYPES,
    primaryType: "Query",
    domain: { name: "Sealedger", version: "1" },
    message: {
      network: `0x${hex(networkId)}`,
      timeMs: String(timeMs),
      summary,
      bodyHash: `0x${hex(await sha256(openEntries(question)))}`,
    },
  };
}

/** The wallet's first account, as bytes; AskError if there is no wallet or it does not want to. */
export async function walletAccount() {
  const [account] = await wallet("eth_requestAccounts");
  return fromHex(String(account).slice(2));
}

/** Ask with the wallet's signature: the node's answer. */
export async function askWithWallet(question) {
  const data = JSON.stringify(await typedData(question));
  const signature = await wallet("eth_signTypedData_v4", [`0x${hex(question.account)}`, data]);
  return askSigned({
    query: base64(openEntries(question)),
    signature: base64(fromHex(String(signature).slice(2))),
  });
}

/** Ask a question that somebody signed: {query, signature}, both base64. */
export function askSigned({ query, signature }) {
  const body = JSON.stringify({ query, signature });
  const headers = { "Content-Type": "application/json" };
  return askJson("/v1/ask", { method: "POST", headers, body });
}

/** The entries of an answer, each as `checkOpened` wants it: {index, leaf, hashes, …, operations}. */
export function entriesOf(answer) {
  if (!Array.isArray(answer?.entries)) throw new FormError("this is no answer with entries");
  if (answer.entries.length === 0) return [];
  if (typeof answer.checkpoint !== "string") throw new FormError("the answer has no checkpoint");
  const checkpoint = encode(answer.checkpoint);
  return answer.entries.map((entry) => ({
    index: BigInt(whole(entry.index)),
    leaf: fromBase64(entry.leaf, "leaf"),
    hashes: split(fromBase64(entry.hashes, "hashes"), 32, "hashes"),
    checkpoint,
    operations: entry.operations.map((one) => ({
      position: whole(one.position),
      salt: fromBase64(one.salt, "salt"),
      operation: fromBase64(one.operation, "operation"),
      outcome: fromBase64(one.outcome, "outcome"),
    })),
  }));
}

function whole(number) {
  if (!Number.isSafeInteger(number) || number < 0) throw new FormError("a number is none");
  return number;
}

async function wallet(method, params = []) {
  if (!globalThis.ethereum) {
    throw new AskError("this browser has no wallet", "use sealedger audit export and give the file here");
  }
  try {
    return await globalThis.ethereum.request({ method, params });
  } catch (error) {
    throw new AskError(`the wallet refused: ${error?.message ?? "no reason given"}`);
  }
}

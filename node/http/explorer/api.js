// What this page asks its node: always the same origin, never a cookie.

import { FormError } from "./bytes.js";
import { WIDTH } from "./merkle.js";

const MAX_CACHED = 32;
const bundles = new Map(); // of full bundles, which never change

/** What is thrown when the node does not answer with what was asked for. */
export class AskError extends Error {
  constructor(message, hint = "") {
    super(message);
    this.hint = hint;
  }
}

/** The answer of a path: a Response with a good status; AskError otherwise. */
export async function ask(path, { alsoOk = [], ...options } = {}) {
  // Only tiles never change; of all else even a second's old answer may be too old.
  const cache = path.startsWith("/tile/") ? "default" : "no-store";
  const quiet = { credentials: "omit", referrerPolicy: "no-referrer", cache };
  let response;
  try {
    response = await fetch(path, { ...quiet, ...options });
  } catch {
    throw new AskError("the node does not answer", "is it running?");
  }
  if (response.ok || alsoOk.includes(response.status)) return response;
  const fault = await response.json().catch(() => ({}));
  throw new AskError(String(fault.error ?? `HTTP status ${response.status}`), String(fault.hint ?? ""));
}

/** The JSON of a path. */
export async function askJson(path, options) {
  return (await ask(path, options)).json();
}

/** The bytes of a path. */
export async function askBytes(path) {
  return new Uint8Array(await (await ask(path)).arrayBuffer());
}

/** The entries from `first` up to, not including, `stop` (BigInts): a list of {index, leaf}. */
export async function entries(first, stop) {
  const found = [];
  for (let bundle = first / WIDTH; bundle * WIDTH < stop; bundle += 1n) {
    const start = bundle * WIDTH;
    const width = stop - start < WIDTH ? stop - start : WIDTH;
    for (const [at, leaf] of (await entryBundle(bundle, width)).entries()) {
      const index = start + BigInt(at);
      if (index >= first && index < stop) found.push({ index, leaf });
    }
  }
  return found;
}

/** The proof file of an entry, as bytes. */
export function proofFile(index) {
  return askBytes(`/v1/entries/${index}/proof`);
}

async function entryBundle(bundle, width) {
  const kept = bundles.get(bundle);
  if (kept !== undefined) return kept.slice(0, Number(width));
  const part = width < WIDTH ? `.p/${width}` : "";
  const found = split(await askBytes(`/tile/entries/${tilePath(bundle)}${part}`), Number(width));
  if (width === WIDTH) {
    if (bundles.size >= MAX_CACHED) bundles.delete(bundles.keys().next().value);
    bundles.set(bundle, found);
  }
  return found;
}

/** A tile's index as c2sp.org/tlog-tiles spells it: x001/x234/067. */
export function tilePath(index) {
  const groups = [];
  for (let rest = index; groups.length === 0 || rest > 0n; rest /= 1000n) {
    groups.unshift(String(rest % 1000n).padStart(3, "0"));
  }
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
}

/** The entries of a bundle, each behind its length in 2 bytes. */
export function split(bundle, count) {
  const found = [];
  let at = 0;
  while (at + 2 <= bundle.length) {
    const stop = at + 2 + bundle[at] * 256 + bundle[at + 1];
    found.push(bundle.subarray(at + 2, stop));
    at = stop;
  }
  if (at !== bundle.length || found.length !== count) throw new FormError("a bundle has not its form");
  return found;
}

// The tree of RFC 6962, hashed by the browser (WebCrypto). Indices and sizes are BigInts.

import { FormError, concat, equal } from "./bytes.js";

export const MAX_TREE_SIZE = (1n << 63n) - 1n;
export const MAX_PROOF_HASHES = 63;
export const WIDTH = 256n; // of a bundle of entries
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** SHA-256 of bytes, 32 bytes. */
export async function sha256(...parts) {
  if (!globalThis.crypto?.subtle) {
    throw new Error("Nothing can be checked at this address: browsers hash only at https or 127.0.0.1.");
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

/** The hash of an entry (RFC 6962 section 2.1). */
export function leafHash(entry) {
  return sha256(LEAF, entry);
}

/** The hash over two hashes (RFC 6962 section 2.1). */
export function nodeHash(left, right) {
  return sha256(NODE, left, right);
}

/** The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2); FormError if to none. */
export async function rootFromInclusion(index, size, hash, proof) {
  if (index < 0n || index >= size || size > MAX_TREE_SIZE) {
    throw new FormError(`entry ${index} is not in a tree of ${size}`);
  }
  if (proof.length > MAX_PROOF_HASHES || [hash, ...proof].some((one) => one.length !== 32)) {
    throw new FormError("a proof has at most 63 hashes of 32 bytes");
  }
  let [node, last, found] = [index, size - 1n, hash];
  for (const sibling of proof) {
    if (last === 0n) throw new FormError("the inclusion proof is too long for the tree");
    if (node & 1n || node === last) {
      found = await nodeHash(sibling, found);
      while (!(node & 1n) && node) [node, last] = [node >> 1n, last >> 1n];
    } else {
      found = await nodeHash(found, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  if (last) throw new FormError("the inclusion proof is too short for the tree");
  return found;
}

/** The hash of a tree over these leaf hashes, at least one (RFC 6962 section 2.1). */
export async function treeHash(hashes) {
  if (hashes.length === 1) return hashes[0];
  let left = 1;
  while (left * 2 < hashes.length) left *= 2;
  const halves = [hashes.slice(0, left), hashes.slice(left)];
  return nodeHash(...(await Promise.all(halves.map(treeHash))));
}

/**
 * Check that whole bundles of 256 entries (or the last, narrower one) stand in the tree: `hashes` are
 * those of bundle `bundle`, `proof` the inclusion proof of its first entry. FormError if not shown.
 *
 * Above the bundles the tree is the tree over the bundles: both split at powers of two. The first
 * entry's proof goes up inside its bundle first, and that part is replaced by the hash of the bundle.
 */
export async function verifyBundle(bundle, size, hashes, proof, root) {
  const width = size - bundle * WIDTH < WIDTH ? size - bundle * WIDTH : WIDTH;
  if (BigInt(hashes.length) !== width) throw new FormError("the bundle has not its width");
  let inside = 0;
  while (2 ** inside < hashes.length) inside += 1;
  const hash = await treeHash(hashes);
  await verifyInclusion(bundle, (size + WIDTH - 1n) / WIDTH, hash, proof.slice(inside), root);
}

/** Check that an entry's hash stands at `index` under this root; FormError if it is not shown. */
export async function verifyInclusion(index, size, hash, proof, root) {
  if (!equal(await rootFromInclusion(index, size, hash, proof), root)) {
    throw new FormError("the inclusion proof does not lead to the checkpoint's root");
  }
}

// The network that everything is checked against: the file that the reader gave, or else what the
// node says about itself. Kept for as long as this page is open, nowhere else.

import { askJson } from "./api.js";
import { decodeNetworkFile } from "./network.js";

let given = null;
let served = null;

/** The network's pinned facts, with isPinned: whether the reader gave them. */
export async function network() {
  if (given !== null) return given;
  served ??= await read((await askJson("/v1/network")).network_file, false);
  return served;
}

/** Pin the network file with this text; FormError if it is none. */
export async function pin(text) {
  given = await read(text, true);
  return given;
}

/** Believe the node's own file again. */
export function unpin() {
  given = null;
}

async function read(text, isPinned) {
  return { ...(await decodeNetworkFile(text)), isPinned };
}

// Ed25519 by the browser's WebCrypto, where it has it. Without it nothing is said to be valid.

/** Whether this browser can check Ed25519 signatures. Asked once. */
export async function canVerify() {
  able ??= probe();
  return able;
}

/** Whether the signature is the key's over the message. */
export async function isValid(publicKey, signature, message) {
  if (signature.length !== 64) return false;
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

let able;

async function probe() {
  // RFC 8032 section 7.1, test 1: a browser that calls this wrong cannot be used either.
  const read = (text) => Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16));
  const key = read("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const good = read(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9" +
      "b46bd25bf5f0595bbe24655141438e7a100b",
  );
  const bad = good.map((byte, at) => (at === 40 ? byte ^ 1 : byte));
  const nothing = new Uint8Array();
  try {
    return (await isValid(key, good, nothing)) && !(await isValid(key, bad, nothing));
  } catch {
    return false;
  }
}

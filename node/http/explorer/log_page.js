// The log as it grows: the certified checkpoint, and blocks with their entries, each of which is
// proven to be in its tree. No names: there are none in it.

import { askBytes, askJson, entries, proofFile } from "./api.js";
import { FormError, hex } from "./bytes.js";
import { checkBundle, verdict } from "./checks.js";
import { signerOf } from "./describe.js";
import { code, count, facts, fault, fill, h, moment, table } from "./dom.js";
import { Body, Leaf, digests } from "./forms.js";
import { WIDTH } from "./merkle.js";
import { decodeCheckpoint, decodeNote, decodeProofFile } from "./note.js";
import { network } from "./pinned.js";
import { basis, mark, verdictCard } from "./verdicts.js";
import { decode } from "./wire.js";

const PAGE = 64n;
const MAX_SHOWN = 40; // blocks
const WORDS = {
  good: "The log is certified, and what is shown is in it",
  bad: "This is NOT the certified log",
  unknown: "The log's signatures were not checked",
};

/** Show the page in `main`; `life` ends what goes on when the reader leaves it. */
export async function showLog(main, life) {
  const standing = h("div", { "aria-live": "polite" });
  const list = h("div", { class: "blocks" });
  const view = { list, standing, shown: 0n, first: 0n, isPaused: false };
  const pause = h("button", { type: "button", "aria-pressed": "false" }, "Pause");
  const older = h("button", { type: "button" }, "Show older entries");
  pause.addEventListener("click", () => {
    view.isPaused = !view.isPaused;
    pause.setAttribute("aria-pressed", String(view.isPaused));
    pause.textContent = view.isPaused ? "Go on" : "Pause";
    if (!view.isPaused) refresh(view);
  });
  older.addEventListener("click", () => addOlder(view, older));
  fill(main, h("h1", {}, "The log"), standing,
    h("div", { class: "bar" }, h("h2", {}, "Blocks"), pause), list, older);
  Object.assign(view, { older, pause });
  await refresh(view);
  follow(view, life);
}

/** Refresh whenever the node says that the log has grown; ask now and then where it cannot say. */
function follow(view, life) {
  const source = new EventSource("/v1/watch");
  source.addEventListener("message", () => refresh(view));
  const timer = setInterval(() => {
    if (source.readyState !== EventSource.OPEN) refresh(view);
  }, 5000);
  life.addEventListener("abort", () => {
    source.close();
    clearInterval(timer);
  });
}

async function refresh(view) {
  if (view.isPaused || view.isBusy) {
    view.isLate = view.isBusy;
    return;
  }
  view.isBusy = true;
  try {
    do {
      view.isLate = false;
      await refreshOnce(view);
    } while (view.isLate);
  } catch (error) {
    const steps = [{ name: "The node's answers hold together", state: "bad", detail: error.message }];
    if (!(error instanceof FormError)) fill(view.standing, fault(error));
    else fill(view.standing, verdictCard(steps, WORDS, null));
  } finally {
    view.isBusy = false;
  }
}

async function refreshOnce(view) {
  const { size } = decodeCheckpoint(decodeNote(await askBytes("/checkpoint")).text);
  const pinned = await network();
  const newest = await provenBundle((size > 0n ? size - 1n : 0n) / WIDTH, pinned);
  const state = verdict(newest.steps);
  fill(view.standing, await standingCard(newest, pinned));
  if (state === "bad") {
    view.list.replaceChildren();
    view.shown = 0n;
    return;
  }
  await grow(view, newest, pinned);
}

/** Put the blocks that are new above the others. */
async function grow(view, newest, pinned) {
  const stop = newest.entries.at(-1).index + 1n;
  if (stop < view.shown) throw new FormError(`the log shrank from ${view.shown} to ${stop} entries`);
  if (stop === view.shown) return;
  const isNear = view.shown > 0n && stop - view.shown <= PAGE;
  const from = isNear ? view.shown : stop > PAGE ? stop - PAGE : 0n;
  const found = await provenEntries(from, stop, newest, pinned);
  if (!isNear) {
    view.list.replaceChildren();
    view.first = from;
  }
  view.list.prepend(...blocksOf(found).reverse().map(blockCard));
  while (view.list.children.length > MAX_SHOWN) {
    view.list.lastElementChild.remove();
    view.first = BigInt(view.list.lastElementChild.dataset.first);
  }
  view.shown = stop;
  view.older.hidden = view.first === 0n;
}

async function addOlder(view, button) {
  button.disabled = true;
  try {
    const from = view.first > PAGE ? view.first - PAGE : 0n;
    const found = await provenEntries(from, view.first, null, await network());
    view.list.append(...blocksOf(found).reverse().map(blockCard));
    view.first = from;
    button.hidden = from === 0n;
    if (!view.isPaused) view.pause.click(); // or the next block would push out what was asked for
  } catch (error) {
    button.after(fault(error));
  } finally {
    button.disabled = false;
  }
}

/** The entries from `from` up to `stop`, of bundles that are each proven; FormError if one is not. */
async function provenEntries(from, stop, known, pinned) {
  const found = [];
  for (let bundle = from / WIDTH; bundle * WIDTH < stop; bundle += 1n) {
    const isKnown = known !== null && bundle === known.bundle;
    const one = isKnown ? known : await provenBundle(bundle, pinned);
    const bad = one.steps.find((step) => step.state === "bad");
    if (bad) throw new FormError(`${bad.name}: ${bad.detail}`);
    found.push(...one.entries.filter(({ index }) => index >= from && index < stop));
  }
  return found;
}

/** A whole bundle with its check: {bundle, entries, steps, checkpoint, timeS}. */
async function provenBundle(bundle, pinned) {
  const first = bundle * WIDTH;
  const proof = decodeProofFile(await proofFile(first));
  const { size } = decodeCheckpoint(decodeNote(proof.checkpoint).text);
  const stop = first + WIDTH < size ? first + WIDTH : size;
  const found = await entries(first, stop);
  const leaves = found.map(({ leaf }) => leaf);
  return { bundle, entries: found, ...(await checkBundle(bundle, leaves, proof, pinned)) };
}

async function standingCard({ steps, checkpoint, timeS }, pinned) {
  const state = verdict(steps);
  if (state === "bad") return verdictCard(steps, WORDS, pinned);
  const status = await askJson("/v1/status");
  return h("section", { class: `verdict ${state}`, "data-verdict": state },
    h("p", {}, mark(state, WORDS[state])),
    facts([
      ["Entries", count(checkpoint.size)],
      ["Root", code(hex(checkpoint.root))],
      ["Signed at", timeS ? moment(timeS * 1000n) : null],
      ["Block height", count(status.height)],
    ]),
    h("details", {}, h("summary", {}, "How this was checked"),
      h("p", { class: "about" }, state === "good" ? basis(pinned) : ""),
      h("ol", { class: "steps" }, steps.map((step) =>
        h("li", { class: step.state, "data-step": step.state }, `${step.name}: ${step.detail}`)))));
}

/** Entries as blocks: each ends with its header. {header, rows, isCut}: cut if its start is not here. */
function blocksOf(found) {
  const blocks = [];
  let rows = [];
  for (const { index, leaf } of found) {
    const row = rowOf(index, leaf);
    rows.push(row);
    if (row.leaf === null || row.leaf.kind !== "transaction") {
      blocks.push({ end: row, rows });
      rows = [];
    }
  }
  if (rows.length) blocks.push({ end: null, rows });
  return blocks;
}

function rowOf(index, bytes) {
  try {
    const leaf = decode(Leaf, bytes);
    const body = leaf.kind === "transaction" ? decode(Body, leaf.transaction.body) : null;
    return { index, size: bytes.length, leaf, body };
  } catch (error) {
    if (error instanceof FormError) return { index, size: bytes.length, leaf: null, error };
    throw error;
  }
}

function blockCard({ end, rows }) {
  const header = end?.leaf?.header ?? null;
  const title = header === null ? titleOf(end) : `Block ${count(header.height)}`;
  const time = header?.time_ms ?? end?.leaf?.genesis?.time_ms ?? rows[0].leaf?.transaction?.time_ms;
  const columns = ["Entry", "Kind", "Signed by", "Operations", "Bytes"];
  return h("section", { class: "block", "data-first": String(rows[0].index) },
    h("h3", {}, title, " ", time === undefined ? null : h("small", {}, moment(time))),
    table(`${title}: its entries`, columns, rows.map((row) => ({ cells: cellsOf(row) }))));
}

function titleOf(end) {
  if (end === null) return "The rest of a block";
  return end.leaf === null ? "Entries that cannot be read" : "Genesis";
}

function cellsOf(row) {
  const link = h("a", { href: `#/entry/${row.index}` }, count(row.index));
  if (row.leaf === null) return [link, mark("bad", row.error.message), "", "", count(row.size)];
  if (row.body === null) return [link, row.leaf.kind, "", "", count(row.size)];
  const { kind, id } = signerOf(row.body);
  const operations = digests(row.body.operation_digests).length;
  return [link, "transaction", [`${kind} `, code(id, true)], count(operations), count(row.size)];
}

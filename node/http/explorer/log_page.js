// The log as it grows: the certified checkpoint, and blocks with their entries. No names: there are
// none in it.

import { askBytes, askJson, entries } from "./api.js";
import { FormError, hex } from "./bytes.js";
import { checkCheckpoint, verdict } from "./checks.js";
import { signerOf } from "./describe.js";
import { code, count, facts, fault, fill, h, moment, table } from "./dom.js";
import { Body, Leaf, digests } from "./forms.js";
import { network } from "./pinned.js";
import { basis, mark, verdictCard } from "./verdicts.js";
import { decode } from "./wire.js";

const PAGE = 64n;
const MAX_SHOWN = 40; // blocks
const WORDS = {
  good: "This checkpoint is certified",
  bad: "This checkpoint is NOT certified",
  unknown: "The checkpoint's signatures were not checked",
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
  view.older = older;
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
    fill(view.standing, fault(error));
  } finally {
    view.isBusy = false;
  }
}

async function refreshOnce(view) {
  const pinned = await network();
  const note = await askBytes("/checkpoint");
  const found = await checkCheckpoint(note, pinned.rule);
  fill(view.standing, await standingCard(found, pinned));
  if (found.checkpoint === null) return;
  const { size } = found.checkpoint;
  if (size < view.shown) throw new FormError(`the log shrank from ${view.shown} to ${size} entries`);
  if (size === view.shown) return;
  const isFirst = view.shown === 0n;
  const from = size - view.shown > PAGE ? size - PAGE : view.shown;
  if (isFirst || from > view.shown) {
    view.list.replaceChildren();
    view.first = from;
  }
  const blocks = blocksOf(await entries(from, size));
  view.list.prepend(...blocks.reverse().map((block) => blockCard(block)));
  while (view.list.children.length > MAX_SHOWN) view.list.lastElementChild.remove();
  if (view.list.children.length === MAX_SHOWN) {
    view.first = BigInt(view.list.lastElementChild.dataset.first);
  }
  view.shown = size;
  view.older.hidden = view.first === 0n;
}

async function addOlder(view, button) {
  button.disabled = true;
  try {
    const from = view.first > PAGE ? view.first - PAGE : 0n;
    const blocks = blocksOf(await entries(from, view.first));
    view.list.append(...blocks.reverse().map((block) => blockCard(block)));
    view.first = from;
    button.hidden = from === 0n;
    view.isPaused ||= view.list.children.length > MAX_SHOWN;
  } catch (error) {
    button.after(fault(error));
  } finally {
    button.disabled = false;
  }
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

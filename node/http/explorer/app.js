// Which page is shown: the part of the address after #.

import { showAudit, showSession } from "./audit_page.js";
import { showEntry } from "./entry_page.js";
import { fault, fill, h } from "./dom.js";
import { showLog } from "./log_page.js";
import { showNode } from "./node_page.js";
import { network } from "./pinned.js";
import { showReceipt } from "./receipt_page.js";

const PAGES = [
  [/^#?\/?$/, showLog, "Log"],
  [/^#\/entry\/(0|[1-9][0-9]{0,18})$/, (main, life, index) => showEntry(main, BigInt(index)), "Entry"],
  [/^#\/receipt$/, showReceipt, "Receipt"],
  [/^#\/audit(?:\/(.*))?$/, (main, life, wanted) => showAudit(main, life, decodeURIComponent(wanted ?? "")), "Audit"],
  [/^#\/session\/([0-9a-f]{64})$/, (main, life, id) => showSession(main, id), "Session"],
  [/^#\/node$/, showNode, "Node"],
];

let life = new AbortController();
let shownOnce = false;

async function show() {
  if (location.hash === "#main") return;
  life.abort();
  life = new AbortController();
  const mine = life;
  const outlet = h("div", {});
  const found = PAGES.map(([path, page, title]) => [path.exec(location.hash), page, title])
    .find(([match]) => match !== null);
  document.title = `${found?.[2] ?? "Nothing here"} · Sealedger explorer`;
  markCurrent();
  try {
    if (found === undefined) fill(outlet, h("h1", {}, "There is no such page"));
    else await found[1](outlet, mine.signal, ...found[0].slice(1));
  } catch (error) {
    fill(outlet, h("h1", {}, "This cannot be shown"), fault(error));
  }
  if (mine.signal.aborted) return;
  const main = document.getElementById("main");
  fill(main, outlet);
  main.dataset.shown = location.hash || "#/";
  if (shownOnce) main.focus({ preventScroll: true });
  shownOnce = true;
}

function markCurrent() {
  const here = `#/${location.hash.split("/")[1] ?? ""}`;
  for (const link of document.querySelectorAll("header nav a")) {
    const isHere = link.hash === here || (link.hash === "#/audit" && here === "#/session") ||
      (link.hash === "#/" && here === "#/entry");
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function warn() {
  const found = await network().catch(() => null);
  const banner = document.getElementById("development");
  banner.hidden = !found?.isDevelopment;
  banner.textContent = "Development network: whoever runs it can read and forge everything.";
}

document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = document.getElementById("wanted").value.trim();
  if (/^[0-9]+$/.test(wanted)) location.hash = `#/entry/${BigInt(wanted)}`;
  else location.hash = `#/audit/${encodeURIComponent(wanted)}`;
});
addEventListener("hashchange", show);
await warn();
await show();

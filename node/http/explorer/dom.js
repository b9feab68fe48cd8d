// Making elements. Data become text, never markup.

/** An element with properties, attributes (`aria-…`, `data-…`, `for`…), listeners and children. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Put these children in place of what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null));
}

/** Bytes as hex in one line that can be selected whole; `short` shows the first 16 digits. */
export function code(text, short = false) {
  const shown = short && text.length > 18 ? `${text.slice(0, 16)}…` : text;
  return h("code", { title: short ? text : undefined }, shown);
}

/** A list of names and values; rows whose value is null are left out. */
export function facts(rows) {
  return h("dl", { class: "facts" }, rows.filter((row) => row[1] !== null).map(([name, value, about]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value), about ? h("dd", { class: "about" }, about) : null)));
}

/** A table whose cells carry their column's name, so that a narrow screen can stack them. */
export function table(caption, columns, rows) {
  return h("div", { class: "scroll" }, h("table", {},
    h("caption", { class: "quiet" }, caption),
    h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", row.properties ?? {}, row.cells.map((cell, at) =>
      h("td", { "data-label": columns[at] }, cell === "" ? null : h("div", {}, cell))))))));
}

/** A moment of Unix milliseconds (a BigInt), in UTC. */
export function moment(timeMs) {
  const date = new Date(Number(timeMs));
  if (Number.isNaN(date.getTime())) return `${timeMs} ms`;
  const spelled = date.toISOString();
  return h("time", { datetime: spelled }, spelled.replace("T", " ").replace("Z", " UTC"));
}

/** A count with thin spaces between thousands. */
export function count(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** What went wrong, for people. */
export function fault(error) {
  return h("p", { class: "fault", role: "alert" }, h("strong", {}, error.message), " ", error.hint ?? "");
}

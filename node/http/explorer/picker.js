// A place to choose files or drop them.

import { h } from "./dom.js";

let pickers = 0;

/** A file input inside an area that takes dropped files too; `take` gets a list of files. */
export function filePicker(label, take, { many = false } = {}) {
  pickers += 1;
  const id = `files-${pickers}`;
  const input = h("input", { type: "file", id, multiple: many });
  input.addEventListener("change", () => give(input.files));
  const area = h("div", { class: "drop" }, h("label", { for: id }, label), input,
    h("span", { class: "about" }, many ? "or drop files here" : "or drop the file here"));
  area.addEventListener("dragover", (event) => {
    event.preventDefault();
    area.classList.add("over");
  });
  area.addEventListener("dragleave", () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("over");
    give(event.dataTransfer.files);
  });
  return area;

  function give(files) {
    const chosen = many ? [...files] : [...files].slice(0, 1);
    if (chosen.length) take(chosen);
    input.value = "";
  }
}

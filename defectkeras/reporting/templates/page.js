"use strict";
for (const figure of document.querySelectorAll("figure")) {
  const stack = figure.querySelector(".stack");
  if (!stack) continue;
  const layers = [...stack.querySelectorAll(".layer")];
  figure.addEventListener("input", (event) => {
    const input = event.target;
    if (input.matches(".opacity")) {
      stack.style.setProperty("--overlay", input.value / 100);
    } else if (input.matches(".toggle")) {
      for (const layer of layers.filter((l) => l.dataset.class === input.value)) {
        layer.classList.toggle("hidden", !input.checked);
      }
    } else if (input.matches(".actual")) {
      stack.classList.toggle("actual", input.checked);
    }
  });
}

function key(row, column) {
  const text = row.cells[column].dataset.key;
  const number = Number(text);
  return text === "" ? null : Number.isNaN(number) ? text : number;
}

function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

for (const button of document.querySelectorAll(".sortable th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = head.closest("table").tBodies[0];
    const column = head.cellIndex;
    const rows = [...body.rows].map((row) => [key(row, column), row]);
    rows.sort(([a], [b]) => (a === null || b === null ? compare(a, b) : (down ? -1 : 1) * compare(a, b)));
    body.append(...rows.map(([, row]) => row));
  });
}

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
    } else if (input.matches(".pair")) {
      for (const part of figure.querySelectorAll("[data-pair]")) {
        part.hidden = part.dataset.pair !== input.value;
      }
    } else if (input.matches(".actual")) {
      stack.classList.toggle("actual", input.checked);
    }
  });
}

for (const article of document.querySelectorAll("article")) {
  const stack = article.querySelector(".stack");
  if (!stack) continue;
  const mark = stack.querySelector(".mark");
  const hint = article.querySelector(".hint");
  const targets = JSON.parse(stack.dataset.targets);
  const body = article.querySelector('details[data-title="Objects"] tbody');
  const rows = body ? [...body.rows] : [];
  let pointed = -1;

  // How far a point lies from the middle of an ellipse, 1 at its rim; a few pixels are
  // added to both axes so that small objects can be pointed at.
  const distance = ([x, y, a, b, angle], u, v, slack) => {
    const turn = (angle * Math.PI) / 180;
    const along = (u - x) * Math.cos(turn) - (v - y) * Math.sin(turn);
    const across = (u - x) * Math.sin(turn) + (v - y) * Math.cos(turn);
    return Math.hypot(along / (a + slack), across / (b + slack));
  };

  const point = (index) => {
    if (index === pointed) return;
    if (rows[pointed]) rows[pointed].classList.remove("pointed");
    pointed = index;
    mark.hidden = hint.hidden = index < 0;
    if (index < 0) return;
    if (rows[index]) rows[index].classList.add("pointed");
    const [x, y, a, b, angle] = targets.ellipses[index];
    const width = stack.clientWidth;
    const grown = (half) => 2 * half * width + 8;
    mark.style.width = `${grown(a)}px`;
    mark.style.height = `${grown(b)}px`;
    mark.style.left = `${x * width - grown(a) / 2}px`;
    mark.style.top = `${y * width - grown(b) / 2}px`;
    mark.style.transform = `rotate(${-angle}deg)`;
    hint.replaceChildren(...targets.heads.flatMap((head, i) => {
      const [term, value] = [document.createElement("dt"), document.createElement("dd")];
      [term.textContent, value.textContent] = [head, targets.rows[index][i]];
      return [term, value];
    }));
  };

  stack.addEventListener("pointermove", (event) => {
    const box = stack.getBoundingClientRect();
    const [u, v] = [event.clientX - box.left, event.clientY - box.top].map((p) => p / box.width);
    let [best, nearest] = [-1, 1];
    targets.ellipses.forEach((ellipse, i) => {
      const d = distance(ellipse, u, v, 3 / box.width);
      if (d < nearest) [best, nearest] = [i, d];
    });
    point(best);
    if (best < 0) return;
    const [x, y] = [event.clientX + 16, event.clientY + 16];
    hint.style.left = `${Math.max(0, Math.min(x, innerWidth - hint.offsetWidth - 8))}px`;
    hint.style.top = `${Math.max(0, Math.min(y, innerHeight - hint.offsetHeight - 8))}px`;
  });
  stack.addEventListener("pointerleave", () => point(-1));
  stack.addEventListener("click", () => {
    if (!rows[pointed]) return;
    rows[pointed].closest("details").open = true;
    rows[pointed].scrollIntoView({ block: "center" });
  });
  rows.forEach((row, index) => {
    row.addEventListener("pointerenter", () => { point(index); hint.hidden = true; });
    row.addEventListener("pointerleave", () => point(-1));
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

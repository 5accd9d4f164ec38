// Niceties only; the page reads the same without them: larger figures, sorted tables, where one is in the contents.
"use strict";

const dialog = document.createElement("dialog");
dialog.setAttribute("aria-label", "Figure");
const close = document.createElement("button");
close.textContent = "Close";
close.addEventListener("click", () => dialog.close());
dialog.append(close);
document.body.append(dialog);
let home = null; // the button that the enlarged figure was taken from: moved, not copied, so that ids stay unique

for (const canvas of document.querySelectorAll(".canvas")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "enlarge";
  button.title = "Enlarge";
  button.append(canvas.firstElementChild);
  canvas.append(button);
  button.addEventListener("click", () => {
    home = button;
    button.style.minHeight = `${button.offsetHeight}px`;
    dialog.append(button.firstElementChild);
    dialog.showModal();
  });
}
dialog.addEventListener("close", () => {
  home.append(dialog.lastElementChild);
  home.style.minHeight = "";
  home.focus({ preventScroll: true });
});

const value = (cell) => {
  const text = cell.textContent.trim().replaceAll(",", "").replace("−", "-");
  const number = parseFloat(text.replace(/^[~≈<>≤≥\s]+/, ""));
  return Number.isNaN(number) ? text.toLowerCase() : number;
};
const order = (a, b) =>
  typeof a === typeof b ? (typeof a === "number" ? a - b : a.localeCompare(b)) : typeof a === "number" ? -1 : 1;

for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (body.rows.length < 3) continue;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.title = "Sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => order(value(a.cells[column]), value(b.cells[column])));
      body.append(...(down ? rows.reverse() : rows));
    });
  });
}

const folded = document.querySelector(".folded");
folded.addEventListener("click", (event) => {
  if (event.target.closest("a")) folded.open = false;
});
const links = new Map([...document.querySelectorAll(".unfolded a")].map((a) => [a.hash.slice(1), a]));
const here = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((a, id) => (id === entry.target.id ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current")));
    }
  },
  { rootMargin: "-15% 0px -75% 0px" },
);
links.forEach((_, id) => here.observe(document.getElementById(id)));

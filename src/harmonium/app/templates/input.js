// The pictures to pick from: a group of radio buttons, one tab stop, arrow keys inside.

class Picks {
  constructor(onPick) {
    this.root = byId("picks");
    this.onPick = onPick;
    this.buttons = [];
    this.picked = -1;
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  show(panel) {
    const { labels, shape } = panel.pictures, { length } = labels;
    const columns = Math.max(1, labels.findIndex((label, i) => i > 0 && label === labels[0]));
    this.columns = labels[0] !== "" && columns > 1 && columns <= 12 ? columns : 10;
    this.root.style.setProperty("--columns", this.columns);
    this.buttons = Array.from({ length }, (_, i) => {
      const name = labels[i] ? `Picture of a ${labels[i]}` : `Picture ${i + 1}`;
      const button = element("button", { type: "button", className: "pick", role: "radio", title: labels[i] });
      button.setAttribute("aria-label", name);
      button.setAttribute("aria-checked", "false");
      button.tabIndex = i ? -1 : 0;
      const canvas = element("canvas", { width: shape[1], height: shape[0] });
      button.append(canvas);
      button.addEventListener("click", () => this.pick(i));
      return button;
    });
    this.panel = panel;
    this.root.replaceChildren(...this.buttons);
    this.repaint();
  }

  repaint() {
    const { shape } = this.panel.pictures;
    this.buttons.forEach((button, i) =>
      paintPicture(button.firstChild, this.panel.grey(i), { shape, low: 0, high: 1 }));
  }

  pick(i) {
    this.mark(i);
    this.onPick(i);
  }

  /** Shows which one is picked; -1 for none. */
  mark(i) {
    this.picked = i;
    this.buttons.forEach((button, j) => button.setAttribute("aria-checked", String(j === i)));
    if (i >= 0) this.buttons.forEach((button, j) => (button.tabIndex = j === i ? 0 : -1));
  }

  key(event) {
    const at = this.buttons.indexOf(document.activeElement);
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key];
    if (at < 0 || !by) return;
    event.preventDefault();
    const next = this.buttons[at + by];
    if (!next) return;
    next.focus();
    this.pick(at + by);
  }
}

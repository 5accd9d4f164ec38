// The hidden units as a strip of squares; the one that is pointed at shows its weights.

const GAP = 1;

class Hidden {
  constructor() {
    this.root = byId("units");
    this.canvas = this.root.firstElementChild;
    this.choice = byId("hidden-state");
    this.unit = 0;
    this.root.addEventListener("pointermove", (event) => this.point(event));
    this.root.addEventListener("pointerdown", (event) => this.point(event));
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.choice.addEventListener("change", () => this.repaint());
    new ResizeObserver(() => this.repaint()).observe(this.root);
  }

  show(panel) {
    this.panel = panel;
    this.choice.replaceChildren(...panel.states.map((state, i) => element("option", { value: i }, state.name)));
    this.choice.value = Math.min(1, panel.states.length - 1);
    this.choice.parentElement.hidden = panel.states.length < 2;
    this.unit = 0;
    this.models = null;
  }

  update(models, answers) {
    this.models = models;
    this.answers = answers;
    this.repaint();
  }

  get state() {
    return Number(this.choice.value);
  }

  repaint() {
    if (!this.models) return;
    const { hidden } = this.answers[this.state], { length } = hidden, width = this.root.clientWidth;
    if (!width) return;
    // squares of one size that fill whole rows, as large as some 150 pixels of height allow
    const largest = length > 60 ? 30 : 44;
    let columns = 1;
    while (Math.ceil(length / columns) * (width / columns) > 150 || width / columns > largest) columns += 1;
    this.cell = Math.max(Math.floor(width / columns), 6);
    this.columns = Math.max(Math.min(Math.floor(width / this.cell), length), 1);
    const height = Math.ceil(length / this.columns) * this.cell;
    this.canvas.style.width = `${this.columns * this.cell}px`;
    this.canvas.style.height = `${height}px`;
    const context = sharp(this.canvas, this.columns * this.cell, height), range = this.models[this.state].range;
    const most = range ? 1 : hidden.reduce((a, value) => Math.max(a, Math.abs(value)), 1e-9);
    const signed = range ? range[0] < 0 : hidden.some((value) => value < 0);
    for (let j = 0; j < length; j++) {
      const t = Math.min(Math.abs(hidden[j]) / most, 1);
      const to = !signed ? colours.active : hidden[j] < 0 ? colours.minus : colours.plus;
      context.fillStyle = `rgb(${mixed(colours.panel, to, t).map(Math.round).join(" ")})`;
      const [x, y] = this.place(j);
      context.fillRect(x, y, this.cell - GAP, this.cell - GAP);
    }
    this.unit = Math.min(this.unit, length - 1);
    const [x, y] = this.place(this.unit);
    Object.assign(context, { strokeStyle: colours.css("ink"), lineWidth: 2 });
    context.strokeRect(x + 0.5, y + 0.5, this.cell - GAP - 1, this.cell - GAP - 1);
    this.describe(hidden[this.unit], length);
  }

  place(j) {
    return [(j % this.columns) * this.cell, Math.floor(j / this.columns) * this.cell];
  }

  describe(value, length) {
    const model = this.models[this.state], name = `Unit ${this.unit + 1} of ${length}`;
    paintSigned(byId("weights"), model.unit(this.unit), this.panel.pictures.shape);
    const [minus, plus, sentence] = model.paints
      ? ["takes ink away here", "adds ink here", "paints"] : ["ink here calms it", "ink here excites it", "looks for"];
    byId("minus").textContent = minus;
    byId("plus").textContent = plus;
    byId("weights").setAttribute("aria-label", `What hidden unit ${this.unit + 1} ${sentence}`);
    byId("unit-name").textContent = name;
    const { range } = model;
    const percent = range && `${plain((100 * (value - range[0])) / (range[1] - range[0]))}\u00a0%`;
    byId("unit-text").textContent = !range ? `Its value is ${plain(value, 2)} now.`
      : range[0] < 0 ? `Its value is ${plain(value, 2)} now, between −1 and 1.`
      : `On with a chance of ${percent} now.`;
    this.root.setAttribute("aria-valuenow", this.unit + 1);
    this.root.setAttribute("aria-valuemax", length);
    this.root.setAttribute("aria-valuetext", `${name}, value ${plain(value, 2)}`);
  }

  choose(j) {
    if (!this.models || j < 0 || j >= this.answers[this.state].hidden.length || j === this.unit) return;
    this.unit = j;
    this.repaint();
  }

  point(event) {
    if (!this.cell) return;
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.cell);
    const row = Math.floor((event.clientY - box.top) / this.cell);
    if (column >= 0 && column < this.columns && row >= 0) this.choose(row * this.columns + column);
  }

  key(event) {
    const last = this.answers[this.state].hidden.length - 1;
    const to = {
      ArrowRight: this.unit + 1, ArrowLeft: this.unit - 1, ArrowDown: this.unit + this.columns,
      ArrowUp: this.unit - this.columns, Home: 0, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.choose(to);
  }
}

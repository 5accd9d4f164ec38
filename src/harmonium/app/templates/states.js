// The columns: random, pre-trained, fine-tuned.  Each has its rebuilt picture, a slider through its snapshots, and what
// it takes the picture for.

class States {
  constructor(onSlide) {
    this.root = byId("states");
    this.onSlide = onSlide;
    this.columns = [];
  }

  show(panel) {
    this.panel = panel;
    this.columns = panel.states.map((state, i) => this.column(state, i));
    this.root.style.setProperty("--states", panel.states.length);
    this.root.replaceChildren(...this.columns.map((column) => column.root));
  }

  column(state, i) {
    const id = `state-${i}`, last = state.snapshots.length - 1;
    const column = {
      canvas: element("canvas", { role: "img" }),
      error: element("p", { className: "error" }),
      slider: element("input", { type: "range", min: 0, max: last, step: 1, value: last, id: `${id}-slider` }),
      when: element("output"),
      verdict: element("p", { className: "verdict" }),
      bars: element("div", { className: "bars", role: "img" }),
    };
    column.slider.value = last;
    const words = element("span", {}, "Training ", column.when);
    column.time = element("label", { className: "control time" }, words, column.slider);
    column.slider.addEventListener("input", () => this.onSlide(i, Number(column.slider.value)));
    column.rows = this.panel.classes.map((name) => {
      const fill = element("i"), share = element("span", { className: "share" });
      const track = element("span", { className: "track" }, fill);
      const root = element("div", { className: "bar" }, element("span", { className: "name" }, name), track, share);
      return { root, fill, share };
    });
    column.bars.append(...column.rows.map((row) => row.root));
    column.root = element("article", { className: "state", "aria-labelledby": id },
      element("h3", { id }, state.name), element("p", { className: "about" }, state.about),
      column.canvas, column.error, column.time, column.verdict, column.bars);
    this.steps(column, state);
    return column;
  }

  /** Shows where the slider is; a column of one snapshot has none, but its place where another column has one. */
  steps(column, state) {
    const last = state.snapshots.length - 1, { step } = state.snapshots[Number(column.slider.value)];
    column.time.hidden = this.panel.states.every((one) => one.snapshots.length < 2);
    column.slider.max = last;
    column.time.classList.toggle("blank", last < 1);
    column.slider.disabled = last < 1;
    column.when.textContent = step >= 0 ? `${plain(step)} updates` : "";
    column.slider.setAttribute("aria-valuetext", `${step} updates`);
  }

  /** A snapshot has come: the slider of a column that stands at its end goes on with it. */
  grown(i) {
    const column = this.columns[i], state = this.panel.states[i], atEnd = column.slider.value === column.slider.max;
    column.slider.max = state.snapshots.length - 1;
    if (atEnd) column.slider.value = column.slider.max;
    this.steps(column, state);
    return Number(column.slider.value);
  }

  /** Snapshots have gone: the slider stands at this one now. */
  moved(i, at) {
    const { slider } = this.columns[i];
    slider.max = this.panel.states[i].snapshots.length - 1;
    slider.value = at;
    this.steps(this.columns[i], this.panel.states[i]);
  }

  update(answers, x) {
    const { low, high } = this.panel.pictures;
    answers.forEach((answer, i) => {
      const column = this.columns[i], state = this.panel.states[i], { reconstruction, probabilities } = answer;
      paintPicture(column.canvas, reconstruction, this.panel.pictures);
      let off = 0;
      for (let p = 0; p < x.length; p++) off += Math.abs(x[p] - reconstruction[p]);
      const percent = plain((100 * off) / (x.length * (high - low)), 1);
      column.error.textContent = `Error ${percent}\u00a0%`;
      column.canvas.setAttribute("aria-label", `${state.name}: rebuilt picture, error ${percent} percent`);
      column.bars.hidden = column.verdict.hidden = !probabilities;
      if (probabilities) this.guess(column, probabilities);
      this.steps(column, state);
    });
  }

  guess(column, probabilities) {
    let best = 0;
    probabilities.forEach((p, c) => (best = p > probabilities[best] ? c : best));
    const name = this.panel.classes[best];
    const sure = probabilities[best];
    column.verdict.replaceChildren(
      sure >= 0.8 ? "It reads " : sure >= 0.5 ? "Probably " : "It cannot tell; perhaps ", element("b", {}, name));
    column.rows.forEach(({ root, fill, share }, c) => {
      root.classList.toggle("best", c === best);
      fill.style.transform = `scaleX(${probabilities[c].toFixed(4)})`;
      share.textContent = probabilities[c] < 0.005 ? "" : `${plain(100 * probabilities[c])}\u00a0%`;
    });
    column.bars.setAttribute("aria-label", `Probabilities: ${name} ${plain(100 * probabilities[best])} percent`);
  }
}

// The chain that runs: its picture, its controls, its free energy as a curve.

const SPEEDS = [2, 10, 30, 60, Infinity]; // steps a second; the last as many as fit into half a frame

class Dream {
  constructor() {
    const ids = "play step reset speed temperature clamp dream-class seed dream-mode dream-state".split(" ");
    this.controls = Object.fromEntries(ids.map((id) => [id, byId(id)]));
    const { play, step, reset, speed, temperature, seed } = this.controls;
    this.playing = false;
    this.seed = 1;
    play.addEventListener("click", () => this.run(!this.playing));
    step.addEventListener("click", () => {
      this.run(false);
      this.advance(1);
    });
    reset.addEventListener("click", () => this.restart());
    for (const id of ["clamp", "dream-class", "dream-state"]) {
      this.controls[id].addEventListener("change", () => this.restart());
    }
    seed.addEventListener("change", () => this.restart());
    for (const control of [speed, temperature]) control.addEventListener("input", () => this.words());
    this.controls["dream-mode"].addEventListener("change", () => this.repaint());
    new ResizeObserver(() => this.repaint()).observe(byId("curve").parentElement);
    this.words();
  }

  show(panel) {
    this.panel = panel;
    const { "dream-state": states, "dream-class": classes } = this.controls;
    const able = panel.states.map((state, i) => [state, i]).filter(([state]) => state.snapshots[0].machine);
    states.replaceChildren(...able.map(([state, i]) => element("option", { value: i }, state.name)));
    if (able.length) states.value = able[Math.min(1, able.length - 1)][1];
    states.parentElement.hidden = able.length < 2;
    byId("dream").hidden = !able.length;
    const named = panel.classes.map((name, c) => element("option", { value: c }, name));
    classes.replaceChildren(element("option", { value: -1 }, "anything"), ...named);
    classes.value = -1;
    this.chain = null;
    this.run(false);
  }

  /** Another picture, or other machines; while the machine is learning a chain that has begun goes on with what it has
   * become, and one that has not begins as it would now. */
  update(models, x, picture, learning = false) {
    const model = (from) => from?.[Number(this.controls["dream-state"].value)];
    const same = this.chain && this.picture === picture, other = model(models) !== model(this.models);
    Object.assign(this, { models, x, picture });
    if (!same || (other && !(learning && this.chain.steps))) {
      this.restart();
      return;
    }
    if (other) this.chain.become(model(models));
    this.repaint();
  }

  restart() {
    const model = this.models?.[Number(this.controls["dream-state"].value)];
    if (!(model instanceof Machine)) return;
    const { clamp, seed } = this.controls, { shape, low } = this.panel.pictures;
    byId("label-control").hidden = !model.labels;
    const asked = seed.value.trim() === "" ? NaN : Number(seed.value);
    if (Number.isInteger(asked) && asked >= 0 && asked < 4294967296) this.seed = asked;
    seed.value = this.seed; // what is no seed leaves the one before
    this.chain = new Chain(model, this.x, {
      seed: this.seed, clamp: clamp.value, shape, paper: low,
      label: model.labels ? Number(this.controls["dream-class"].value) : -1,
    });
    this.owed = 0;
    this.repaint();
  }

  run(on) {
    this.playing = on;
    const { play } = this.controls;
    play.textContent = on ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(on));
    if (!on) return;
    this.last = performance.now();
    this.owed = 0;
    const frame = (now) => {
      if (!this.playing) return;
      const speed = SPEEDS[this.controls.speed.value];
      if (speed === Infinity) {
        const end = performance.now() + 8;
        do this.chain.step(this.temperature, this.averages); while (performance.now() < end);
        this.repaint();
      } else {
        this.owed = Math.min(this.owed + ((now - this.last) / 1000) * speed, 4);
        const whole = Math.floor(this.owed);
        this.owed -= whole;
        if (whole) this.advance(whole);
      }
      this.last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  get temperature() {
    return Number(this.controls.temperature.value);
  }

  get averages() {
    return this.controls["dream-mode"].querySelector("input:checked").value === "mean";
  }

  advance(steps) {
    if (!this.chain) return;
    for (let i = 0; i < steps; i++) this.chain.step(this.temperature, this.averages);
    this.repaint();
  }

  words() {
    const speed = SPEEDS[this.controls.speed.value], { temperature: t } = this;
    byId("speed-out").textContent = speed === Infinity ? "all it can" : `${speed} a second`;
    byId("temperature-out").textContent = `${plain(t, 2)}${t < 1 ? ", calm" : t > 1 ? ", wild" : ""}`;
    this.controls.temperature.setAttribute("aria-valuetext", byId("temperature-out").textContent);
    this.controls.speed.setAttribute("aria-valuetext", byId("speed-out").textContent);
  }

  repaint() {
    const { chain, panel } = this;
    if (!chain) return;
    paintPicture(byId("dream-picture"), chain.means, panel.pictures);
    byId("dream-steps").textContent = `Step ${plain(chain.steps)}`;
    byId("dream-label").textContent = chain.labelNow >= 0 ? `dreaming of ${panel.classes[chain.labelNow]}` : "";
    byId("energy").textContent = plain(chain.energies[chain.energies.length - 1], 1);
    this.curve(chain.energies);
  }

  curve(values) {
    const canvas = byId("curve"), width = canvas.parentElement.clientWidth, height = 96;
    if (!width) return;
    canvas.style.height = `${height}px`;
    const context = sharp(canvas, width, height), low = Math.min(...values), high = Math.max(...values);
    const middle = (low + high) / 2, half = Math.max((high - low) / 2, 1);
    const x = (i) => 5 + (i / (CURVE - 1)) * (width - 118);
    const y = (value) => height / 2 - ((value - middle) / half) * (height / 2 - 12);
    Object.assign(context, { strokeStyle: colours.css("rule"), lineWidth: 1 });
    context.strokeRect(0.5, 0.5, width - 1, height - 1);
    Object.assign(context, { fillStyle: colours.css("muted"), font: "12px system-ui, sans-serif", textAlign: "right" });
    if (values.length > 1) context.fillText(`${plain(high, 1)} less likely`, width - 8, 16);
    if (values.length > 1) context.fillText(`${plain(low, 1)} likely`, width - 8, height - 8);
    const active = colours.css("active");
    Object.assign(context, { strokeStyle: active, fillStyle: active, lineWidth: 2, lineJoin: "round" });
    context.beginPath();
    values.forEach((value, i) => context.lineTo(x(i), y(value)));
    context.stroke();
    context.beginPath();
    context.arc(x(values.length - 1), y(values[values.length - 1]), 3.5, 0, 2 * Math.PI);
    context.fill();
  }
}

// Training while one looks on: the form, what the server tells of it, and the pictures that change with it.
// It comes after page.js, and only where a server shows the page.

const PACES = [5, 20, 100, 500, 0]; // updates a second; 0 as many as there can be
const GRADIENTS = {
  pcd: "pcd, lasting chains", cd: "cd, short chains", pseudolikelihood: "pseudolikelihood", flow: "probability flow",
  tap: "tap, mean field",
};
const STOP = "Stop";
const WORDS = { starting: "Getting ready …", at: "Learning", paused: "Paused" };

class Live {
  constructor(form) {
    this.form = form;
    this.panels = new Map(); // numbers of panels, by run
    this.forget();
    this.fill();
    byId("live-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send("train", this.asked());
    });
    byId("live-pause").addEventListener("click", () => this.send("do", { what: this.paused ? "resume" : "pause" }));
    byId("live-stop").addEventListener("click", () => {
      const again = byId("live-stop").textContent !== STOP;
      byId("live-stop").disabled = again;
      byId("live-stop").textContent = "End at once";
      byId("live-pause").disabled = true;
      byId("live-where").textContent = again ? "Ending …" : "Stopping after one last measurement …";
      this.send("do", { what: again ? "leave" : "stop" });
    });
    byId("live-pace").addEventListener("input", () => this.pace());
    byId("live-pace").addEventListener("change", () => {
      if (this.training) this.send("do", { what: "pace", value: PACES[byId("live-pace").value] });
    });
    byId("live-data").addEventListener("change", () => this.ownEpochs());
    new ResizeObserver(() => this.curve()).observe(byId("live-curve").parentElement);
    const source = new EventSource("events");
    source.addEventListener("message", (event) => this.hear(JSON.parse(event.data)));
    source.addEventListener("error", () => this.status("The server does not answer; it is asked again and again."));
    source.addEventListener("open", () => this.status(""));
  }

  fill() {
    for (const [name, { choices, value, low, high }] of Object.entries(this.form)) {
      const field = byId(`live-${name}`);
      if (!field) continue; // what the form does not ask
      if (name === "pace") field.value = PACES.indexOf(value);
      else if (field.type === "checkbox") field.checked = value;
      else {
        const named = (own) => element("option", { value: own }, GRADIENTS[own] ?? own);
        if (choices) field.replaceChildren(...choices.map(named));
        else Object.assign(field, { min: low, max: high });
        field.value = value;
      }
    }
    this.pace();
  }

  /** Large data need fewer epochs. */
  ownEpochs() {
    byId("live-epochs").value = this.form.epochs.of[byId("live-data").value];
  }

  asked() {
    const own = { pace: PACES[byId("live-pace").value] };
    for (const field of byId("live-form").elements) {
      if (field.type === "submit") continue;
      const name = field.id.slice("live-".length); // as a name, "hidden" would stand for the form's own property
      const number = field.value.trim() === "" ? NaN : Number(field.value);
      own[name] = field.type === "checkbox" ? field.checked
        : field.type === "number" && !Number.isNaN(number) ? number : field.value;
    }
    return own;
  }

  /** Asks the server; what it refuses stands below the form. */
  async send(where, value) {
    this.error("");
    try {
      const answer = await fetch(where, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value),
      });
      if (!answer.ok) this.error((await answer.json()).error);
    } catch {
      this.error("The server does not answer; start it again with harmonium app.");
    }
  }

  // ---- what the server tells --------------------------------------------------------------------------------------

  hear(event) {
    if (event.begun) this.begin(event.begun);
    else if (event.panel) this.meet(event);
    else if (event.snapshot) this.learned(event);
    else if (event.measured) this.measured(event.measured);
    else if (event.at) this.at(event.at);
    else if (event.say) byId("live-where").textContent = lastLine(event.say);
    else if (event.end) this.end(event.end);
  }

  forget() {
    this.records = [];
    this.total = 0;
    this.training = this.paused = false;
  }

  begin(options) {
    this.forget();
    this.training = true;
    this.labels = options.names;
    this.show();
    this.status(WORDS.starting);
    this.error("");
    const { data: name, hidden: units, negative, learning_rate: rate, epochs } = options;
    byId("live-asked").textContent =
      `${name}, ${units} hidden units, ${negative}, learning rate ${rate}, ${plain(epochs)} epochs`;
    byId("live-where").textContent = "";
    byId("live-unit").textContent = this.labels ? "ln p of picture and label, in nats:" : "ln p of a picture, in nats:";
    byId("live-stop").disabled = byId("live-pause").disabled = true;
    this.curve();
  }

  meet({ run, panel, total }) {
    this.total = total;
    byId("live-stop").disabled = byId("live-pause").disabled = false;
    byId("live-stop").textContent = STOP;
    if (this.panels.has(run)) return;
    const { tensors, ...own } = panel;
    this.panels.set(run, appendPanel(own, tensors));
    choose(this.panels.get(run), true);
  }

  learned({ run, snapshot, tensors, steps }) {
    const panel = this.panels.get(run), shown = data.panels[panel]?.states[1].snapshots;
    if (!shown) return;
    if (shown[shown.length - 1].step < snapshot.step) appendSnapshot(panel, 1, snapshot, tensors);
    keepSnapshots(panel, 1, steps);
  }

  measured(record) {
    this.records.push(record);
    this.curve();
  }

  at({ step, rate, paused }) {
    this.paused = paused;
    const button = byId("live-pause");
    button.textContent = paused ? "Resume" : "Pause";
    button.setAttribute("aria-pressed", String(paused));
    this.status(paused ? WORDS.paused : WORDS.at);
    const pace = rate && !paused ? `, ${plain(rate, rate < 10 ? 1 : 0)} a second` : "";
    byId("live-where").textContent = `Update ${plain(step)} of ${plain(this.total)}${pace}`;
  }

  end({ how, words }) {
    this.training = this.paused = false;
    this.total = Math.max(0, ...this.records.map((own) => own.step)); // it may have ended before
    byId("live-pause").textContent = "Pause";
    byId("live-pause").setAttribute("aria-pressed", "false");
    this.show();
    if (how === "refused" || how === "failed") this.error(words);
    this.status({ done: "Done", stopped: "Stopped", refused: "", failed: "" }[how] ?? "");
    byId("live-where").textContent = how === "refused" ? "" : words;
    byId("live-run").hidden = !this.records.length;
    this.curve();
  }

  // ---- what is seen -----------------------------------------------------------------------------------------------

  /** The form, or what is under way. */
  show() {
    const inForm = byId("live-form").contains(document.activeElement);
    byId("live-form").hidden = this.training;
    byId("live-run").hidden = false;
    byId("live-desk").classList.toggle("over", !this.training);
    if (this.training && inForm) byId("live-title").focus({ preventScroll: true });
  }

  status(words) {
    byId("live-status").textContent = words;
  }

  error(words) {
    byId("live-error").textContent = words;
    byId("live-error").hidden = !words;
  }

  pace() {
    const pace = PACES[byId("live-pace").value], words = pace ? `at most ${pace} updates a second` : "all it can";
    byId("live-pace-out").textContent = words;
    byId("live-pace").setAttribute("aria-valuetext", words);
  }

  curve() {
    const points = (name) => this.records.filter((own) => name in own).map((own) => [own.step, own[name]]);
    const lines = ["validation", "train"].map((name) => {
      const own = points(name), last = own[own.length - 1];
      byId(`live-${name}-key`).hidden = !last;
      byId(`live-${name}`).textContent = last ? plain(last[1], 2) : "";
      return { points: own, colour: colours.css(name === "train" ? "active" : "plus") };
    });
    const said = lines.map(({ points: own }) => (own.length ? plain(own[own.length - 1][1], 2) : "not yet measured"));
    byId("live-curve").setAttribute("aria-label", `Learning curve; now ${said[1]} nats, on other pictures ${said[0]}`);
    drawCurve(byId("live-curve"), lines, this.total);
  }
}

const lastLine = (text) => text.trim().split("\n").pop();
const live = new Live(data.live);
repaintMore.push(() => live.curve()); // other colours
window.harmonium.live = live;

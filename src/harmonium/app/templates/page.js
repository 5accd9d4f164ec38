// The page: one picture, the models of the machine that is chosen, and the views that show what they say of it.

const data = JSON.parse(byId("data").textContent);
const unpacked = new Map(), built = new Map();

function tensor(place) {
  if (!unpacked.has(place)) unpacked.set(place, halvesOf(data.tensors[place]));
  return unpacked.get(place);
}

function modelAt(panel, state, snapshot) {
  const own = data.panels[panel].states[state].snapshots[snapshot];
  if (!built.has(own)) built.set(own, modelOf(own, tensor));
  return built.get(own);
}

for (const panel of data.panels) {
  const { pictures } = panel, bytes = bytesOf(pictures.values), size = pictures.shape[0] * pictures.shape[1];
  panel.grey = (i) => Float64Array.from(bytes.subarray(i * size, (i + 1) * size), (byte) => byte / pictures.full);
}

const now = { panel: 0, grey: null, at: [], models: [], answers: [], draws: 1 };
const panelNow = () => data.panels[now.panel];

const picks = new Picks((i) => {
  pad.forget();
  picture(panelNow().grey(i));
});
const pad = new Pad((strokes) => {
  picks.mark(-1);
  picture(pictureOf(strokes, panelNow().pictures));
});
const states = new States((i, snapshot) => {
  now.at[i] = snapshot;
  soon();
});
const hidden = new Hidden();
const dream = new Dream();

function picture(grey) {
  now.grey = grey;
  soon();
}

let waiting = false;
/** Everything anew in the next frame, once however often it is asked for. */
function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    refresh();
  });
}

function refresh() {
  const panel = panelNow(), x = visibleOf(now.grey, panel.pictures);
  const drawn = byId("mode").querySelector("input:checked").value === "draw";
  now.models = panel.states.map((_, i) => modelAt(now.panel, i, now.at[i]));
  now.answers = now.models.map((model, i) =>
    drawn ? model.drawn(x, randomNumbers(1000 * now.draws + i)) : model.answer(x));
  now.x = x;
  paintAll();
}

/** What was found already, in the colours of now. */
function paintAll() {
  paintPicture(byId("seen"), now.x, panelNow().pictures);
  states.update(now.answers, now.x);
  hidden.update(now.models, now.answers);
  dream.update(now.models, now.x, now.grey);
}

function choose(i) {
  now.panel = i;
  const panel = panelNow();
  now.at = panel.states.map((state) => state.snapshots.length - 1);
  for (const view of [picks, states, hidden, dream]) view.show(panel);
  [...byId("machines").children].forEach((tab, j) => {
    tab.setAttribute("aria-selected", String(i === j));
    tab.tabIndex = i === j ? 0 : -1;
  });
  pad.forget();
  picks.mark(0);
  now.grey = panel.grey(0);
  refresh();
}

function tabs() {
  const root = byId("machines");
  root.hidden = data.panels.length < 2;
  if (root.hidden) return;
  byId("shown").setAttribute("role", "tabpanel");
  byId("shown").setAttribute("aria-label", "Machine");
  root.append(...data.panels.map((panel, i) => {
    const tab = element("button", { type: "button", role: "tab", "aria-controls": "shown" }, panel.name);
    tab.addEventListener("click", () => choose(i));
    return tab;
  }));
  root.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    choose((now.panel + by + data.panels.length) % data.panels.length);
    root.children[now.panel].focus();
  });
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
/** The colours of the system until the reader chooses others. */
function theme(own) {
  if (own) document.documentElement.dataset.theme = own;
  const isDark = (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  byId("theme").title = isDark ? "Light colours" : "Dark colours";
  byId("theme").setAttribute("aria-label", byId("theme").title);
  byId("theme").dataset.next = isDark ? "light" : "dark";
  colours.read();
  if (!now.grey) return;
  picks.repaint();
  pad.repaint();
  paintAll();
}

byId("theme").addEventListener("click", () => theme(byId("theme").dataset.next));
dark.addEventListener("change", () => theme());
byId("mode").addEventListener("click", (event) => { // a click on what is chosen already draws anew
  if (event.target.name !== "mode") return;
  now.draws += 1;
  soon();
});

/** A snapshot { step, machine or network } more; it names its parameters by their place in `tensors` (base64). */
function appendSnapshot(panel, state, snapshot, tensors) {
  const first = data.tensors.length, moved = (place) => place + first;
  data.tensors.push(...tensors);
  const own = structuredClone(snapshot);
  const layers = ["encoder", "decoder", "classifier"].flatMap((name) => own.network?.[name] ?? []);
  for (const holder of own.machine ? [own.machine] : layers) {
    for (const name of ["W", "a", "b"]) if (name in holder) holder[name] = moved(holder[name]);
  }
  data.panels[panel].states[state].snapshots.push(own);
  if (panel !== now.panel) return;
  now.at[state] = states.grown(state);
  soon();
}

const selfTest = () => differences(data.panels, modelAt);

theme();
tabs();
choose(0);
window.harmonium = {
  selfTest, appendSnapshot, now, data, dream,
  numbers: { pictureOf, visibleOf, randomNumbers, modelAt, Machine, Chain, drawInPlace, halvesOf },
};
setTimeout(() => {
  const { hidden: means, reconstruction, freeEnergy, probabilities } = selfTest();
  if (Math.max(means, reconstruction, freeEnergy, probabilities) <= 1e-4) return;
  byId("alarm").textContent =
    "This browser computes other numbers than the program that made this page; do not trust what it shows.";
  byId("alarm").hidden = false;
}, 300);

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

function unpackPictures(panel) {
  const { pictures } = panel, bytes = bytesOf(pictures.values), size = pictures.shape[0] * pictures.shape[1];
  panel.grey = (i) => Float64Array.from(bytes.subarray(i * size, (i + 1) * size), (byte) => byte / pictures.full);
}
data.panels.forEach(unpackPictures);

const now = { panel: 0, grey: null, at: [], models: [], answers: [], draws: 1, learning: false };
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
  dream.update(now.models, now.x, now.grey, now.learning);
  now.learning = false;
}

/** Shows machine i: with its first picture, or, with `keep`, the one that there is if it has the same size. */
function choose(i, keep = false) {
  const before = panelNow().pictures.shape, picked = picks.picked;
  now.panel = i;
  const panel = panelNow();
  now.at = panel.states.map((state) => state.snapshots.length - 1);
  for (const view of [picks, states, hidden, dream]) view.show(panel);
  markTab();
  if (keep && now.grey && String(before) === String(panel.pictures.shape)) {
    picks.mark(picked);
    if (picked >= 0) now.grey = panel.grey(picked);
  } else {
    pad.forget();
    picks.mark(0);
    now.grey = panel.grey(0);
  }
  refresh();
}

function markTab() {
  [...byId("machines").children].forEach((tab, j) => {
    tab.setAttribute("aria-selected", String(now.panel === j));
    tab.tabIndex = now.panel === j ? 0 : -1;
  });
}

/** The chooser, anew: with one machine there is none. */
function tabs() {
  const root = byId("machines");
  root.hidden = data.panels.length < 2;
  if (root.hidden) return;
  byId("shown").setAttribute("role", "tabpanel");
  byId("shown").setAttribute("aria-label", "Machine");
  root.replaceChildren(...data.panels.map((panel, i) => {
    const tab = element("button", { type: "button", role: "tab", "aria-controls": "shown" }, panel.name);
    tab.addEventListener("click", () => choose(i));
    return tab;
  }));
  markTab();
}

byId("machines").addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  choose((now.panel + by + data.panels.length) % data.panels.length);
  byId("machines").children[now.panel].focus();
});

const repaintMore = []; // what else has colours
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
  for (const repaint of repaintMore) repaint();
}

byId("theme").addEventListener("click", () => theme(byId("theme").dataset.next));
dark.addEventListener("change", () => theme());
byId("mode").addEventListener("click", (event) => { // a click on what is chosen already draws anew
  if (event.target.name !== "mode") return;
  now.draws += 1;
  soon();
});

/** All { W, a, b } of a snapshot. */
const holders = ({ machine, network }) =>
  machine ? [machine] : ["encoder", "decoder", "classifier"].flatMap((name) => network[name] ?? []);
const places = (snapshot) =>
  holders(snapshot).flatMap((own) => ["W", "a", "b"].filter((name) => name in own).map((name) => [own, name]));

/** What names its parameters by their place in `tensors` (base64), ready to stand in `data`. */
function takenIn(snapshots, tensors) {
  const first = data.tensors.length;
  data.tensors.push(...tensors);
  for (const snapshot of snapshots) for (const [own, name] of places(snapshot)) own[name] += first;
}

/** A snapshot { step, machine or network } more. */
function appendSnapshot(panel, state, snapshot, tensors) {
  const own = structuredClone(snapshot);
  takenIn([own], tensors);
  data.panels[panel].states[state].snapshots.push(own);
  if (panel !== now.panel) return;
  now.at[state] = states.grown(state);
  now.learning = true;
  soon();
}

/** A machine more, as `data.panels` holds them; returns its number. */
function appendPanel(panel, tensors) {
  const own = structuredClone(panel);
  takenIn(own.states.flatMap((state) => state.snapshots), tensors);
  unpackPictures(own);
  data.panels.push(own);
  tabs();
  return data.panels.length - 1;
}

/** Leaves a slider the snapshots of these steps, and forgets the parameters of all others. */
function keepSnapshots(panel, state, steps) {
  const own = data.panels[panel], column = own.states[state], wanted = new Set(steps), before = column.snapshots;
  const shown = before[panel === now.panel ? now.at[state] : 0].step;
  column.snapshots = before.filter((snapshot) => wanted.has(snapshot.step));
  const kept = new Set(own.states.flatMap((one) => one.snapshots));
  const used = new Set([...kept].flatMap(places).map(([holder, name]) => holder[name]));
  for (const snapshot of before.filter((one) => !kept.has(one))) {
    built.delete(snapshot);
    for (const place of places(snapshot).map(([holder, name]) => holder[name]).filter((one) => !used.has(one))) {
      data.tensors[place] = null;
      unpacked.delete(place);
    }
  }
  if (panel !== now.panel) return;
  now.at[state] = Math.max(column.snapshots.findLastIndex((snapshot) => snapshot.step <= shown), 0);
  states.moved(state, now.at[state]);
  now.learning = true;
  soon();
}

const selfTest = () => differences(data.panels, modelAt);

theme();
tabs();
choose(0);
window.harmonium = {
  selfTest, appendSnapshot, appendPanel, keepSnapshots, now, data, dream,
  numbers: { pictureOf, visibleOf, randomNumbers, modelAt, Machine, Chain, drawInPlace, halvesOf },
};
setTimeout(() => {
  const { hidden: means, reconstruction, freeEnergy, probabilities } = selfTest();
  if (Math.max(means, reconstruction, freeEnergy, probabilities) <= 1e-4) return;
  byId("alarm").textContent =
    "This browser computes other numbers than the program that made this page; do not trust what it shows.";
  byId("alarm").hidden = false;
}, 300);

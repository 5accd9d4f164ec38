// A chain of alternating draws, h ~ p(h | v) and v ~ p(v | h), that starts from a picture.
//
//   temperature T   every parameter divided by T;   averages instead of draws: v <- E[v | E[h | v]]
//   held entries    pixels of a mask, or the label, keep their value: draws of the rest given them

const CLAMPS = {
  none: null,
  upper: (row, column, rows) => row < rows / 2,
  lower: (row, column, rows) => row >= rows / 2,
  left: (row, column, rows, columns) => column < columns / 2,
  right: (row, column, rows, columns) => column >= columns / 2,
};

const CURVE = 240; // energies that are kept

class Chain {
  /** x: the picture in visible units; clamp: a name of `CLAMPS`; paper: the first value of free pixels beside them. */
  constructor(machine, x, { seed, clamp = "none", shape, paper = 0, label = -1 }) {
    this.machine = machine;
    this.random = randomNumbers(seed);
    const holds = CLAMPS[clamp], [rows, columns] = shape;
    const isHeld = (i) => holds !== null && holds(Math.floor(i / columns), i % columns, rows, columns);
    this.held = Uint8Array.from(x, (_, i) => Number(isHeld(i)));
    this.label = label;
    this.v = new Float64Array(machine.visible.size);
    this.v.set(x);
    if (holds) for (let i = 0; i < x.length; i++) if (!this.held[i]) this.v[i] = paper;
    if (machine.labels) this.v[machine.pixels + (label >= 0 ? label : this.firstLabel())] = 1;
    this.first = this.v.slice();
    this.means = this.v.slice(0, machine.pixels);
    this.steps = 0;
    this.energies = [machine.freeEnergy(this.v)];
  }

  /** The machine has learned: the chain goes on with it from where it is, with the free energy that this place has now. */
  become(machine) {
    this.machine = machine;
    this.energies[this.energies.length - 1] = machine.freeEnergy(this.v);
  }

  /** A label drawn from P(y | x). */
  firstLabel() {
    const { probabilities } = this.machine.read(this.v.subarray(0, this.machine.pixels));
    let rest = this.random(), y = 0;
    while (y < probabilities.length - 1 && (rest -= probabilities[y]) >= 0) y++;
    return y;
  }

  /** One step up and down. */
  step(temperature = 1, averages = false) {
    const { machine, random, held, first } = this, { pixels, labels } = machine;
    const cooled = (fields, side) => (temperature === 1 ? fields : cool(fields, side, temperature));
    const up = machine.fieldsUp(this.v);
    const h = averages
      ? meansInPlace(machine.hiddenSide, cooled(up, machine.hiddenSide))
      : drawInPlace(machine.hiddenSide, up, random, temperature);
    const fields = machine.fieldsDown(h);
    const means = meansInPlace(machine.visible, cooled(fields.slice(), machine.visible));
    const v = averages ? means.slice() : drawInPlace(machine.visible, fields, random, temperature);
    for (let i = 0; i < pixels; i++) if (held[i]) v[i] = means[i] = first[i];
    if (labels && this.label >= 0) for (let y = 0; y < labels; y++) v[pixels + y] = y === this.label ? 1 : 0;
    this.v = v;
    this.means = means.subarray(0, pixels);
    this.steps += 1;
    this.energies.push(machine.freeEnergy(v));
    if (this.energies.length > CURVE) this.energies.shift();
  }

  /** The label that the chain is at, or -1. */
  get labelNow() {
    const { pixels, labels } = this.machine;
    let best = labels ? 0 : -1;
    for (let y = 1; y < labels; y++) if (this.v[pixels + y] > this.v[pixels + best]) best = y;
    return best;
  }
}

/** Fields at a temperature; a Gaussian unit's mean does not depend on it, as its variance grows with it. */
function cool(fields, side, temperature) {
  forParts(side, (part, at) => {
    if (part.family !== "gaussian") for (let i = at; i < at + part.size; i++) fields[i] /= temperature;
  });
  return fields;
}

// Models that compute: chains of layers, and machines, whose ways up and down are such chains.  Numbers only.
//
//   linear   y_i = b_i + sum_j W_ij x_j          turned   y_j = b_j + sum_i x_i W_ij
//   units    the means of a side in these fields;   sigmoid, tanh, relu, softmax   of each number
//
// A model answers a picture x:  hidden means, the picture that they make, and, where it can, F(x) and P(y | x).

function forward(layers, x) {
  let y = new Float64Array(x);
  for (const layer of layers) y = LAYERS[layer.kind](y, layer);
  return y;
}

const LAYERS = {
  linear: (x, { W, b, rows, columns }) => {
    const y = new Float64Array(rows);
    for (let i = 0; i < rows; i++) {
      let sum = b[i];
      for (let j = 0, k = i * columns; j < columns; j++, k++) sum += W[k] * x[j];
      y[i] = sum;
    }
    return y;
  },
  turned: (x, { W, b, columns }) => {
    const y = new Float64Array(columns);
    for (let j = 0; j < columns; j++) y[j] = b[j];
    for (let i = 0; i < x.length; i++) {
      const own = x[i];
      if (own === 0) continue; // most of a picture is paper
      for (let j = 0, k = i * columns; j < columns; j++, k++) y[j] += own * W[k];
    }
    return y;
  },
  units: (x, { side }) => meansInPlace(side, x),
  sigmoid: (x) => x.map(sigmoid),
  tanh: (x) => x.map(Math.tanh),
  relu: (x) => x.map((value) => Math.max(value, 0)),
  softmax: (x) => {
    softmaxAt(x, 0, x.length, false);
    return x;
  },
};

const sideOf = (parts, bias) => ({ parts, bias, size: parts.reduce((sum, part) => sum + part.size, 0) });
const rangeOf = ({ family }) => (family === "onehot" ? [0, 1] : NUMBERS[family]?.range ?? null);

/** A machine: E = - a·T(v) - b·T(h) - v W h, W (V, H) row by row; a label is the second part of v. */
class Machine {
  constructor({ visible, hidden, W, a, b }, tensor) {
    this.W = tensor(W);
    this.visible = sideOf(visible, tensor(a));
    this.hiddenSide = sideOf(hidden, tensor(b));
    this.pixels = visible[0].size;
    this.labels = visible.length > 1 ? visible[1].size : 0;
    this.size = this.hiddenSide.size;
    this.range = rangeOf(hidden[0]);
    const shape = { W: this.W, rows: this.visible.size, columns: this.size };
    this.up = [{ kind: "turned", ...shape, b: this.hiddenSide.bias }];
    this.down = [{ kind: "linear", ...shape, b: this.visible.bias }];
  }

  /** Fields of the hidden units, from all of v or from its first entries; and of the visible ones. */
  fieldsUp(v) {
    return forward(this.up, v);
  }

  fieldsDown(h) {
    return forward(this.down, h);
  }

  /** F(v) of a whole visible state, in nats; its fields up save the product where they are known. */
  freeEnergy(v, fields = this.fieldsUp(v)) {
    const { bias, size } = this.visible;
    let energy = -logPartition(this.hiddenSide, fields);
    forParts(this.visible, (part, at) => {
      for (let i = at; i < at + part.size; i++) {
        energy -= bias[i] * v[i];
        if (part.family !== "gaussian") continue;
        energy += part.variance == null ? -bias[size + i] * v[i] * v[i] : (v[i] * v[i]) / (2 * part.variance);
      }
    });
    return energy;
  }

  /** Of a picture x alone: hidden means, F(x) and P(y | x), a label summed over. */
  read(x) {
    const fields = this.fieldsUp(x);
    if (!this.labels) {
      const freeEnergy = this.freeEnergy(x, fields);
      return { freeEnergy, hidden: meansInPlace(this.hiddenSide, fields), probabilities: null };
    }
    const minus = new Float64Array(this.labels), means = [], v = new Float64Array(this.visible.size);
    v.set(x);
    for (let y = 0; y < this.labels; y++) {
      const own = fields.slice(), at = (this.pixels + y) * this.size;
      for (let j = 0; j < this.size; j++) own[j] += this.W[at + j];
      v.fill(0, this.pixels);
      v[this.pixels + y] = 1;
      minus[y] = -this.freeEnergy(v, own);
      means.push(meansInPlace(this.hiddenSide, own));
    }
    const freeEnergy = -softmaxAt(minus, 0, this.labels, false), hidden = new Float64Array(this.size);
    for (let y = 0; y < this.labels; y++) for (let j = 0; j < this.size; j++) hidden[j] += minus[y] * means[y][j];
    return { hidden, freeEnergy, probabilities: minus };
  }

  /** The picture that hidden values make, as means. */
  picture(h) {
    return meansInPlace(this.visible, this.fieldsDown(h)).subarray(0, this.pixels);
  }

  answer(x) {
    const found = this.read(x);
    return { ...found, reconstruction: this.picture(found.hidden) };
  }

  /** The same with hidden units and pixels drawn at random instead of averaged. */
  drawn(x, random) {
    const found = this.read(x), v = new Float64Array(this.visible.size);
    v.set(x);
    if (this.labels) {
      let rest = random(), y = 0;
      while (y < this.labels - 1 && (rest -= found.probabilities[y]) >= 0) y++;
      v[this.pixels + y] = 1;
    }
    const hidden = drawInPlace(this.hiddenSide, this.fieldsUp(v), random);
    const picture = drawInPlace(this.visible, this.fieldsDown(hidden), random);
    return { ...found, hidden, reconstruction: picture.subarray(0, this.pixels) };
  }

  /** What unit j looks for: its weights to the pixels. */
  unit(j) {
    return Float64Array.from({ length: this.pixels }, (_, i) => this.W[i * this.size + j]);
  }
}

/** A deep network: encoder, decoder, and perhaps a classifier on the code or on the picture. */
class Network {
  constructor({ encoder, decoder, classifier, onCode }, tensor) {
    const own = (layer) => {
      if (layer.kind === "units") return { ...layer, side: sideOf(layer.parts, tensor(layer.b)) };
      return "W" in layer ? { ...layer, W: tensor(layer.W), b: tensor(layer.b) } : layer;
    };
    this.encoder = encoder.map(own);
    this.decoder = decoder.map(own);
    this.classifier = classifier && classifier.map(own);
    this.onCode = onCode;
    const linear = this.encoder.filter((layer) => layer.kind === "linear");
    this.shallow = linear.length === 1 && linear[0];
    this.paints = !this.shallow; // what `unit` shows of a unit
    this.size = linear[linear.length - 1].rows;
    const last = this.encoder[this.encoder.length - 1];
    const ranges = { sigmoid: [0, 1], tanh: [-1, 1], softmax: [0, 1] };
    this.range = last.kind === "units" ? rangeOf(last.parts[0]) : ranges[last.kind] ?? null;
  }

  answer(x) {
    const hidden = forward(this.encoder, x);
    return {
      hidden, reconstruction: forward(this.decoder, hidden), freeEnergy: null,
      probabilities: this.classifier && forward(this.classifier, this.onCode ? hidden : x),
    };
  }

  /** Nothing is random in a network, but units of 0 to 1 can be taken as probabilities. */
  drawn(x, random) {
    const found = this.answer(x);
    if (!this.range || this.range[0] !== 0) return found;
    const hidden = found.hidden.map((p) => (random() < p ? 1 : 0));
    return { ...found, hidden, reconstruction: forward(this.decoder, hidden) };
  }

  /** Its weights; of a deep network what the decoder adds to the picture when this unit alone is on. */
  unit(j) {
    if (this.shallow) {
      const { W, columns } = this.shallow;
      return Float64Array.from(W.subarray(j * columns, (j + 1) * columns));
    }
    const code = new Float64Array(this.size), off = forward(this.decoder, code);
    code[j] = 1;
    return forward(this.decoder, code).map((value, i) => value - off[i]);
  }
}

const modelOf = (snapshot, tensor) =>
  snapshot.machine ? new Machine(snapshot.machine, tensor) : new Network(snapshot.network, tensor);

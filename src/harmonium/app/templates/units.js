// Unit families: mean, log-partition A and sample of units in a field x.  p(value | x) ~ base exp(x value)
//
//   bernoulli   0, 1            A = ln(1 + e^x)            mean = 1 / (1 + e^-x)
//   ising       -1, +1          A = ln 2 cosh x            mean = tanh x
//   multivalued (2k - s) / s    A = phi_s(x)               mean = psi_s(x)      (Yokoyama, Katsumata, Yasuda 2019)
//   interval    [-1, 1]         A = ln(2 sinh(x) / x)      mean = coth x - 1/x
//   gaussian    real            A = v x² / 2 + ln(2 pi v) / 2,  mean = v x,  v the variance
//   onehot      blocks of q     A = ln sum_c e^x_c         mean = softmax
//
// A side is { parts, size, bias }: bias holds the fields, and after them the further row of learned variances.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => (x > 0 ? x : 0) + Math.log1p(Math.exp(-Math.abs(x)));

const LANGEVIN = (() => { // coefficients of coth x - 1/x at 0
  const terms = [];
  for (let k = 1; k <= 16; k++) {
    let zeta = k === 1 ? Math.PI ** 2 / 6 : k === 2 ? Math.PI ** 4 / 90 : 0;
    if (k > 2) for (let m = 1000; m >= 1; m--) zeta += m ** (-2 * k);
    terms.push((2 * (k % 2 ? 1 : -1) * zeta) / Math.PI ** (2 * k));
  }
  return terms;
})();

/** coth x - 1/x without cancellation. */
function langevin(x) {
  if (Math.abs(x) >= 1) return 1 / Math.tanh(x) - 1 / x;
  let sum = 0;
  for (let k = 15; k >= 0; k--) sum = sum * x * x + LANGEVIN[k];
  return sum * x;
}

/** A number x of (0, 1) turned into the distance from the likelier end of an interval in field t > 0. */
const fromEnd = (t, length, u) => Math.min(-Math.log1p(u * Math.expm1(-t * length)) / t, length);

const NUMBERS = {
  bernoulli: {
    range: [0, 1], mean: sigmoid, A: softplus, draw: (x, part, random) => (random() < sigmoid(x) ? 1 : 0),
  },
  ising: {
    range: [-1, 1], mean: Math.tanh, A: (x) => softplus(2 * x) - x,
    draw: (x, part, random) => (random() < sigmoid(2 * x) ? 1 : -1),
  },
  multivalued: {
    range: [-1, 1],
    mean: (x, { s }) => ((s + 1) / s) * langevin((x * (s + 1)) / s) - langevin(x / s) / s,
    A: (x, { s }) => {
      const t = Math.max(Math.abs(x), 1e-30);
      return t + Math.log((Math.expm1((-2 * t * (s + 1)) / s) / Math.expm1((-2 * t) / s)) * (2 / (s + 1)));
    },
    draw: (x, { s }, random) => {
      const steps = Math.min(Math.floor(fromEnd(Math.max(Math.abs(x), 1e-30) * (2 / s), s + 1, random())), s);
      return Math.sign(x || 1) * ((s - 2 * steps) / s);
    },
  },
  interval: {
    range: [-1, 1], mean: langevin,
    A: (x) => {
      const t = Math.max(Math.abs(x), 1e-30);
      return t + Math.log(-Math.expm1(-2 * t) / t);
    },
    draw: (x, part, random) => Math.sign(x || 1) * (1 - fromEnd(Math.max(Math.abs(x), 1e-30), 2, random())),
  },
};

/** The variance of Gaussian unit i of a side. */
const varianceOf = (side, part, i) => part.variance ?? -0.5 / side.bias[side.size + i];

/** Calls each(part, first entry) for the parts of a side. */
function forParts(side, each) {
  let at = 0;
  for (const part of side.parts) {
    each(part, at);
    at += part.size;
  }
}

/** Probabilities of one one-hot unit's states in place of their fields, entries at to at + q; returns ln sum e^x. */
function softmaxAt(x, at, q, none) {
  let most = none ? 0 : -Infinity, sum = 0;
  for (let c = at; c < at + q; c++) most = Math.max(most, x[c]);
  for (let c = at; c < at + q; c++) sum += x[c] = Math.exp(x[c] - most);
  if (none) sum += Math.exp(-most);
  for (let c = at; c < at + q; c++) x[c] /= sum;
  return most + Math.log(sum);
}

/** Means in place of the fields x, of the first `size` entries (whole parts). */
function meansInPlace(side, x, size = x.length) {
  forParts(side, (part, at) => {
    if (at >= size) return;
    if (part.family === "onehot") {
      for (let i = 0; i < part.n; i++) softmaxAt(x, at + i * part.q, part.q, part.none);
    } else if (part.family === "gaussian") {
      for (let i = at; i < at + part.size; i++) x[i] *= varianceOf(side, part, i);
    } else {
      const { mean } = NUMBERS[part.family];
      for (let i = at; i < at + part.size; i++) x[i] = mean(x[i], part);
    }
  });
  return x;
}

/** The sum of all units' A, in nats. */
function logPartition(side, x) {
  let sum = 0;
  forParts(side, (part, at) => {
    if (part.family === "onehot") {
      const own = x.slice(at, at + part.size);
      for (let i = 0; i < part.n; i++) sum += softmaxAt(own, i * part.q, part.q, part.none);
    } else if (part.family === "gaussian") {
      for (let i = at; i < at + part.size; i++) {
        const variance = varianceOf(side, part, i);
        sum += 0.5 * variance * x[i] * x[i] + 0.5 * Math.log(2 * Math.PI * variance);
      }
    } else {
      const { A } = NUMBERS[part.family];
      for (let i = at; i < at + part.size; i++) sum += A(x[i], part);
    }
  });
  return sum;
}

/** Draws in place of the fields x, at a temperature: fields divided by it, variances multiplied. */
function drawInPlace(side, x, random, temperature = 1) {
  forParts(side, (part, at) => {
    if (part.family === "onehot") {
      for (let i = 0; i < part.n; i++) drawState(x, at + i * part.q, part, random, temperature);
    } else if (part.family === "gaussian") {
      for (let i = at; i < at + part.size; i++) {
        const variance = varianceOf(side, part, i);
        x[i] = variance * x[i] + Math.sqrt(variance * temperature) * normalNumber(random);
      }
    } else {
      const { draw } = NUMBERS[part.family];
      for (let i = at; i < at + part.size; i++) x[i] = draw(x[i] / temperature, part, random);
    }
  });
  return x;
}

/** One state of a one-hot unit; with none, what is left of the probability is that of no state at all. */
function drawState(x, at, part, random, temperature) {
  for (let c = at; c < at + part.q; c++) x[c] /= temperature;
  softmaxAt(x, at, part.q, part.none);
  let rest = random(), drawn = part.none ? -1 : part.q - 1;
  for (let c = 0; c < part.q; c++) {
    rest -= x[at + c];
    if (rest < 0) {
      drawn = c;
      break;
    }
  }
  for (let c = 0; c < part.q; c++) x[at + c] = c === drawn ? 1 : 0;
}

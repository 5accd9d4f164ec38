// Numbers as colours: grey pictures from paper to ink, signed ones from blue over paper to orange.

/** The page's colours by name, as [red, green, blue]; read again where the theme has changed. */
const colours = {
  names: ["paper", "ink", "minus", "plus", "active", "rule", "muted", "panel", "sheet"],
  read() {
    const style = getComputedStyle(document.documentElement);
    for (const name of this.names) {
      const hex = style.getPropertyValue(`--${name}`).trim();
      this[name] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    }
  },
  css(name) {
    return `rgb(${this[name].join(" ")})`;
  },
};

const mixed = (from, to, t) => from.map((value, i) => value + (to[i] - value) * t);

/** The colour of a value between low (paper) and high (ink), or of a signed one. */
const greyOf = (value, [low, high]) =>
  mixed(colours.sheet, colours.ink, Math.min(Math.max((value - low) / (high - low), 0), 1));
const signedOf = (value, most) =>
  mixed(colours.sheet, value < 0 ? colours.minus : colours.plus, Math.min(Math.abs(value) / most, 1));

/** One pixel of the canvas a value. */
function paint(canvas, values, [rows, columns], colourOf) {
  if (canvas.width !== columns || canvas.height !== rows) {
    canvas.width = columns;
    canvas.height = rows;
  }
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) {
    const colour = colourOf(values[i]);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = colour[c];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

const paintPicture = (canvas, values, { shape, low, high }) =>
  paint(canvas, values, shape, (value) => greyOf(value, [low, high]));

function paintSigned(canvas, values, shape) {
  const most = values.reduce((a, value) => Math.max(a, Math.abs(value)), 1e-9);
  paint(canvas, values, shape, (value) => signedOf(value, most));
}

/** A canvas as many device pixels wide and high as it is shown; returns its context, scaled to CSS pixels. */
function sharp(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1, own = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== own[0] || canvas.height !== own[1]) [canvas.width, canvas.height] = own;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** An element with attributes, properties and children. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "role" && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const byId = (id) => document.getElementById(id);
const plain = (number, digits = 0) =>
  number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");

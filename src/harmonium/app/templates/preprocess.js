// A drawing becomes a picture like those that the machine has learned from (as MNIST was made): its strokes are scaled
// into a box, drawn again with a pen of the data's own width, smoothly, and moved until the centre of mass lies where
// the data have theirs.  Strokes are lists of points (x, y) from 0 to 1.

/** Greys (rows × columns), 0 paper to 1 ink. */
function pictureOf(strokes, { shape: [rows, columns], box, pen, centre }) {
  const points = strokes.flat();
  if (!points.length) return new Float64Array(rows * columns);
  const xs = points.map((p) => p.x), ys = points.map((p) => p.y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  // a dot or a tick stays small: nothing grows more than threefold
  const scale = Math.min((box - pen) / Math.max(right - left, bottom - top, 1e-9), 3 * Math.min(rows, columns));
  const width = (right - left) * scale + pen, height = (bottom - top) * scale + pen;
  const within = (at, length, room) => (length > room ? (room - length) / 2 : Math.min(Math.max(at, 0), room - length));
  const drawnAt = (x, y) =>
    raster(strokes, rows, columns, pen, (p) => [(p.x - left) * scale + pen / 2 + x, (p.y - top) * scale + pen / 2 + y]);
  let x = (columns - width) / 2, y = (rows - height) / 2;
  const mass = centreOfMass(drawnAt(x, y), columns);
  x = within(x + centre[1] - mass.x, width, columns);
  y = within(y + centre[0] - mass.y, height, rows);
  return drawnAt(x, y);
}

/** Strokes of a round pen: full within its half width, paper outside, by the distance in between; then averaged. */
function raster(strokes, rows, columns, pen, place) {
  const fine = Math.max(2, Math.ceil(28 / Math.min(rows, columns))), wide = columns * fine, high = rows * fine;
  const reach = (pen / 2) * fine, sub = new Float32Array(wide * high);
  const segment = ([ax, ay], [bx, by]) => {
    const dx = bx - ax, dy = by - ay, square = dx * dx + dy * dy || 1e-12;
    const first = (a, b) => Math.max(Math.floor(Math.min(a, b) - reach - 1), 0);
    const last = (a, b, end) => Math.min(Math.ceil(Math.max(a, b) + reach + 1), end);
    for (let i = first(ay, by); i < last(ay, by, high); i++) {
      for (let j = first(ax, bx); j < last(ax, bx, wide); j++) {
        const t = Math.min(Math.max(((j + 0.5 - ax) * dx + (i + 0.5 - ay) * dy) / square, 0), 1);
        const distance = Math.hypot(j + 0.5 - ax - t * dx, i + 0.5 - ay - t * dy);
        const grey = Math.min(Math.max(reach + 0.5 - distance, 0), 1);
        if (grey > sub[i * wide + j]) sub[i * wide + j] = grey;
      }
    }
  };
  for (const stroke of strokes) {
    const path = stroke.map((p) => place(p).map((value) => value * fine));
    path.forEach((p, i) => segment(path[Math.max(i - 1, 0)], p));
  }
  const grey = new Float64Array(rows * columns);
  for (let i = 0; i < high; i++) {
    for (let j = 0; j < wide; j++) {
      grey[Math.floor(i / fine) * columns + Math.floor(j / fine)] += sub[i * wide + j] / (fine * fine);
    }
  }
  return grey;
}

function centreOfMass(grey, columns) {
  let x = 0, y = 0, sum = 0;
  grey.forEach((value, i) => {
    sum += value;
    x += value * ((i % columns) + 0.5);
    y += value * (Math.floor(i / columns) + 0.5);
  });
  return { x: x / sum, y: y / sum };
}

/** What a machine gets for greys: its own paper and ink, and no greys between them where the data had none. */
function visibleOf(grey, { low, high, threshold }) {
  return Float64Array.from(grey, (g) => (threshold === null ? low + (high - low) * g : g > threshold ? high : low));
}

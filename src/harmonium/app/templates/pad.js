// The drawing pad: strokes by mouse, pen, finger or keyboard, shown as they are drawn.

const STEP = 1 / 28; // of the pad, a press of an arrow key
const WIDTH = 0.075; // of the pad: how wide a stroke is shown

class Pad {
  constructor(onDraw) {
    this.canvas = byId("pad");
    this.onDraw = onDraw;
    this.strokes = [];
    this.pen = { x: 0.5, y: 0.3, down: false };
    this.drawing = null;
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(name, () => (this.drawing = null));
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["focus", "blur"]) {
      canvas.addEventListener(name, () => {
        this.pen.down = false;
        this.repaint();
      });
    }
    byId("undo").addEventListener("click", () => this.set(this.strokes.slice(0, -1)));
    byId("clear").addEventListener("click", () => this.set([]));
    byId("pad-keys").hidden = !window.matchMedia("(hover: hover)").matches;
  }

  begin(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drawing = event.pointerId;
    this.strokes.push([this.at(event)]);
    this.changed();
  }

  move(event) {
    if (this.drawing !== event.pointerId) return;
    const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    const stroke = this.strokes[this.strokes.length - 1];
    for (const one of all.length ? all : [event]) {
      const p = this.at(one), last = stroke[stroke.length - 1];
      if (Math.hypot(p.x - last.x, p.y - last.y) > 0.004) stroke.push(p);
    }
    this.changed();
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect(), inside = (value) => Math.min(Math.max(value, 0), 1);
    return { x: inside((event.clientX - box.left) / box.width), y: inside((event.clientY - box.top) / box.height) };
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const [dx, dy] = moves[event.key] ?? [0, 0];
    if (event.key === " ") {
      this.pen.down = !this.pen.down;
      if (this.pen.down) this.strokes.push([{ x: this.pen.x, y: this.pen.y }]);
    } else if (dx || dy) {
      this.pen.x = Math.min(Math.max(this.pen.x + dx * STEP, 0), 1);
      this.pen.y = Math.min(Math.max(this.pen.y + dy * STEP, 0), 1);
      if (this.pen.down) this.strokes[this.strokes.length - 1].push({ x: this.pen.x, y: this.pen.y });
    } else return;
    event.preventDefault();
    this.keyboard = true;
    if (this.pen.down) this.changed();
    else this.repaint();
  }

  set(strokes) {
    this.strokes = strokes;
    this.pen.down = false;
    this.changed();
  }

  /** Empties the pad without saying so: a picture has been picked. */
  forget() {
    this.strokes = [];
    this.repaint();
  }

  changed() {
    this.repaint();
    this.onDraw(this.strokes);
  }

  repaint() {
    const { canvas } = this, { width } = canvas, context = canvas.getContext("2d");
    context.clearRect(0, 0, width, width);
    context.strokeStyle = context.fillStyle = colours.css("ink");
    Object.assign(context, { lineWidth: WIDTH * width, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(stroke[0].x * width, stroke[0].y * width);
      for (const p of stroke) context.lineTo(p.x * width, p.y * width);
      context.stroke();
    }
    if (this.keyboard && document.activeElement === canvas) {
      context.beginPath();
      context.arc(this.pen.x * width, this.pen.y * width, WIDTH * width * 0.7, 0, 2 * Math.PI);
      Object.assign(context, { lineWidth: 5, strokeStyle: colours.css("active") });
      context.stroke();
    }
    byId("hint").hidden = this.strokes.length > 0;
  }
}

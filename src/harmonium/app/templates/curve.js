// The learning curve of a training: lines of (step, value, standard error), drawn as they come.

/** lines: { name, colour, points: [[step, value], ...] }; from the first step to `total`, the values in nats. */
function drawCurve(canvas, lines, total) {
  const width = canvas.parentElement.clientWidth, height = 132;
  if (!width) return;
  canvas.style.height = `${height}px`;
  const context = sharp(canvas, width, height), all = lines.flatMap(({ points }) => points.map(([, value]) => value));
  Object.assign(context, { strokeStyle: colours.css("rule"), lineWidth: 1 });
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  if (!all.length) return;
  const high = Math.max(...all), low = Math.min(...all), span = Math.max(high - low, 1e-9);
  const room = 62; // for the numbers on the right
  const x = (step) => 6 + (step / Math.max(total, 1)) * (width - room - 12);
  const y = (value) => height - 12 - ((value - low) / span) * (height - 24);
  Object.assign(context, { fillStyle: colours.css("muted"), font: "12px system-ui, sans-serif", textAlign: "right" });
  context.fillText(plain(high, 1), width - 6, 16);
  if (high > low) context.fillText(plain(low, 1), width - 6, height - 8);
  for (const { colour, points } of lines) {
    if (!points.length) continue;
    Object.assign(context, { strokeStyle: colour, fillStyle: colour, lineWidth: 2, lineJoin: "round" });
    context.beginPath();
    for (const [step, value] of points) context.lineTo(x(step), y(value));
    context.stroke();
    const [step, value] = points[points.length - 1];
    context.beginPath();
    context.arc(x(step), y(value), 3.5, 0, 2 * Math.PI);
    context.fill();
  }
}

// Strokes as ink on paper. The same strokes give the same pixels, whenever they are drawn.

export const SIDE = 256; // of the sheet, in its own units, and of the picture that is sent
const INK = "#000000";
const PAPER = "#ffffff";

export function blank(canvas) {
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  ink.setTransform(canvas.width / SIDE, 0, 0, canvas.height / SIDE, 0, 0);
  ink.fillStyle = PAPER;
  ink.fillRect(0, 0, SIDE, SIDE);
  ink.lineCap = "round";
  ink.lineJoin = "round";
  return ink;
}

// Draws a stroke from one of its points on: a curve through the middles between the points.
export function draw(ink, stroke, from = 0) {
  const { points } = stroke;
  ink.strokeStyle = ink.fillStyle = stroke.tool === "eraser" ? PAPER : INK;
  if (from === 0) dot(ink, stroke, points[0]);
  for (let i = Math.max(1, from); i < points.length; i++) {
    ink.beginPath();
    ink.lineWidth = (pressed(stroke, points[i - 1]) + pressed(stroke, points[i])) / 2;
    const [x, y] = middle(points, i - 1);
    ink.moveTo(x, y);
    ink.quadraticCurveTo(points[i - 1][0], points[i - 1][1], ...middle(points, i));
    if (i === points.length - 1) ink.lineTo(points[i][0], points[i][1]);
    ink.stroke();
  }
}

// A picture, whole, in the middle of the paper.
export function place(ink, image, side = SIDE) {
  const scale = side / Math.max(image.width, image.height);
  const [w, h] = [image.width * scale, image.height * scale];
  ink.drawImage(image, (side - w) / 2, (side - h) / 2, w, h);
}

function dot(ink, stroke, [x, y, , p]) {
  ink.beginPath();
  ink.arc(x, y, pressed(stroke, [x, y, 0, p]) / 2, 0, 2 * Math.PI);
  ink.fill();
}

// Between a point and the one before it; the first point itself.
function middle(points, i) {
  if (i === 0) return points[0].slice(0, 2);
  return [(points[i - 1][0] + points[i][0]) / 2, (points[i - 1][1] + points[i][1]) / 2];
}

// Pressure from 0 to 1 changes the width a little; a mouse has one half.
function pressed(stroke, [, , , p]) {
  return stroke.width * (0.7 + 0.6 * p);
}

// The plots of the morning, drawn from the page's own data; redrawn for another size or scheme.

const HEIGHT = { exam: 232, growth: 110 };
const made = [];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const texts = () => JSON.parse(document.getElementById("texts").textContent);
const data = () => JSON.parse(document.getElementById("data").textContent);
const percent = (v) => (v == null ? "–" : `${(100 * v).toFixed(1)} %`);

function seconds(v) {
  if (v == null) return "–";
  if (v === 0) return "0";
  if (v < 60) return `${v.toFixed(1)} s`;
  if (v < 3600) return `${Math.floor(v / 60)} min`;
  return `${(v / 3600).toFixed(1)} h`;
}

function axes(x, values) {
  const look = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const font = "12px system-ui, sans-serif";
  return [
    { ...look, font, grid: { show: false }, size: 28, values: (_, all) => all.map((v) => (Number.isInteger(v) ? v : "")), ...x },
    { ...look, font, size: 58, values: (_, all) => all.map(values) },
  ];
}

/** Trainee with its interval, champion before it, and the target; one point a night. */
function exam({ nights, target }, t) {
  const sat = nights.filter((n) => n.before && n.after);
  const accent = colour("--accent"), lamp = colour("--lamp"), quiet = colour("--quiet");
  const won = sat.map((n) => n.decision === "promote");
  const dots = (u, series, i, j) => {
    // A promotion is a full dot, a night that changed nothing an empty one.
    u.ctx.save();
    for (let k = i; k <= j; k++) {
      const y = u.data[series][k];
      if (y == null) continue;
      if (sat.length < 2) whisker(u, k); // the band of one night has no width
      u.ctx.beginPath();
      u.ctx.arc(u.valToPos(u.data[0][k], "x", true), u.valToPos(y, "y", true), 3.5 * devicePixelRatio, 0, 2 * Math.PI);
      u.ctx.lineWidth = 1.75 * devicePixelRatio;
      u.ctx.strokeStyle = accent;
      u.ctx.fillStyle = won[k] ? accent : colour("--raised");
      u.ctx.fill();
      u.ctx.stroke();
    }
    u.ctx.restore();
    return false;
  };
  const whisker = (u, k) => {
    const x = u.valToPos(u.data[0][k], "x", true), reach = 5 * devicePixelRatio;
    const [low, high] = [1, 2].map((series) => u.valToPos(u.data[series][k], "y", true));
    line(u, accent, [], [x, low, x, high], [x - reach, low, x + reach, low], [x - reach, high, x + reach, high]);
  };
  const across = (u) => {
    const y = u.valToPos(target.target, "y", true), { left, width } = u.bbox;
    if (sat.length < 2) line(u, quiet, [2, 4], [left, y, left + width, y]);
    return false;
  };
  const edge = { stroke: "transparent", points: { show: false }, width: 0 };
  return {
    options: {
      series: [
        { label: t.night },
        { ...edge, label: "low", class: "edge", value: (_, v) => percent(v) },
        { ...edge, label: "high", class: "edge", value: (_, v) => percent(v) },
        { label: t.exam_before, stroke: lamp, width: 1.5, dash: [5, 4], points: { show: sat.length < 2 }, value: (_, v) => percent(v) },
        { label: t.exam_after, stroke: accent, width: 2, points: { show: dots }, value: (_, v, s, k) => told(sat, k, v) },
        { label: t.exam_target, stroke: quiet, width: 1, dash: [2, 4], points: { show: across }, value: (_, v) => percent(v) },
      ],
      bands: [{ series: [2, 1], fill: `${accent}2e` }],
      scales: { x: { time: false, range: (_, low, high) => (sat.length < 2 ? [sat[0].night - 0.9, sat[0].night + 0.9] : [low, high]) }, y: { range: [0, 1] } },
      axes: axes({}, (v) => `${Math.round(100 * v)} %`),
    },
    values: [
      sat.map((n) => n.night),
      sat.map((n) => n.after.low),
      sat.map((n) => n.after.high),
      sat.map((n) => n.before.value),
      sat.map((n) => n.after.value),
      sat.map(() => target.target),
    ],
  };
}

/** Strokes from (x, y) to (x, y) in the plot's own pixels. */
function line({ ctx }, style, dash, ...strokes) {
  ctx.save();
  ctx.strokeStyle = style;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash(dash.map((v) => v * devicePixelRatio));
  ctx.beginPath();
  for (const [x, y, toX, toY] of strokes) {
    ctx.moveTo(x, y);
    ctx.lineTo(toX, toY);
  }
  ctx.stroke();
  ctx.restore();
}

function told(sat, k, value) {
  if (k == null) return percent(value);
  const { low, high } = sat[k].after;
  return `${percent(value)} (${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)})`;
}

/** The whole loop over the years, above what people take of it. */
function growth({ growth: g }, t) {
  const accent = colour("--accent"), lamp = colour("--lamp");
  return {
    options: {
      series: [
        { label: t.growth_years },
        { label: t.growth_people, stroke: lamp, width: 1.5, dash: [5, 4], points: { show: false }, value: (_, v) => seconds(v) },
        { label: t.growth_loop, stroke: accent, width: 2, points: { show: false }, value: (_, v) => seconds(v) },
      ],
      bands: [{ series: [2, 1], fill: `${accent}2e` }],
      scales: { x: { time: false }, y: { range: (_, low, high) => [0, 1.05 * high || 1] } },
      axes: axes({}, seconds),
    },
    values: [g.years.map((y) => y.years), g.years.map(() => g.people), g.years.map((y) => y.seconds)],
  };
}

const DRAWN = { exam, growth };

/** Draw every plot of the page anew. */
export function draw() {
  for (const old of made.splice(0)) old.destroy();
  const found = data(), words = texts();
  for (const place of document.querySelectorAll("[data-plot]")) {
    const name = place.dataset.plot;
    const { options, values } = DRAWN[name](found, words);
    const size = { width: Math.max(place.clientWidth, 200), height: HEIGHT[name] };
    const cursor = { points: { size: 7 }, drag: { x: false, y: false } };
    place.replaceChildren();
    const plot = new uPlot({ ...size, cursor, ...options }, values, place);
    const newest = () => plot.setLegend({ idx: values[0].length - 1 });
    // Without a pointer the legend tells the newest values.
    plot.over.addEventListener("mouseleave", () => requestAnimationFrame(newest));
    requestAnimationFrame(newest);
    made.push(plot);
  }
}

let waiting = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(draw);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
document.addEventListener("morning", draw);
draw();

// What is drawn, as Vega-Lite. Names of a log never become names of fields or expressions: a datum has the fields
// x, y, g, o, r and t, and text of a log only as their values.

const COLORS = ["var(--one)", "var(--two)", "var(--three)", "var(--four)", "var(--five)", "var(--six)"];
const DASHES = [[1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [1, 3]];
const BY_OUTCOME = {
  color: { field: "o", type: "nominal", legend: null,
    scale: { domain: OUTCOMES, range: OUTCOMES.map((outcome) => `var(--${outcome})`) } },
  shape: { field: "o", type: "nominal", legend: null,
    scale: { domain: OUTCOMES, range: ["circle", "triangle-down", "diamond", "square"] } },
};
const CONFIG = {
  background: null,
  font: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  view: { stroke: null },
  aria: false,
  axis: { labelColor: "var(--muted)", titleColor: "var(--muted)", gridColor: "var(--line)", domainColor: "var(--strong)",
    tickColor: "var(--strong)", labelFontSize: 11, titleFontSize: 11, titleFontWeight: "normal", titlePadding: 8,
    labelPadding: 5, tickSize: 4 },
  text: { color: "var(--muted)", fontSize: 11 },
};

const points = (size = 62) => ({ type: "point", filled: true, size, opacity: 0.85, stroke: "var(--paper)",
  strokeWidth: 0.7, strokeOpacity: 1, cursor: "pointer" });

function scaled(domain) {
  return { domain, zero: false, nice: false, clamp: false };
}

// A time as Vega-Lite writes it. Not as a number: where no eval is allowed, Vega takes that for a year.
function instant(milliseconds) {
  const time = new Date(milliseconds);
  return { utc: true, year: time.getUTCFullYear(), month: time.getUTCMonth() + 1, date: time.getUTCDate(),
    hours: time.getUTCHours(), minutes: time.getUTCMinutes(), seconds: time.getUTCSeconds() };
}

function progressSpec({ rows, bars, best, strongest, times, values, name }) {
  const x = { field: "x", type: "temporal", title: null, scale: { type: "utc", domain: times.map(instant) },
    axis: { grid: false, labelOverlap: true, tickCount: 8 } };
  const y = { field: "y", type: "quantitative", title: name, scale: scaled(values), axis: { tickCount: 7 } };
  const line = (data, color, width, curve) => ({ data: { values: data }, encoding: { x, y },
    mark: { type: "line", interpolate: curve, color, strokeWidth: width, clip: true } });
  const layers = [];
  if (strongest.length) layers.push(line(strongest, "var(--strong)", 2.5, "step-after"));
  layers.push(...barLayers(bars, values, "y"));
  if (best.length > 1) layers.push(line(best, "var(--accent)", 1.75, "step-after"));
  layers.push({ data: { values: rows }, mark: { ...points(rows.length > 400 ? 28 : 62), clip: true },
    encoding: { x, y, ...BY_OUTCOME } });
  return { height: 320, layer: layers };
}

// Dashed lines for targets, each with its words at the end.
function barLayers(bars, values, channel) {
  const found = bars.filter((bar) => bar.y >= values[0] && bar.y <= values[1]);
  if (!found.length) return [];
  const at = { field: "y", type: "quantitative", scale: scaled(values) };
  const rule = { data: { values: found }, mark: { type: "rule", strokeDash: [5, 4], color: "var(--ink)", opacity: 0.75 },
    encoding: channel === "y" ? { y: at } : { x: at } };
  if (channel !== "y") return [rule];
  const label = { data: { values: found }, encoding: { x: { value: "width" }, y: at, text: { field: "t" } },
    mark: { type: "text", align: "right", baseline: "bottom", dy: -3, color: "var(--ink)", stroke: null } };
  const halo = { ...label, mark: { ...label.mark, color: "var(--paper)", stroke: "var(--paper)", strokeWidth: 4, opacity: 0.85 } };
  return [rule, halo, label];
}

function compareSpec({ rows, means, bars, values, groups, name }) {
  const y = { field: "g", type: "nominal", title: null, scale: { domain: groups }, axis: { labelLimit: 130, ticks: false,
    domain: false, labelFontSize: 12, labelColor: "var(--ink)" } };
  const x = { field: "y", type: "quantitative", title: name, scale: scaled(values), axis: { tickCount: 6 } };
  return {
    height: 34 * groups.length,
    layer: [
      ...barLayers(bars, values, "x"),
      { data: { values: rows }, mark: { ...points(50), clip: true },
        encoding: { x, y, yOffset: { field: "x", type: "quantitative", scale: { domain: [-1, 1] } }, ...BY_OUTCOME } },
      { data: { values: means }, mark: { type: "tick", thickness: 2.5, size: 24, color: "var(--ink)" },
        encoding: { x, y } },
    ],
  };
}

function balanceSpec({ rows, deltas, size }) {
  const domain = [0, 1];
  const axis = { format: ".1f", values: [0, 0.2, 0.4, 0.6, 0.8, 1] };
  const x = { field: "x", type: "quantitative", title: "Accuracy of class 0", scale: { domain }, axis };
  const y = { field: "y", type: "quantitative", title: "Accuracy of class 1", scale: { domain }, axis };
  const line = (from, mark) => ({ data: { values: from }, encoding: { x, y, detail: { field: "g" } }, mark });
  const edges = deltas.flatMap(({ y: gap }, number) => [
    { x: 0, y: gap, g: `a${number}` }, { x: 1 - gap, y: 1, g: `a${number}` },
    { x: gap, y: 0, g: `b${number}` }, { x: 1, y: 1 - gap, g: `b${number}` },
  ]);
  const labels = deltas.map(({ y: gap, t }) => ({ x: 0, y: gap, t }));
  return {
    height: size,
    layer: [
      line([{ x: 0, y: 0, g: "d" }, { x: 1, y: 1, g: "d" }], { type: "line", color: "var(--strong)", strokeWidth: 1.5 }),
      line(edges, { type: "line", color: "var(--ink)", opacity: 0.7, strokeDash: [5, 4], strokeWidth: 1 }),
      { data: { values: labels }, mark: { type: "text", align: "left", baseline: "bottom", dy: -4, dx: 3, color: "var(--ink)" },
        encoding: { x, y, text: { field: "t" } } },
      { data: { values: [{ x: 0, y: 1, t: "class 1 only" }] }, encoding: { x, y, text: { field: "t" } },
        mark: { type: "text", align: "left", baseline: "top", dx: 6, dy: 5 } },
      { data: { values: [{ x: 1, y: 0, t: "class 0 only" }] }, encoding: { x, y, text: { field: "t" } },
        mark: { type: "text", align: "right", baseline: "bottom", dx: -6, dy: -5 } },
      { data: { values: rows }, mark: points(rows.length > 400 ? 28 : 62), encoding: { x, y, ...BY_OUTCOME } },
    ],
  };
}

function histogramSpec({ bins, bars, values }) {
  const x = { field: "x", type: "quantitative", title: null, scale: scaled(values), axis: { tickCount: 5, grid: false } };
  return {
    height: 96,
    layer: [
      { data: { values: bins }, mark: { type: "rect", color: "var(--one)", opacity: 0.8 },
        encoding: { x, x2: { field: "x2" }, y: { field: "y", type: "quantitative", title: null,
          axis: { tickCount: 3, tickMinStep: 1, format: "d", domain: false, ticks: false }, scale: { zero: true } },
        y2: { datum: 0 } } },
      ...barLayers(bars, values, "x"),
    ],
  };
}

function curvesSpec({ rows, values, name, height, steps, labels }) {
  const x = { field: "x", type: "quantitative", title: "Epoch", scale: { domain: steps, nice: false, zero: false },
    axis: { grid: false, tickCount: Math.max(1, Math.min(8, Math.floor(steps[1] - steps[0]))), format: "d" } };
  const y = { field: "y", type: "quantitative", title: name, scale: scaled(values) };
  const groups = [...new Set(rows.map((row) => row.g))];
  const color = labels
    ? { field: "g", type: "nominal", legend: null, scale: { domain: groups, range: COLORS } }
    : BY_OUTCOME.color;
  const dash = { field: "g", type: "nominal", legend: null, scale: { domain: groups, range: DASHES } };
  const layers = [{
    data: { values: rows },
    mark: { type: "line", strokeWidth: labels ? 2 : 1.4, opacity: labels ? 1 : 0.75, clip: true },
    encoding: { x, y, color, detail: { field: "g" }, ...(labels ? { strokeDash: dash } : {}) },
  }, {
    data: { values: rows }, mark: { type: "point", filled: true, size: 90, opacity: 0, clip: true,
      ...(labels ? {} : { cursor: "pointer" }) },
    encoding: { x, y, detail: { field: "g" } },
  }];
  if (labels) {
    layers.push({ data: { values: labels }, mark: { type: "text", align: "left", dx: 6, fontWeight: 600 },
      encoding: { x, y, color, text: { field: "t" } } });
  }
  return { height, padding: { right: labels ? 8 + 7 * Math.max(0, ...labels.map(({ t }) => t.length)) : 5, left: 5, top: 5, bottom: 5 }, layer: layers };
}

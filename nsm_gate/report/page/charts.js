// When something is drawn: what can be seen at once, the rest while nothing else is to be done.

const charts = new Map();
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const chart = charts.get(entry.target);
    if (chart) chart.near = entry.isIntersecting;
    if (chart && chart.near && chart.due) draw(entry.target);
  }
}, { rootMargin: "300px" });

// Above so many points a chart is drawn on a canvas, which is several times faster than elements and cannot use CSS
// variables: its colours are looked up, and it is drawn again where they change.
const MANY_POINTS = 1000;
const probe = el("span", { hidden: true });
document.body.append(probe);

function looked(value) {
  if (typeof value === "string" && value.startsWith("var(")) {
    probe.style.color = value;
    return getComputedStyle(probe).color;
  }
  if (Array.isArray(value)) return value.map(looked);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === "values" ? inner : looked(inner)]));
}

const sizeOf = (spec) => Math.max(0, ...(spec.layer || []).map((layer) => layer.data?.values?.length || 0));

function recolored() {
  for (const held of charts.values()) if (held.canvas) held.due = true;
  for (const [holder, held] of charts) if (held.due && held.near) draw(holder);
  whenIdle();
}

// `make` returns a Vega-Lite specification, or null where there is nothing to draw.
function chart(holder, description, make, about) {
  const known = charts.get(holder);
  charts.set(holder, { ...known, make, description, about, due: true });
  if (!known) watcher.observe(holder);
  if (known && known.near) draw(holder);
  else whenIdle();
}

let waiting = false;

function whenIdle() {
  if (waiting) return;
  waiting = true;
  (window.requestIdleCallback || setTimeout)(() => {
    waiting = false;
    const next = [...charts].find(([holder, held]) => held.due && holder.isConnected && holder.clientWidth);
    if (next) draw(next[0]).then(whenIdle);
  });
}

async function draw(holder) {
  const held = charts.get(holder);
  const width = holder.clientWidth;
  if (!held || !width) return;
  held.due = false;
  held.width = width;
  const spec = held.make(width);
  if (held.view) held.view.finalize();
  held.view = null;
  if (!spec) {
    holder.replaceChildren(el("p", { class: "said" }, "Nothing to draw."));
    return;
  }
  const box = el("div");
  const { padding, ...rest } = spec;
  const full = {
    width, autosize: { type: "fit-x", contains: "padding" },
    padding: padding || { left: 0, right: 5, top: 8, bottom: 4 }, config: CONFIG, description: held.description, ...rest,
  };
  held.canvas = sizeOf(spec) > MANY_POINTS;
  const number = (held.number || 0) + 1;
  held.number = number;
  // `ast` keeps to a policy that forbids eval. The loader refuses everything: a page makes no request.
  const made = await vegaEmbed(box, held.canvas ? looked(full) : full, {
    ast: true, renderer: held.canvas ? "canvas" : "svg", scaleFactor: held.canvas ? 2 : 1, actions: false, defaultStyle: false, mode: "vega-lite", logLevel: 0,
    loader: { load: refuse, sanitize: refuse, http: refuse, file: refuse },
    tooltip: (_handler, event, item) => hover(held, event, item),
  });
  if (held.number !== number) {
    made.finalize();
    return;
  }
  held.view = made;
  const drawn = box.querySelector("svg, canvas");
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", held.description);
  made.view.addEventListener("click", (_event, item) => {
    if (item && item.datum && Number.isInteger(item.datum.r)) location.hash = runLink(RUNS[item.datum.r].id);
  });
  made.view.addEventListener("mousemove", (event, item) => hover(held, event, item));
  made.view.addEventListener("mouseout", hideTip);
  holder.replaceChildren(box);
}

const refuse = () => Promise.reject(new Error("nothing is fetched"));

function hover(held, event, item) {
  const datum = item && item.datum;
  const told = datum && held.about ? held.about(datum) : null;
  if (told) showTip(event, told[0], told.slice(1));
  else hideTip();
}

function aboutRun(datum) {
  if (!Number.isInteger(datum.r)) return null;
  const run = RUNS[datum.r];
  return [run.name, [run.type, run.domain].filter(Boolean).join(" · "), moment(run.time), OUTCOME_WORDS.get(run.outcome)];
}

function forget(root) {
  for (const [holder, held] of charts) {
    if (!root.contains(holder)) continue;
    if (held.view) held.view.finalize();
    watcher.unobserve(holder);
    charts.delete(holder);
  }
}

new ResizeObserver(() => {
  for (const [holder, held] of charts) {
    if (holder.clientWidth && held.width && Math.abs(holder.clientWidth - held.width) > 2) held.due = true;
  }
  for (const [holder, held] of charts) if (held.due && held.near) draw(holder);
  whenIdle();
}).observe(document.body);

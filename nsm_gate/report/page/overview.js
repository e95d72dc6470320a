// The charts over all runs that pass the filters.

const chosen = { metric: 0, setting: 0, measure: "" };
const CURVES = 30;
const BINS = 24;
const MANY = 12;

const values = (runs, metric) => runs.map((run) => run.metrics[metric]).filter((value) => value !== null);

// The bars that hold for the runs shown: of their types, domains and logs, equal ones told once.
function barsOf(metric, runs) {
  const owners = new Set(runs.flatMap((run) => [run.type, run.domain, run.log]));
  const found = new Map();
  for (const [operator, value, owner, expected] of METRICS[metric].targets) {
    if (!owners.has(owner) || Math.abs(value) >= DRAWABLE) continue;
    const key = `${operator} ${value}`;
    const test = expected.startsWith(operator) && expected.length < 12 ? expected : key;
    found.set(key, { y: value, test, owners: [...(found.get(key)?.owners || []), owner] });
  }
  return [...found.values()].map((bar) => ({
    y: bar.y,
    t: `${bar.test}  ${bar.owners.slice(0, 2).map(title).join(", ")}${bar.owners.length > 2 ? ", …" : ""}`,
  }));
}

function options(select, entries, value, change) {
  select.replaceChildren(...entries.map(([key, label]) => el("option", { value: key }, label)));
  select.value = value;
  select.addEventListener("change", () => change(select.value));
}

function buildOverview() {
  chosen.setting = 0;
  options(byId("metric"), METRICS.map((metric, number) => [number, title(metric.name)]), 0, (value) => {
    chosen.metric = Number(value);
    showOverview();
  });
  options(byId("setting"), SETTINGS.map(({ name }, number) => [number, title(name)]), 0, (value) => {
    chosen.setting = Number(value);
    showCompare();
  });
  byId("compare").hidden = !SETTINGS.length;
  byId("balance").hidden = !RUNS.some((run) => run.classes);
  byId("curves").hidden = !RUNS.some((run) => run.epochs);
  for (const id of ["progress", "distributions"]) byId(id).hidden = !METRICS.length;
  if (!byId("curves").hidden) {
    const found = new Map();
    for (const run of RUNS.filter((one) => one.epochs).slice(-200)) {
      for (const [name] of details(run).epochs.columns) found.set(name, (found.get(name) || 0) + 1);
    }
    const names = [...found.keys()].sort((one, other) => found.get(other) - found.get(one));
    chosen.measure = names.find((name) => name === "val_loss") || names[0];
    options(byId("measure"), names.map((name) => [name, title(name)]), chosen.measure, (value) => {
      chosen.measure = value;
      showCurves();
    });
  }
}

function showOverview() {
  if (!RUNS.length) return;
  showProgress();
  showCompare();
  showBalance();
  showDistributions();
  showCurves();
}

function notDrawn(left, missing) {
  const rows = [];
  if (missing) rows.push(`${count(missing, "run")} without it`);
  if (left) rows.push(`${count(left, "value")} too far off to draw`);
  return rows.length ? ` Left out: ${rows.join(", ")}.` : "";
}

function aboutMetric(metric) {
  return (datum) => {
    const told = aboutRun(datum);
    return told && [told[0], `${title(METRICS[metric].name)} ${measured(RUNS[datum.r].metrics[metric], metric)}`, ...told.slice(1)];
  };
}

function showProgress() {
  const metric = chosen.metric;
  const held = METRICS[metric];
  if (!held) return;
  const timed = shown.filter((run) => run.time !== null && run.metrics[metric] !== null);
  const found = range(values(timed, metric));
  const name = title(held.name);
  const key = [el("span", null, mark("met"), "met every criterion"), el("span", null, mark("missed"), "missed one"),
    el("span", null, mark("unknown"), "partly unknown"), el("span", null, mark("unjudged"), "not judged")];
  const swatch = (kind, text) => el("span", null, el("i", { class: `swatch ${kind}` }), text);
  const bars = barsOf(metric, timed);
  const [first, last] = [Math.min(...timed.map((run) => run.time)), Math.max(...timed.map((run) => run.time))];
  const pad = (last - first) * 0.02 || 432e5;
  const times = [first - pad, last + pad];
  const strongest = timed.length ? INDEX.strongest.map(({ name: told, steps }) => ({ told, line: stepsOf(steps, metric, times) }))
    .filter(({ line }) => line.length) : [];
  const best = held.better && found ? bestSoFar(timed, metric, held.better, times, found) : [];
  if (bars.length) key.push(swatch("target", "target"));
  if (best.length > 1) key.push(swatch("best", "best so far"));
  strongest.forEach(({ told }) => key.push(swatch("baseline", title(told).toLowerCase())));
  byId("progress-key").replaceChildren(...key);
  chart(byId("progress-plot"), `${name} of ${count(timed.length, "run")} over time, with targets and the best baseline`,
    () => found && progressSpec({
      rows: timed.filter((run) => within(found, run.metrics[metric])).map((run) => ({ x: run.time, y: run.metrics[metric], o: run.outcome, r: run.number })),
      bars, best, times, name, strongest: strongest.flatMap(({ line }) => line),
      values: roomy(found, [...bars.map(({ y }) => y), ...strongest.flatMap(({ line }) => line.map(({ y }) => y))]),
    }), aboutMetric(metric));
  const missing = shown.length - timed.length;
  const top = best.length ? ` Best: ${measured(best.at(-1).y, metric)}.` : "";
  byId("progress-said").textContent = `${name} of ${count(timed.length, "run")} by the time they were logged (UTC).${top}`
    + notDrawn(found ? found.left : timed.length, missing);
}

function bestSoFar(runs, metric, better, times, range_) {
  const found = [];
  for (const run of runs) {
    const value = run.metrics[metric];
    if (!within(range_, value) || run.status !== "completed" && run.status !== "") continue;
    const last = found.at(-1);
    if (!last || (better === ">" ? value > last.y : value < last.y)) found.push({ x: run.time, y: value });
  }
  return found.length ? [...found, { x: times[1], y: found.at(-1).y }] : [];
}

function stepsOf(steps, metric, times) {
  const known = steps.map(([time, , metrics]) => ({ x: time, y: metrics[metric] }))
    .filter(({ y }) => y !== null && y !== undefined && Math.abs(y) < DRAWABLE);
  const before = known.filter(({ x }) => x <= times[0]).at(-1);
  const during = known.filter(({ x }) => x > times[0] && x <= times[1]);
  const line = before ? [{ x: times[0], y: before.y }, ...during] : during;
  return line.length ? [...line, { x: times[1], y: line.at(-1).y }] : [];
}

function showCompare() {
  const metric = chosen.metric;
  if (byId("compare").hidden || !METRICS[metric]) return;
  const { name, values: words } = SETTINGS[chosen.setting];
  const name_ = title(METRICS[metric].name);
  const runs = shown.filter((run) => run.settings[chosen.setting] >= 0 && run.metrics[metric] !== null);
  const found = range(values(runs, metric));
  const groups = words.filter((word) => runs.some((run) => setting(run, chosen.setting) === word)).sort(naturally);
  const of = (word) => runs.filter((run) => setting(run, chosen.setting) === word);
  const bars = barsOf(metric, runs);
  const spread = [-0.5, 0.2, -0.1, 0.5, -0.3, 0.05, 0.35, -0.2];
  chart(byId("compare-plot"), `${name_} by ${name}: ${groups.map((word) => `${word} ${measured(mean(values(of(word), metric)), metric)}`).join(", ")}`,
    () => found && compareSpec({
      rows: runs.filter((run) => within(found, run.metrics[metric])).map((run) => ({ y: run.metrics[metric], g: setting(run, chosen.setting), o: run.outcome, r: run.number,
        x: spread[run.number % spread.length] })),
      means: groups.map((word) => ({ g: word, y: mean(values(of(word), metric)) })).filter(({ y }) => within(found, y)),
      bars, groups, name: name_, values: roomy(found, bars.map(({ y }) => y)),
    }), aboutMetric(metric));
  byId("compare-said").textContent = `Each point is a run, each tick the mean of its group.${bars.length ? " Dashed: targets." : ""}`
    + notDrawn(found ? found.left : runs.length, shown.length - runs.length);
  const columns = [...new Set([metric, ...COLUMNS])].slice(0, 3);
  const cell = (word, number) => {
    const all = values(shown.filter((run) => setting(run, chosen.setting) === word), number);
    return el("td", { class: "n" }, all.length ? measured(mean(all), number) : "–",
      all.length > 1 ? el("span", { class: "found" }, `${measured(Math.min(...all), number)} to ${measured(Math.max(...all), number)}`) : null);
  };
  byId("compare-table").replaceChildren(el("table", null,
    el("thead", null, el("tr", null, el("th", { scope: "col" }, title(name)), el("th", { scope: "col", class: "n" }, "Runs"),
      columns.map((number) => el("th", { scope: "col", class: "n" }, `${title(METRICS[number].name)}, mean`)))),
    el("tbody", null, groups.map((word) => el("tr", null, el("th", { scope: "row" }, word),
      el("td", { class: "n" }, of(word).length.toLocaleString("en")), columns.map((number) => cell(word, number)))))));
}

function naturally(one, other) {
  const [a, b] = [Number(one), Number(other)];
  if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b;
  if ((one === "single pass") !== (other === "single pass")) return one === "single pass" ? 1 : -1;
  return one < other ? -1 : 1;
}

function showBalance() {
  if (byId("balance").hidden) return;
  const runs = shown.filter((run) => run.classes);
  const number = METRICS.findIndex((metric) => metric.name.endsWith("balance_delta"));
  const deltas = number < 0 ? [] : barsOf(number, runs).filter(({ y, t }) => t.startsWith("<") && y > 0 && y < 1);
  const told = deltas.map(({ y }) => ({ y, t: String(y) }));
  chart(byId("balance-plot"), `Accuracy of the two classes in ${count(runs.length, "run")}`, (width) => runs.length ? balanceSpec({
    rows: runs.map((run) => ({ x: run.classes[0], y: run.classes[1], o: run.outcome, r: run.number })),
    deltas: told, size: Math.min(width - 50, 420),
  }) : null, (datum) => {
    const about = aboutRun(datum);
    if (!about) return null;
    const [one, other] = RUNS[datum.r].classes;
    return [about[0], `class 0 ${decimal(one)}, class 1 ${decimal(other)}, apart ${decimal(Math.abs(one - other))}`, ...about.slice(1)];
  });
  byId("balance-said").textContent = "On the diagonal both classes are called equally well; in a corner the model sees one class only."
    + (deltas.length ? " Dashed: how far apart the targets let them be." : "") + notDrawn(0, shown.length - runs.length);
}

function showDistributions() {
  const holder = byId("distributions-plot");
  const numbers = METRICS.map((_metric, number) => number).filter((number) => values(shown, number).length);
  const some = holder.dataset.all ? numbers : numbers.slice(0, MANY);
  forget(holder);
  holder.replaceChildren(...some.map((number) => {
    const plot = el("div", { class: "plot" });
    const all = values(shown, number);
    const found = range(all);
    const name = title(METRICS[number].name);
    const bars = barsOf(number, shown);
    chart(plot, `Distribution of ${name} over ${count(all.length, "run")}`, () => {
      if (!found) return null;
      const domain = roomy(found, bars.map(({ y }) => y));
      return histogramSpec({ bins: binned(all, found), bars, values: domain });
    }, (datum) => (Number.isFinite(datum.x2) ? [count(datum.y, "run"), `${measured(datum.x, number)} to ${measured(datum.x2, number)}`] : null));
    return el("div", null, el("h3", null, name), el("p", { class: "said" }, spreadOf(all, number), notDrawn(found ? found.left : all.length, 0)), plot);
  }));
  const rest = numbers.length - some.length;
  byId("distributions-said").replaceChildren("Dashed: targets. ");
  if (rest > 0) {
    const button = el("button", { type: "button" }, `Show ${count(rest, "more metric")}`);
    button.addEventListener("click", () => {
      holder.dataset.all = "yes";
      showDistributions();
    });
    byId("distributions-said").append(button);
  }
}

function spreadOf(all, metric) {
  const sorted = [...all].sort((one, other) => one - other);
  const half = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 ? sorted[half] : sorted[half - 1] / 2 + sorted[half] / 2;
  return `${count(all.length, "run")}, median ${measured(median, metric)}, ${measured(sorted[0], metric)} to ${measured(sorted.at(-1), metric)}.`;
}

function binned(all, { low, high }) {
  const kept = all.filter((value) => value >= low && value <= high);
  const span = high - low;
  const room = span || Math.abs(high) * 0.1 || 1;
  const number = span ? Math.max(1, Math.min(BINS, Math.ceil(2 * Math.sqrt(kept.length)))) : 1;
  const width = room / number;
  const start = span ? low : low - room / 2;
  const counts = new Array(number).fill(0);
  for (const value of kept) counts[Math.min(number - 1, Math.floor((value - start) / width))] += 1;
  return counts.map((y, at) => ({ x: start + at * width, x2: start + (at + 1) * width, y })).filter(({ y }) => y);
}

function showCurves() {
  if (byId("curves").hidden) return;
  const held = [];
  for (let number = shown.length - 1; number >= 0 && held.length < CURVES; number -= 1) {
    const run = shown[number];
    const column = run.epochs ? details(run).epochs.columns.find(([name]) => name === chosen.measure) : null;
    if (column) held.push([run, details(run).epochs.steps, column[1]]);
  }
  const rows = held.flatMap(([run, steps, column]) => column.map((y, at) => ({ x: steps[at], y, g: run.number, o: run.outcome, r: run.number }))
    .filter(({ y }) => y !== null));
  const found = range(rows.map(({ y }) => y));
  const name = title(chosen.measure);
  chart(byId("curves-plot"), `${name} by epoch of ${count(held.length, "run")}`, () => found && curvesSpec({
    rows: rows.filter(({ y }) => within(found, y)), name, height: 280, values: roomy(found, []), labels: null,
    steps: [Math.min(...rows.map(({ x }) => x)), Math.max(...rows.map(({ x }) => x))],
  }), (datum) => {
    const told = aboutRun(datum);
    return told && [told[0], `epoch ${datum.x}: ${decimal(datum.y)}`, ...told.slice(1)];
  });
  const kept = shown.filter((run) => run.epochs).length;
  byId("curves-said").textContent = held.length < kept && held.length === CURVES
    ? `The latest ${CURVES} of ${count(kept, "run")} with a history.`
    : `${count(held.length, "run")} with a history of it.`;
}

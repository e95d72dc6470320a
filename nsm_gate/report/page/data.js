// The index of all runs, and the details of one, which are parsed when they are first asked for.

const INDEX = JSON.parse(byId("index").textContent);
const OUTCOMES = INDEX.outcomes.map(([name]) => name);
const OUTCOME_WORDS = new Map(INDEX.outcomes);
const METRICS = INDEX.metrics;
const SETTINGS = INDEX.settings.map(([name, values]) => ({ name, values }));
const NONE = "-";

const RUNS = INDEX.runs.map((row, number) => {
  const [id, name, place, log, type, domain, status, time, outcome, met, asked, errors, warnings, note, metrics,
    classes, settings, epochs] = row;
  return {
    number, id, name, place, log, type, domain, status, time, outcome: OUTCOMES[outcome], met, asked, errors, warnings,
    note, metrics, classes, settings, epochs,
    words: `${name}\n${place}\n${type}\n${domain}\n${note}`.toLowerCase(),
  };
});
const BY_ID = new Map(RUNS.map((run) => [run.id, run]));
const blocks = new Map();

function details(run) {
  const block = Math.floor(run.number / INDEX.chunk);
  if (!blocks.has(block)) blocks.set(block, JSON.parse(byId(`runs-${block}`).textContent));
  return blocks.get(block)[run.number % INDEX.chunk];
}

const DIGITS = METRICS.map((_metric, number) =>
  digitsOf(RUNS.map((run) => run.metrics[number]).filter((value) => value !== null)));
const measured = (value, metric) => decimal(value, DIGITS[metric]);

const runLink = (id) => `#/run/${encodeURIComponent(id)}`;
const setting = (run, number) => (run.settings[number] < 0 ? null : SETTINGS[number].values[run.settings[number]]);

// What an axis can show: numbers that are not so far off the others that nothing else could be told apart.
const DRAWABLE = 1e15;

function range(values) {
  const sorted = values.filter((value) => Math.abs(value) < DRAWABLE).sort((one, other) => one - other);
  if (!sorted.length) return null;
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  const spread = at(0.75) - at(0.25);
  // Few values say little of what is usual among them.
  const reach = spread > 0 && sorted.length >= 8 ? 50 * spread : Infinity;
  const low = sorted.find((value) => value >= at(0.25) - reach);
  const high = sorted.findLast((value) => value <= at(0.75) + reach);
  return { low, high, left: values.filter((value) => value < low || value > high).length };
}

const within = ({ low, high }, value) => value >= low && value <= high;

// A range with room around it, and the bars that lie near enough to belong into it.
function roomy(found, bars) {
  let { low, high } = found;
  const span = high - low || Math.abs(high) || 1;
  for (const bar of bars) {
    if (bar < low && bar > low - 1.5 * span) low = bar;
    if (bar > high && bar < high + 1.5 * span) high = bar;
  }
  const pad = 0.06 * (high - low || Math.abs(high) || 1);
  return [low - pad, high + pad];
}

const mean = (values) => values.reduce((sum, value) => sum + value / values.length, 0);

// What is shown: the filters, the order and the page, which the address of the page holds too.

const FACETS = [
  ["log", "Log", (run) => run.log],
  ["type", "Experiment type", (run) => run.type],
  ["domain", "Domain", (run) => run.domain],
  ["status", "Status", (run) => run.status],
  ["verdict", "Verdict", (run) => run.outcome],
];
const START = { q: "", log: "", type: "", domain: "", status: "", verdict: "", sort: "-time", page: 1 };
const state = { ...START };
const controls = new Map();
let shown = RUNS;

function buildFilters(changed) {
  const counts = FACETS.map(([, , value]) => {
    const found = new Map();
    for (const run of RUNS) found.set(value(run), (found.get(value(run)) || 0) + 1);
    return found;
  });
  FACETS.forEach(([name, label], number) => {
    const found = counts[number];
    if (found.size < 2) return;
    const values = name === "verdict" ? OUTCOMES.filter((outcome) => found.has(outcome)) : [...found.keys()].sort();
    const select = el("select", { id: `filter-${name}` }, el("option", { value: "" }, "All"),
      values.map((value) => el("option", { value: value || NONE }, `${said(name, value)} (${found.get(value)})`)));
    select.addEventListener("change", () => {
      state[name] = select.value;
      state.page = 1;
      changed();
    });
    controls.set(name, select);
    byId("selects").append(el("div", { class: "field" }, el("label", { for: select.id }, label), select));
  });
  const search = byId("q");
  search.addEventListener("input", () => {
    state.q = search.value;
    state.page = 1;
    later(changed, RUNS.length > 1000 ? 180 : 60);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("reset").addEventListener("click", () => {
    Object.assign(state, START, { sort: state.sort });
    changed();
    search.focus();
  });
  if (matchMedia("(max-width: 44rem)").matches) byId("facets").open = false;
}

const said = (name, value) => (name === "verdict" ? OUTCOME_WORDS.get(value) || value : value || "(none)");

function filtered() {
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = FACETS.filter(([name]) => state[name] !== "");
  return RUNS.filter((run) =>
    wanted.every(([name, , value]) => (value(run) || NONE) === state[name])
    && words.every((word) => run.words.includes(word)));
}

function applyFilters() {
  shown = filtered();
  for (const [name, select] of controls) {
    select.value = state[name];
    if (select.selectedIndex < 0) select.value = "";
  }
  if (byId("q").value !== state.q) byId("q").value = state.q;
  const active = FACETS.filter(([name]) => state[name] !== "");
  byId("active").hidden = !active.length;
  byId("active").textContent = active.length ? `(${active.length})` : "";
  byId("reset").hidden = !active.length && !state.q;
  byId("filtered").textContent = [
    ...active.map(([name, label]) => `${label.toLowerCase()} ${said(name, state[name])}`),
    ...(state.q ? [`with the words ${state.q}`] : []),
  ].map((part) => ` · ${part}`).join("");
  byId("count").textContent = shown.length === RUNS.length
    ? count(RUNS.length, "run")
    : `${shown.length.toLocaleString("en")} of ${count(RUNS.length, "run")}`;
}

function query() {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) if (value !== START[name]) found.set(name, value);
  const text = found.toString();
  return text ? `#/runs?${text}` : "#/runs";
}

function take(text) {
  const found = new URLSearchParams(text);
  Object.assign(state, START);
  for (const name of Object.keys(START)) if (found.has(name)) state[name] = found.get(name);
  state.page = Math.max(1, Number.parseInt(state.page, 10) || 1);
}

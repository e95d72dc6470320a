// The table of runs, a page at a time.

const PAGE = 50;
const PRINTED = 1000;
const COLUMNS = chosenMetrics().slice(0, 4);

// The metrics that most runs have, those first that the rules name first.
function chosenMetrics() {
  const shares = METRICS.map((_metric, number) => RUNS.filter((run) => run.metrics[number] !== null).length);
  const usual = shares.map((share, number) => [share, number]).filter(([share]) => share * 2 >= RUNS.length);
  const found = usual.length ? usual : shares.map((share, number) => [share, number]);
  return found.map(([, number]) => number);
}

const KEYS = {
  name: (run) => run.name.toLowerCase(),
  type: (run) => `${run.type || run.log}\n${run.domain}`.toLowerCase(),
  time: (run) => run.time,
  verdict: (run) => [OUTCOMES.indexOf(run.outcome), run.asked ? 1 - run.met / run.asked : 2, run.errors],
};
COLUMNS.forEach((number) => {
  KEYS[`m${number}`] = (run) => run.metrics[number];
});

function ordered() {
  const [name, sign] = state.sort.startsWith("-") ? [state.sort.slice(1), -1] : [state.sort, 1];
  const key = Object.hasOwn(KEYS, name) ? KEYS[name] : KEYS.time;
  const rows = shown.map((run) => [key(run), run]);
  rows.sort(([one, first], [other, second]) => compare(one, other, sign) || first.number - second.number);
  return rows.map(([, run]) => run);
}

// What is missing comes last, whichever way round.
function compare(one, other, sign) {
  if (one === null || other === null) return (one === null) - (other === null);
  if (Array.isArray(one)) {
    const at = one.findIndex((value, number) => value !== other[number]);
    return at < 0 ? 0 : sign * (one[at] - other[at]);
  }
  return one === other ? 0 : sign * (one < other ? -1 : 1);
}

function showTable(changed, most = PAGE) {
  const rows = ordered();
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  state.page = Math.min(state.page, pages);
  const start = most === PAGE ? (state.page - 1) * PAGE : 0;
  const holder = byId("table");
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.sort : null;
  holder.replaceChildren(rows.length
    ? el("table", { class: "runs" }, heading(changed), el("tbody", null, rows.slice(start, start + most).map(rowOf)))
    : el("p", { class: "empty" }, RUNS.length ? "No run passes these filters." : "The logs hold no run."));
  if (focused) holder.querySelector(`[data-sort="${focused}"]`)?.focus();
  showPages(pages, changed);
}

function heading(changed) {
  const head = (key, label, number) => {
    const active = state.sort.replace("-", "") === key;
    const button = el("button", { type: "button", "data-sort": key }, label);
    button.addEventListener("click", () => {
      const falling = active ? !state.sort.startsWith("-") : number || key === "time";
      state.sort = (falling ? "-" : "") + key;
      state.page = 1;
      changed();
    });
    const way = state.sort.startsWith("-") ? "descending" : "ascending";
    return el("th", { scope: "col", class: number ? "sort n" : "sort", "aria-sort": active ? way : null }, button);
  };
  return el("thead", null, el("tr", null, head("name", "Run"), head("type", "Type, domain"), head("time", "Logged"),
    head("verdict", "Verdict"), COLUMNS.map((number) => head(`m${number}`, title(METRICS[number].name), true))));
}

function rowOf(run) {
  const verdict = run.asked
    ? `${run.met} of ${run.asked} met`
    : run.status && run.status !== "completed" ? run.status : "no criteria";
  const grave = [run.errors && count(run.errors, "error"), run.warnings && count(run.warnings, "warning")].filter(Boolean);
  return el("tr", null,
    el("th", { scope: "row" }, el("a", { href: runLink(run.id) }, breakable(run.name)), el("span", { class: "note" }, run.note)),
    el("td", null, run.type || run.log, run.domain ? el("span", { class: "found" }, run.domain) : null),
    el("td", { class: "when" }, day(run.time)),
    el("td", { class: "verdict" }, mark(run.outcome), el("span", { class: "hide" }, `${OUTCOME_WORDS.get(run.outcome)}: `),
      verdict, grave.length ? el("span", { class: run.errors ? "found error" : "found" }, grave.join(", ")) : null),
    COLUMNS.map((number) => el("td", { class: "n", "data-label": run.metrics[number] === null ? null
      : title(METRICS[number].name) }, run.metrics[number] === null ? "" : measured(run.metrics[number], number))));
}

function showPages(pages, changed) {
  const move = (to, label) => {
    const button = el("button", { type: "button", disabled: to < 1 || to > pages }, label);
    button.addEventListener("click", () => {
      state.page = to;
      changed();
      byId("runs").scrollIntoView();
      byId("pages").querySelector("button:not(:disabled)")?.focus({ preventScroll: true });
    });
    return button;
  };
  byId("pages").replaceChildren(...(pages < 2 ? [] : [
    move(1, "First"), move(state.page - 1, "Previous"),
    el("span", { role: "status" }, `Page ${state.page.toLocaleString("en")} of ${pages.toLocaleString("en")}`),
    move(state.page + 1, "Next"), move(pages, "Last"),
  ]));
}

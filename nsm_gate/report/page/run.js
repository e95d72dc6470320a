// The page of one run.

function runPage(run) {
  const told = details(run);
  const order = ordered();
  const at = order.indexOf(run);
  const step = (other, label) => other ? el("a", { href: runLink(other.id) }, `${label}: ${other.name}`) : null;
  return [
    el("nav", { class: "steps", "aria-label": "Runs" },
      el("a", { href: query() }, shown.length === RUNS.length ? "← All runs" : "← The runs shown"),
      at < 0 ? null : el("span", null, step(order[at - 1], "Before"), step(order[at + 1], "Next"))),
    el("h1", { tabindex: "-1" }, breakable(run.name)),
    el("p", { class: "facts" },
      el("span", null, mark(run.outcome), capital(OUTCOME_WORDS.get(run.outcome))),
      [run.type, run.domain, run.status, run.time === null ? "" : `${moment(run.time)} UTC`].map((fact) => fact && el("span", null, fact)),
      el("span", null, el("code", null, breakable(run.place)))),
    told.error ? el("p", { class: "error-text" }, told.error) : null,
    told.notes ? el("p", { class: "notes" }, told.notes) : el("p", { class: "notes" }, el("i", null, "No findings were logged.")),
    told.earlier.length ? el("p", { class: "said" }, `Earlier lines of this run: ${told.earlier.map(([place, status]) => (status ? `${place} (${status})` : place)).join(", ")}.`) : null,
    verdicts(told), ...told.differences.map(differenceOf), curves(told, run), problems(told), fields(told),
  ];
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function section(heading, ...children) {
  return el("section", null, el("h2", null, heading), ...children);
}

function table(kind, heads, rows) {
  const wide = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": kind });
  wide.append(el("table", { class: kind },
    el("thead", null, el("tr", null, heads.map(([label, numeric]) => el("th", { scope: "col", class: numeric ? "n" : null }, label)))),
    el("tbody", null, rows)));
  return wide;
}

function verdicts(told) {
  const asked = told.verdicts.filter(([, outcome]) => outcome !== "not-applicable");
  const rest = told.verdicts.filter(([, outcome]) => outcome === "not-applicable");
  if (!told.verdicts.length) return section("Verdicts", el("p", { class: "said" }, "No criterion is asked of it."));
  const rows = asked.map(([criterion, outcome, observed, expected, margin, why, defined, reference]) => el("tr", null,
    el("th", { scope: "row" }, criterion),
    el("td", { class: "verdict" }, mark(outcome), outcome),
    el("td", { class: "n" }, observed),
    el("td", null, el("code", null, expected)),
    el("td", { class: "n" }, margin),
    el("td", null, reference ? [`${reference[0]}: `, reference[2] ? el("a", { href: runLink(reference[2]) }, reference[1]) : reference[1]] : "",
      el("span", { class: "why" }, why, defined ? ` · ${defined}` : ""))));
  return section("Verdicts",
    rows.length ? table("verdicts", [["Criterion"], ["Verdict"], ["Observed", 1], ["Expected"], ["Margin", 1], ["Why"]], rows) : null,
    rest.length ? el("p", { class: "said" }, "Not asked: ",
      rest.map(([criterion, , , , , why], number) => [number ? "; " : "", criterion, ` (${why})`]), ".") : null);
}

function differenceOf(told) {
  const other = told.id ? el("a", { href: runLink(told.id) }, told.run) : told.run || told.place;
  const rest = `${count(told.same, "setting agrees", "settings agree")}${told.alone ? `; ${told.alone} stand in one of the two logs only` : ""}.`;
  const value = (text) => el("td", { class: text === null ? "none" : null }, text === null ? "absent" : el("code", null, text));
  return el("section", null,
    el("h2", null, `Against ${title(told.reference).toLowerCase()}`),
    el("p", { class: "said" }, "Compared with ", other, ` (${told.place}). `,
      told.changed.length ? "" : "No setting differs. ", rest),
    told.changed.length ? table("diff", [["Setting"], ["This run"], ["The other"]],
      told.changed.map(([name, mine, theirs]) => el("tr", null, el("th", { scope: "row" }, breakable(name)), value(mine), value(theirs)))) : null);
}

function curves(told, run) {
  if (!told.epochs) return null;
  const { steps, columns } = told.epochs;
  const grid = el("div", { class: "curves" });
  for (const [name, group] of scales(columns)) {
    const plot = el("div", { class: "plot" });
    const rows = group.flatMap(([measure, column]) => column.map((y, at) => ({ x: steps[at], y, g: measure })).filter(({ y }) => y !== null));
    const found = range(rows.map(({ y }) => y));
    const labels = group.map(([measure]) => {
      const last = found && rows.findLast(({ g, y }) => g === measure && within(found, y));
      return last && { ...last, t: group.length > 1 ? short(measure) : "" };
    }).filter(Boolean);
    chart(plot, `${name} of ${run.name} by epoch, ${count(steps.length, "epoch")}`, () => found && curvesSpec({
      rows: rows.filter(({ y }) => within(found, y)), name: "", height: 220, values: roomy(found, []), steps: [steps[0], steps.at(-1)], labels: apart(labels, found),
    }), (datum) => [`${datum.g}`, `epoch ${datum.x}: ${decimal(datum.y)}`]);
    grid.append(el("div", null, el("h3", null, title(name)), plot));
  }
  const rows = steps.map((epoch, at) => el("tr", null, el("th", { scope: "row", class: "n" }, String(epoch)),
    columns.map(([, column]) => el("td", { class: "n" }, decimal(column[at])))));
  return section("Learning curves", grid, el("details", null, el("summary", null, "The same as numbers"),
    table("epochs", [["Epoch", 1], ...columns.map(([name]) => [title(name), 1])], rows)));
}

const short = (text) => (text.length > 14 ? `${text.slice(0, 13)}…` : text);

// Labels at the ends of lines, moved apart where they would cover each other.
function apart(labels, { low, high }) {
  const gap = (high - low) * 0.075;
  const sorted = [...labels].sort((one, other) => one.y - other.y);
  sorted.forEach((label, number) => {
    if (number && label.y - sorted[number - 1].y < gap) label.y = sorted[number - 1].y + gap;
  });
  return sorted;
}

// Measures that can share an axis: losses, rates, and each other one by itself.
function scales(columns) {
  const found = new Map();
  for (const column of columns) {
    const name = column[0].toLowerCase();
    const key = name.includes("loss") ? "loss" : /acc|rate|f1|auc|precision|recall/.test(name) ? "accuracy" : column[0];
    found.set(key, [...(found.get(key) || []), column]);
  }
  return [...found].flatMap(([key, group]) => {
    const parts = [];
    for (let at = 0; at < group.length; at += COLORS.length) parts.push([group.length > 1 ? key : group[0][0], group.slice(at, at + COLORS.length)]);
    return parts;
  }).slice(0, 12);
}

function problems(told) {
  if (!told.problems.length) return null;
  return section("What the gate found", table("faults", [["Rule"], ["What is wrong"], ["Remedy"]],
    told.problems.map(([rule, severity, message, hint, waived]) => el("tr", null,
      el("th", { scope: "row" }, el("span", { class: `severity ${severity}` }, waived === null ? severity : "waived"), ` ${rule}`),
      el("td", null, message), el("td", null, waived === null ? hint : waived)))));
}

function fields(told) {
  const blocksOf = told.fields.map(([name, rows]) => el("section", null, el("h3", null, title(name)),
    el("table", { class: "fields" }, el("tbody", null, rows.map(([field, value]) => el("tr", null,
      el("th", { scope: "row" }, breakable(field)), el("td", null, el("code", null, value))))))));
  return section("Configuration and results", el("div", { class: "columns" }, blocksOf),
    told.left ? el("p", { class: "said" }, `${count(told.left, "more field")} of this line not shown.`) : null);
}

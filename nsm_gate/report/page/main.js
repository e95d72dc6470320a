// What the address of the page asks for.

const overview = byId("overview");
const page = byId("run");
const heading_ = document.title;
let kept = 0;
let opened = null;

function changed() {
  applyFilters();
  showTable(changed);
  later(showOverview, RUNS.length > 1000 ? 150 : 30);
  if (!opened) replaceAddress(query());
}

function replaceAddress(address) {
  try {
    history.replaceState(null, "", address === "#/runs" ? location.pathname + location.search : address);
  } catch {
    // A page from disk may not be allowed to: the filters work without.
  }
}

function openRun(run) {
  if (!opened) kept = scrollY;
  forget(page);
  opened = run || true;
  page.replaceChildren(...(run ? runPage(run) : [
    el("nav", { class: "steps" }, el("a", { href: query() }, "← All runs")),
    el("h1", { tabindex: "-1" }, "No such run"), el("p", null, "This report has no run of that name."),
  ]).filter(Boolean));
  overview.hidden = true;
  page.hidden = false;
  document.title = `${run ? run.name : "No such run"} · ${heading_}`;
  scrollTo({ top: 0, behavior: "instant" });
  page.querySelector("h1").focus({ preventScroll: true });
}

function openOverview() {
  if (!opened) return false;
  const came = opened;
  opened = null;
  forget(page);
  page.hidden = true;
  page.replaceChildren();
  overview.hidden = false;
  document.title = heading_;
  hideTip();
  scrollTo({ top: kept, behavior: "instant" });
  const link = came.id && byId("table").querySelector(`a[href="${CSS.escape(runLink(came.id))}"]`);
  if (link) link.focus({ preventScroll: true });
  return true;
}

function route() {
  const hash = location.hash;
  if (hash.startsWith("#/run/")) {
    let id = hash.slice(6);
    try {
      id = decodeURIComponent(id);
    } catch {
      // not of this page's making
    }
    openRun(BY_ID.get(id));
    return;
  }
  const asked = hash.startsWith("#/runs") ? hash.slice(7) : null;
  const before = query();
  const returned = openOverview();
  if (asked !== null) {
    take(asked);
    if (query() !== before) changed();
    if (!returned) byId("runs").scrollIntoView();
  } else if (hash.length > 1 && returned) {
    byId(hash.slice(1))?.scrollIntoView();
  }
}

function buildTheme() {
  const button = byId("theme");
  const order = ["auto", "light", "dark"];
  let theme = "auto";
  const show = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  try {
    theme = order.find((name) => name === localStorage.getItem("nsm-gate-theme")) || "auto";
  } catch {
    // no storage for a page from disk
  }
  button.addEventListener("click", () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    try {
      localStorage.setItem("nsm-gate-theme", theme);
    } catch {
      // kept until the page is closed
    }
    show();
    recolored();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolored);
  show();
  // Paper is light. What was drawn on a canvas is drawn again for it.
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.theme = "light";
    for (const [holder, held] of charts) if (held.canvas) draw(holder);
  });
  addEventListener("afterprint", () => {
    show();
    recolored();
  });
}

for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;
buildTheme();
if (RUNS.length) {
  buildFilters(changed);
  buildOverview();
  for (const link of document.querySelectorAll(".bar nav span a")) link.hidden = byId(link.hash.slice(1)).hidden;
  addEventListener("beforeprint", () => showTable(changed, PRINTED));
  addEventListener("afterprint", () => showTable(changed));
} else {
  byId("explore").hidden = true;
}
addEventListener("hashchange", route);
addEventListener("scroll", hideTip, { passive: true });
if (location.hash.startsWith("#/runs")) take(location.hash.slice(7));
if (RUNS.length) {
  applyFilters();
  showTable(changed);
  showOverview();
}
route();
document.documentElement.dataset.ready = "yes";

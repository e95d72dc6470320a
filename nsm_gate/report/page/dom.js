// Elements and words. Text of a log becomes a text node, never markup.

const byId = (id) => document.getElementById(id);

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const SHAPES = {
  met: ["M8 1a7 7 0 1 0 0 14A7 7 0 1 0 8 1z", "M4.6 8.3l2.3 2.3 4.6-4.9"],
  missed: ["M1 2.5h14L8 15z", "M8 5v4M8 10.6v.6"],
  unknown: ["M8 .8L15.2 8 8 15.2.8 8z", "M6.2 6.4C6.4 4.2 9.9 4.4 9.7 6.5 9.6 7.6 8 7.7 8 9.2M8 11v.6"],
  unjudged: ["M2 2h12v12H2z", "M5 8h6"],
};

function mark(outcome) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const known = SHAPES[outcome] ? outcome : "unjudged";
  svg.setAttribute("class", `mark ${known}`);
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  for (const path of SHAPES[known]) {
    const part = document.createElementNS(space, "path");
    part.setAttribute("d", path);
    svg.append(part);
  }
  return svg;
}

// A name that may go on in the next line behind a dot, a slash or an underscore.
function breakable(text) {
  return text.split(/(?<=[._/])/).flatMap((part, number) => (number ? [el("wbr"), part] : [part]));
}

const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many || `${one}s`}`;

// A number with the digits of its column, or those that fit its size.
function decimal(value, digits = null) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const fixed = digits === null ? digitsOf([value]) : digits;
  const text = size !== 0 && (size >= 1e7 || size < 0.5 * 10 ** -Math.max(4, fixed)) ? value.toExponential(2)
    : value.toLocaleString("en", { minimumFractionDigits: fixed, maximumFractionDigits: fixed });
  return text.replace("-", "−");
}

function digitsOf(values) {
  if (values.every((value) => Number.isInteger(value))) return 0;
  const sizes = values.map(Math.abs).filter((size) => size < 1e7).sort((one, other) => one - other);
  const typical = sizes[Math.floor(sizes.length / 2)] || 0;
  return typical >= 100 ? 1 : typical >= 10 ? 2 : typical >= 2 ? 3 : 4;
}

function title(name) {
  const text = name.replaceAll("_", " ").trim();
  return text ? text[0].toUpperCase() + text.slice(1) : name;
}

function moment(milliseconds) {
  if (milliseconds === null) return "–";
  return new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ");
}

const day = (milliseconds) => (milliseconds === null ? "–" : moment(milliseconds).slice(0, 10));

let hanging = null;

function later(work, delay = 120) {
  clearTimeout(hanging);
  hanging = setTimeout(work, delay);
}

const tip = el("div", { class: "tip", role: "status", hidden: true });
document.body.append(tip);

function showTip(event, heading, rows) {
  tip.replaceChildren(el("b", null, heading), ...rows.map((row) => el("div", null, row)));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const x = event.clientX + 14 + width > innerWidth ? event.clientX - 14 - width : event.clientX + 14;
  const y = event.clientY + 14 + height > innerHeight ? event.clientY - 14 - height : event.clientY + 14;
  tip.style.left = `${Math.max(4, x)}px`;
  tip.style.top = `${Math.max(4, y)}px`;
}

function hideTip() {
  tip.hidden = true;
}

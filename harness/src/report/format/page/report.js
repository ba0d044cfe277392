"use strict";
const results = [...document.querySelectorAll(".result")];
const families = [...document.querySelectorAll(".family")].map(family => ({ family, open: family.open }));
const chips = [...document.querySelectorAll(".chip")];
const suites = [...document.querySelectorAll(".suite")].map(suite => ({ suite, open: suite.open }));
const text = document.getElementById("text");
const level = document.getElementById("level");
const ready = unpacked();
let data = {};

// Each is drawn when it is first opened.
async function draw(result) {
  if (result.dataset.drawn) return;
  result.dataset.drawn = "yes";
  const all = await ready;
  result.append(make("div", "body", ...evidence(all[result.id])));
}

function words(result) {
  const { title, observed, covers } = data[result.id] ?? { title: "", observed: "", covers: [] };
  return `${result.id} ${title} ${observed ?? ""} ${covers.join(" ")}`.toLowerCase();
}

function filter() {
  const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const off = new Set(chips.filter(c => c.getAttribute("aria-pressed") === "false").map(c => c.dataset.verdict));
  let shown = 0;
  for (const result of results) {
    const { verdict, level: weight } = result.dataset;
    const said = wanted.length ? words(result) : "";
    const hit = !off.has(verdict) && (!level.value || level.value === weight) && wanted.every(w => said.includes(w));
    result.hidden = !hit;
    shown += hit;
  }
  // What was searched for is not hidden in what is folded.
  const searched = wanted.length > 0 || off.size > 0 || level.value !== "";
  const unfold = element => element.hidden = !element.querySelector(".result:not([hidden])");
  for (const { family, open } of families) {
    unfold(family);
    if (family.tagName === "DETAILS") family.open = searched || open;
  }
  for (const { suite, open } of suites) {
    unfold(suite);
    suite.open = searched || open;
  }
  document.getElementById("nothing").hidden = shown > 0;
}

// The first press shows one verdict alone, further ones add to it; none left shows all again.
function press(chip) {
  const pressed = c => c.getAttribute("aria-pressed") === "true";
  if (chips.every(pressed)) chips.forEach(c => c.setAttribute("aria-pressed", String(c === chip)));
  else chip.setAttribute("aria-pressed", String(!pressed(chip)));
  if (!chips.some(pressed)) chips.forEach(c => c.setAttribute("aria-pressed", "true"));
  filter();
}

function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.closest(".suite")) return;
  // A link leads to its result, whatever was searched for before.
  if (target.hidden) {
    text.value = level.value = "";
    chips.forEach(c => c.setAttribute("aria-pressed", "true"));
    filter();
  }
  for (let outer = target; outer; outer = outer.parentElement) if (outer.tagName === "DETAILS") outer.open = true;
  target.scrollIntoView();
}

if (text) {
  text.addEventListener("input", filter);
  level.addEventListener("input", filter);
  for (const chip of chips) chip.addEventListener("click", () => press(chip));
}
for (const result of results) {
  result.addEventListener("toggle", () => result.open && draw(result));
  if (result.open) draw(result);
}
addEventListener("hashchange", follow);
ready.then(unpacked => {
  data = unpacked;
  if (text) filter();
  follow();
});

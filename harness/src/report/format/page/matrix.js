"use strict";
const rows = [...document.querySelectorAll(".cells .row")];
const suites = [...document.querySelectorAll("[data-suite]")].map(suite => ({ suite, folded: suite.classList.contains("folded") }));
const [text, level, show] = ["text", "level", "show"].map(id => document.getElementById(id));
const panel = document.getElementById("panel");
const ready = unpacked();
let data = { subjects: [], families: {} };

function words(row) {
  const cases = data.families[row.dataset.case] ?? [];
  return cases.map(one => `${one.case} ${one.title} ${one.covers.join(" ")}`).join(" ").toLowerCase();
}

function filter() {
  const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const said = wanted.length ? words(row) : "";
    const hit = (!level.value || level.value === row.dataset.level) && (!show.value || show.value in row.dataset) && wanted.every(w => said.includes(w));
    row.hidden = !hit;
    for (let below = row.nextElementSibling; below?.classList.contains("below"); below = below.nextElementSibling) below.hidden = !hit;
    shown += hit;
  }
  // What was searched for is not hidden in a folded suite.
  const searched = wanted.length > 0 || level.value !== "" || show.value !== "";
  for (const { suite, folded } of suites) {
    suite.hidden = !suite.querySelector(".row:not([hidden])");
    fold(suite, !searched && folded);
  }
  document.getElementById("nothing").hidden = shown > 0;
}

function fold(suite, folded) {
  suite.classList.toggle("folded", folded);
  suite.querySelector(".fold").setAttribute("aria-expanded", String(!folded));
}

// A failure is one, also where somebody has written down that it is known.
function cell(result, subject) {
  if (!result) return make("span", "none", "–");
  const known = result.verdict === "known";
  const button = make("button", `cell ${known ? "fail" : result.verdict}`, make("span", "verdict", known ? "fail, known" : result.verdict));
  button.type = "button";
  button.dataset.subject = subject;
  button.title = result.observed ?? result.reason ?? "";
  return button;
}

async function unfold(row) {
  await ready;
  const button = row.querySelector(".unfold");
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  if (open) {
    while (row.nextElementSibling?.classList.contains("below")) row.nextElementSibling.remove();
    return;
  }
  const below = data.families[row.dataset.case].map(one => {
    const name = one.case.slice(one.case.indexOf("[") + 1, -1);
    const head = make("th", "", make("span", "mono", name));
    const line = make("tr", "below", head, ...one.results.map((result, at) => make("td", "", cell(result, at))));
    line.dataset.case = one.case;
    return line;
  });
  row.after(...below);
}

function open(id, subject) {
  const family = data.families[id.split("[")[0]] ?? [];
  const one = family.find(one => one.case === id);
  const result = one?.results[subject];
  if (!result) return;
  document.getElementById("shown").replaceChildren(make("div", result.verdict,
    make("h2", "", one.title),
    make("p", "mono", id),
    make("p", "", make("span", "verdict", result.verdict), " " + data.subjects[subject]),
    ...evidence(result)));
  history.replaceState(null, "", `#${encodeURIComponent(id)}~${subject}`);
  panel.showModal();
}

// The address of a cell leads back to it.
function follow() {
  const [id, subject] = location.hash.slice(1).split("~");
  if (subject) open(decodeURIComponent(id), Number(subject));
}

for (const input of [text, level, show]) input.addEventListener("input", filter);
document.querySelector(".cells").addEventListener("click", async event => {
  const row = event.target.closest(".row, .below");
  const suite = event.target.closest(".fold")?.closest("tbody");
  if (suite) return fold(suite, !suite.classList.contains("folded"));
  if (event.target.closest(".unfold")) return unfold(row);
  const cell = event.target.closest(".cell");
  if (!cell) return;
  if (row.querySelector(".unfold")) return unfold(row);
  await ready;
  open(row.dataset.case, Number(cell.dataset.subject));
});
// A press beside the panel closes it.
panel.addEventListener("click", event => event.target === panel && panel.close());
panel.addEventListener("close", () => history.replaceState(null, "", location.pathname + location.search));
addEventListener("hashchange", follow);
ready.then(unpacked => {
  data = unpacked;
  filter();
  follow();
});

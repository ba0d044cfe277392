"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const rows = [...document.querySelectorAll(".cells .row")];
const [text, level, show] = ["text", "level", "show"].map(id => document.getElementById(id));
const panel = document.getElementById("panel");

function filter() {
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const { text: said, level: weight } = row.dataset;
    const hit = (!level.value || level.value === weight) && (!show.value || show.value in row.dataset) && words.every(w => said.includes(w));
    row.hidden = !hit;
    shown += hit;
  }
  for (const body of document.querySelectorAll(".cells tbody")) body.hidden = !body.querySelector(".row:not([hidden])");
  document.getElementById("nothing").hidden = shown > 0;
}

// Whatever a proxy said is text here, never markup.
function make(name, classes, ...children) {
  const element = document.createElement(name);
  element.className = classes;
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

function legs(rows) {
  const heads = ["c", "p", "s"].map((side, at) => make("span", side, ["client", "proxy", "server"][at]));
  const drawn = rows.map(row => row.fold
    ? make("div", "more", make("span", "", "⋮ " + row.fold))
    : make("div", `row ${row.leg} ${row.side} ${row.kind}`,
        make("time", "", row.at + " ms"),
        make("div", "msg", row.who ? make("span", "who", row.who) : null, make("code", "", row.text))));
  // Where nobody came to the server, the client's leg has all the room.
  const alone = rows.every(row => row.leg !== "server");
  return make("div", alone ? "legs alone" : "legs", make("div", "heads", ...heads), make("div", "rows", ...drawn));
}

function open(cell) {
  const id = cell.closest("tr").dataset.case;
  const row = data.cases[id];
  const result = row.results[cell.dataset.subject];
  const list = make("dl", "said");
  const say = (label, said, classes = "") => said && list.append(make("dt", "", label), make("dd", classes, said));
  result.expected.forEach((expected, at) => say(at ? "or" : "expected", expected));
  say("observed", result.observed, "observed");
  say(["known", "healed"].includes(result.verdict) ? "listed" : "reason", result.reason);
  const links = row.cites.map(cite => {
    const link = make(cite.url ? "a" : "span", "", cite.name);
    if (cite.url) link.href = cite.url;
    return link;
  });
  document.getElementById("shown").replaceChildren(make("div", result.verdict,
    make("h2", "", row.title),
    make("p", "mono", id),
    make("p", "", make("span", "verdict", result.verdict), " " + data.subjects[cell.dataset.subject]),
    list,
    result.rows.length ? legs(result.rows) : null,
    result.subject_said ? make("pre", "subject", result.subject_said) : null,
    make("p", "again", make("code", "", result.again)),
    make("p", "tags", ...links, ...row.covers.map(cover => make("span", "", cover)), make("span", "", row.source))));
  panel.showModal();
}

for (const input of [text, level, show]) input.addEventListener("input", filter);
document.querySelector(".cells").addEventListener("click", event => {
  const cell = event.target.closest(".cell");
  if (cell) open(cell);
});
// A press beside the panel closes it.
panel.addEventListener("click", event => event.target === panel && panel.close());
filter();

"use strict";
const results = [...document.querySelectorAll(".result")];
const families = [...document.querySelectorAll(".family")];
const chips = [...document.querySelectorAll(".chip")];
const suites = [...document.querySelectorAll(".suite")].map(suite => ({ suite, open: suite.open }));
const text = document.getElementById("text");
const level = document.getElementById("level");

function filter() {
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const off = new Set(chips.filter(c => c.getAttribute("aria-pressed") === "false").map(c => c.dataset.verdict));
  let shown = 0;
  for (const result of results) {
    const { verdict, text: said, level: weight } = result.dataset;
    const hit = !off.has(verdict) && (!level.value || level.value === weight) && words.every(w => said.includes(w));
    result.hidden = !hit;
    shown += hit;
  }
  for (const family of families) family.hidden = !family.querySelector(".result:not([hidden])");
  // What was searched for is not hidden in a folded suite.
  const searched = words.length > 0 || off.size > 0 || level.value !== "";
  for (const { suite, open } of suites) {
    suite.hidden = !suite.querySelector(".result:not([hidden])");
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
  target.closest(".suite").open = true;
  target.open = true;
  target.scrollIntoView();
}

if (text) {
  text.addEventListener("input", filter);
  level.addEventListener("input", filter);
  for (const chip of chips) chip.addEventListener("click", () => press(chip));
  filter();
}
for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "copied";
  });
}
addEventListener("hashchange", follow);
follow();

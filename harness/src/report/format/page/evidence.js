// Whatever a proxy said is text here, never markup.
function make(name, classes, ...children) {
  const element = document.createElement(name);
  if (classes) element.className = classes;
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

// What the page was made from is packed: a page is small, and what nobody opens is never drawn.
async function unpacked() {
  const packed = Uint8Array.from(atob(document.getElementById("data").textContent.trim()), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
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

// What was demanded, what was seen, what passed, and how to see it again.
function evidence(result) {
  const list = make("dl", "said");
  const say = (label, said, classes = "") => said && list.append(make("dt", "", label), make("dd", classes, said));
  result.expected.forEach((expected, at) => say(at ? "or" : "expected", expected));
  say(result.verdict === "healed" ? "now" : "observed", result.observed, "observed");
  say(["known", "healed"].includes(result.verdict) ? "listed" : "reason", result.reason);
  if (result.verdict === "healed") say("remedy", "take the entry off the list of known deviations");
  const copy = make("button", "copy", "copy");
  copy.type = "button";
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(result.again);
    copy.textContent = "copied";
  });
  const links = result.cites.map(cite => {
    const link = make(cite.url ? "a" : "span", "", cite.name);
    if (cite.url) link.href = cite.url;
    return link;
  });
  const also = [...result.covers, result.source, result.setup && `setup ${result.setup}`, `${result.took_ms} ms`].filter(Boolean);
  return [
    list,
    result.rows.length ? legs(result.rows) : null,
    result.subject_said ? make("pre", "subject", result.subject_said) : null,
    make("p", "again", make("code", "", result.again), copy),
    make("p", "tags", ...links, ...also.map(said => make("span", "", said))),
  ].filter(part => part !== null);
}

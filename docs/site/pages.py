#!/usr/bin/env python3
"""Lays out the pages of the documentation site in a folder: those of the repository, and those that its program can tell.

Usage: pages.py FOLDER; in the folder, coverage.json and list.json are what `connectspec coverage` and `connectspec list` said.
"""

import json
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
REPOSITORY = "https://github.com/connectspec/connectspec"
# Where a file of the repository stands on the site.
PAGES = {
    "README.md": "index.md",
    "docs/describe-your-proxy.md": "describe-your-proxy.md",
    "docs/audit.md": "audit.md",
    "docs/names-and-addresses.md": "names-and-addresses.md",
    "docs/releasing.md": "releasing.md",
    "ci/templates/README.md": "ci.md",
    "examples/README.md": "cargo-test.md",
    "packages/pypi/README.md": "pytest.md",
    "packages/npm/connectspec/README.md": "node-test.md",
    "RESULTS.md": "results.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
}


def main(folder):
    folder = pathlib.Path(folder)
    for source, page in PAGES.items():
        (folder / page).write_text(linked(source))
    shutil.copytree(ROOT / "docs/pictures", folder / "pictures", dirs_exist_ok=True)
    shutil.copy(ROOT / "docs/site/site.css", folder)
    sections = json.loads((folder / "coverage.json").read_text())["sections"]
    cases = json.loads((folder / "list.json").read_text())["cases"]
    (folder / "requirements.md").write_text(requirements(sections))
    (folder / "cases.md").write_text(catalogue(cases))


def linked(source):
    """The text of a file, with links that lead to where their targets stand now."""
    folder = (ROOT / source).parent
    text = (ROOT / source).read_text()

    def moved(link):
        opening, target, closing = link.groups()
        path, hash_, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not path:
            return link.group()
        file = (folder / path).resolve()
        if not file.exists():
            raise SystemExit(f"{source}: {target} leads nowhere")
        name = str(file.relative_to(ROOT))
        if file.is_dir() and f"{name}/README.md" in PAGES:
            name = f"{name}/README.md"
        if name in PAGES:
            return f"{opening}{PAGES[name]}{hash_}{anchor}{closing}"
        if name.startswith("docs/pictures/"):
            return f"{opening}{name.removeprefix('docs/')}{closing}"
        kind = "tree" if file.is_dir() else "blob"
        return f"{opening}{REPOSITORY}/{kind}/main/{name}{hash_}{anchor}{closing}"

    return re.sub(r"(\]\()([^)\s]+)(\))", moved, text)


def requirements(sections):
    lines = ["# Requirements", "", "What specifications and good practice ask of a CONNECT proxy, where it stands, and which cases ask it.", ""]
    for section in sections:
        lines += [f"## {section['title']}", ""]
        for row in section["requirements"]:
            where = ", ".join(stands(row))
            lines += [f"**{row['id']}** · {row['level']} · {escaped(row['requirement'])} ({where})", ""]
            # Over TLS a case has the same name.
            cases = dict.fromkeys(re.sub(r"@[^/]*", "", case) for case in row["cases"])
            lines += [f"- [`{case}`](cases.md#{anchor(case)})" for case in cases]
            without = row["untestable"] or row["proven_by"]
            lines += [f"- No case: {escaped(without)}"] if without and not cases else []
            lines += [""]
    return "\n".join(lines)


def stands(row):
    if len(row["links"]) != len(row["stands_in"]):
        return row["stands_in"]
    return [f"[{name}]({link})" for name, link in zip(row["stands_in"], row["links"])]


def catalogue(cases):
    """One entry a case: the rows of a family, and the versions of HTTP, together."""
    families = {}
    for case in cases:
        plain = re.sub(r"\[.*", "", re.sub(r"@[^/]*", "", case["case"]))
        families.setdefault(plain, []).append(case)
    lines = ["# Cases", "", "`connectspec explain CASE` says why each matters, what is sent, and what is accepted.", ""]
    suite = None
    for name, asked in families.items():
        if suite != name.split("/")[0]:
            suite = name.split("/")[0]
            lines += [f"## {suite}", ""]
        first = asked[0]
        rows = list(dict.fromkeys(row for case in asked for row in re.findall(r"\[(.*)\]", case["case"])))
        over = list(dict.fromkeys(case["over"] for case in asked))
        # Of the first row in the clear; over TLS a listener with TLS comes on top.
        needs = first["needs"]
        source, line = first["source"].rsplit(":", 1)
        lines += [f'<a id="{anchor(name)}"></a>`{name}` · {first["level"]} · {escaped(first["title"])} [source]({REPOSITORY}/blob/main/{source}#L{line})', ""]
        lines += [f"- asked of {', '.join(f'`{row}`' for row in rows)}"] if rows else []
        lines += [f"- needs {', '.join(needs)}"] if needs else []
        lines += [f"- over {', '.join(over)}"] if over != ["http/1.1"] else []
        lines += ["- slow: asked with `--slow`"] if first["slow"] else []
        lines += [""]
    return "\n".join(lines)


def anchor(case):
    return re.sub(r"\[.*", "", case).replace("/", "-")


def escaped(text):
    return text.replace("<", "&lt;").replace("*", "\\*")


main(*sys.argv[1:])

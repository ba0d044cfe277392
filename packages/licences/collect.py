#!/usr/bin/env python3
"""Prints the licences of everything that the program is linked from: whoever hands on a binary has to hand them on, too.

Usage: collect.py TARGET; reads the sources that cargo has fetched.
"""

import json
import pathlib
import subprocess
import sys

# What crates call the files with their terms.
NAMES = ("licen", "copying", "notice", "copyright", "unlicense")
HERE = pathlib.Path(__file__).parent


def main(target):
    metadata = json.loads(subprocess.check_output(
        ["cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={target}"]))
    texts = {}
    without = []
    for package in linked(metadata):
        if package["source"] is None:
            continue  # Our own: LICENSE-MIT and LICENSE-APACHE.
        name = f"{package['name']} {package['version']}"
        files = terms(pathlib.Path(package["manifest_path"]).parent)
        for text in files:
            texts.setdefault(text, []).append(name)
        if not files:
            without.append(f"{name}: {package['license']}, {package['repository']}")
    print("What connectspec is linked from, besides its own code: the Rust standard library (MIT or Apache-2.0) and these.\n")
    print((HERE / "musl.txt").read_text())
    for text, names in sorted(texts.items(), key=lambda entry: entry[1]):
        print("=" * 78, *sorted(names), "-" * 78, text, sep="\n", end="\n\n")
    print("=" * 78, "These come without a file of terms; what they declare:", *sorted(without), sep="\n")


def linked(metadata):
    """The packages that the program contains: no build scripts, no macros, no tests."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [id for id, package in packages.items() if package["name"] == "connectspec"]
    seen = set()
    while waiting:
        id = waiting.pop()
        if id in seen or is_macro(packages[id]):
            continue
        seen.add(id)
        for dependency in nodes[id]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    return sorted((packages[id] for id in seen), key=lambda package: (package["name"], package["version"]))


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


def terms(folder):
    files = (file for file in folder.iterdir() if file.is_file() and file.name.lower().startswith(NAMES))
    return [file.read_text(errors="replace").strip() for file in sorted(files)]


main(*sys.argv[1:])

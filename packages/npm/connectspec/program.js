// Where the program is: in the package for this system, which npm installed beside this one.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The path of the program `connectspec`. */
export function program() {
  const name = `@connectspec/${process.platform}-${process.arch}`;
  try {
    return require.resolve(`${name}/bin/connectspec`);
  } catch {
    throw new Error(
      process.platform === "linux"
        ? `the package ${name} is missing; install connectspec again, with its optional dependencies`
        : `connectspec runs on Linux, and this is ${process.platform}; use a container`,
    );
  }
}

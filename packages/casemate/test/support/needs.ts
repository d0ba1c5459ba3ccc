import { spawnSync } from "node:child_process"

/** What a suite cannot do without, and how one gets it. */
export interface Need {
  readonly isHere: boolean
  readonly how: string
}

export const LINUX: Need = {
  isHere: process.platform === "linux",
  how: "it reads /proc, so run it on Linux, such as in a container with Node 20",
}

export const PYTHON: Need = {
  isHere: spawnSync("python3", ["-c", "import pty"]).status === 0,
  how: "it needs python3 for a terminal: apt-get install python3, or brew install python",
}

/** A title that says, where the suite is skipped, what to do about it; `npm test` shows it. */
export function titled(title: string, { isHere, how }: Need): string {
  return isHere ? title : `${title} (${how})`
}

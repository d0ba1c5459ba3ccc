import { spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"

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

/** Where browsers of this family are: Debian's, others' packages, a Mac's applications. */
const BROWSERS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]

/** `CASEMATE_CHROMIUM` names another one, and then no other is taken. */
export const chromiumPath = [process.env["CASEMATE_CHROMIUM"] ?? BROWSERS].flat().find(isExecutable)

export const CHROMIUM: Need = {
  isHere: chromiumPath !== undefined,
  how: "it needs Chromium: apt-get install chromium, or CASEMATE_CHROMIUM=/path/to/chrome",
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A title that says, where the suite is skipped, what to do about it; `npm test` shows it. */
export function titled(title: string, { isHere, how }: Need): string {
  return isHere ? title : `${title} (${how})`
}

import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))

/** `npm test` for one file, on a machine where nothing else is installed. */
function runSuite(
  folder: string,
  env: NodeJS.ProcessEnv,
  suite = "packages/casemate/test/cli-terminal",
): Promise<{ code: number; stdout: string }> {
  const args = [join(root, "scripts", "test.mjs"), suite]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, env: { PATH: folder, ...env } }, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout }),
    )
  })
}

it("npm test says of a suite that it skipped, once, how to get what is missing; CI fails over it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "casemate-skipped-"))
  try {
    const { code, stdout } = await runSuite(folder, {})
    const lines = stdout.split("\n").filter((line) => line.startsWith("skipped: "))
    expect(lines).toContain(
      "skipped: the first run on a terminal (it needs python3 for a terminal: apt-get install python3, or brew install python)",
    )
    expect(new Set(lines).size).toBe(lines.length)
    for (const line of lines) expect(line).toMatch(/ install python/)
    expect(code).toBe(0)
    expect((await runSuite(folder, { CASEMATE_REQUIRE_ALL: "1" })).code).toBe(1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it("a suite that needs a browser is skipped in the same way", async () => {
  const folder = mkdtempSync(join(tmpdir(), "casemate-skipped-"))
  try {
    const suite = "packages/casemate/test/browser/support/watched"
    const { code, stdout } = await runSuite(folder, { CASEMATE_CHROMIUM: join(folder, "none") }, suite)
    expect(stdout.split("\n").filter((line) => line.startsWith("skipped: "))).toEqual([
      "skipped: what watches the browser (it needs Chromium: apt-get install chromium, or CASEMATE_CHROMIUM=/path/to/chrome)",
    ])
    expect(code).toBe(0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

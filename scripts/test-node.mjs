// Runs the library's tests on other versions of Node than the one that runs this: `node scripts/test-node.mjs 22 24`.
// Each comes from npm, as the package `node`, into a folder of its own. CASEMATE_REQUIRE_ALL=1 (CI) turns a
// version that cannot be had into a failure.
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const vitest = join(root, "node_modules", "vitest", "vitest.mjs")

for (const version of process.argv.slice(2)) {
  const folder = mkdtempSync(join(tmpdir(), `casemate-node-${version}-`))
  try {
    const installed = install(version, folder)
    if (installed === undefined) {
      console.log(`skipped: the library on Node ${version}; \`npm install node@${version}\` has to work for it`)
      if (process.env.CASEMATE_REQUIRE_ALL === "1") process.exitCode = 1
      continue
    }
    console.log(`the library on Node ${installed.version}`)
    const { status } = spawnSync(installed.path, [vitest, "run", "--reporter=default", "packages/nip46"], {
      cwd: root,
      stdio: "inherit",
    })
    if (status !== 0) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where its executable is, and which version it says it is; undefined when it cannot be had or is another. */
function install(version, folder) {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm"
  const args = ["install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", "--silent", `node@${version}`]
  spawnSync(npm, args, {
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
    timeout: 300_000,
  })
  const path = join(folder, "node_modules", "node", "bin", "node")
  const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8" })
  return status === 0 && stdout.startsWith(`v${version}.`) ? { path, version: stdout.trim() } : undefined
}

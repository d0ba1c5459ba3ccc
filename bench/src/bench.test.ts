import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { chooseCurve } from "@casemate/nip46/crypto/node"
import { describe, expect, it } from "vitest"
import { LINUX, titled } from "../../packages/casemate/test/support/needs.js"
import type { Report } from "./report.js"

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url))

async function runBench(args: readonly string[]): Promise<{ stdout: string; report: Report }> {
  const folder = mkdtempSync(join(tmpdir(), "casemate-bench-test-"))
  const json = join(folder, "report.json")
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...args, "--json", json])
    return { stdout, report: JSON.parse(readFileSync(json, "utf8")) as Report }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe.skipIf(!LINUX.isHere)(titled("the bench", LINUX), () => {
  it("was built: run npm run build:bench", () => {
    expect(existsSync(main)).toBe(true)
  })

  it("measures the bunker and the bare loop, and verifies what they sign", { timeout: 120_000 }, async () => {
    const { kind } = chooseCurve()
    const args = ["--rounds", "2", "--seconds", "0.5", "--warmup", "0.2", "--in-flight", "8"]
    const { stdout, report } = await runBench([...args, "--only", `${kind},bare`])
    expect(report.rows.map(({ name }) => name)).toEqual([kind, "bare"])
    for (const { title, requests, verified, signerCpu, memoryMb, rounds } of report.rows) {
      expect(stdout.split("\n").filter((line) => line.startsWith(title))).toHaveLength(1)
      expect(rounds).toHaveLength(2)
      expect(requests).toBe(rounds.reduce((sum, round) => sum + round.requests, 0))
      expect(verified).toBeGreaterThan(0)
      expect(signerCpu).toBeGreaterThan(0)
      expect(memoryMb).toBeGreaterThan(0)
    }
    expect(report.ratios).toEqual([{ of: kind, to: "bare", cpu: expect.any(Number) }])
    expect(stdout).toContain(`${kind} / bare = `)
  })

  it("names what it does not understand", async () => {
    const failed = await promisify(execFile)(process.execPath, [main, "--rounds", "none"]).catch((error) => error)
    expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining('not "none"') })
  })
})

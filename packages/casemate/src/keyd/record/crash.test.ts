import { spawn } from "node:child_process"
import { createHmac } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { openSqliteRecord } from "./sqlite-record.js"

const ROUNDS = 5
const CHILD = fileURLToPath(new URL("./crash-child.mjs", import.meta.url))

const mac = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHmac("sha256", "crash").update(bytes).digest())
const seal = {
  mac,
  sealHead: (_: string, head: Uint8Array) => head,
  openHead: (_: string, sealed: Uint8Array) => sealed,
}

/** Runs the child until it has acknowledged this many lines, kills it, and returns all that it acknowledged. */
async function killAfter(lines: number, path: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, path, String(round)], { stdio: ["ignore", "pipe", "inherit"] })
  const ended = once(child, "exit")
  const acknowledged: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line)
    if (acknowledged.length === lines) child.kill("SIGKILL")
  }
  await ended
  expect(child.signalCode).toBe("SIGKILL")
  return acknowledged
}

test("what was acknowledged before kill -9 is there after it, and the audit chain holds", async () => {
  const folder = mkdtempSync(join(tmpdir(), "casemate-crash-"))
  const path = join(folder, "record.db")
  const acknowledged = new Set<string>()
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      for (const line of await killAfter(150 + round * 37, path, round)) acknowledged.add(line)
      const record = openSqliteRecord(path, { seal })
      for (const line of acknowledged) {
        const [what, eventId = ""] = line.split(" ")
        const recall = await record.recall(eventId, "", 0)
        expect([line, recall.kind]).toEqual([line, "duplicate"])
        if (what === "answered") expect(recall).toHaveProperty("claim.answer.id")
      }
      expect((await record.connections()).length).toBe(round)
      expect(await record.verifyAudit()).toMatchObject({ ok: true })
      await record.close()
    }
    expect(acknowledged.size).toBeGreaterThan(ROUNDS * 150)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

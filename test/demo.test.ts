import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, it } from "vitest"

const demo = fileURLToPath(new URL("../examples/demo.mjs", import.meta.url))

it("npm run demo tells the whole story and ends by itself", async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [demo], { timeout: 25_000 })
  expect(stderr).toBe("")
  const story = [
    "bunker  starts, makes a key, and prints a token for one app:",
    "app     connects with the token",
    "bunker  signs it: id ",
    "checked by nostr-tools: the signature is the user's",
    "bunker  refuses, before any key is touched:",
    "“signing kind 0 is not permitted for this app",
    "“this connection token was already used by another app",
  ]
  let from = 0
  for (const line of story) {
    const at = stdout.indexOf(line, from)
    expect(at, `the demo says “${line}” in its place`).toBeGreaterThanOrEqual(from)
    from = at + line.length
  }
})

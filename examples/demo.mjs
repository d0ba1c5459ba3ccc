// The story of Casemate in one terminal: a bunker starts, an app that nobody here wrote (nostr-tools'
// BunkerSigner) connects with its token, gets an event signed, and is refused another.
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { npubEncode } from "nostr-tools/nip19"
import { BunkerSigner, parseBunkerInput } from "nostr-tools/nip46"
import { SimplePool, useWebSocketImplementation } from "nostr-tools/pool"
import { generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { WebSocket } from "ws"

useWebSocketImplementation(WebSocket)

const casemate = fileURLToPath(new URL("../packages/casemate/bin/casemate.js", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "casemate-demo-"))

const say = (who, line, ...details) => {
  console.log(`${who.padEnd(7)} ${line}`)
  for (const detail of details) console.log(`        ${detail}`)
}
const short = (text) => (text.length > 88 ? `${text.slice(0, 85)}…` : text)

const bunker = spawn(
  process.execPath,
  [casemate, "start", "--json", "--http", "localhost:0", "--data-dir", join(folder, "data")],
  { env: { ...process.env, CASEMATE_CONFIG_DIR: join(folder, "config") }, stdio: ["ignore", "pipe", "inherit"] },
)
const ended = new Promise((resolve) => bunker.once("exit", resolve))
const pool = new SimplePool()

try {
  console.log("\nA bunker keeps a Nostr key and signs for apps that never see it. Here is one, and an app.\n")

  const ready = await new Promise((resolve, reject) => {
    createInterface(bunker.stdout).once("line", (line) => resolve(JSON.parse(line)))
    void ended.then((code) => reject(new Error(`the bunker ended with exit code ${code}`)))
  })
  say("bunker", "starts, makes a key, and prints a token for one app:", short(ready.bunker))
  say(
    "",
    `it signs as ${npubEncode(ready.userPubkey)}`,
    "the token is good for one app and for an hour; the key is not in it",
    "",
  )

  const appKey = generateSecretKey()
  const app = BunkerSigner.fromBunker(appKey, await parseBunkerInput(ready.bunker), { pool })
  await app.connect({ name: "Demo notes" })
  say(
    "app",
    "connects with the token and says that it is called “Demo notes”",
    `its own throwaway key is ${getPublicKey(appKey).slice(0, 16)}…`,
    "",
  )

  const user = await app.getPublicKey()
  say("app", "asks whose signatures it will get:", npubEncode(user), "")

  const note = await app.signEvent({
    kind: 1,
    content: "Hello from an app that has never seen my key",
    tags: [],
    created_at: Math.floor(Date.now() / 1000),
  })
  say("app", "asks to have a note (kind 1) signed, which the token permits:")
  say(
    "bunker",
    `signs it: id ${note.id.slice(0, 16)}…, sig ${note.sig.slice(0, 16)}…`,
    `checked by nostr-tools: ${verifyEvent(note) ? "the signature is the user's" : "WRONG"}`,
    "",
  )

  const refusal = await app
    .signEvent({ kind: 0, content: '{"name":"someone else"}', tags: [], created_at: note.created_at })
    .then(() => undefined, String)
  if (refusal === undefined) throw new Error("a profile was signed that nobody had permitted")
  say("app", "asks to have the user's profile (kind 0) replaced, which nobody permitted:")
  say("bunker", "refuses, before any key is touched:", `“${refusal}”`, "")

  const stranger = BunkerSigner.fromBunker(generateSecretKey(), await parseBunkerInput(ready.bunker), { pool })
  const answer = await stranger.connect().then(() => "connected", String)
  say("thief", "found the same token and tries it:", `“${answer}”`, "")
  await stranger.close()
  await app.close()

  say("", "Now your own:  npm start")
} finally {
  pool.destroy()
  bunker.kill("SIGTERM")
  await ended
  rmSync(folder, { recursive: true, force: true })
}

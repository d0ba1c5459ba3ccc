import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import { type Event, verifyEvent } from "nostr-tools/pure"
import { expect, it } from "vitest"
import { makeFolders, startBunker } from "../packages/casemate/test/support/bunker.js"

const root = fileURLToPath(new URL("..", import.meta.url))
const readme = readFileSync(`${root}README.md`, "utf8")

/** The README's block of code that has this word, run as it stands between a beginning and an end. */
async function runBlock(
  word: string,
  { before = "", after, token = "" }: { before?: string; after: string; token?: string },
): Promise<Record<string, unknown>> {
  const block = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(([, code]) => code ?? "")
    .find((code) => code.includes(word))
  if (block === undefined) throw new Error(`the README has no block with ${word}`)
  // Inside the project, so that its imports are found as a dependant would find them.
  const folder = `${root}node_modules/.cache/readme`
  // A name of its own: Node gives the same module again for the same file.
  const file = `${folder}/${process.pid}-${word}.mjs`
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, `${before}\n${block.replace("bunker://…", token)}\n${after}\n`)
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } finally {
    rmSync(file)
  }
}

it("the README's signer is a signer", async () => {
  const before = `const relays = ["wss://relay.example"]; const event = { kind: 1 }; const publish = () => {}`
  const { token, outcome } = await runBlock("SignerEngine", { before, after: "export { token, outcome }" })
  expect(token).toMatch(/^bunker:\/\/[0-9a-f]{64}\?relay=wss%3A%2F%2Frelay\.example&secret=[0-9a-f]{32}$/)
  expect(outcome).toEqual({ kind: "ignored", why: "malformed" })
})

it("the README's client signs in at a bunker", async () => {
  const folders = makeFolders()
  const bunker = await startBunker(folders)
  try {
    const { user, note } = await runBlock("BunkerSigner", {
      after: "await bunker.close()\nexport { user, note }",
      token: bunker.ready.bunker,
    })
    expect(user).toBe(bunker.ready.userPubkey)
    expect(note).toMatchObject({ kind: 1, content: "hello", pubkey: user })
    expect(verifyEvent(note as Event)).toBe(true)
  } finally {
    await bunker.stop()
    folders.remove()
  }
})

it("the README names only commands that there are", () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> }
  const named = [...readme.matchAll(/npm (?:run )?(start|test|demo|build|lint|format)\b/g)].map(([, name]) => name)
  expect(named).toEqual(expect.arrayContaining(["start", "test", "demo"]))
  for (const name of named) expect(Object.keys(scripts)).toContain(name)
})

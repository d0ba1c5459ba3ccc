import { randomUUID } from "node:crypto"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import { TOKEN_FINDING_CODES } from "@casemate/nip46/protocol"
import { type Event, verifyEvent } from "nostr-tools/pure"
import { expect, it } from "vitest"
import { casemate, makeFolders, startBunker } from "../packages/casemate/test/support/bunker.js"

const root = fileURLToPath(new URL("..", import.meta.url))
const readme = readFileSync(`${root}README.md`, "utf8")

/** The block of code of a page that has this word, run as it stands between a beginning and an end. */
async function runBlock(
  word: string,
  {
    page = "README.md",
    before = "",
    after,
    token = "",
  }: { page?: string; before?: string; after: string; token?: string },
): Promise<Record<string, unknown>> {
  const block = [...readFileSync(`${root}${page}`, "utf8").matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(([, code]) => code ?? "")
    .find((code) => code.includes(word))
  if (block === undefined) throw new Error(`${page} has no block with ${word}`)
  // Inside the project, so that its imports are found as a dependant would find them.
  const folder = `${root}node_modules/.cache/readme`
  // A name of its own: Node gives the same module again for the same file.
  const file = `${folder}/${process.pid}-${word}-${randomUUID()}.mjs`
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

it.each([
  ["README.md", "RemoteSigner.connect"],
  ["docs/guide/sign-in.md", "RemoteSigner.connect"],
])("the client of %s signs in at a bunker", async (page, word) => {
  const folders = makeFolders()
  const bunker = await startBunker(folders)
  try {
    const { user, note, stored } = await runBlock(word, {
      page,
      before: "const stored = []; const store = (session) => stored.push(session); const askToOpen = () => undefined",
      after: "signer.close()\nexport { user, note, stored }",
      token: bunker.ready.bunker,
    })
    expect(user).toBe(bunker.ready.userPubkey)
    expect(note).toMatchObject({ kind: 1, content: "hello", pubkey: user })
    expect(verifyEvent(note as Event)).toBe(true)
    expect(stored).toContainEqual(expect.objectContaining({ userPubkey: user }))
  } finally {
    await bunker.stop()
    folders.remove()
  }
})

it("the guide's pairing works, with a bunker that is given its token", async () => {
  const folders = makeFolders()
  const bunker = await startBunker(folders)
  try {
    const { user } = await runBlock("RemoteSigner.pair", {
      page: "docs/guide/sign-in.md",
      before: `import { execFile } from "node:child_process"
const relays = ${JSON.stringify(bunker.ready.relays)}
const stored = []; const store = (session) => stored.push(session); const askToOpen = () => undefined
const showQrCode = (uri) => execFile(process.execPath, [${JSON.stringify(casemate)}, "pair", uri, "--yes", "--no-wait", "--data-dir", ${JSON.stringify(folders.data)}], { env: { ...process.env, CASEMATE_CONFIG_DIR: ${JSON.stringify(folders.config)} } })`,
      after: "signer.close()\nexport { user }",
    })
    expect(user).toBe(bunker.ready.userPubkey)
  } finally {
    await bunker.stop()
    folders.remove()
  }
})

it("the guide to tokens names every finding, and none that there is not", () => {
  const guide = readFileSync(`${root}docs/guide/tokens.md`, "utf8")
  const named = guide
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code))
  expect(new Set(named)).toEqual(new Set<string>(TOKEN_FINDING_CODES))
  expect(named).toHaveLength(TOKEN_FINDING_CODES.length)
})

it("the README names only commands that there are", () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> }
  const named = [...readme.matchAll(/npm (?:run )?(start|test|demo|build|lint|format)\b/g)].map(([, name]) => name)
  expect(named).toEqual(expect.arrayContaining(["start", "test", "demo"]))
  for (const name of named) expect(Object.keys(scripts)).toContain(name)
})

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import { expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const readme = readFileSync(`${root}README.md`, "utf8")

/** The README's block of code that has these words, run as it stands between a beginning and an end. */
async function runBlock(words: string, before: string, after: string): Promise<Record<string, unknown>> {
  const block = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(([, code]) => code ?? "")
    .find((code) => code.includes(words))
  if (block === undefined) throw new Error(`the README has no block with ${words}`)
  // Inside the project, so that its imports are found as a dependant would find them.
  const folder = `${root}node_modules/.cache/readme`
  const file = `${folder}/${process.pid}.mjs`
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, `${before}\n${block}\n${after}\n`)
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } finally {
    rmSync(file)
  }
}

it("the README's signer is a signer", async () => {
  const before = `const relays = ["wss://relay.example"]; const event = { kind: 1 }; const publish = () => {}`
  const { token, outcome } = await runBlock("SignerEngine", before, "export { token, outcome }")
  expect(token).toMatch(/^bunker:\/\/[0-9a-f]{64}\?relay=wss%3A%2F%2Frelay\.example&secret=[0-9a-f]{32}$/)
  expect(outcome).toEqual({ kind: "ignored", why: "malformed" })
})

it("the README names only commands that there are", () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> }
  const named = [...readme.matchAll(/npm (?:run )?(start|test|demo|build|lint|format)\b/g)].map(([, name]) => name)
  expect(named).toEqual(expect.arrayContaining(["start", "test", "demo"]))
  for (const name of named) expect(Object.keys(scripts)).toContain(name)
})

import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"
import { expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const modules = join(root, "node_modules")

/** Every module that a browser's bundle of an entry is made of, and what it would leave to the platform's loader. */
async function bundleOf(entry: string): Promise<{ rooms: string[]; packages: string[]; left: string[] }> {
  const { metafile } = await build({
    stdin: { contents: `export * from "@casemate/nip46/${entry}"`, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "browser",
    logLevel: "silent",
    metafile: true,
    write: false,
  })
  const files = Object.keys(metafile.inputs).filter((file) => file !== "<stdin>")
  const theirs = files.filter((file) => file.includes("node_modules/"))
  const ours = files.filter((file) => !theirs.includes(file))
  const left = Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external))
  return {
    rooms: distinct(ours.map((file) => /^(packages\/.+?\/dist\/[^/]+)/.exec(file)?.[1] ?? file)),
    packages: distinct(theirs.map((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file)),
    left: left.map(({ path }) => path),
  }
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

it("the client's bundle holds no signer, no test tools and nothing of Node", async () => {
  expect(await bundleOf("client")).toEqual({
    rooms: ["client", "crypto", "discovery", "protocol", "transport"].map((room) => `packages/nip46/dist/${room}`),
    packages: ["@noble/ciphers", "@noble/hashes", "@noble/secp256k1"],
    left: [],
  })
})

it("would find a signer in a bundle, and Node", async () => {
  expect((await bundleOf("signer")).rooms).toContain("packages/nip46/dist/signer")
  await expect(bundleOf("crypto/node")).rejects.toThrow('Could not resolve "node:crypto"')
})

const BROWSER = {
  module: "nodenext",
  target: "es2023",
  lib: ["es2023", "dom", "dom.iterable"],
  types: [],
  strict: true,
  noEmit: true,
}

/** All files that the types of a program are made of, for a browser: the DOM, and no types but those it imports. */
async function typesOf(program: string): Promise<string[]> {
  const folder = await mkdtemp(join(modules, ".cache-types-"))
  try {
    await writeFile(join(folder, "package.json"), '{ "type": "module" }')
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: BROWSER, files: ["app.ts"] }))
    await writeFile(join(folder, "app.ts"), program)
    const tsc = join(modules, "typescript", "bin", "tsc")
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, "--listFiles"], { cwd: folder })
    return stdout.trim().split("\n")
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** As an app of a browser uses it. */
const APP = `
import { Nip46Error, RemoteSigner, type Session } from "@casemate/nip46/client"
export async function sign(session: Session): Promise<string> {
  try {
    const signer = RemoteSigner.restore(session, { webSocket: (url) => new WebSocket(url), fetch: window.fetch })
    return (await signer.signEvent({ kind: 1, content: "hello" })).sig
  } catch (error) {
    return error instanceof Nip46Error ? error.code : "unknown"
  }
}
`

it("the client's types are whole without those of Node", async () => {
  const files = await typesOf(APP)
  const ours = files.map((file) => relative(root, file).split(sep).join("/"))
  expect(ours).toContain("packages/nip46/dist/client/remote-signer.d.ts")
  expect(ours.filter((file) => /@types\/|undici-types|dist\/(signer|testing|crypto\/node)\//.test(file))).toEqual([])
}, 60_000)

it("would find Node's types, and miss what only they have", async () => {
  const files = await typesOf(`/// <reference types="node" />`)
  expect(files.some((file) => file.includes("@types/node/"))).toBe(true)
  await expect(typesOf("export let bytes: Buffer")).rejects.toMatchObject({ stdout: expect.stringContaining("Buffer") })
}, 60_000)

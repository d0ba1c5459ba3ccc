import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

/**
 * The import table of docs/ARCHITECTURE.md, held against the code. A room may import itself, what stands
 * beside its name here, and npm packages. Tests may import anything.
 */
const TABLE: Record<string, readonly string[]> = {
  "nip46/protocol": [],
  "nip46/crypto": ["nip46/protocol"],
  "nip46/transport": ["nip46/protocol"],
  "nip46/discovery": ["nip46/protocol", "nip46/crypto", "nip46/transport"],
  // Apps connect with a name as with a token.
  "nip46/client": ["nip46/protocol", "nip46/crypto", "nip46/transport", "nip46/discovery"],
  "nip46/signer": ["nip46/protocol", "nip46/crypto", "nip46/transport"],
  "nip46/testing": ["nip46/protocol", "nip46/crypto", "nip46/transport", "nip46/client", "nip46/signer"],
  "casemate/config": ["nip46/protocol"],
  // The processes are started with the configuration, so its type is part of what they are told.
  "casemate/channel": ["nip46/protocol", "casemate/config"],
  "casemate/keyd": ["nip46/signer", "nip46/crypto", "nip46/protocol", "casemate/config", "casemate/channel"],
  "casemate/gateway": ["nip46/transport", "nip46/crypto", "nip46/protocol", "casemate/config", "casemate/channel"],
  "casemate/daemon.ts": ["casemate/config", "casemate/channel"],
  // It makes the keypair of an app's token; the users' keys stay in keyd.
  // The pages: what they know of keyd is what it may be asked, and the words for it.
  "casemate/web": ["casemate/channel"],
  "casemate/cli": ["casemate/config", "casemate/daemon.ts", "casemate/channel", "nip46/protocol", "nip46/crypto"],
}

/** Files that run where Node's types are not. */
const ISOMORPHIC = [
  "nip46/protocol",
  "nip46/client",
  "nip46/discovery",
  "nip46/transport",
  "nip46/signer",
  "nip46/testing",
  "nip46/crypto",
  "casemate/web",
]

const packages = fileURLToPath(new URL("../packages", import.meta.url))

interface Import {
  file: string
  from: string
  to: string
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name) && !/\.test-helper\./.test(entry.name)
      ? [path]
      : []
  })
}

/** `packages/nip46/src/signer/engine.ts` stands in `nip46/signer`, and the pages, which no Node runs, in `casemate/web`. */
function roomOf(path: string): string {
  const [pkg = "", top = "", room = ""] = relative(packages, path).split(sep)
  return top === "src" ? `${pkg}/${room}` : `${pkg}/${top}`
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, "")
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "")
  return specifiers.flatMap((specifier) => {
    const from = roomOf(file)
    if (specifier.startsWith("."))
      return [{ file, from, to: roomOf(resolve(dirname(file), specifier).replace(/\.js$/, ".ts")) }]
    const own = /^@casemate\/nip46\/([a-z]+)/.exec(specifier)
    if (own !== null) return [{ file, from, to: `nip46/${own[1]}` }]
    return [{ file, from, to: specifier }]
  })
}

const files = ["nip46/src", "casemate/src", "casemate/web/src"].flatMap((folder) => sources(join(packages, folder)))
const imports = files.flatMap(importsOf)
const ours = imports.filter(({ to }) => /^(nip46|casemate)\//.test(to))

describe("the house", () => {
  it("sees the code it judges", () => {
    expect(files.length).toBeGreaterThan(40)
    expect(ours.length).toBeGreaterThan(100)
    expect(new Set(files.map(roomOf))).toEqual(new Set(Object.keys(TABLE)))
  })

  it("finds an import that the table does not allow", () => {
    expect(isAllowed({ file: "", from: "casemate/gateway", to: "nip46/signer" })).toBe(false)
    expect(isAllowed({ file: "", from: "casemate/keyd", to: "nip46/transport" })).toBe(false)
    expect(isAllowed({ file: "", from: "casemate/web", to: "casemate/config" })).toBe(false)
  })

  it("imports only as its table allows", () => {
    const wrong = ours.filter((entry) => !isAllowed(entry))
    expect(wrong.map(({ file, to }) => `${relative(packages, file)} imports ${to}`)).toEqual([])
  })

  it("keeps Node out of what runs in browsers", () => {
    const wrong = imports.filter(
      ({ file, from, to }) =>
        ISOMORPHIC.includes(from) &&
        !file.includes(`${sep}crypto${sep}node${sep}`) &&
        (to.startsWith("node:") || to === "ws"),
    )
    expect(wrong.map(({ file, to }) => `${relative(packages, file)} imports ${to}`)).toEqual([])
  })

  it("keeps the network out of keyd", () => {
    const network = ["node:http", "node:https", "node:dgram", "node:tls", "node:dns", "node:http2", "ws", "hono"]
    const wrong = imports.filter(({ from, to }) => from === "casemate/keyd" && network.includes(to))
    expect(wrong).toEqual([])
  })

  it("keeps other people's NIP-46 software in interop/", () => {
    const manifest = JSON.parse(readFileSync(join(packages, "../interop/package.json"), "utf8")) as Manifest
    const theirs = Object.keys(manifest.devDependencies).filter((name) => !["nostr-tools", "ws"].includes(name))
    expect(theirs.length).toBeGreaterThan(3)
    const everything = ["nip46", "casemate"].flatMap((pkg) => textOf(join(packages, pkg)))
    const wrong = everything.filter(([, text]) => theirs.some((name) => text.includes(`"${name}`)))
    expect(wrong.map(([path]) => relative(packages, path))).toEqual([])
  })
})

it("every test of the library that may hold a timer or a socket looks for those that are left", () => {
  const rooms = ["client", "discovery", "testing", "transport"].map((room) => join(packages, "nip46", "src", room))
  const files = rooms.flatMap((room) => readdirSync(room).map((name) => join(room, name)))
  const tests = files.filter((file) => file.endsWith(".test.ts"))
  expect(tests.length).toBeGreaterThan(20)
  expect(tests.filter((file) => !/^(?:checkLeaks|use\w*Bench)\(/m.test(readFileSync(file, "utf8")))).toEqual([])
})

interface Manifest {
  readonly devDependencies: Record<string, string>
}

/** Code, tests and package.json alike. */
function textOf(folder: string): [string, string][] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): [string, string][] => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ["dist", "node_modules"].includes(entry.name) ? [] : textOf(path)
    return /\.(tsx?|js|json)$/.test(entry.name) ? [[path, readFileSync(path, "utf8")]] : []
  })
}

function isAllowed({ from, to }: Import): boolean {
  return from === to || (TABLE[from] ?? []).includes(to)
}

import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, it } from "vitest"

const packages = fileURLToPath(new URL("../packages", import.meta.url))

/** What npm would ship of a package. */
async function filesOf(name: string): Promise<Set<string>> {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: join(packages, name),
  })
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  return new Set(files.map(({ path }) => path))
}

/** Every file that a package.json names as a way in. */
function entriesOf(value: unknown): string[] {
  if (typeof value === "string") return [posix.normalize(value)]
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(entriesOf) : []
}

it.each(["nip46", "casemate"])(
  "the package %s ships what it names, the sources of its maps, and no test",
  async (name) => {
    const files = await filesOf(name)
    const manifest = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as Record<string, unknown>
    const entries = entriesOf([manifest["exports"] ?? [], manifest["bin"] ?? []])
    expect(entries.length).toBeGreaterThan(0)
    expect(entries.filter((entry) => !files.has(entry))).toEqual([])

    const maps = [...files].filter((file) => file.endsWith(".js.map"))
    expect(maps.length).toBeGreaterThan(20)
    const lost = maps.flatMap((map) => {
      const { sources } = JSON.parse(readFileSync(join(packages, name, map), "utf8")) as { sources: string[] }
      return sources.map((source) => posix.join(posix.dirname(map), source)).filter((source) => !files.has(source))
    })
    expect(lost).toEqual([])
    expect([...files].filter((file) => /\.test\.|crash-child|tsbuildinfo|^test\//.test(file))).toEqual([])
  },
)

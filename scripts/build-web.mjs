// Bundles the pages (packages/casemate/web) into packages/casemate/dist/web, as the gateway serves them: index.html,
// in which it replaces {{base}}, and assets whose names change with what is in them.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

const web = fileURLToPath(new URL("../packages/casemate/web", import.meta.url))
const target = fileURLToPath(new URL("../packages/casemate/dist/web", import.meta.url))

const { outputFiles, metafile } = await build({
  entryPoints: ["main.tsx", "style.css"].map((name) => ({ in: join(web, "src", name), out: "app" })),
  outdir: join(target, "assets"),
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
})

const assets = outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }))
const page = filled(readFileSync(join(web, "index.html"), "utf8"), {
  script: nameOf(".js"),
  style: nameOf(".css"),
  icon: `data:image/svg+xml,${encodeURIComponent(readFileSync(join(web, "icon.svg"), "utf8").trim())}`,
})
rmSync(target, { recursive: true, force: true })
mkdirSync(join(target, "assets"), { recursive: true })
for (const { name, contents } of assets) {
  writeFileSync(join(target, "assets", name), contents)
  console.log(`${name}: ${kilobytes(contents.length)}, ${kilobytes(gzipSync(contents).length)} compressed`)
}
writeFileSync(join(target, "index.html"), page)
writeFileSync(join(target, "LICENSES.txt"), licences(Object.keys(metafile.inputs)))

function nameOf(extension) {
  const [name, ...others] = assets.map(({ name }) => name).filter((name) => name.endsWith(extension))
  if (name === undefined || others.length > 0) throw new Error(`the pages need one ${extension} file`)
  return name
}

/** Each name is there once at least, so that none is forgotten in the page; `{{base}}` is the gateway's. */
function filled(text, values) {
  return Object.entries(values).reduce((page, [name, value]) => {
    if (!page.includes(`{{${name}}}`)) throw new Error(`index.html does not have {{${name}}}`)
    return page.replaceAll(`{{${name}}}`, () => value)
  }, text)
}

/** The bundle is a copy of others' code, and their licences ask to go with it. */
function licences(inputs) {
  const folders = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(resolve(path)) ?? [])
  return [...new Set(folders)]
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
      const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name))
      if (file === undefined) throw new Error(`${name} is bundled, and has no licence to go with it`)
      return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`
    })
    .join(`\n${"-".repeat(72)}\n\n`)
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`
}

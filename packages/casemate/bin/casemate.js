#!/usr/bin/env node
// Committed, so that npm can link it before anything is built.
import { existsSync } from "node:fs"

const main = new URL("../dist/cli/main.js", import.meta.url)
if (existsSync(main)) {
  await import(main.href)
} else {
  process.stderr.write("casemate has not been built yet: run `npm ci && npm run build` in its folder first\n")
  process.exitCode = 1
}

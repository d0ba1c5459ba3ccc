import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

const FOLDER = new URL("../../../../vectors/", import.meta.url)

/** The first is printed in NIP-44 §Tests and code. */
const CHECKSUMS = {
  "nip44.vectors.json": "269ed0f69e4c192512cc779e78c555090cebc7c785b609e338a62afc3ce25040",
  "bip340.test-vectors.csv": "34c9d1d9c3a88d524bc80778540dc43f8306ec249a7485293063c376db851c2d",
}

describe("vectors from elsewhere", () => {
  it.each(Object.entries(CHECKSUMS))("%s is what its origin published, and its README says so", (file, sha256) => {
    expect(
      createHash("sha256")
        .update(readFileSync(new URL(file, FOLDER)))
        .digest("hex"),
    ).toBe(sha256)
    const row = readFileSync(new URL("README.md", FOLDER), "utf8")
      .split("\n")
      .find((line) => line.startsWith(`| \`${file}\` |`))
    expect(row).toContain(`\`${sha256}\``)
  })

  it("are all there", () => {
    expect(readdirSync(FOLDER)).toEqual(expect.arrayContaining(Object.keys(CHECKSUMS)))
  })
})

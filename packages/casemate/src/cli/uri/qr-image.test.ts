import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { PNG } from "pngjs"
import encodeQR from "qr"
import { afterAll, expect, it, test } from "vitest"
import { UsageError } from "../usage.js"
import { readQrImage } from "./qr-image.js"

const folder = mkdtempSync(join(tmpdir(), "casemate-qr-"))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, "image.png")

const TOKEN = `bunker://${"ab".repeat(32)}?relay=wss%3A%2F%2Frelay.example&secret=${"0f".repeat(16)}`

type Rgba = readonly [number, number, number, number]
const BLACK: Rgba = [0, 0, 0, 255]
const WHITE: Rgba = [255, 255, 255, 255]

/** A picture of some text as a QR code. */
function pictureOf(text: string, { scale = 4, dark = BLACK, light = WHITE } = {}): PNG {
  const modules = encodeQR(text, "raw", { border: 4 })
  const size = modules.length * scale
  const png = new PNG({ width: size, height: size })
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const isDark = modules[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true
      png.data.set(isDark ? dark : light, (y * size + x) * 4)
    }
  }
  return png
}

async function read(file: Uint8Array): Promise<string> {
  writeFileSync(path, file)
  return readQrImage(path)
}

test.each<[string, Parameters<typeof pictureOf>[1]]>([
  ["black on white", {}],
  ["large", { scale: 9 }],
  ["on nothing", { light: [0, 0, 0, 0] }],
  ["half transparent", { dark: [0, 0, 0, 200], light: [255, 255, 255, 30] }],
  ["in colours", { dark: [20, 20, 90, 255], light: [250, 240, 200, 255] }],
])("a QR code %s", async (_, options) => {
  expect(await read(PNG.sync.write(pictureOf(TOKEN, options)))).toBe(TOKEN)
})

test.each([
  ["grey", { colorType: 0 }],
  ["grey with transparency", { colorType: 4 }],
  ["without transparency", { colorType: 2 }],
  ["16 bits a colour", { bitDepth: 16 }],
] as const)("a PNG that is %s", async (_, options) => {
  expect(await read(PNG.sync.write(pictureOf(TOKEN), options as never))).toBe(TOKEN)
})

it("the longest token that a QR code holds", async () => {
  const text = TOKEN.padEnd(2_000, "x")
  expect(await read(PNG.sync.write(pictureOf(text)))).toBe(text)
})

it("says what is wrong with a file", async () => {
  const png = PNG.sync.write(pictureOf(TOKEN))
  const huge = Buffer.from(png)
  huge.writeUInt32BE(1_000_000, 16)
  for (const [file, message] of [
    [Buffer.from(""), /is not a PNG image/],
    [Buffer.from("GIF89a..................."), /is not a PNG image/],
    [png.subarray(0, 20), /is not a PNG image/],
    [png.subarray(0, 100), /is a broken PNG image/],
    [huge, /has too many pixels/],
    [PNG.sync.write(new PNG({ width: 100, height: 100 })), /no QR code can be read/],
  ] as const) {
    await expect(read(file)).rejects.toThrow(message)
    await expect(read(file)).rejects.toBeInstanceOf(UsageError)
  }
  await expect(readQrImage(folder)).rejects.toThrow(/is not a file/)
  await expect(readQrImage(join(folder, "nowhere"))).rejects.toThrow(/there is no file/)
})

it("a PNG with changed bytes gives a text or a UsageError", async () => {
  const png = PNG.sync.write(pictureOf("bunker://x", { scale: 2 }))
  const edits = fc.array(fc.tuple(fc.nat({ max: png.length - 1 }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  })
  let refused = 0
  await fc.assert(
    fc.asyncProperty(edits, async (edits) => {
      const file = Buffer.from(png)
      for (const [at, byte] of edits) file[at] = byte
      try {
        expect(typeof (await read(file))).toBe("string")
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError)
        refused++
      }
    }),
    { numRuns: 300 },
  )
  expect(refused).toBeGreaterThan(0)
})

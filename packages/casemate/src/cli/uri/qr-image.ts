import { readFileSync, statSync } from "node:fs"
import { explainFileError } from "../../config/file-error.js"
import { UsageError } from "../usage.js"

const MAX_FILE_BYTES = 32 * 1024 * 1024
/** A photo of any telephone; more would only cost memory. */
const MAX_PIXELS = 64 * 1024 * 1024
/** For a photo that is not sharp; a screenshot takes some milliseconds. */
const MAX_MS = 5_000
const PNG_SIGNATURE = "89504e470d0a1a0a"
/** Signature, then a chunk's length and name: there the picture's width and height stand. */
const IHDR_SIZE_AT = 16

/**
 * The text of the QR code in a PNG file.
 *
 * @throws UsageError when there is no such file, it is no PNG image, or it holds no QR code
 */
export async function readQrImage(path: string): Promise<string> {
  const image = await decodePng(readImageFile(path), path)
  const { decodeQR } = await import("qr/decode.js")
  try {
    return decodeQR(image, { format: "RGBA", effort: Number.POSITIVE_INFINITY, timeLimit: MAX_MS })
  } catch (cause) {
    throw new UsageError(`no QR code can be read in ${path}; take a sharper picture that shows all of it`, { cause })
  }
}

function readImageFile(path: string): Buffer {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) throw new UsageError(`${path} is not a file; name a PNG image`)
    if (stat.size > MAX_FILE_BYTES) throw new UsageError(`${path} is larger than 32 MiB; cut the QR code out of it`)
    return readFileSync(path)
  } catch (error) {
    if (error instanceof UsageError) throw error
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new UsageError(`there is no file ${path}`)
    const mistake = explainFileError(error, path)
    throw mistake === undefined ? error : new UsageError(mistake)
  }
}

interface Image {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

async function decodePng(file: Buffer, path: string): Promise<Image> {
  if (file.subarray(0, 8).toString("hex") !== PNG_SIGNATURE || file.length < IHDR_SIZE_AT + 8) {
    throw new UsageError(`${path} is not a PNG image; save it as one, such as by a screenshot`)
  }
  const pixels = file.readUInt32BE(IHDR_SIZE_AT) * file.readUInt32BE(IHDR_SIZE_AT + 4)
  if (pixels > MAX_PIXELS) throw new UsageError(`${path} has too many pixels; cut the QR code out of it`)
  const { PNG } = await import("pngjs")
  try {
    const { width, height, data } = PNG.sync.read(file)
    return { width, height, data: onWhite(data) }
  } catch (cause) {
    throw new UsageError(`${path} is a broken PNG image; save it again`, { cause })
  }
}

/** What can be seen through is drawn on paper: the reader looks at colours alone. */
function onWhite(rgba: Uint8Array): Uint8Array {
  const opaque = Uint8Array.from(rgba)
  for (let at = 0; at < opaque.length; at += 4) {
    const alpha = (rgba[at + 3] ?? 0) / 255
    for (let c = at; c < at + 3; c++) opaque[c] = Math.round((rgba[c] ?? 0) * alpha + 255 * (1 - alpha))
    opaque[at + 3] = 255
  }
  return opaque
}

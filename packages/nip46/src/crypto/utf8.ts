const encoder = new TextEncoder()
// ignoreBOM means "do not strip it": a plaintext that starts with U+FEFF comes back whole.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** @throws TypeError for bytes that are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

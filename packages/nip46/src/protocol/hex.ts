const HEX_32 = /^[0-9a-f]{64}$/
const HEX_64 = /^[0-9a-f]{128}$/

/** 32 bytes as lower-case hex: an event id or a public key, the only spelling NIP-01 knows. */
export function isHex32(value: unknown): value is string {
  return typeof value === "string" && value.length === 64 && HEX_32.test(value)
}

/** 64 bytes as lower-case hex: a signature. */
export function isHex64(value: unknown): value is string {
  return typeof value === "string" && value.length === 128 && HEX_64.test(value)
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** Lower-case. */
export function bytesToHex(bytes: Uint8Array): string {
  let hex = ""
  for (const byte of bytes) hex += HEX[byte]
  return hex
}

/** Of lower-case hex only: whoever calls has checked it with `isHex32` or `isHex64`. */
export function hexToBytes(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = digitAt(hex, 2 * i) * 16 + digitAt(hex, 2 * i + 1)
  return bytes
}

function digitAt(hex: string, at: number): number {
  const code = hex.charCodeAt(at)
  return code < 97 ? code - 48 : code - 87
}

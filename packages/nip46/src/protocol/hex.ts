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

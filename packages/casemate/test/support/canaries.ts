import { lstatSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { nsecEncode } from "nostr-tools/nip19"

/** Bytes to look for, and what they are. */
export interface Needle {
  readonly what: string
  readonly bytes: Buffer
}

/** A secret of 32 bytes in every dress in which it could be written down. */
export function keyNeedles(name: string, key: Uint8Array): Needle[] {
  const hex = Buffer.from(key).toString("hex")
  const nsec = nsecEncode(key)
  return [
    { what: `${name}, raw`, bytes: Buffer.from(key) },
    { what: `${name}, hex`, bytes: Buffer.from(hex) },
    { what: `${name}, upper-case hex`, bytes: Buffer.from(hex.toUpperCase()) },
    { what: `${name}, half of its hex`, bytes: Buffer.from(hex.slice(0, 32)) },
    { what: `${name}, nsec`, bytes: Buffer.from(nsec) },
    { what: `${name}, the data of its nsec`, bytes: Buffer.from(nsec.slice(5, 55)) },
    { what: `${name}, upper-case nsec`, bytes: Buffer.from(nsec.toUpperCase()) },
    ...base64Needles(name, Buffer.from(key)),
    { what: `${name}, JSON bytes`, bytes: Buffer.from(key.join(",")) },
  ]
}

export function textNeedles(name: string, text: string): Needle[] {
  const bytes = Buffer.from(text)
  return [
    { what: name, bytes },
    { what: `${name}, hex`, bytes: Buffer.from(bytes.toString("hex")) },
    ...base64Needles(name, bytes),
  ]
}

/** Base64 of something that lies at any offset within more: what is the same whatever surrounds it. */
function base64Needles(name: string, bytes: Buffer): Needle[] {
  return (["base64", "base64url"] as const).flatMap((encoding) =>
    [0, 1, 2].map((offset) => {
      const text = Buffer.concat([Buffer.alloc(offset), bytes])
        .toString(encoding)
        .replace(/=+$/, "")
      const from = Math.ceil((offset * 8) / 6)
      return { what: `${name}, ${encoding} at ${offset}`, bytes: Buffer.from(text.slice(from, -2)) }
    }),
  )
}

/** Where a needle lies: `file: what`. */
export function findNeedles(haystacks: ReadonlyMap<string, Buffer>, needles: readonly Needle[]): string[] {
  return [...haystacks].flatMap(([name, hay]) =>
    needles.filter(({ bytes }) => hay.includes(bytes)).map(({ what }) => `${name}: ${what}`),
  )
}

/** Every file under a folder; sockets hold nothing. */
export function filesOf(folder: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const stat = lstatSync(path)
    if (stat.isDirectory()) for (const [inner, bytes] of filesOf(path)) files.set(`${name}/${inner}`, bytes)
    else if (stat.isFile()) files.set(name, readFileSync(path))
  }
  return files
}

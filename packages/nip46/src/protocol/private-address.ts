/** IPv4 ranges that are not the public internet (IANA's special-purpose registry), as first address and prefix length. */
const IPV4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
]

/** Of IPv6 only 2000::/3 is the public internet, but for those parts of it that carry an IPv4 address or none. */
const IPV6_EXCEPTIONS: readonly (readonly [number, number])[] = [
  [0x2001, 0x0000], // Teredo
  [0x2001, 0x0db8], // documentation
]

/**
 * True for an IP address that leads into this machine, a private network, or nowhere: what a URL that
 * somebody else wrote must not make us dial. Names are false: what they resolve to is to be asked.
 *
 * @param address as `URL.hostname` or a resolver gives it, with or without brackets
 * @example
 * isPrivateAddress("192.168.1.1") // true
 */
export function isPrivateAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "")
  if (bare.includes(":")) {
    const groups = ipv6Groups(bare)
    return groups === undefined || !isPublicIpv6(groups)
  }
  const number = ipv4Number(bare)
  return number !== undefined && IPV4.some(([from, bits]) => isWithin(number, ipv4Number(from) as number, bits))
}

function isWithin(address: number, from: number, bits: number): boolean {
  const size = 2 ** (32 - bits)
  return address >= from && address < from + size
}

function ipv4Number(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  const bytes = match.slice(1).map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes.reduce((sum, byte) => sum * 256 + byte, 0) : undefined
}

/** Undefined for what is no address: it is not to be dialled either. */
function ipv6Groups(text: string): number[] | undefined {
  const [head = "", tail, ...more] = text.toLowerCase().split("::")
  if (more.length > 0) return undefined
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  if (before === undefined || after === undefined) return undefined
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  return [...before, ...Array.from({ length: missing }, () => 0), ...after]
}

function groupsOf(text: string): number[] | undefined {
  if (text === "") return []
  const groups: number[] = []
  for (const part of text.split(":")) {
    const embedded = ipv4Number(part)
    if (embedded !== undefined) groups.push(Math.floor(embedded / 65_536), embedded % 65_536)
    else if (/^[0-9a-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

function isPublicIpv6([first = 0, second = 0]: readonly number[]): boolean {
  if (first < 0x2000 || first > 0x3fff) return false
  // 6to4 carries an IPv4 address in its next 32 bits; nobody needs it any more.
  if (first === 0x2002) return false
  return !IPV6_EXCEPTIONS.some(([a, b]) => first === a && second === b)
}

/** Whom a connection is counted for: an IPv4 address, or the /64 that one IPv6 subscriber gets. */
export function peerOf(remoteAddress: string | undefined): { key: string; loopback: boolean } {
  const address = (remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "")
  if (address === "::1" || address.startsWith("127.")) return { key: address, loopback: true }
  if (!address.includes(":")) return { key: address, loopback: false }
  const [head = "", tail] = address.split("%", 1)[0]!.split("::", 2)
  const groups = head === "" ? [] : head.split(":")
  // "::" stands for as many zero groups as are missing.
  if (tail !== undefined) {
    const rest = tail === "" ? [] : tail.split(":")
    while (groups.length + rest.length < 8) groups.push("0")
    groups.push(...rest)
  }
  return { key: groups.slice(0, 4).join(":"), loopback: false }
}

/** How many arguments a call may have is up to the engine; this many every one takes. */
const CHUNK = 8_192

/** RFC 4648 §4 by the platform: in JavaScript it would be a twentieth of an app's bundle. */
export function base64Encode(data: Uint8Array): string {
  let binary = ""
  for (let at = 0; at < data.length; at += CHUNK) binary += String.fromCharCode(...data.subarray(at, at + CHUNK))
  return btoa(binary)
}

/** @throws any error for what `base64Encode` does not make */
export function base64Decode(text: string): Uint8Array {
  const binary = atob(text)
  const data = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) data[i] = binary.charCodeAt(i)
  // atob reads more than one spelling. Only the canonical one survives the way back.
  if (base64Encode(data) !== text) throw new RangeError("not canonical base64")
  return data
}

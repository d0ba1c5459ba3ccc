import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

/** Where a response may differ from an honest one. */
export interface Ceremony {
  readonly origin: string
  readonly rpId?: string
  readonly challenge?: string
  readonly type?: string
  /** The person was asked who they are; they were unless told. */
  readonly isVerified?: boolean
  readonly userHandle?: string | undefined
  readonly crossOrigin?: boolean
  readonly counter?: number
  /** What vouches for the passkey in the format `packed`: itself, or who made it. */
  readonly attestedBy?: "itself" | "its maker"
}

const PRESENT = 0x01
const VERIFIED = 0x04
const ATTESTED = 0x40

/** Of nobody, until the year 2126; it says where to look whether it was revoked. */
const MAKERS_CERTIFICATE = Buffer.from(
  "MIICOTCCAeCgAwIBAgIUTaBBjvmomUEgl8wy3EHiDswTsz4wCgYIKoZIzj0EAwIwXjELMAkGA1UEBhMCWFgxDzANBgNVBAoMBk5v" +
    "Ym9keTEiMCAGA1UECwwZQXV0aGVudGljYXRvciBBdHRlc3RhdGlvbjEaMBgGA1UEAwwRTm9ib2R5J3MgcGFzc2tleXMwIBcNMjYx" +
    "MTI0MTkxNTQyWhgPMjEyNjEwMzExOTE1NDJaMF4xCzAJBgNVBAYTAlhYMQ8wDQYDVQQKDAZOb2JvZHkxIjAgBgNVBAsMGUF1dGhl" +
    "bnRpY2F0b3IgQXR0ZXN0YXRpb24xGjAYBgNVBAMMEU5vYm9keSdzIHBhc3NrZXlzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE" +
    "oHQW1qGBVn9y5wXaPxiLf3cyTqd8tlzsiGRAtl9eKI3ec4Tn16I+Yp1mM6MhLC6ZEqPav287ihobXCbWUM4wA6N6MHgwHQYDVR0O" +
    "BBYEFBjBdfRJO7dWENPoLHzRqtOUAPaOMB8GA1UdIwQYMBaAFBjBdfRJO7dWENPoLHzRqtOUAPaOMAwGA1UdEwEB/wQCMAAwKAYD" +
    "VR0fBCEwHzAdoBugGYYXaHR0cDovLzEyNy4wLjAuMTo5L2xpc3QwCgYIKoZIzj0EAwIDRwAwRAIgJiViNZplT1aQ43W7eiqs/c3X" +
    "NZchWJnPfJJ5u49ElSUCIFHD/tHO9yNIBG0w7ujN1BEFM221zaT8KrP6u9Ie/B0D",
  "base64",
)
const MAKERS_KEY = createPrivateKey({
  key: Buffer.from(
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9NEGA8c9emNZaYXd66jMZhGxmHdRxz5CFCYn398cDcehRANCAASg" +
      "dBbWoYFWf3LnBdo/GIt/dzJOp3y2XOyIZEC2X14ojd5zhOfXoj5inWYzoyEsLpkSo9q/bzuKGhtcJtZQzjAD",
    "base64",
  ),
  format: "der",
  type: "pkcs8",
})

/** One passkey in software, by the WebAuthn specification and nothing of ours. */
export class Authenticator {
  readonly id = randomBytes(32)
  userHandle: string | undefined
  /** Rises by as much with each assertion: 0 is what passkeys do that are the same on several devices. */
  counter = 0
  readonly #step: number
  readonly #privateKey: KeyObject
  readonly #publicKey: Uint8Array

  constructor({ counts = false }: { readonly counts?: boolean } = {}) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
    const { x = "", y = "" } = publicKey.export({ format: "jwk" })
    this.#privateKey = privateKey
    this.#step = counts ? 1 : 0
    // COSE: an EC2 key on P-256 for ES256.
    this.#publicKey = cbor(
      new Map<Cbor, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, "base64url")],
        [-3, Buffer.from(y, "base64url")],
      ]),
    )
  }

  get credentialId(): string {
    return this.id.toString("base64url")
  }

  /** @param options of a registration, as they came */
  create(options: unknown, ceremony: Ceremony): unknown {
    const { challenge, rp, user } = options as { challenge: string; rp: { id: string }; user: { id: string } }
    this.userHandle = user.id
    const length = Buffer.alloc(2)
    length.writeUInt16BE(this.id.length)
    const credential = Buffer.concat([Buffer.alloc(16), length, this.id, this.#publicKey])
    const authData = this.#authData(ceremony.rpId ?? rp.id, ceremony, ATTESTED, credential)
    const clientDataJSON = clientData("webauthn.create", challenge, ceremony)
    return this.#response({
      clientDataJSON,
      attestationObject: cbor(
        new Map<Cbor, Cbor>([
          ["fmt", ceremony.attestedBy === undefined ? "none" : "packed"],
          ["attStmt", this.#statement(ceremony, signedOf(authData, clientDataJSON))],
          ["authData", authData],
        ]),
      ).toString("base64url"),
      transports: ["internal"],
    })
  }

  /** @param options of an assertion, as they came */
  get(options: unknown, ceremony: Ceremony): unknown {
    const { challenge, rpId } = options as { challenge: string; rpId: string }
    this.counter = ceremony.counter ?? this.counter + this.#step
    const authData = this.#authData(ceremony.rpId ?? rpId, ceremony)
    const clientDataJSON = clientData("webauthn.get", challenge, ceremony)
    const userHandle = "userHandle" in ceremony ? ceremony.userHandle : this.userHandle
    return this.#response({
      clientDataJSON,
      authenticatorData: authData.toString("base64url"),
      signature: sign("sha256", signedOf(authData, clientDataJSON), this.#privateKey).toString("base64url"),
      ...(userHandle !== undefined && { userHandle }),
    })
  }

  #statement({ attestedBy }: Ceremony, signed: Uint8Array): ReadonlyMap<Cbor, Cbor> {
    if (attestedBy === undefined) return new Map()
    const key = attestedBy === "itself" ? this.#privateKey : MAKERS_KEY
    const statement = new Map<Cbor, Cbor>([
      ["alg", -7],
      ["sig", sign("sha256", signed, key)],
    ])
    return attestedBy === "itself" ? statement : statement.set("x5c", [MAKERS_CERTIFICATE])
  }

  #authData(rpId: string, { isVerified = true }: Ceremony, flags = 0, rest: Uint8Array = Buffer.alloc(0)): Buffer {
    const tail = Buffer.alloc(5)
    tail.writeUInt8(PRESENT | (isVerified ? VERIFIED : 0) | flags)
    tail.writeUInt32BE(this.counter, 1)
    return Buffer.concat([createHash("sha256").update(rpId).digest(), tail, rest])
  }

  #response(response: object): unknown {
    const id = this.credentialId
    return {
      id,
      rawId: id,
      type: "public-key",
      response,
      clientExtensionResults: {},
      authenticatorAttachment: "platform",
    }
  }
}

function signedOf(authData: Uint8Array, clientDataJSON: string): Uint8Array {
  const hash = createHash("sha256").update(Buffer.from(clientDataJSON, "base64url")).digest()
  return Buffer.concat([authData, hash])
}

function clientData(type: string, challenge: string, ceremony: Ceremony): string {
  const { origin, crossOrigin = false } = ceremony
  const said = { type: ceremony.type ?? type, challenge: ceremony.challenge ?? challenge, origin, crossOrigin }
  return Buffer.from(JSON.stringify(said)).toString("base64url")
}

type Cbor = number | string | Uint8Array | readonly Cbor[] | ReadonlyMap<Cbor, Cbor>

/** As much of RFC 8949 as an authenticator speaks. */
function cbor(value: Cbor): Buffer {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (value instanceof Map) {
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)])])
  }
  const items = value as readonly Cbor[]
  return Buffer.concat([head(4, items.length), ...items.map(cbor)])
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.of((major << 5) | length)
  if (length < 256) return Buffer.of((major << 5) | 24, length)
  return Buffer.of((major << 5) | 25, length >> 8, length & 0xff)
}

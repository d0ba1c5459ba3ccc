import { createRequire } from "node:module"
import type { Curve } from "../backend.js"
import { BoundedMap } from "../bounded-map.js"
import { evenPoint } from "../even-point.js"
import { whenWiped } from "../keypair.js"
import { nodePrimitives } from "./primitives.js"

/** Under which names systems have it; the ABI of what is used here is the same in all. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  linux: [6, 5, 4, 3, 2, 1].map((n) => `libsecp256k1.so.${n}`),
  darwin: ["libsecp256k1.dylib", "/opt/homebrew/lib/libsecp256k1.dylib", "/usr/local/lib/libsecp256k1.dylib"],
  win32: [6, 5, 4, 3, 2, 1].map((n) => `libsecp256k1-${n}.dll`),
}

/** SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY: what old versions need and new ones take. */
const CONTEXT_FLAGS = 0x301
/** sizeof secp256k1_keypair, secp256k1_xonly_pubkey and secp256k1_pubkey. */
const KEYPAIR_BYTES = 96
const PUBKEY_BYTES = 64
const MAX_KEYPAIRS = 1_000
const MAX_PUBKEYS = 10_000

type Bytes = Uint8Array
type Context = unknown

/** The functions of libsecp256k1 that are used; each gives 1 for success. */
interface Library {
  readonly name: string
  readonly context: Context
  keypairCreate(context: Context, keypair: Bytes, secretKey: Bytes): number
  seckeyVerify(context: Context, secretKey: Bytes): number
  keypairXonlyPub(context: Context, pubkey: Bytes, parity: null, keypair: Bytes): number
  xonlyParse(context: Context, pubkey: Bytes, input: Bytes): number
  xonlySerialize(context: Context, output: Bytes, pubkey: Bytes): number
  sign(context: Context, signature: Bytes, message: Bytes, keypair: Bytes, aux: Bytes): number
  verify(context: Context, signature: Bytes, message: Bytes, messageLength: number, pubkey: Bytes): number
  pubkeyParse(context: Context, pubkey: Bytes, input: Bytes, inputLength: number): number
  ecdh(context: Context, output: Bytes, pubkey: Bytes, secretKey: Bytes, hash: unknown, data: null): number
  /** A hash that is none: the x coordinate as it is. */
  readonly rawX: unknown
}

/**
 * The system's libsecp256k1, through `koffi`: about a hundred times the speed of JavaScript, and constant-time. Lengths
 * are checked before every call, because the C library ends the process on an argument that it calls illegal.
 *
 * @throws an Error that says why there is none
 */
export function loadNativeCurve(platform: NodeJS.Platform = process.platform): Curve {
  return curveOf(openLibrary(platform))
}

function curveOf(library: Library): Curve {
  const { context } = library
  // Held by the bytes of the secret themselves, which their handle wipes.
  const keypairs = new BoundedMap<Bytes, Bytes>(MAX_KEYPAIRS, (keypair) => keypair.fill(0))
  const pubkeys = new BoundedMap<string, Bytes>(MAX_PUBKEYS, () => undefined)

  const forget = (secretKey: Bytes): void => keypairs.delete(secretKey)

  function createKeypair(secretKey: Bytes): Bytes {
    const keypair = new Uint8Array(KEYPAIR_BYTES)
    if (secretKey.length !== 32 || library.keypairCreate(context, keypair, secretKey) !== 1) {
      throw new RangeError("this is not a secret key of secp256k1")
    }
    return keypair
  }

  function keypairOf(secretKey: Bytes): Bytes {
    const cached = keypairs.get(secretKey)
    if (cached !== undefined) return cached
    const keypair = createKeypair(secretKey)
    keypairs.set(secretKey, keypair)
    whenWiped(secretKey, forget)
    return keypair
  }

  function parsed(pubkey: Bytes): Bytes | undefined {
    if (pubkey.length !== 32) return undefined
    const name = Buffer.from(pubkey.buffer, pubkey.byteOffset, 32).toString("latin1")
    const cached = pubkeys.get(name)
    if (cached !== undefined) return cached
    const fresh = new Uint8Array(PUBKEY_BYTES)
    if (library.xonlyParse(context, fresh, pubkey) !== 1) return undefined
    pubkeys.set(name, fresh)
    return fresh
  }

  return {
    name: library.name,
    isSecretKey: (secretKey) => secretKey.length === 32 && library.seckeyVerify(context, secretKey) === 1,
    isPublicKey: (pubkey) => parsed(pubkey) !== undefined,
    publicKey(secretKey) {
      const keypair = createKeypair(secretKey)
      const [pubkey, output] = [new Uint8Array(PUBKEY_BYTES), new Uint8Array(32)]
      library.keypairXonlyPub(context, pubkey, null, keypair)
      library.xonlySerialize(context, output, pubkey)
      keypair.fill(0)
      return output
    },
    sign(message, secretKey, aux) {
      if (message.length !== 32 || aux.length !== 32) throw new RangeError("a message and its randomness are 32 bytes")
      const signature = new Uint8Array(64)
      if (library.sign(context, signature, message, keypairOf(secretKey), aux) !== 1) {
        throw new Error("libsecp256k1 did not sign")
      }
      return signature
    },
    verify(signature, message, pubkey) {
      if (signature.length !== 64 || message.length !== 32) return false
      const key = parsed(pubkey)
      return key !== undefined && library.verify(context, signature, message, 32, key) === 1
    },
    ecdh(secretKey, pubkey) {
      if (secretKey.length !== 32 || pubkey.length !== 32) throw new RangeError("keys are 32 bytes")
      const [point, shared] = [new Uint8Array(PUBKEY_BYTES), new Uint8Array(32)]
      if (library.pubkeyParse(context, point, evenPoint(pubkey), 33) !== 1) throw new RangeError("no point has this x")
      if (library.ecdh(context, shared, point, secretKey, library.rawX, null) !== 1) {
        throw new RangeError("this is not a secret key of secp256k1")
      }
      return shared
    },
  }
}

/** The part of `koffi` that is used. */
interface Koffi {
  load(path: string): { func(prototype: string): (...args: unknown[]) => unknown }
  proto(prototype: string): unknown
  pointer(type: unknown): unknown
  register(callback: (...args: unknown[]) => number, type: unknown): unknown
  decode(pointer: unknown, type: string, length: number): unknown
  encode(pointer: unknown, type: string, value: unknown, length: number): void
}

function openLibrary(platform: NodeJS.Platform): Library {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi
  const names = LIBRARIES[platform] ?? []
  const path = names.find((name) => canLoad(koffi, name))
  if (path === undefined) throw new Error("libsecp256k1 is not installed")
  const library = koffi.load(path)
  const define = <T>(prototype: string): T => library.func(prototype) as T
  const hash = hashType(koffi)
  const context = define<(flags: number) => Context>("void *secp256k1_context_create(unsigned int flags)")(
    CONTEXT_FLAGS,
  )
  const randomize = define<(context: Context, seed: Bytes) => number>(
    "int secp256k1_context_randomize(void *ctx, const uint8_t *seed32)",
  )
  // Blinds secrets against side channels.
  if (randomize(context, nodePrimitives.randomBytes(32)) !== 1) throw new Error("libsecp256k1 refuses a random seed")
  return {
    name: `libsecp256k1 (${path})`,
    context,
    keypairCreate: define("int secp256k1_keypair_create(const void *ctx, uint8_t *keypair, const uint8_t *seckey)"),
    seckeyVerify: define("int secp256k1_ec_seckey_verify(const void *ctx, const uint8_t *seckey)"),
    keypairXonlyPub: define(
      "int secp256k1_keypair_xonly_pub(const void *ctx, uint8_t *pubkey, void *parity, const uint8_t *keypair)",
    ),
    xonlyParse: define("int secp256k1_xonly_pubkey_parse(const void *ctx, uint8_t *pubkey, const uint8_t *input32)"),
    xonlySerialize: define(
      "int secp256k1_xonly_pubkey_serialize(const void *ctx, uint8_t *output32, const uint8_t *pubkey)",
    ),
    sign: define(
      "int secp256k1_schnorrsig_sign32(const void *ctx, uint8_t *sig64, const uint8_t *msg32, const uint8_t *keypair, const uint8_t *aux32)",
    ),
    verify: define(
      "int secp256k1_schnorrsig_verify(const void *ctx, const uint8_t *sig64, const uint8_t *msg, size_t msglen, const uint8_t *pubkey)",
    ),
    pubkeyParse: define(
      "int secp256k1_ec_pubkey_parse(const void *ctx, uint8_t *pubkey, const uint8_t *input, size_t inputlen)",
    ),
    ecdh: define(
      `int secp256k1_ecdh(const void *ctx, uint8_t *output, const uint8_t *pubkey, const uint8_t *seckey, ${HASH_TYPE} *hashfp, void *data)`,
    ),
    rawX: koffi.register((output, x) => {
      koffi.encode(output, "uint8_t", koffi.decode(x, "uint8_t", 32), 32)
      return 1
    }, koffi.pointer(hash)),
  }
}

const HASH_TYPE = "CasemateEcdhHash"
let registeredHash: unknown

/** `koffi` keeps one table of type names for the whole process, and takes each name once. */
function hashType(koffi: Koffi): unknown {
  registeredHash ??= koffi.proto(`int ${HASH_TYPE}(void *output, const void *x32, const void *y32, void *data)`)
  return registeredHash
}

function canLoad(koffi: Koffi, name: string): boolean {
  try {
    koffi.load(name)
    return true
  } catch {
    return false
  }
}

import { Nip46Error } from "../../protocol/errors.js"
import type { Curve } from "../backend.js"
import { portableCurve } from "../portable.js"
import { loadNativeCurve } from "./native-curve.js"
import { loadWasmCurve } from "./wasm-curve.js"

/** Fastest first. */
export const CURVE_KINDS = ["native", "wasm", "portable"] as const
export type CurveKind = (typeof CURVE_KINDS)[number]

export interface ChosenCurve {
  readonly kind: CurveKind
  readonly curve: Curve
  /** Faster ones that are not here, each with the reason. */
  readonly missing: readonly string[]
}

const LOADERS: Readonly<Record<CurveKind, { load: () => Curve; needs: string }>> = {
  native: {
    load: () => loadNativeCurve(),
    needs: "the npm package koffi and the system's libsecp256k1, such as Debian's libsecp256k1-1",
  },
  wasm: { load: loadWasmCurve, needs: "the npm package tiny-secp256k1" },
  portable: { load: () => portableCurve, needs: "nothing" },
}

/**
 * The fastest curve that this machine has, or the one that is asked for.
 *
 * @throws `BACKEND_UNAVAILABLE` when the one that is asked for is not here; the message says what it needs
 */
export function chooseCurve(wanted?: CurveKind): ChosenCurve {
  const missing: string[] = []
  for (const kind of wanted === undefined ? CURVE_KINDS : [wanted]) {
    const { load, needs } = LOADERS[kind]
    try {
      const curve = load()
      if (!computesRightly(curve)) throw new Error("it computes something else than BIP-340")
      return { kind, curve, missing }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message.split("\n", 1)[0] : "unknown"
      if (wanted !== undefined) {
        const message = `the ${kind} curve cannot be used (${reason}); it needs ${needs}`
        throw new Nip46Error("BACKEND_UNAVAILABLE", message, { cause })
      }
      missing.push(`${kind}: ${reason}`)
    }
  }
  throw new Nip46Error("BACKEND_UNAVAILABLE", "there is no curve that computes rightly on this machine")
}

/** A library of another make, or a broken build, is found out before it holds a key. */
function computesRightly(curve: Curve): boolean {
  const [one, two] = [scalar(1), scalar(2)]
  const [message, aux] = [scalar(3), scalar(4)]
  const pubkey = curve.publicKey(one)
  const signature = curve.sign(message, one, aux)
  const changed = signature.slice()
  changed[0] = (changed[0] ?? 0) ^ 1
  return (
    equal(pubkey, portableCurve.publicKey(one)) &&
    equal(signature, portableCurve.sign(message, one, aux)) &&
    equal(curve.ecdh(two, pubkey), portableCurve.ecdh(two, pubkey)) &&
    curve.verify(signature, message, pubkey) &&
    !curve.verify(changed, message, pubkey)
  )
}

function scalar(n: number): Uint8Array {
  const bytes = new Uint8Array(32)
  bytes[31] = n
  return bytes
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

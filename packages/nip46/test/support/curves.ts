import type { Curve } from "../../src/crypto/backend.js"
import { CURVE_KINDS, type CurveKind, chooseCurve } from "../../src/crypto/node/index.js"

/** Every curve there is, and those that this machine lacks with what they need. */
export const CURVES: readonly { kind: CurveKind; curve: Curve | undefined; title: string }[] = CURVE_KINDS.map(
  (kind) => {
    try {
      return { kind, curve: chooseCurve(kind).curve, title: `the ${kind} curve` }
    } catch (error) {
      return { kind, curve: undefined, title: `the ${kind} curve (${(error as Error).message})` }
    }
  },
)

import type { Curve } from "../../src/crypto/backend.js"
import { compactCurve } from "../../src/crypto/compact.js"
import { CURVE_KINDS, type CurveKind, chooseCurve } from "../../src/crypto/node/index.js"

interface Found<Kind> {
  readonly kind: Kind
  readonly curve: Curve | undefined
  readonly title: string
}

/** Every curve that Node may choose, and those that this machine lacks with what they need. */
export const CURVES: readonly Found<CurveKind>[] = CURVE_KINDS.map((kind) => {
  try {
    return { kind, curve: chooseCurve(kind).curve, title: `the ${kind} curve` }
  } catch (error) {
    return { kind, curve: undefined, title: `the ${kind} curve (${(error as Error).message})` }
  }
})

/** And that of a client's bundle. */
export const ALL_CURVES: readonly Found<CurveKind | "compact">[] = [
  ...CURVES,
  { kind: "compact", curve: compactCurve, title: "the compact curve" },
]

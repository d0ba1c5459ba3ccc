import { expect, it } from "vitest"
import { loadNativeCurve } from "./native-curve.js"

it("says so where the system has no libsecp256k1", () => {
  expect(() => loadNativeCurve("aix")).toThrow(/libsecp256k1 is not installed|koffi/)
})

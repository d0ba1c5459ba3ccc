import type { JSX } from "preact"
import encodeQR from "qr"

/** Cells of the light border that a reader needs. */
const BORDER = 4

/** A picture that a camera reads: always dark on light. */
export function Qr({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  const rows = encodeQR(text, "raw", { border: BORDER })
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ""))).join("")
  return (
    <svg class="qr" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={label}>
      <rect width="100%" height="100%" fill="#fff" />
      <path d={path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  )
}

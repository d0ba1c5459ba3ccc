import type { ComponentChildren, JSX } from "preact"
import { useEffect, useLayoutEffect, useRef } from "preact/hooks"

interface PageProps {
  /** Of the tab. */
  readonly title: string
  /** Above everything; the title where it is not given. */
  readonly heading?: ComponentChildren
  /** The keyboard and a screen reader go to the heading when it appears. */
  readonly isAnnounced?: boolean
  readonly children?: ComponentChildren
}

export function Page({ title, heading = title, isAnnounced = false, children }: PageProps): JSX.Element {
  const top = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Casemate`
  }, [title])
  useLayoutEffect(() => {
    if (isAnnounced || cameFromWithin(history.state)) top.current?.focus()
  }, [isAnnounced])
  return (
    <>
      <h1 ref={top} tabIndex={-1}>
        {heading}
      </h1>
      {children}
    </>
  )
}

function cameFromWithin(state: unknown): boolean {
  return typeof state === "object" && state !== null && "isWithin" in state
}

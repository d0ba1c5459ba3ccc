import type { ComponentChildren, JSX } from "preact"
import { usePage } from "./page-context.js"

interface LinkProps {
  /** Without the base. */
  readonly to: string
  readonly class?: string
  readonly children: ComponentChildren
}

/** To another page of ours, without loading it anew. */
export function Link({ to, class: name, children }: LinkProps): JSX.Element {
  const { base, go } = usePage()
  return (
    <a
      href={`${base}${to}`}
      class={name}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        go(to)
      }}
    >
      {children}
    </a>
  )
}

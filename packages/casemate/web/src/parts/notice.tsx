import type { ComponentChildren, JSX } from "preact"

/** What went wrong. The place is always there, so that what comes into it is read aloud. */
export function Problem({ text }: { readonly text: string | undefined }): JSX.Element {
  return (
    <div role="alert" class="live">
      {text !== undefined && <p class="notice bad">{text}</p>}
    </div>
  )
}

export function Warning({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <p class="notice careful">{children}</p>
}

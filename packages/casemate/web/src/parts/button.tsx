import type { ComponentChildren, JSX } from "preact"

interface ButtonProps {
  readonly children: ComponentChildren
  readonly look?: "primary" | "plain" | "danger" | "quiet"
  /** Takes no tap, but stays where the keyboard is. */
  readonly isOff?: boolean
  /** Without: it sends the form around it. */
  readonly onPress?: () => void
  /** It sends the form even so, when the fields allow. */
  readonly isSending?: boolean
}

export function Button({
  children,
  look = "plain",
  isOff = false,
  onPress,
  isSending = false,
}: ButtonProps): JSX.Element {
  return (
    <button
      type={onPress === undefined || isSending ? "submit" : "button"}
      class={`button ${look}`}
      aria-disabled={isOff}
      onClick={(event) => {
        if (isOff) event.preventDefault()
        else onPress?.()
      }}
    >
      {children}
    </button>
  )
}

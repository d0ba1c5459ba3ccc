import type { JSX } from "preact"
import { Field } from "./field.js"

/** keyd has the last word on it. */
const SHORTEST = 12

interface NewPasswordFieldProps {
  readonly value: string
  readonly onValue: (value: string) => void
}

export function NewPasswordField({ value, onValue }: NewPasswordFieldProps): JSX.Element {
  return (
    <Field
      label="New password"
      type="password"
      value={value}
      onValue={onValue}
      autocomplete="new-password"
      minLength={SHORTEST}
      hint={`At least ${SHORTEST} characters. A few words that do not belong together are good.`}
    />
  )
}

import type { JSX } from "preact"
import { useId } from "preact/hooks"

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly onValue: (value: string) => void
  readonly hint?: string
  readonly type?: "text" | "password"
  /** What a password manager may fill in here. */
  readonly autocomplete: "username" | "nickname" | "current-password" | "new-password" | "one-time-code" | "off"
  readonly inputMode?: "numeric"
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  /** What a browser says of what does not fit the pattern. */
  readonly title?: string
  readonly isRequired?: boolean
}

export function Field({ label, value, onValue, hint, type, isRequired = true, ...input }: FieldProps): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...(type === "password" ? { type } : { type: "text" })}
        {...input}
        id={id}
        name={input.autocomplete}
        value={value}
        required={isRequired}
        spellcheck={false}
        autocapitalize="none"
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

/** The one that its owner has. */
export function PasswordField({ value, onValue }: Pick<FieldProps, "value" | "onValue">): JSX.Element {
  return <Field label="Password" type="password" value={value} onValue={onValue} autocomplete="current-password" />
}

/** Six digits of an authenticator app. */
export function CodeField({ value, onValue, hint }: Pick<FieldProps, "value" | "onValue" | "hint">): JSX.Element {
  return (
    <Field
      label="Code from your authenticator app"
      value={value}
      onValue={(code) => onValue(code.replace(/\s/g, ""))}
      autocomplete="one-time-code"
      inputMode="numeric"
      pattern="(\s*[0-9]){6}\s*"
      title="six digits"
      {...(hint === undefined ? {} : { hint })}
    />
  )
}

import type { JSX } from "preact"
import type { TotpSetup } from "../../../src/channel/web-calls.js"
import { CopyButton } from "./copy-button.js"
import { Qr } from "./qr.js"

/** Puts a secret into an authenticator app: from another screen, on the same phone, or by typing. */
export function TotpSetupView({ uri, secret }: TotpSetup): JSX.Element {
  return (
    <div class="stack">
      <p>Scan this with an authenticator app. It then shows six digits that change every 30 seconds.</p>
      <Qr text={uri} label="QR code for your authenticator app" />
      {uri.startsWith("otpauth://") && (
        <a class="button plain" href={uri}>
          Open in an app on this device
        </a>
      )}
      <div class="field">
        <span class="label">Or type this secret into the app</span>
        <code class="secret">{secret.match(/.{1,4}/g)?.join(" ") ?? secret}</code>
      </div>
      <CopyButton text={secret} label="Copy the secret" />
    </div>
  )
}

import { Secret, TOTP } from "otpauth"
import type { TotpSetup } from "../../channel/web-calls.js"

/** RFC 6238, as every authenticator app has it. */
const PERIOD = 30
const SECRET_BYTES = 20
/** Steps before and after: clocks differ, and people are slow. */
const WINDOW = 1

/** @param key of which the beginning is the secret */
export function totpSecret(key: Uint8Array): Uint8Array {
  return key.slice(0, SECRET_BYTES)
}

/** What the owner's app is told. */
export function totpSetup(secret: Uint8Array, name: string): TotpSetup {
  const totp = totpOf(secret, name)
  return { uri: totp.toString(), secret: totp.secret.base32 }
}

/** The time step whose code it is; undefined when it is none of now. @param now unix seconds */
export function totpStep(secret: Uint8Array, code: string, now: number): number | undefined {
  const totp = totpOf(secret)
  const timestamp = now * 1000
  const delta = totp.validate({ token: code, timestamp, window: WINDOW })
  return delta === null ? undefined : totp.counter({ timestamp }) + delta
}

function totpOf(secret: Uint8Array, label = ""): TOTP {
  const buffer = Uint8Array.from(secret).buffer
  return new TOTP({ issuer: "Casemate", label, period: PERIOD, secret: new Secret({ buffer }) })
}

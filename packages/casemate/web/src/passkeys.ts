import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser"
import { startAuthentication, startRegistration } from "@simplewebauthn/browser"
import type { Proof, WebAuthnOptions } from "../../src/channel/web-calls.js"

// The options go to the browser as keyd wrote them; neither the gateway nor this page has a say in them.

/** Lets the device prove, with a passkey, that its owner is there. */
export async function assertPasskey(options: WebAuthnOptions): Promise<unknown> {
  return await startAuthentication({ optionsJSON: options as unknown as PublicKeyCredentialRequestOptionsJSON })
}

export async function makePasskey(options: WebAuthnOptions): Promise<unknown> {
  return await startRegistration({ optionsJSON: options as unknown as PublicKeyCredentialCreationOptionsJSON })
}

export async function passkeyProof(options: WebAuthnOptions): Promise<Proof> {
  return { kind: "passkey", response: await assertPasskey(options) }
}

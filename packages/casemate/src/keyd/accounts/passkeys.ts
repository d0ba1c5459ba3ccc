import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server"
import { COSEALG, decodeAttestationObject, decodeClientDataJSON, isoBase64URL } from "@simplewebauthn/server/helpers"
import type { WebAuthnOptions } from "../../channel/web-calls.js"
import type { Owner, OwnerPasskey } from "../record/owners-record.js"
import type { Challenges, Purpose } from "./challenges.js"
import type { OurPage } from "./pages.js"
import type { AssertionResponse, RegistrationResponse } from "./web-args.js"

/** Of the person, not of the challenge: how long a browser may wait for them, in ms. */
const TIMEOUT_MS = 120_000
const ALGORITHMS = [COSEALG.EdDSA, COSEALG.ES256, COSEALG.RS256]

export interface PasskeyContext {
  readonly challenges: Challenges
  readonly page: OurPage
  readonly purpose: Purpose
}

/** Options for a new passkey: one that is found without a name, and asks who holds it. */
export async function creationOptions(
  { id, name }: Pick<Owner, "id" | "name">,
  known: readonly OwnerPasskey[],
  { challenges, page, purpose }: PasskeyContext,
): Promise<WebAuthnOptions> {
  const options = await generateRegistrationOptions({
    rpName: "Casemate",
    rpID: page.rpId,
    userName: name,
    userDisplayName: name,
    userID: Uint8Array.from(Buffer.from(id, "hex")),
    challenge: challenges.issue(purpose, page),
    timeout: TIMEOUT_MS,
    attestationType: "none",
    excludeCredentials: hintsOf(known, page),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    supportedAlgorithmIDs: ALGORITHMS,
  })
  return { ...options }
}

/** Options for an assertion, by any passkey that is found for this page or by one of some. */
export async function assertionOptions(
  known: readonly OwnerPasskey[] | undefined,
  { challenges, page, purpose }: PasskeyContext,
): Promise<WebAuthnOptions> {
  const options = await generateAuthenticationOptions({
    rpID: page.rpId,
    challenge: challenges.issue(purpose, page),
    timeout: TIMEOUT_MS,
    userVerification: "required",
    ...(known !== undefined && { allowCredentials: hintsOf(known, page) }),
  })
  return { ...options }
}

/** A passkey as it was made for this; undefined when anything about it is wrong. Its challenge is used up. */
export async function verifyNewPasskey(
  response: RegistrationResponse,
  { challenges, page, purpose }: PasskeyContext,
): Promise<Pick<OwnerPasskey, "id" | "publicKey" | "counter" | "transports" | "rpId"> | undefined> {
  try {
    if (!isUnattested(response)) return undefined
    const challenge = challengeOf(response.response.clientDataJSON)
    const { clientDataJSON, attestationObject, transports = [] } = response.response
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { ...response, response: { clientDataJSON, attestationObject }, clientExtensionResults: {} },
      expectedChallenge: (signed) => signed === challenge && challenges.isFor(signed, purpose, page),
      expectedOrigin: page.origin,
      expectedRPID: page.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    })
    if (!verified || challenge === undefined || registrationInfo.credential.id !== response.id) return undefined
    if (!challenges.use(challenge)) return undefined
    const { id, publicKey, counter } = registrationInfo.credential
    return { id, publicKey, counter, transports, rpId: page.rpId }
  } catch {
    // What it says may hold what was sent to us.
    return undefined
  }
}

/** What the passkey counted to; undefined when anything about the assertion is wrong. Its challenge is used up. */
export async function verifyAssertion(
  response: AssertionResponse,
  passkey: OwnerPasskey,
  { challenges, page, purpose }: PasskeyContext,
): Promise<number | undefined> {
  if (passkey.id !== response.id || passkey.rpId !== page.rpId) return undefined
  try {
    const challenge = challengeOf(response.response.clientDataJSON)
    const { userHandle, ...rest } = response.response
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...response,
        response: { ...rest, ...(userHandle !== undefined && { userHandle }) },
        clientExtensionResults: {},
      },
      expectedChallenge: (signed) => signed === challenge && challenges.isFor(signed, purpose, page),
      expectedOrigin: page.origin,
      expectedRPID: page.rpId,
      credential: { id: passkey.id, publicKey: Uint8Array.from(passkey.publicKey), counter: passkey.counter },
      requireUserVerification: true,
    })
    if (!verified || challenge === undefined || !challenges.use(challenge)) return undefined
    return authenticationInfo.newCounter
  } catch {
    return undefined
  }
}

/** Whether the passkey says that it is this owner's. */
export function isHandleOf(userHandle: string | undefined, ownerId: string): boolean {
  return userHandle !== undefined && Buffer.from(userHandle, "base64url").toString("hex") === ownerId
}

/** Undefined from a page within another's: ours are within none. */
function challengeOf(clientDataJSON: string): string | undefined {
  const { challenge, crossOrigin, topOrigin } = decodeClientDataJSON(clientDataJSON)
  return crossOrigin === true || topOrigin !== undefined ? undefined : challenge
}

/**
 * Without a statement of its maker, or with one by the passkey itself: the others name certificates, and to look
 * whether those were revoked would open a network.
 */
function isUnattested({ response }: RegistrationResponse): boolean {
  const attestation = decodeAttestationObject(isoBase64URL.toBuffer(response.attestationObject))
  const format = attestation.get("fmt")
  return format === "none" || (format === "packed" && attestation.get("attStmt").get("x5c") === undefined)
}

function hintsOf(passkeys: readonly OwnerPasskey[], { rpId }: OurPage): { id: string; transports: string[] }[] {
  return passkeys
    .filter((passkey) => passkey.rpId === rpId)
    .map(({ id, transports }) => ({ id, transports: [...transports] }))
}

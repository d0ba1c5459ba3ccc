import type { WebAuthnOptions, WebCall } from "../../channel/web-calls.js"
import type { Accounts, OwnerVisitor } from "./accounts.js"
import { assertionOptions, isHandleOf, verifyAssertion } from "./passkeys.js"
import { wrongPasskey } from "./refusal.js"
import type { SignedIn } from "./sessions.js"
import type { ParsedProof } from "./web-args.js"

/** Seconds in which one who came with a recovery code may make themselves a new way in. */
const FRESH_SECONDS = 600
const NEW_WAYS: readonly WebCall[] = ["owner.addPasskey", "owner.setPassword"]

/** A call with the args that it was parsed to: a proof is for exactly that. */
export interface ProvenCall {
  readonly call: WebCall
  readonly args: unknown
}

/** The recovery code was proof enough: whoever needs one may have nothing else. */
export function isFresh({ session }: SignedIn, call: WebCall, now: number): boolean {
  return session.by === "recovery" && now - session.createdAt <= FRESH_SECONDS && NEW_WAYS.includes(call)
}

/** What the owner may prove it with: a passkey that works on this page, or the password. */
export async function proofOptions(
  { call, args }: ProvenCall,
  { page, who }: OwnerVisitor,
  { record, challenges }: Accounts,
): Promise<{ passkey: WebAuthnOptions | undefined; password: boolean }> {
  const passkeys = (await record.passkeysOf(who.owner.id)).filter(({ rpId }) => rpId === page.rpId)
  const purpose = { kind: "proof", session: who.session.hash, call, args } as const
  return {
    passkey: passkeys.length === 0 ? undefined : await assertionOptions(passkeys, { challenges, page, purpose }),
    password: who.owner.password !== undefined,
  }
}

/** Uses a proof up. @throws `wrong_credential`, `too_many` */
export async function checkProof(
  proof: ParsedProof,
  { call, args }: ProvenCall,
  { page, who }: OwnerVisitor,
  accounts: Accounts,
): Promise<void> {
  const { record, challenges, passwords, now } = accounts
  const { owner, session } = who
  if (proof.kind === "password") {
    await passwords.check(owner, owner.name, proof, ({ id }, step) => record.use(id, { kind: "totp", step }, now()))
    return
  }
  const { response } = proof
  const { userHandle } = response.response
  const passkey = await record.passkey(response.id)
  if (passkey?.ownerId !== owner.id) throw wrongPasskey()
  // Where the passkey was named, it need not say whose it is.
  if (userHandle !== undefined && !isHandleOf(userHandle, owner.id)) throw wrongPasskey()
  const purpose = { kind: "proof", session: session.hash, call, args } as const
  const counter = await verifyAssertion(response, passkey, { challenges, page, purpose })
  if (counter === undefined) throw wrongPasskey()
  if (!(await record.use(owner.id, { kind: "passkey", id: passkey.id, counter }, now()))) throw wrongPasskey()
}

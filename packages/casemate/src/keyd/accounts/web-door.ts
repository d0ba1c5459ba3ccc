import { Nip46Error } from "@casemate/nip46/protocol"
import * as v from "valibot"
import type { OwnerCalls } from "../../channel/owner-calls.js"
import type {
  AccountCalls,
  SharedCall,
  WebCall,
  WebErrorCode,
  WebRequest,
  WebResponse,
} from "../../channel/web-calls.js"
import { UserError } from "../../config/user-error.js"
import { callOwner } from "../owner/calls.js"
import { grantsTaken } from "../owner/grants.js"
import type { OwnerPorts } from "../owner/ports.js"
import { scopeOfRequest } from "../owner/requests.js"
import { grantsExtended, grantsResumed } from "../owner/terms.js"
import { type Accounts, actorOf, type OwnerVisitor, type Visitor } from "./accounts.js"
import { JOIN_CALLS } from "./join-calls.js"
import { type Act, needsProof } from "./needs-proof.js"
import { OWN_CALLS } from "./own-calls.js"
import { pageAt } from "./pages.js"
import { checkProof, isFresh, type ProvenCall, proofOptions } from "./proofs.js"
import { WebRefusal } from "./refusal.js"
import { type SignedIn, signedInBy } from "./sessions.js"
import { SIGN_IN_CALLS } from "./sign-in-calls.js"
import { isSharedCall, isWebCall, type ParsedProof, WEB_ARGS, WEB_REQUEST } from "./web-args.js"

export interface WebDoorOptions {
  readonly accounts: Accounts
  /** What an owner's call works on; who asks is put in here. */
  readonly ports: OwnerPorts
}

const PUBLIC_CALLS = { ...SIGN_IN_CALLS, ...JOIN_CALLS }

type PublicCall = keyof typeof PUBLIC_CALLS
type OwnersCall = Exclude<WebCall, PublicCall>

/** Door 3 for browsers, by way of a gateway that is believed in nothing: a call is an owner's by its credential. */
export class WebDoor {
  readonly #options: WebDoorOptions

  constructor(options: WebDoorOptions) {
    this.#options = options
  }

  /** Never rejects. @param request as it came over the pipe */
  async answer(request: WebRequest): Promise<WebResponse> {
    let call: WebCall | undefined
    try {
      const asked = parsed(WEB_REQUEST, request)
      if (!isWebCall(asked.call)) throw new WebRefusal("unknown_call", "a browser may not make that call")
      call = asked.call
      const args = parsed(WEB_ARGS[call], asked.args)
      const page = pageAt(asked.origin, this.#options.ports.pages())
      if (page === undefined) throw new WebRefusal("bad_request", "this page is not one of the bunker's")
      if (isPublicCall(call)) return ok(await this.#public(call, args, { page }))
      const who = await signedInBy(asked.session, this.#options.accounts)
      if (who === undefined) throw new WebRefusal("not_signed_in", "you are not signed in, or no longer; sign in again")
      return ok(await this.#owners(call, args, asked.proof, { page, who }))
    } catch (error) {
      return this.#refusal(error, call)
    }
  }

  #public<C extends PublicCall>(call: C, args: unknown, visitor: Visitor): Promise<unknown> {
    const answer = PUBLIC_CALLS[call] as (args: unknown, visitor: Visitor, accounts: Accounts) => Promise<unknown>
    return answer(args, visitor, this.#options.accounts)
  }

  async #owners(
    call: OwnersCall,
    args: unknown,
    proof: ParsedProof | undefined,
    visitor: OwnerVisitor,
  ): Promise<unknown> {
    const { accounts } = this.#options
    if (call === "proof.options") return proofOptions(provenCall(args), visitor, accounts)
    const ports = { ...this.#options.ports, actor: actorOf(visitor.who.owner) }
    if (needsProof(await actOf(call, args, ports)) && !isFresh(visitor.who, call, accounts.now())) {
      if (proof === undefined) {
        throw new WebRefusal("proof_needed", "this takes your passkey, or your password and a code, once more")
      }
      await checkProof(proof, { call, args }, visitor, accounts)
      await this.#mustStillBe(visitor.who)
    }
    if (isSharedCall(call)) return callOwner(call, args, ports)
    const answer = OWN_CALLS[call] as (args: unknown, visitor: OwnerVisitor, accounts: Accounts) => Promise<unknown>
    return answer(args, visitor, accounts)
  }

  /** A proof takes a while, in which the session may have been ended. */
  async #mustStillBe({ session }: SignedIn): Promise<void> {
    if ((await this.#options.accounts.record.session(session.hash)) !== undefined) return
    throw new WebRefusal("not_signed_in", "your session was ended meanwhile; sign in again")
  }

  #refusal(error: unknown, call: WebCall | undefined): WebResponse {
    if (error instanceof WebRefusal) return refused(error.code, error.message)
    if (error instanceof UserError || error instanceof Nip46Error) return refused("refused", error.message)
    // What it says may hold what was sent to us.
    this.#options.accounts.log.error({ call }, "a browser's call failed")
    return refused("failed", "the bunker could not do that; its log says of which call")
  }
}

function isPublicCall(call: WebCall): call is PublicCall {
  return Object.hasOwn(PUBLIC_CALLS, call)
}

/** @throws `bad_request` */
function parsed<S extends v.GenericSchema<unknown, unknown>>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  throw new WebRefusal("bad_request", result.issues[0].message)
}

/** The call that a proof is asked for, as it will be parsed when it comes with the proof. @throws `bad_request` */
function provenCall(args: unknown): ProvenCall {
  const { call, args: of } = args as AccountCalls["proof.options"]["args"]
  return { call, args: parsed(WEB_ARGS[call], of) }
}

/** @throws UserError when what it is about is not here */
async function actOf(call: OwnersCall, args: unknown, ports: OwnerPorts): Promise<Act> {
  switch (call) {
    case "requests.approve":
      return { call, args, scope: await scopeOfRequest(args as Args<"requests.approve">, ports) }
    case "apps.ungrant":
      return { call, args, taken: await grantsTaken(args as Args<"apps.ungrant">, ports) }
    case "apps.extend":
      return { call, args, regained: await grantsExtended(args as Args<"apps.extend">, ports) }
    case "apps.resume":
      return { call, args, regained: await grantsResumed(args as Args<"apps.resume">, ports) }
    default:
      return { call, args }
  }
}

type Args<C extends SharedCall> = OwnerCalls[C]["args"]

function ok(result: unknown): WebResponse {
  return { ok: true, result }
}

function refused(code: WebErrorCode, message: string): WebResponse {
  return { ok: false, code, message }
}

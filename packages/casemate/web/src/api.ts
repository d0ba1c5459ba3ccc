import type { NewOwner, NewSession, Proof, WebCall, WebCalls, WebErrorCode } from "../../src/channel/web-calls.js"
import type { SessionStore } from "./session-store.js"

/** The gateway keeps one key of a new session for the cookie, and hands on the other. */
type InPage<R> = R extends NewSession ? Omit<R, "keys"> & { readonly token: string } : R

export type PageOwner = InPage<NewOwner>

export type ApiErrorCode = WebErrorCode | "unreachable" | "unknown"

/** The message is a sentence for the person at the page. */
export class ApiError extends Error {
  readonly code: ApiErrorCode

  constructor(code: ApiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

interface Request {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly path: string
  /** What is left of the args for the body; GET has none. */
  readonly body?: object
}

/** The gateway gives keyd 15 s, and then says so: nobody waits on silence. */
const DEADLINE_MS = 20_000
/** Answers say the time to the second, and take a while. */
const CLOCK_SLACK_MS = 2_000

/** The calls that these pages make. */
const ROUTES = {
  "session.show": () => ({ method: "GET", path: "/session" }),
  "session.passkeyOptions": () => ({ method: "POST", path: "/session/passkey/options", body: {} }),
  "session.passkey": (body) => ({ method: "POST", path: "/session/passkey", body }),
  "session.password": (body) => ({ method: "POST", path: "/session/password", body }),
  "session.recover": (body) => ({ method: "POST", path: "/session/recovery", body }),
  "session.end": () => ({ method: "DELETE", path: "/session", body: {} }),
  "sessions.endOthers": () => ({ method: "POST", path: "/sessions/end-others", body: {} }),
  "invitation.show": (body) => ({ method: "POST", path: "/invitation", body }),
  "invitation.passkeyOptions": (body) => ({ method: "POST", path: "/invitation/passkey/options", body }),
  "invitation.passkey": (body) => ({ method: "POST", path: "/invitation/passkey", body }),
  "invitation.totp": (body) => ({ method: "POST", path: "/invitation/totp", body }),
  "invitation.password": (body) => ({ method: "POST", path: "/invitation/password", body }),
  "owner.show": () => ({ method: "GET", path: "/owner" }),
  "owner.passkeyOptions": () => ({ method: "POST", path: "/owner/passkeys/options", body: {} }),
  "owner.addPasskey": (body) => ({ method: "POST", path: "/owner/passkeys", body }),
  "owner.removePasskey": ({ id }) => ({
    method: "DELETE",
    path: `/owner/passkeys/${encodeURIComponent(id)}`,
    body: {},
  }),
  "owner.totp": () => ({ method: "POST", path: "/owner/totp", body: {} }),
  "owner.setPassword": (body) => ({ method: "PUT", path: "/owner/password", body }),
  "owner.recoveryCodes": () => ({ method: "POST", path: "/owner/recovery-codes", body: {} }),
  "proof.options": (body) => ({ method: "POST", path: "/proof/options", body }),
  "requests.list": ({ limit }) => ({ method: "GET", path: `/requests${limit === undefined ? "" : `?limit=${limit}`}` }),
  "requests.show": ({ id }) => ({ method: "GET", path: `/requests/${encodeURIComponent(id)}` }),
  "requests.approve": ({ id, ...body }) => ({
    method: "POST",
    path: `/requests/${encodeURIComponent(id)}/approve`,
    body,
  }),
  "requests.deny": ({ id, ...body }) => ({ method: "POST", path: `/requests/${encodeURIComponent(id)}/deny`, body }),
  "apps.show": ({ id }) => ({ method: "GET", path: `/apps/${encodeURIComponent(id)}` }),
} as const satisfies { readonly [C in WebCall]?: (args: WebCalls[C]["args"]) => Request }

export type PageCall = keyof typeof ROUTES
type Routes = { readonly [C in PageCall]: (args: WebCalls[C]["args"]) => Request }
export type PageResult<C extends PageCall> = InPage<WebCalls[C]["result"]>

interface ApiOptions {
  readonly base: string
  readonly session: SessionStore
  readonly fetch: typeof fetch
  /** The session is over, or there is none. */
  readonly onSignedOut: () => void
}

/** The HTTP API of the bunker that served this page. */
export class Api {
  readonly #options: ApiOptions
  #ahead = 0

  constructor(options: ApiOptions) {
    this.#options = options
  }

  get isSignedIn(): boolean {
    return this.#options.session.get() !== undefined
  }

  /** Unix seconds by the bunker's clock, as far as its last answer told: deadlines are counted by it. */
  now(): number {
    return Math.floor((Date.now() + this.#ahead) / 1000)
  }

  signedIn({ token }: { readonly token: string }): void {
    this.#options.session.set(token)
  }

  signedOut(): void {
    this.#options.session.forget()
    this.#options.onSignedOut()
  }

  /** @throws ApiError */
  async call<C extends PageCall>(call: C, args: WebCalls[C]["args"], proof?: Proof): Promise<PageResult<C>> {
    const routes: Routes = ROUTES
    const { status, body } = await this.#send(routes[call](args), proof)
    // A captive portal or a proxy answers well, too, but not in JSON.
    if (status >= 200 && status < 300 && body !== undefined) return body as PageResult<C>
    const error = errorOf(status, body)
    if (error.code === "not_signed_in") this.signedOut()
    throw error
  }

  async #send({ method, path, body }: Request, proof: Proof | undefined): Promise<{ status: number; body: unknown }> {
    const { base, session, fetch } = this.#options
    const token = session.get()
    const init: RequestInit = {
      method,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { "x-casemate-session": token }),
      },
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(DEADLINE_MS),
    }
    if (body !== undefined) init.body = JSON.stringify(proof === undefined ? body : { ...body, proof })
    let response: Response
    try {
      response = await fetch(`${base}/api/v1${path}`, init)
    } catch (cause) {
      throw new ApiError("unreachable", "The bunker cannot be reached. Is it running, and are you online?", { cause })
    }
    const date = Date.parse(response.headers.get("date") ?? "")
    // Not at every answer, or what is counted down would jump.
    if (Math.abs(date - Date.now() - this.#ahead) > CLOCK_SLACK_MS) this.#ahead = date - Date.now()
    return { status: response.status, body: await response.json().catch(() => undefined) }
  }
}

function errorOf(status: number, body: unknown): ApiError {
  const { error } = (body ?? {}) as { readonly error?: { readonly code?: unknown; readonly message?: unknown } }
  if (typeof error?.code === "string" && typeof error.message === "string") {
    return new ApiError(error.code as ApiErrorCode, sentence(error.message))
  }
  return new ApiError("unknown", `The bunker cannot be used at the moment: it answered with status ${status}.`)
}

/** Messages of keyd stand after "error:" on a terminal, in small letters and without a full stop. */
function sentence(message: string): string {
  const [first = "", ...rest] = message
  return `${first.toUpperCase()}${rest.join("")}${/[.!?…`]$/.test(message) ? "" : "."}`
}

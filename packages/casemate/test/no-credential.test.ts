import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { InvitationInfo, OwnerInfo } from "../src/channel/owner-calls.js"
import type { NewOwner, SessionKeys, WebRequest } from "../src/channel/web-calls.js"
import { isWebCall, WEB_ARGS } from "../src/keyd/accounts/web-args.js"
import { OWNER_ARGS } from "../src/keyd/owner/calls.js"
import { AccountBench, LOCAL, ORIGIN } from "./support/account-bench.js"
import { Authenticator } from "./support/authenticator.js"
import { type BenchApp, connectApp } from "./support/bench-app.js"
import { type Bunker, type Folders, makeFolders, runCli, runJson, startBunker } from "./support/bunker.js"
import { readAudit } from "./support/record.js"
import { joinWith, openSecondGateway, type SecondGateway } from "./support/second-gateway.js"

/** From inside the gateway no owner's call works without a credential. */

const INHERITED = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty", "__defineGetter__", "then"]
const CALLS = [...new Set([...Object.keys(WEB_ARGS), ...Object.keys(OWNER_ARGS), ...INHERITED, "", "owners", "*"])]

/** Calls that prepare something for a stranger: a challenge, which lets nobody do anything. */
const PREPARES = ["session.passkeyOptions"]

const seconds = { seconds: 3_600 }

/** Args under which each call would do something, were it an owner's. */
function argsFor(
  call: string,
  about: { app: string; request: string; digest: string; passkey: Authenticator },
): unknown {
  const { app, request, digest, passkey } = about
  const id = { id: app }
  const asserted = passkey.get({ challenge: "AAAA", rpId: "bunker.example" }, { origin: ORIGIN })
  const made = new Authenticator().create(
    { challenge: "AAAA", rp: { id: "bunker.example" }, user: { id: "AAAA" } },
    { origin: ORIGIN },
  )
  const joining = { secret: "A".repeat(22), name: "mallory" }
  const password = { password: "a password of mine", code: "123456" }
  const args: Record<string, unknown> = {
    "session.passkey": { response: asserted },
    "session.password": { name: "nobody", ...password },
    "session.recover": { name: "alice", code: "0000-0000-0000-0000" },
    "invitation.show": { secret: joining.secret },
    "invitation.passkeyOptions": joining,
    "invitation.passkey": { ...joining, response: made },
    "invitation.totp": joining,
    "invitation.password": { ...joining, ...password },
    "proof.options": { call: "apps.preset", args: { ...id, preset: "full" } },
    "owner.addPasskey": { response: made, label: "mine" },
    "owner.removePasskey": { id: passkey.credentialId },
    "owner.setPassword": password,
    "apps.show": id,
    "apps.revoke": id,
    "apps.nip04": { ...id, allowed: true },
    "apps.pause": id,
    "apps.resume": id,
    "apps.grant": { ...id, perms: "sign_event:1" },
    "apps.ungrant": { ...id, what: "sign_event:7" },
    "apps.preset": { ...id, preset: "ask" },
    "apps.extend": { ...id, expiresAt: null },
    "apps.style": { ...id, style: "deny" },
    "requests.show": { id: request },
    "requests.approve": { id: request, digest, extent: "once" },
    "requests.deny": { id: request, digest, block: true },
    "keys.generate": { name: "mine" },
    "keys.check": { name: "mine" },
    "keys.uses": { key: "default" },
    "keys.exportPlain": { key: "default", confirm: "default" },
    "keys.export": { key: "default", passphrase: "a passphrase of mine" },
    "keys.rename": { key: "default", name: "mine" },
    "keys.remove": { key: "default" },
    "owners.remove": { name: "alice" },
    "connections.offer": { ttl: 600, perms: "sign_event" },
  }
  return Object.hasOwn(args, call) ? args[call] : call.startsWith("requests.") ? { limit: 1, extent: seconds } : {}
}

describe("keyd", () => {
  let bench: AccountBench
  let app: BenchApp
  beforeEach(async () => {
    bench = new AccountBench()
    app = await connectApp(bench, { perms: "sign_event:7" })
  })
  afterEach(() => bench.close())

  it("does nothing for whoever shows no session, a wrong one, or one that is over", { timeout: 120_000 }, async () => {
    const passkey = new Authenticator()
    const [expired, removed] = [await bench.joinWithPasskey("expired"), await bench.joinWithPasskey("removed")]
    await bench.atTerminal("owners.remove", { name: "removed" })
    bench.time += 43_200
    const alice = await bench.joinWithPasskey("alice", passkey)
    const ended = (await bench.signIn(passkey)) as unknown as { result: { keys: SessionKeys } }
    await bench.get("session.end", {}, { session: ended.result.keys })
    const other = (await bench.signIn(passkey)) as unknown as { result: { keys: SessionKeys } }
    const { id: request, digest } = await app.ask(1)
    const about = { app: app.id, request, digest, passkey }

    const { cookie, token } = alice.keys
    const sessions: readonly (readonly [string, string | SessionKeys | undefined])[] = [
      ["none", undefined],
      ["nothing", ""],
      ["garbage", "'; DROP TABLE owner_session; --"],
      ["a well-formed one that is nobody's", `${"A".repeat(43)}.${"B".repeat(43)}`],
      ["one half", cookie],
      ["the other half", `.${token}`],
      ["one half twice", `${cookie}.${cookie}`],
      ["its halves in another order", `${token}.${cookie}`],
      ["halves of two sessions", `${cookie}.${other.result.keys.token}`],
      ["its hash", (await bench.record.sessionsOf((await bench.record.owner("alice"))?.id ?? ""))[0]?.hash ?? ""],
      ["one that is over", expired.keys],
      ["one that was ended", ended.result.keys],
      ["one of an owner who was removed", removed.keys],
    ]
    const before = bench.dump()
    let asked = 0
    for (const [what, session] of sessions) {
      for (const call of CALLS) {
        for (const origin of [ORIGIN, LOCAL]) {
          // What a stranger guesses is limited; here it is to be refused for what it is.
          bench.time += 1
          const response = await bench.ask(call, argsFor(call, about), { session, origin })
          asked += 1
          if (PREPARES.includes(call)) continue
          expect(response.ok, `${call} with ${what}`).toBe(false)
          const expected = !isWebCall(call)
            ? ["unknown_call"]
            : /^(?:session\.(?:pass|rec)|invitation\.)/.test(call)
              ? ["wrong_credential", "too_many"]
              : ["not_signed_in"]
          expect(expected, `${call} with ${what}`).toContain((response as { code: string }).code)
        }
      }
    }
    expect(bench.dump()).toBe(before)
    expect(asked).toBeGreaterThan(1_500)

    // The same calls with the session that is whole: the args were right, and it was the credential that was not.
    const codes = new Map<string, string>()
    const owners = CALLS.filter(isWebCall).filter((call) => !/^(?:session\.|invitation\.)/.test(call))
    // What waits goes with a pause, and what is revoked can be changed no more.
    const first = ["requests.show", "requests.deny"]
    const last = ["apps.revoke"]
    const between = owners.filter((call) => ![...first, ...last].includes(call))
    for (const call of [...first, ...between, ...last])
      codes.set(call, await bench.codeOf(call, argsFor(call, about), { session: alice.keys }))
    expect(Object.fromEntries([...codes].filter(([, code]) => code !== "ok"))).toEqual({
      "owner.addPasskey": "proof_needed",
      "owner.removePasskey": "proof_needed",
      "owner.setPassword": "proof_needed",
      "owner.recoveryCodes": "proof_needed",
      // It was denied.
      "requests.approve": "refused",
    })
    expect(bench.dump()).not.toBe(before)
  })

  it("does nothing that takes a proof for whoever has a session alone", async () => {
    const passkey = new Authenticator()
    const alice = await bench.joinWithPasskey("alice", passkey)
    const bobs = new Authenticator()
    await bench.joinWithPasskey("bob", bobs)
    const { id, digest } = await app.ask(5)
    const session = alice.keys
    await bench.get("apps.grant", { id: app.id, perms: "sign_event:3", deny: true }, { session })
    const made = new Authenticator().create(await bench.get("owner.passkeyOptions", {}, { session }), {
      origin: ORIGIN,
    })
    const setup = await bench.get<{ secret: string }>("owner.totp", {}, { session })
    const calls: readonly (readonly [string, unknown])[] = [
      ["owner.addPasskey", { response: made, label: "mine" }],
      ["owner.removePasskey", { id: passkey.credentialId }],
      ["owner.setPassword", { password: "a password of mine", code: bench.codeFor(setup.secret) }],
      ["owner.recoveryCodes", {}],
      ["apps.preset", { id: app.id, preset: "full" }],
      ["apps.preset", { id: app.id, preset: "social" }],
      ["apps.grant", { id: app.id, perms: "sign_event" }],
      ["apps.grant", { id: app.id, perms: "nip44_decrypt" }],
      ["apps.ungrant", { id: app.id, what: "sign_event:3" }],
      ["requests.approve", { id, digest, extent: "always" }],
      ["requests.approve", { id: id.slice(0, 4), digest, extent: seconds }],
    ]
    const withoutAudit = (): string => bench.dump(["audit", "audit_head"])
    const before = withoutAudit()
    const proofs: readonly (readonly [string, (call: string, args: unknown) => Promise<unknown>])[] = [
      ["none", async () => undefined],
      ["a password that is nobody's", async () => ({ kind: "password", password: "not the password", code: "000000" })],
      ["another's passkey", (call, args) => bench.prove(bobs, call, args, session)],
      ["a passkey of nobody's", (call, args) => bench.prove(new Authenticator(), call, args, session)],
    ]
    for (const [what, prove] of proofs) {
      for (const [call, args] of calls) {
        const proof = (await prove(call, args)) as WebRequest["proof"]
        const code = await bench.codeOf(call, args, { session, proof })
        expect(["proof_needed", "wrong_credential", "too_many"], `${call} with ${what}`).toContain(code)
      }
    }
    // A pause for wrong passwords is told in the audit.
    expect(withoutAudit()).toBe(before)
    const proof = await bench.prove(passkey, "apps.preset", { id: app.id, preset: "full" }, session)
    expect(await bench.codeOf("apps.preset", { id: app.id, preset: "full" }, { session, proof })).toBe("ok")
  })
})

describe("the running bunker, over the gateway's own socket", () => {
  let folders: Folders
  let bunker: Bunker
  let gateway: SecondGateway
  beforeAll(async () => {
    folders = makeFolders()
    bunker = await startBunker(folders)
    gateway = openSecondGateway(folders)
  })
  afterAll(async () => {
    gateway.close()
    expect(await bunker.stop()).toBe(0)
    folders.remove()
  })

  it("lets an owner in by invitation, and nobody else, whatever is called", { timeout: 120_000 }, async () => {
    const origin = `http://localhost:${new URL(bunker.ready.http).port}`
    const { url } = await runJson<InvitationInfo>(folders, ["owner", "invite"])
    expect(url.startsWith(`${origin}/join#`)).toBe(true)
    const passkey = new Authenticator()
    const joined = await joinWith(url, "alice", passkey, gateway)
    expect(joined).toMatchObject({ ok: true, result: { owner: "alice" } })
    const { keys } = (joined as unknown as { result: NewOwner }).result
    const session = `${keys.cookie}.${keys.token}`

    const before = readAudit(folders)
    const about = { app: "c0ffee", request: "c0ffee", digest: "ab".repeat(32), passkey }
    for (const call of CALLS) {
      for (const shown of [undefined, `${keys.token}.${keys.cookie}`, `${"A".repeat(43)}.${"B".repeat(43)}`]) {
        const request = { call, args: argsFor(call, about), origin, ...(shown !== undefined && { session: shown }) }
        const answer = await gateway.call(request as WebRequest)
        expect(answer.ok, call).toBe(PREPARES.includes(call))
      }
    }
    expect(readAudit(folders)).toEqual(before)
    expect(await gateway.call({ call: "apps.list", args: {}, origin, session })).toMatchObject({ ok: true })

    const [owner] = await runJson<OwnerInfo[]>(folders, ["owner", "list"])
    expect(owner).toMatchObject({ name: "alice", passkeys: 1, sessions: 1, recoveryCodesLeft: 10 })
    const removed = await runCli(folders, ["owner", "remove", "Alice", "--yes", "--data-dir", folders.data])
    expect(removed.stdout).toBe("Removed the owner alice.\n")
    expect(await gateway.call({ call: "apps.list", args: {}, origin, session })).toMatchObject({
      code: "not_signed_in",
    })
  })
})

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createNodeBackend } from "@casemate/nip46/crypto/node"
import { SignerEngine } from "@casemate/nip46/signer"
import BetterSqlite from "better-sqlite3"
import { TOTP } from "otpauth"
import type { NewOwner, SessionKeys, WebRequest, WebResponse } from "../../src/channel/web-calls.js"
import { createLogger } from "../../src/config/log.js"
import { createAccounts } from "../../src/keyd/accounts/accounts.js"
import { WebDoor } from "../../src/keyd/accounts/web-door.js"
import { GatewayDoor } from "../../src/keyd/door/gateway-door.js"
import { callOwner } from "../../src/keyd/owner/calls.js"
import { ConnectionWaits } from "../../src/keyd/owner/connection-waits.js"
import type { OwnerPorts } from "../../src/keyd/owner/ports.js"
import { SignedEvents } from "../../src/keyd/owner/signed-events.js"
import type { Record as KeydRecord } from "../../src/keyd/record/record.js"
import { openSqliteRecord } from "../../src/keyd/record/sqlite-record.js"
import { Secret } from "../../src/keyd/vault/secret.js"
import { Vault } from "../../src/keyd/vault/vault.js"
import { Authenticator } from "./authenticator.js"

export const ORIGIN = "https://bunker.example"
export const LOCAL = "http://localhost:4646"
/** Long enough, and nobody's. */
export const PASSWORD = "correct horse battery staple"

/** What `ask` sends beside the call and its args. */
export interface Asking {
  readonly origin?: string
  readonly session?: SessionKeys | string | undefined
  readonly proof?: WebRequest["proof"] | undefined
}

/** Somebody who has joined. */
export interface Joined {
  readonly name: string
  readonly keys: SessionKeys
  readonly recoveryCodes: readonly string[]
}

/** keyd's third door for browsers with all that is behind it, in this process; only time and the gateway are not real. */
export class AccountBench {
  /** Unix seconds. */
  time = 1_800_000_000
  readonly logged: string[] = []
  readonly engine: SignerEngine
  readonly record: KeydRecord
  readonly ports: OwnerPorts
  readonly #folder = mkdtempSync(join(tmpdir(), "casemate-accounts-"))
  readonly #vault: Vault
  #door: WebDoor

  constructor() {
    const crypto = createNodeBackend()
    const now = (): number => this.time
    const vault = new Vault({
      rootKey: new Secret(new Uint8Array(32).fill(7)),
      vaultId: "test",
      crypto,
      loadUserKey: async (pubkey) => (await this.record.userKey(pubkey))?.sealed,
    })
    this.#vault = vault
    this.record = openSqliteRecord(this.#file, {
      seal: {
        mac: (bytes) => vault.auditMac(bytes),
        sealHead: (writer, head) => vault.sealAuditHead(writer, head),
        openHead: (writer, sealed) => vault.openAuditHead(writer, sealed),
      },
    })
    const { record } = this
    const onFault = (fault: unknown): void => void this.logged.push(String(fault))
    this.engine = new SignerEngine({ record, keys: vault, crypto, onFault, clock: { now: () => this.time * 1000 } })
    const door = new GatewayDoor({
      engine: this.engine,
      watches: async () => [],
      prove: async () => undefined,
      call: (request) => this.#door.answer(request),
      onServed: () => undefined,
      log: createLogger("test", "silent"),
    })
    this.ports = {
      ...{ engine: this.engine, record, vault, crypto, door, now },
      waits: new ConnectionWaits(async () => undefined, now),
      signed: new SignedEvents({ vault, record, onFault }),
      pages: () => [`${ORIGIN}/casemate`, LOCAL],
      actor: "owner",
    } as Partial<OwnerPorts> as OwnerPorts
    this.#door = this.#newDoor()
  }

  /** keyd ends and starts again: what was only in its memory is gone. */
  restart(): void {
    this.#door = this.#newDoor()
  }

  async close(): Promise<void> {
    this.engine.close()
    await this.record.close()
    this.#vault.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** What a gateway may send, honest or not. */
  send(request: unknown): Promise<WebResponse> {
    return this.#door.answer(request as WebRequest)
  }

  ask(call: string, args: unknown = {}, { origin = ORIGIN, session, proof }: Asking = {}): Promise<WebResponse> {
    return this.send({
      call,
      args,
      origin,
      ...(session !== undefined && { session: keysOf(session) }),
      ...(proof !== undefined && { proof }),
    })
  }

  /** The same where it is to work. */
  async get<T>(call: string, args: unknown = {}, asking: Asking = {}): Promise<T> {
    const response = await this.ask(call, args, asking)
    if (!response.ok) throw new Error(`${call}: ${response.code}: ${response.message}`)
    return response.result as T
  }

  /** The code of what is refused, or `ok`. */
  async codeOf(call: string, args: unknown = {}, asking: Asking = {}): Promise<string> {
    const response = await this.ask(call, args, asking)
    return response.ok ? "ok" : response.code
  }

  /** As somebody at the machine does it. */
  atTerminal<T>(call: string, args: unknown = {}): Promise<T> {
    return callOwner(call, args, this.ports) as Promise<T>
  }

  async invite(): Promise<string> {
    const { url } = await this.atTerminal<{ url: string }>("owners.invite")
    return new URL(url).hash.slice(1)
  }

  async joinWithPasskey(name: string, passkey = new Authenticator(), origin = ORIGIN): Promise<Joined> {
    const secret = await this.invite()
    const options = await this.get("invitation.passkeyOptions", { secret, name }, { origin })
    const response = passkey.create(options, { origin })
    return { name, ...(await this.get<NewOwner>("invitation.passkey", { secret, name, response }, { origin })) }
  }

  async joinWithPassword(name: string, password = PASSWORD): Promise<Joined & { code: () => string }> {
    const secret = await this.invite()
    const setup = await this.get<{ secret: string }>("invitation.totp", { secret, name })
    const code = (): string => this.codeFor(setup.secret)
    const owner = await this.get<NewOwner>("invitation.password", { secret, name, password, code: code() })
    // The code of joining is used up.
    this.time += 30
    return { name, ...owner, code }
  }

  /** What an authenticator app shows now. */
  codeFor(secret: string): string {
    return new TOTP({ secret }).generate({ timestamp: this.time * 1000 })
  }

  async signIn(passkey: Authenticator, origin = ORIGIN): Promise<WebResponse> {
    const response = passkey.get(await this.get("session.passkeyOptions", {}, { origin }), { origin })
    return this.ask("session.passkey", { response }, { origin })
  }

  /** A proof for a call, as the page makes one. */
  async prove(passkey: Authenticator, call: string, args: unknown, session: SessionKeys): Promise<WebRequest["proof"]> {
    const { passkey: options } = await this.get<{ passkey: unknown }>("proof.options", { call, args }, { session })
    return { kind: "passkey", response: passkey.get(options, { origin: ORIGIN }) }
  }

  /** Every row of every table but some, as SQLite has them on the disk. */
  dump(but: readonly string[] = []): string {
    const db = new BetterSqlite(this.#file, { readonly: true })
    try {
      const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
      return JSON.stringify(
        (tables as { name: string }[])
          .filter(({ name }) => !but.includes(name))
          .map(({ name }) => [name, db.prepare(`SELECT * FROM "${name}"`).all()]),
      )
    } finally {
      db.close()
    }
  }

  get #file(): string {
    return join(this.#folder, "record.db")
  }

  #newDoor(): WebDoor {
    const { record, crypto, now } = this.ports
    const log = createLogger("test", "trace", { write: (line) => void this.logged.push(line) })
    return new WebDoor({
      accounts: createAccounts({ record, vault: this.#vault, crypto, now, log }),
      ports: this.ports,
    })
  }
}

function keysOf(session: SessionKeys | string): string {
  return typeof session === "string" ? session : `${session.cookie}.${session.token}`
}

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { decode, npubEncode, nsecEncode } from "nostr-tools/nip19"
import * as nip44 from "nostr-tools/nip44"
import { decrypt, encrypt } from "nostr-tools/nip49"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { expect, it } from "vitest"
import {
  type CliResult,
  isAlive,
  makeFolders,
  pidOf,
  processesOf,
  runCli,
  startBunker,
  until,
} from "./support/bunker.js"
import { filesOf, findNeedles, keyNeedles, textNeedles } from "./support/canaries.js"
import { LINUX, titled } from "./support/needs.js"
import { callOwner } from "./support/owner.js"
import { parseToken, RawClient } from "./support/raw-client.js"

const title = "invariant 9: no key, plaintext or secret lies in the data folder or in a log at trace level"

it.skipIf(!LINUX.isHere)(titled(title, LINUX), { timeout: 90_000 }, async () => {
  const folders = makeFolders()
  folders.env["CASEMATE_LOG_LEVEL"] = "trace"
  // Whatever a process says but what it was asked to print.
  const logs = new Map<string, Buffer>()
  const keepLog = (name: string, text: string): void => void logs.set(name, Buffer.from(text))
  const cli = async (args: string[], input?: string): Promise<CliResult> => {
    const result = await runCli(folders, [...args, "--data-dir", folders.data], input)
    keepLog(`stderr of ${args.slice(0, 2).join(" ")}, ${logs.size}`, result.stderr)
    return result
  }
  const clients: RawClient[] = []
  const open = (token: string): RawClient => {
    const client = new RawClient(token)
    clients.push(client)
    return client
  }

  try {
    let bunker = await startBunker(folders)
    const userKey = generateSecretKey()
    const added = await cli(["keys", "add", "--name", "known", "--json"], `${nsecEncode(userKey)}\n`)
    expect(JSON.parse(added.stdout)).toMatchObject({ name: "known", pubkey: getPublicKey(userKey) })

    // Wrong keys are secrets too: most often one letter off a right one.
    const mistyped = spoil(nsecEncode(userKey))
    const otherKey = generateSecretKey()
    expect((await cli(["keys", "add", "--name", "wrong"], `${mistyped}\n`)).stderr).toMatch(/not a secret key/)
    expect((await cli(["keys", "add", "--name", "known"], `${nsecEncode(otherKey)}\n`)).code).toBe(1)
    expect((await cli(["keys", "add", "--name", "again"], Buffer.from(userKey).toString("hex"))).code).toBe(1)

    // In and out under passphrases, right and wrong, and in the clear.
    const foreignKey = generateSecretKey()
    const theirPassphrase = "a passphrase from elsewhere, 24680"
    const wrongPassphrase = "a passphrase that is not it, 13579"
    const ncryptsec = encrypt(foreignKey, theirPassphrase, 16)
    for (const [passphrase, code] of [
      [wrongPassphrase, 1],
      [theirPassphrase, 0],
    ] as const)
      expect((await cli(["keys", "add", "--name", "foreign"], `${ncryptsec}\n${passphrase}\n`)).code).toBe(code)
    const ourPassphrase = "a passphrase for the way out, 97531"
    const exporting = ["keys", "export", "known", "--log-n", "16"]
    const exported = (await cli(exporting, `${ourPassphrase}\n`)).stdout.trim()
    expect(decrypt(exported, ourPassphrase)).toEqual(userKey)
    expect((await cli(exporting, "elevenchars\n")).stderr).toMatch(/at least 12/)
    const plain = await callOwner(folders, "keys.exportPlain", { key: "known", confirm: "known" })
    expect(plain.nsec).toBe(nsecEncode(userKey))
    const wrongName = "what was typed in place of the name"
    await expect(callOwner(folders, "keys.exportPlain", { key: "known", confirm: wrongName })).rejects.toThrow()
    const leaving = await callOwner(folders, "keys.generate", { name: "leaving" })
    const { nsec: gone } = await callOwner(folders, "keys.exportPlain", { key: "leaving", confirm: "leaving" })
    expect((await cli(["keys", "remove", "leaving", "--yes"])).stdout).toContain(npubEncode(leaving.pubkey))
    const goneKey = decode(gone)
    if (goneKey.type !== "nsec") throw new Error("an export in the clear is an nsec")

    // Real use, and misuse.
    const offer = JSON.parse((await cli(["pair", "--key", "known", "--no-wait", "--json"])).stdout)
    const app = open(offer.uri)
    const guess = "a guess at the secret, 1234567890"
    expect((await app.request("connect", [app.remoteSigner, guess])).error).toMatch(/secret is not/)
    expect(await app.connect()).toEqual({ result: "ack" })
    expect((await app.request("get_public_key", [])).result).toBe(getPublicKey(userKey))
    expect((await app.sign("a note")).result).toContain("a note")
    const friend = generateSecretKey()
    const words = "meet me at the old mill, at nine"
    const reply = "no, the new mill, and at ten"
    const conversation = nip44.getConversationKey(friend, getPublicKey(userKey))
    const sent = await app.request("nip44_encrypt", [getPublicKey(friend), words])
    expect(nip44.decrypt(sent.result ?? "", conversation)).toBe(words)
    const received = nip44.encrypt(reply, conversation)
    expect((await app.request("nip44_decrypt", [getPublicKey(friend), received])).result).toBe(reply)
    expect(
      (await app.request("nip44_decrypt", [getPublicKey(friend), `${received.slice(0, -8)}AAAAAAA=`])).error,
    ).toBeDefined()
    expect((await app.request("nip04_encrypt", [getPublicKey(friend), words])).error).toMatch(/not permitted/)
    expect((await app.request("sign_event", [`{"kind":4,"content":"${words}"}`])).error).toMatch(/not permitted/)
    expect((await app.request(words, [words])).error).toMatch(/unknown method/)
    app.publish(app.seal(words))
    const second = open(offer.uri)
    expect((await second.connect()).error).toMatch(/already used/)
    const unspent = JSON.parse((await cli(["pair", "--key", "known", "--no-wait", "--json"])).stdout)
    expect((await cli(["keys", "list"])).stdout).toContain("known")
    expect((await cli(["apps", "show", offer.id])).code).toBe(0)

    // An app's own token, let in and never used: its secret waits to be sent again.
    const theirs = "an app's own secret, 0987654321"
    const theirKey = getPublicKey(generateSecretKey())
    const uri = `nostrconnect://${theirKey}?relay=${encodeURIComponent(parseToken(offer.uri).relays[0] as string)}&secret=${encodeURIComponent(theirs)}`
    expect((await cli(["pair", uri, "--yes", "--no-wait"])).code).toBe(0)
    expect((await cli(["pair", uri, "--yes", "--no-wait", "--key", "nobody"])).code).toBe(1)
    expect((await cli(["pair", `${uri}&relay=x`.replace("secret=", "secret=&"), "--yes"])).code).toBe(1)

    // A record that cannot be written, ends by signals, and a root key that is damaged.
    const db = new BetterSqlite(join(folders.data, "record.db"))
    db.exec("BEGIN IMMEDIATE")
    expect((await app.sign("not now", { retryMs: 60_000 })).error).toMatch(/could not record/)
    await expect(callOwner(folders, "keys.generate", { name: "not-now" })).rejects.toThrow()
    db.close()
    for (const signal of ["SIGKILL", "SIGABRT", "SIGSEGV"] as const) {
      const keyd = pidOf(bunker.process, "keyd") as number
      process.kill(keyd, signal)
      await until(() => !isAlive(keyd))
      expect((await app.sign(`after ${signal}`)).result).toContain(`after ${signal}`)
    }
    const gateway = pidOf(bunker.process, "gateway") as number
    process.kill(gateway, "SIGABRT")
    await until(() => !isAlive(gateway))
    expect((await app.sign("after the gateway")).result).toContain("after the gateway")

    const rootKeyFile = join(
      folders.config,
      readdirSync(folders.config).find((name) => name.endsWith(".key")) as string,
    )
    const rootKeyText = readFileSync(rootKeyFile, "utf8")
    const rootKey = Buffer.from(/[0-9a-f]{64}/.exec(rootKeyText)?.[0] as string, "hex")
    const needles = [
      ...keyNeedles("the user key", userKey),
      ...keyNeedles("a key that was refused", otherKey),
      ...textNeedles("a mistyped nsec", mistyped),
      ...keyNeedles("a key that came under a passphrase", foreignKey),
      ...keyNeedles("a key that was removed", goneKey.data),
      ...textNeedles("the passphrase of a key that came in", theirPassphrase),
      ...textNeedles("a wrong passphrase", wrongPassphrase),
      ...textNeedles("the passphrase of an export", ourPassphrase),
      ...textNeedles("an ncryptsec that came in", ncryptsec),
      ...textNeedles("an ncryptsec that went out", exported),
      ...textNeedles("a confirmation that was wrong", wrongName),
      ...keyNeedles("the root key", rootKey),
      ...textNeedles("a spent secret", app.secret),
      ...textNeedles("an unspent secret", new URL(unspent.uri).searchParams.get("secret") as string),
      ...textNeedles(
        "the secret of the first token",
        new URL(bunker.ready.bunker).searchParams.get("secret") as string,
      ),
      ...textNeedles("a guessed secret", guess),
      ...textNeedles("the secret of an app's own token", theirs),
      ...textNeedles("the same as its token has it", encodeURIComponent(theirs)),
      ...textNeedles("a plaintext to encrypt", words),
      ...textNeedles("a plaintext that was decrypted", reply),
    ]
    expect(needles.every(({ bytes }) => bytes.length >= 16)).toBe(true)

    // While it runs, the write-ahead log is full of what came last.
    const whileRunning = filesOf(folders.data)
    expect([...whileRunning.keys()]).toEqual(
      expect.arrayContaining(["record.db", "record.db-wal", "vault.json", "lock.db"]),
    )
    expect(whileRunning.get("record.db-wal")?.length).toBeGreaterThan(0)
    expect(findNeedles(whileRunning, needles)).toEqual([])
    for (const pid of processesOf(bunker.process)) {
      for (const what of ["cmdline", "environ"]) {
        const told = new Map([[what, readFileSync(`/proc/${pid}/${what}`)]])
        expect(findNeedles(told, needles)).toEqual([])
      }
    }

    expect(await bunker.stop()).toBe(0)
    keepLog("the bunker's log", bunker.log())
    writeFileSync(rootKeyFile, rootKeyText.slice(0, -3))
    expect((await cli(["start", "--json", "--http", "localhost:0"])).stderr).toMatch(/is damaged/)
    writeFileSync(rootKeyFile, rootKeyText.replace(/[0-9a-f]{64}/, "0".repeat(64)))
    expect((await cli(["start", "--json", "--http", "localhost:0"])).stderr).toMatch(/audit head|root key/)
    writeFileSync(rootKeyFile, rootKeyText)
    // Where it was, or the relay of its connections would be somebody else's.
    bunker = await startBunker(folders, ["--http", `localhost:${new URL(bunker.ready.http).port}`])
    expect(await bunker.stop()).toBe(0)
    keepLog("the log of the second start", bunker.log())
    const log = logs.get("the bunker's log") as Buffer
    // Trace was on, and the crashes are in it.
    expect(log.toString()).toMatch(/"level":"trace"/)
    expect(log.toString()).toMatch(/SIGABRT/)
    expect(logs.size).toBeGreaterThan(10)
    expect(findNeedles(logs, needles)).toEqual([])
    expect(findNeedles(filesOf(folders.data), needles)).toEqual([])

    // The same search finds each of them where one was planted.
    const planted = join(folders.data, "planted")
    for (const needle of needles) {
      writeFileSync(planted, Buffer.concat([Buffer.alloc(5_000, "x"), needle.bytes, Buffer.alloc(5_000, "y")]))
      expect(findNeedles(filesOf(folders.data), [needle])).toEqual([`planted: ${needle.what}`])
      const leaking = new Map([
        ["log", Buffer.concat([log, Buffer.from('{"msg":"'), needle.bytes, Buffer.from('"}\n')])],
      ])
      expect(findNeedles(leaking, [needle])).toEqual([`log: ${needle.what}`])
    }
    rmSync(planted)
    // And as people write them down.
    const hex = Buffer.from(userKey).toString("hex")
    for (const text of [hex, hex.toUpperCase(), nsecEncode(userKey), Buffer.from(userKey).toString("base64")]) {
      expect(findNeedles(new Map([["note", Buffer.from(`the key is ${text}.`)]]), needles)).not.toEqual([])
    }
  } finally {
    for (const client of clients) client.close()
    folders.remove()
  }
})

/** One letter of the data part becomes another. */
function spoil(nsec: string): string {
  return `${nsec.slice(0, 20)}${nsec[20] === "q" ? "p" : "q"}${nsec.slice(21)}`
}

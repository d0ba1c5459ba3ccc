import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { decode, npubEncode, nsecEncode } from "nostr-tools/nip19"
import { decrypt, encrypt } from "nostr-tools/nip49"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import decodeQR from "qr/decode.js"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Authenticator } from "./support/authenticator.js"
import {
  type Bunker,
  casemate,
  type Folders,
  isAlive,
  kill,
  makeFolders,
  processesNaming,
  runJson,
  startBunker,
  until,
} from "./support/bunker.js"
import { LINUX, PYTHON, titled } from "./support/needs.js"
import { joinWith, openSecondGateway } from "./support/second-gateway.js"

/** What a person meets who types `casemate start` for the first time, on a real pseudo-terminal. */
const TERMINAL = fileURLToPath(new URL("./terminal.py", import.meta.url))
const QUESTION = "for a new key: "
const LAST_LINE = "stop            Ctrl-C"

interface Terminal {
  screen(): string
  /** Resolves with all that is on the screen once the text was shown (again). */
  shows(text: string): Promise<string>
  type(text: string): void
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<number | null>
}

describe.skipIf(!PYTHON.isHere)(titled("the first run on a terminal", PYTHON), () => {
  let folders: Folders
  let terminal: Terminal
  beforeEach(() => {
    folders = makeFolders()
  })
  afterEach(async () => {
    terminal.signal("SIGTERM")
    await terminal.ended
    folders.remove()
  })
  const start = (...args: string[]): Terminal => {
    terminal = openTerminal(folders, ["start", "--data-dir", folders.data, "--http", "localhost:0", ...args])
    return terminal
  }

  it("takes an nsec without showing it", async () => {
    const secretKey = generateSecretKey()
    const nsec = nsecEncode(secretKey)
    const { shows, type } = start()
    await shows(QUESTION)
    type(`${nsec}\r`)
    expect(await shows(LAST_LINE)).not.toContain(nsec.slice(5, 20))
    const keys = await runJson<{ name: string; pubkey: string }[]>(folders, ["keys", "list"])
    expect(keys).toMatchObject([{ name: "default", pubkey: getPublicKey(secretKey) }])
  })

  it("makes a key for Enter, shows the loopback sentence and no QR code, and ends on Ctrl-C with 0", async () => {
    const { shows, type, ended } = start()
    await shows(QUESTION)
    type("\r")
    const screen = await shows(LAST_LINE)
    expect(screen).toContain("apps on this computer only; add --relay wss://… for others")
    expect(screen).not.toMatch(/[\u2580-\u259f]/)
    type("\u0003")
    expect(await ended).toBe(0)
  })

  it("asks again after a wrong nsec and shows nothing of it; Ctrl-U and backspace mend what was typed", async () => {
    const secretKey = generateSecretKey()
    const { shows, type } = start()
    await shows(QUESTION)
    const nsec = nsecEncode(secretKey)
    type(`${nsec.slice(0, -1)}${nsec.endsWith("q") ? "p" : "q"}\r`)
    await shows("not a secret key")
    expect(await shows(QUESTION)).not.toContain(nsecEncode(secretKey).slice(5, 20))
    type(`rubbish\u0015${nsecEncode(secretKey)}xy\u007f\u007f\r`)
    await shows(LAST_LINE)
    const keys = await runJson<{ pubkey: string }[]>(folders, ["keys", "list"])
    expect(keys).toMatchObject([{ pubkey: getPublicKey(secretKey) }])
  })

  it("ends on Ctrl-C at the question with an error, and the next start asks as if nothing had been", async () => {
    const { shows, type, ended } = start()
    await shows(QUESTION)
    type("nsec1half\u0003")
    expect(await ended).not.toBe(0)
    expect(terminal.screen()).toContain("casemate: nothing was entered, so nothing was changed")
    expect(terminal.screen()).not.toContain("half")
    expect(readdirSync(folders.root)).toEqual([])

    const again = start()
    await again.shows(QUESTION)
  })

  it.each(["SIGTERM", "SIGHUP"] as const)("ends at the question on %s, without a key", async (signal) => {
    const { shows, ended } = start()
    await shows(QUESTION)
    terminal.signal(signal)
    expect(await ended).toBe(0)
    expect(terminal.screen()).not.toContain("bunker://")
    expect(readdirSync(folders.root)).toEqual([])
    const again = start()
    await again.shows(QUESTION)
  })

  it.skipIf(!LINUX.isHere)(
    titled("asks again for an nsec that keyd was not there to take, and says why", LINUX),
    async () => {
      const secretKey = generateSecretKey()
      const { shows, type } = start()
      await shows(QUESTION)
      const keyd = processesNaming(folders.data).find((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("keyd/main.js"),
      )
      kill(keyd as number)
      await until(() => !isAlive(keyd as number))
      type(`${nsecEncode(secretKey)}\r`)
      expect(await shows(QUESTION)).toContain("ended before it answered and is started again")
      type(`${nsecEncode(secretKey)}\r`)
      expect(await shows(LAST_LINE)).toContain(npubEncode(getPublicKey(secretKey)))
    },
  )

  it("does not ask again once there is a key, and a relay that nobody reaches delays nothing", async () => {
    const first = await startBunker(folders)
    await first.stop()
    const began = performance.now()
    const { shows } = start("--relay", "wss://relay.example.com")
    const screen = await shows(LAST_LINE)
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(screen).not.toContain(QUESTION)
    expect(screen).not.toContain("on this computer only")
    const token = /bunker:\/\/\S+/.exec(screen)?.[0] ?? ""
    expect(token).toContain(encodeURIComponent("wss://relay.example.com"))
    expect(decodeQR(bitmapOf(screen))).toBe(token)
  })
})

describe.skipIf(!PYTHON.isHere)(titled("casemate keys add on a terminal", PYTHON), () => {
  it("asks, and shows nothing of what is typed", async () => {
    const folders = makeFolders()
    const bunker = await startBunker(folders)
    const secretKey = generateSecretKey()
    const terminal = openTerminal(folders, ["keys", "add", "--name", "mine", "--data-dir", folders.data])
    await terminal.shows("not shown): ")
    terminal.type(`${nsecEncode(secretKey)}\r`)
    expect(await terminal.ended).toBe(0)
    expect(terminal.screen()).toContain("Added the key mine")
    expect(terminal.screen()).not.toContain(nsecEncode(secretKey).slice(5, 20))
    await bunker.stop()
    folders.remove()
  })
})

describe.skipIf(!PYTHON.isHere)(titled("keys under a passphrase, on a terminal", PYTHON), () => {
  const PASSPHRASE = "correct horse battery"
  const NEW = "exported key (not shown): "
  const AGAIN = "once more: "
  let folders: Folders
  let bunker: Bunker
  beforeEach(async () => {
    folders = makeFolders()
    bunker = await startBunker(folders)
  })
  afterEach(async () => {
    await bunker.stop()
    folders.remove()
  })
  const open = (...args: string[]): Terminal => openTerminal(folders, ["keys", ...args, "--data-dir", folders.data])
  const listed = async (): Promise<string[]> =>
    (await runJson<{ name: string }[]>(folders, ["keys", "list"])).map(({ name }) => name)

  it("come in: the passphrase is asked for, and neither is shown", async () => {
    const secretKey = generateSecretKey()
    const ncryptsec = encrypt(secretKey, "not long", 16)
    for (const [typed, ending] of [
      ["not right", "the passphrase is wrong"],
      ["not long", `Added the key mine: ${npubEncode(getPublicKey(secretKey))}`],
    ] as const) {
      const terminal = open("add", "--name", "mine")
      await terminal.shows("not shown): ")
      terminal.type(`${ncryptsec}\r`)
      await terminal.shows("Its passphrase (not shown): ")
      terminal.type(`${typed}\r`)
      await terminal.ended
      expect(terminal.screen()).toContain(ending)
      expect(terminal.screen()).not.toContain(typed)
      expect(terminal.screen()).not.toContain(ncryptsec.slice(10, 24))
    }
  })

  it("come in at the first start too", async () => {
    const secretKey = generateSecretKey()
    const fresh = makeFolders()
    const terminal = openTerminal(fresh, ["start", "--data-dir", fresh.data, "--http", "localhost:0"])
    await terminal.shows(QUESTION)
    terminal.type(`${encrypt(secretKey, "not long", 16)}\r`)
    await terminal.shows("Its passphrase (not shown): ")
    terminal.type("not right\r")
    await terminal.shows("the passphrase is wrong")
    await terminal.shows(QUESTION)
    terminal.type(`${encrypt(secretKey, "not long", 16)}\r`)
    await terminal.shows("Its passphrase (not shown): ")
    terminal.type("not long\r")
    await terminal.shows(LAST_LINE)
    expect(terminal.screen()).not.toContain("not long")
    expect(await runJson(fresh, ["keys", "list"])).toMatchObject([{ pubkey: getPublicKey(secretKey) }])
    terminal.type("\u0003")
    await terminal.ended
    fresh.remove()
  })

  it("go out: the passphrase is typed twice and not shown", async () => {
    const terminal = open("export", "default", "--log-n", "16")
    await terminal.shows(NEW)
    terminal.type(`${PASSPHRASE}\r`)
    await terminal.shows(AGAIN)
    terminal.type(`${PASSPHRASE}\r`)
    expect(await terminal.ended).toBe(0)
    expect(terminal.screen()).not.toContain("horse")
    const ncryptsec = /ncryptsec1\w+/.exec(terminal.screen())?.[0] ?? ""
    expect(getPublicKey(decrypt(ncryptsec, PASSPHRASE))).toBe(bunker.ready.userPubkey)
  })

  it("stay, for two passphrases that differ, for none, for one that is too short, and for Ctrl-C", async () => {
    for (const [typed, sentence] of [
      [[PASSPHRASE, `${PASSPHRASE}x`], "the two passphrases are not the same, so nothing was exported"],
      [[""], "a key is not exported without a passphrase"],
      [["short", "short"], "at least 12 characters"],
      [["half\u0003"], "nothing was entered, so nothing was changed"],
    ] as const) {
      const terminal = open("export", "default", "--log-n", "16")
      for (const [i, text] of typed.entries()) {
        await terminal.shows(i === 0 ? NEW : AGAIN)
        terminal.type(`${text}\r`)
      }
      expect(await terminal.ended).toBe(1)
      expect(terminal.screen()).toContain(sentence)
      expect(terminal.screen()).not.toContain("ncryptsec1")
    }
    const unknown = open("export", "nobody")
    expect(await unknown.ended).toBe(1)
    expect(unknown.screen()).toContain('there is no key named "nobody"')
    expect(unknown.screen()).not.toContain(NEW)
  })

  it("go out in the clear only for who types the name of the key", async () => {
    for (const typed of ["y", "Default", "", "\u0003"]) {
      const terminal = open("export", "default", "--nsec")
      expect(await terminal.shows("to print it: ")).toContain("can sign as default for ever")
      terminal.type(`${typed}\r`)
      expect(await terminal.ended).toBe(1)
      expect(terminal.screen()).not.toContain("nsec1")
    }
    const terminal = open("export", "default", "--nsec")
    await terminal.shows("to print it: ")
    terminal.type("default\r")
    expect(await terminal.ended).toBe(0)
    const shown = decode(/nsec1\w+/.exec(terminal.screen())?.[0] ?? "")
    expect(shown.type === "nsec" && getPublicKey(shown.data)).toBe(bunker.ready.userPubkey)
  })

  it("are removed only for who types the name, and hears first what goes with them", async () => {
    for (const typed of ["y", "yes", "Default", "", "\u0003"]) {
      const terminal = open("remove", "default")
      const screen = await terminal.shows("to remove it: ")
      expect(screen).toContain(`This deletes the key default: ${npubEncode(bunker.ready.userPubkey)}`)
      expect(screen).toContain("shut out with it, for good: 1 unused token")
      expect(screen).toContain("it is the only key of this bunker")
      expect(screen).toContain("`casemate keys export default` makes one")
      terminal.type(`${typed}\r`)
      expect(await terminal.ended).toBe(1)
    }
    expect(await listed()).toEqual(["default"])
    const terminal = open("remove", "default")
    await terminal.shows("to remove it: ")
    terminal.type("default\r")
    expect(await terminal.ended).toBe(0)
    expect(terminal.screen()).toContain("Removed the key default")
    expect(await listed()).toEqual([])
  })
})

describe.skipIf(!PYTHON.isHere)(titled("casemate keys add with a name that cannot be", PYTHON), () => {
  it("says so before it asks for the secret", async () => {
    const folders = makeFolders()
    const bunker = await startBunker(folders)
    for (const [name, why] of [
      ["default", 'there is already a key named "default"'],
      ["not a name", "a key's name has 1 to 32 letters"],
    ] as const) {
      const terminal = openTerminal(folders, ["keys", "add", "--name", name, "--data-dir", folders.data])
      expect(await terminal.ended).toBe(1)
      expect(terminal.screen()).toContain(why)
      expect(terminal.screen()).not.toContain("Secret key")
    }
    await bunker.stop()
    folders.remove()
  })
})

describe.skipIf(!PYTHON.isHere)(titled("casemate apps preset full on a terminal", PYTHON), () => {
  const ASKED = "Give it the preset full? [y/N] "

  it("shows what it contains, and is given for a yes alone", async () => {
    const folders = makeFolders()
    const bunker = await startBunker(folders)
    const [{ id } = { id: "" }] = await runJson<{ id: string }[]>(folders, ["apps", "list"])
    const open = (): Terminal => openTerminal(folders, ["apps", "preset", id, "full", "--data-dir", folders.data])
    const perms = async (): Promise<readonly string[]> =>
      (await runJson<{ perms: string[] }>(folders, ["apps", "show", id])).perms
    const before = await perms()

    for (const [answer, sentence] of [
      ["\r", "nothing was changed"],
      ["n\r", "nothing was changed"],
      ["\u0003", "nothing was entered, so nothing was changed"],
    ] as const) {
      const terminal = open()
      const screen = await terminal.shows(ASKED)
      expect(screen).toContain("sign everything but what can cost you more than a post")
      expect(screen).toContain("decrypt messages between you and anybody (nip44_decrypt)")
      terminal.type(answer)
      expect(await terminal.ended).toBe(1)
      expect(terminal.screen()).toContain(sentence)
      expect(await perms()).toEqual(before)
    }
    const terminal = open()
    await terminal.shows(ASKED)
    terminal.type("y\r")
    expect(await terminal.ended).toBe(0)
    expect(await perms()).toContain("sign_event")
    await bunker.stop()
    folders.remove()
  })
})

describe.skipIf(!PYTHON.isHere)(titled("casemate pair on a terminal, with an app's token", PYTHON), () => {
  const ASKED = "Let it in? [y/N] "

  it("asks, and lets in for a yes alone", async () => {
    const folders = makeFolders()
    const bunker = await startBunker(folders)
    const relay = encodeURIComponent(bunker.ready.relays[0] as string)
    const uri = `nostrconnect://${getPublicKey(generateSecretKey())}?relay=${relay}&secret=0123456789abcdef&name=Notes`
    const open = (): Terminal =>
      openTerminal(folders, ["pair", uri, "--no-wait", "--perms", "sign_event:1", "--data-dir", folders.data])
    const apps = async (): Promise<string[]> =>
      (await runJson<{ name: string }[]>(folders, ["apps", "list"])).map(({ name }) => name)

    for (const [answer, sentence] of [
      ["\r", "the app was not let in, and nothing was changed"],
      ["n\r", "the app was not let in, and nothing was changed"],
      ["yesterday\r", "the app was not let in, and nothing was changed"],
      ["\u0003", "nothing was entered, so nothing was changed"],
      ["\u0004", "nothing was entered, so nothing was changed"],
    ] as const) {
      const terminal = open()
      expect(await terminal.shows(ASKED)).toContain('calls itself    "Notes"')
      terminal.type(answer)
      expect(await terminal.ended).not.toBe(0)
      expect(terminal.screen()).toContain(`casemate: ${sentence}`)
    }
    expect(await apps()).not.toContain("Notes")

    const terminal = open()
    await terminal.shows(ASKED)
    terminal.type("y\r")
    expect(await terminal.ended).toBe(0)
    expect(terminal.screen()).toContain('Let in: "Notes"')
    expect(terminal.screen()).not.toContain("0123456789abcdef")
    expect(await apps()).toContain("Notes")
    await bunker.stop()
    folders.remove()
  })
})

describe.skipIf(!PYTHON.isHere)(titled("the owners of a bunker on a terminal", PYTHON), () => {
  it("join by the link that the first start shows, and are removed for a yes alone", { timeout: 60_000 }, async () => {
    const folders = makeFolders()
    const start = (): Terminal => openTerminal(folders, ["start", "--data-dir", folders.data, "--http", "localhost:0"])
    const first = start()
    await first.shows(QUESTION)
    first.type("\r")
    const [url = ""] = /http:\/\/localhost:\d+\/join#[\w-]{22}/.exec(await first.shows(LAST_LINE)) ?? []
    const gateway = openSecondGateway(folders)
    expect(await joinWith(url, "alice", new Authenticator(), gateway)).toMatchObject({ ok: true })
    gateway.close()
    first.signal("SIGTERM")
    expect(await first.ended).toBe(0)

    const second = start()
    const screen = await second.shows(LAST_LINE)
    expect(screen).toMatch(/What apps ask for is decided at http:\/\/localhost:\d+\r?\n/)
    expect(screen).not.toContain("/join#")
    const remove = (): Terminal => openTerminal(folders, ["owner", "remove", "Alice", "--data-dir", folders.data])
    for (const [answer, code] of [
      ["\r", 1],
      ["y\r", 0],
    ] as const) {
      const terminal = remove()
      await terminal.shows("Remove the owner Alice, and sign them out everywhere? [y/N] ")
      terminal.type(answer)
      expect(await terminal.ended).toBe(code)
      expect(await runJson(folders, ["owner", "list"])).toHaveLength(code)
    }
    second.signal("SIGTERM")
    expect(await second.ended).toBe(0)
    folders.remove()
  })
})

function openTerminal(folders: Folders, args: readonly string[]): Terminal {
  const child = spawn("python3", [TERMINAL, process.execPath, casemate, ...args], {
    env: { ...folders.env, CASEMATE_LOG_LEVEL: "error" },
    stdio: ["pipe", "pipe", "inherit"],
  })
  let screen = ""
  let seen = 0
  let look = (): void => {}
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    screen += chunk
    look()
  })
  child.stdin.on("error", () => {})
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)))
  return {
    screen: () => screen,
    shows: (text) =>
      new Promise((resolve, reject) => {
        look = () => {
          const at = screen.indexOf(text, seen)
          if (at === -1) return
          seen = at + text.length
          look = () => {}
          resolve(screen)
        }
        look()
        void ended.then(() => reject(new Error(`it ended before it showed ${JSON.stringify(text)}: ${screen}`)))
      }),
    type: (text) => void child.stdin.write(text),
    signal: (signal) => void child.kill(signal),
    ended,
  }
}

/** The QR code on the screen, two rows of modules a line, as a camera would see it. */
function bitmapOf(screen: string): { width: number; height: number; data: Uint8Array } {
  const lines = screen.split(/\r?\n/).filter((line) => /^[ \u2580-\u259f]{30,}$/.test(line))
  const rows = lines.flatMap((line) => [
    [...line].map((c) => c === "█" || c === "▀"),
    [...line].map((c) => c === "█" || c === "▄"),
  ])
  const scale = 4
  const width = (rows[0] ?? []).length * scale
  const height = rows.length * scale
  const data = new Uint8Array(width * height * 4).fill(255)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const light = rows[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true
      if (!light) data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3)
    }
  }
  return { width, height, data }
}

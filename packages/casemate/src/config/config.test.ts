import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { describe, expect, it, test } from "vitest"
import { type ConfigInput, parseConfig } from "./config.js"
import { UserError } from "./user-error.js"

const ENV = { CASEMATE_CONFIG_DIR: "/etc/casemate-test" }

function mistake(input: ConfigInput, env: NodeJS.ProcessEnv = ENV): string {
  try {
    parseConfig(input, env, "linux")
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as UserError).message
  }
  throw new Error("it was taken")
}

describe("parseConfig", () => {
  it("has a default for everything", () => {
    expect(parseConfig({}, {}, "linux")).toEqual({
      dataDir: join(homedir(), ".local", "share", "casemate"),
      configDir: join(homedir(), ".config", "casemate"),
      http: { host: "localhost", port: 4646 },
      relays: [],
      publicUrl: undefined,
      webhook: undefined,
      logLevel: "warn",
    })
  })

  it("is frozen, its list of relays included", () => {
    const config = parseConfig({ relay: ["wss://relay.example"] }, ENV)
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.relays)).toBe(true)
  })

  it("makes folders absolute", () => {
    const config = parseConfig({ dataDir: "here" }, { CASEMATE_CONFIG_DIR: "there" })
    expect(config).toMatchObject({ dataDir: resolve("here"), configDir: resolve("there") })
  })

  test.each(["/data", "/data/config", "/data/..config", "/data/a/../b"])(
    "refuses the configuration folder %s in the data folder /data",
    (folder) => {
      expect(mistake({ dataDir: "/data" }, { CASEMATE_CONFIG_DIR: folder })).toContain("lies in the data folder")
    },
  )

  test.each(["/data-config", "/", "/..data", "/other"])("takes the configuration folder %s beside /data", (folder) => {
    expect(parseConfig({ dataDir: "/data" }, { CASEMATE_CONFIG_DIR: folder }).configDir).toBe(folder)
  })

  test.each([
    ["4646", "localhost", 4646],
    ["localhost:0", "localhost", 0],
    ["0.0.0.0:65535", "0.0.0.0", 65_535],
    ["[::1]:8080", "::1", 8_080],
    [" bunker.example:80 ", "bunker.example", 80],
  ])("reads --http %s", (http, host, port) => {
    expect(parseConfig({ http }, ENV).http).toEqual({ host, port })
  })

  test.each([
    "",
    ":",
    ":4646",
    "localhost",
    "localhost:",
    "localhost:65536",
    "localhost:-1",
    "::1:80",
    "[::1]",
    "a b:80",
  ])("refuses --http %j", (http) => {
    expect(mistake({ http })).toMatch(/^--http takes HOST:PORT, such as localhost:4646, not "/)
  })

  it("normalises relays", () => {
    expect(parseConfig({ relay: ["WSS://Relay.Example:443/", "ws://localhost:7777/x"] }, ENV).relays).toEqual([
      "wss://relay.example",
      "ws://localhost:7777/x",
    ])
  })

  test.each(["", "relay.example", "https://relay.example", "wss://", "wss://me:secret@relay.example", "wss://a b"])(
    "refuses --relay %j",
    (relay) => {
      expect(mistake({ relay: ["wss://relay.example", relay] })).toMatch(/^--relay takes a ws:\/\/ or wss:\/\/ URL/)
    },
  )

  it("takes ten relays and refuses the eleventh", () => {
    const relay = Array.from({ length: 11 }, (_, i) => `wss://relay${i}.example`)
    expect(parseConfig({ relay: relay.slice(1) }, ENV).relays).toHaveLength(10)
    expect(mistake({ relay })).toBe("--relay may be given at most 10 times")
  })

  test.each([
    ["https://bunker.example", "https://bunker.example"],
    ["https://Bunker.Example:443//", "https://bunker.example"],
    ["http://10.0.0.5:8080/casemate/", "http://10.0.0.5:8080/casemate"],
  ])("reads --public-url %s", (publicUrl, url) => {
    expect(parseConfig({ publicUrl }, ENV).publicUrl).toBe(url)
  })

  test.each([
    "",
    "bunker.example",
    "wss://bunker.example",
    "javascript:alert(1)",
    "https://me@bunker.example",
    "https://:secret@bunker.example",
    "https://bunker.example/?a=1",
    "https://bunker.example/#x",
    // Before a path of ours it would name another host.
    "https://bunker.example//evil.example",
  ])("refuses --public-url %j", (publicUrl) => {
    expect(mistake({ publicUrl })).toMatch(/^--public-url takes an https:\/\/ URL/)
  })

  it("refuses an empty --data-dir: an unset variable of a script shall not mean the default", () => {
    expect(mistake({ dataDir: "" })).toMatch(/^--data-dir takes a folder/)
  })

  it("reads the log level", () => {
    expect(parseConfig({}, { ...ENV, CASEMATE_LOG_LEVEL: "debug" }).logLevel).toBe("debug")
    expect(parseConfig({}, { ...ENV, CASEMATE_LOG_LEVEL: "" }).logLevel).toBe("warn")
    expect(mistake({}, { ...ENV, CASEMATE_LOG_LEVEL: "WARN" })).toMatch(/^CASEMATE_LOG_LEVEL takes one of trace, /)
  })

  it("takes the curve from the environment, or leaves the choice to the machine", () => {
    expect(parseConfig({}, ENV).curve).toBeUndefined()
    expect(parseConfig({}, { ...ENV, CASEMATE_CRYPTO: "" }).curve).toBeUndefined()
    expect(parseConfig({}, { ...ENV, CASEMATE_CRYPTO: "portable" }).curve).toBe("portable")
    expect(mistake({}, { ...ENV, CASEMATE_CRYPTO: "fast" })).toBe(
      'CASEMATE_CRYPTO takes native, wasm, portable, or nothing, not "fast"',
    )
  })
})

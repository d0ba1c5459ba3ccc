import type { LookupAddress } from "node:dns"
import { createServer } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { assertOutward, outwardLookup } from "./guard.js"
import { createWsFactory } from "./ws-factory.js"

const looksUp = (addresses: string[], all: boolean): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const answer: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))
    outwardLookup((_hostname, _options, callback) => callback(null, answer))(
      "relay.example",
      { all },
      (error, address, family) => (error === null ? resolve([address, family]) : reject(error)),
    )
  })

describe("outwardLookup", () => {
  it("gives public addresses as Node's own does", async () => {
    expect(await looksUp(["8.8.8.8", "2606:4700::1111"], false)).toEqual(["8.8.8.8", 4])
    expect(await looksUp(["8.8.8.8"], true)).toEqual([[{ address: "8.8.8.8", family: 4 }], undefined])
  })

  it.each([["127.0.0.1"], ["10.0.0.1"], ["::1"], ["8.8.8.8", "192.168.1.1"], ["2606:4700::1111", "fe80::1"], []])(
    "fails for a name that resolves to %s %s",
    async (...addresses) => {
      for (const all of [true, false]) {
        await expect(looksUp(addresses, all)).rejects.toThrow("it leads into a private network")
      }
    },
  )

  it("fails as the resolver does", async () => {
    const failing = outwardLookup((_hostname, _options, callback) => callback(new Error("ENOTFOUND"), []))
    await expect(
      new Promise((_, reject) => failing("nowhere.example", {}, (error) => reject(error as Error))),
    ).rejects.toThrow("ENOTFOUND")
  })
})

describe("assertOutward", () => {
  it.each([
    ["ws://relay.example", /not encrypted/],
    ["wss://10.1.2.3", /private network/],
    ["wss://[::1]:7777", /private network/],
    ["wss://169.254.169.254/latest", /private network/],
    ["wss://0x7f.1", /private network/],
  ])("refuses %s", (url, why) => expect(() => assertOutward(url)).toThrow(why))

  it("lets names and public addresses through", () => {
    for (const url of ["wss://relay.example", "wss://1.1.1.1", "wss://localhost"]) assertOutward(url)
  })
})

describe("a guarded socket", () => {
  let dialled = 0
  const server = createServer(() => void dialled++)
  afterEach(() => void server.close())

  it("is never connected to this machine, by address or by name", async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as { port: number }
    const guarded = createWsFactory({ isGuarded: () => true })
    expect(() => guarded(`wss://127.0.0.1:${port}`)).toThrow("it leads into a private network")
    const socket = guarded(`wss://localhost:${port}`)
    const error = await new Promise<unknown>((resolve) => {
      socket.onerror = (event: { message?: unknown }) => resolve(event.message)
    })
    expect(error).toBe("it leads into a private network")
    expect(dialled).toBe(0)

    // The same name without a guard is dialled.
    const open = createWsFactory()(`wss://localhost:${port}`)
    await new Promise<void>((resolve) => server.once("connection", (peer) => resolve(void peer.destroy())))
    open.close()
    expect(dialled).toBe(1)
  })
})

import { describe, expect, it } from "vitest"
import { type Sites, sitesOf } from "./sites.js"

const at = (url: string, publicUrl?: string): Sites => sitesOf(url, { publicUrl })
const originAt = (sites: Sites, host: string): string | undefined => sites.find([host])?.site.origin

describe("the names that are ours", () => {
  it("are localhost, and the other loopback names lead there", () => {
    for (const url of ["http://localhost:4646", "http://127.0.0.1:4646", "http://[::1]:4646"]) {
      const sites = at(url)
      const site = { origin: "http://localhost:4646", base: "", cookieName: "casemate-4646", isSecure: false }
      expect(sites.find(["localhost:4646"])).toEqual({ site, pagesAt: undefined })
      for (const host of ["127.0.0.1:4646", "[::1]:4646"]) {
        expect(sites.find([host])).toEqual({ site, pagesAt: "http://localhost:4646" })
      }
      expect(sites.addresses).toEqual(["http://localhost:4646"])
    }
  })

  it("are the public URL's too, whose path a proxy takes off", () => {
    const sites = at("http://localhost:4646", "https://bunker.example/a/bunker")
    const site = {
      origin: "https://bunker.example",
      base: "/a/bunker",
      cookieName: "__Host-casemate",
      isSecure: true,
    }
    for (const host of ["bunker.example", "bunker.example:443", "Bunker.Example"]) {
      expect(sites.find([host])).toEqual({ site, pagesAt: undefined })
    }
    expect(originAt(sites, "bunker.example:80")).toBeUndefined()
    expect(originAt(sites, "localhost:4646")).toBe("http://localhost:4646")
    expect(sites.addresses).toEqual(["https://bunker.example/a/bunker", "http://localhost:4646"])
  })

  it("keep the port of a public URL that has one", () => {
    const sites = at("http://localhost:4646", "https://bunker.example:8443")
    expect(originAt(sites, "bunker.example:8443")).toBe("https://bunker.example:8443")
    expect(originAt(sites, "bunker.example")).toBeUndefined()
    const proxied = at("http://localhost:4646", "http://localhost:8080")
    expect(proxied.find(["localhost:8080"])?.site).toMatchObject({
      origin: "http://localhost:8080",
      cookieName: "casemate-8080",
    })
  })

  it("are none where a browser lets nobody sign in", () => {
    const sites = at("http://192.168.1.5:4646", "http://bunker.example")
    expect(originAt(sites, "bunker.example")).toBeUndefined()
    expect(originAt(sites, "192.168.1.5:4646")).toBeUndefined()
    expect(sites.addresses).toEqual([])
  })

  it("are no other address, not even one of this machine: keyd knows of no page there", () => {
    const sites = at("http://127.0.0.2:4646")
    expect(originAt(sites, "127.0.0.2:4646")).toBeUndefined()
    expect(sites.addresses).toEqual([])
  })

  it("do without a port that is the scheme's", () => {
    const sites = at("http://localhost:80")
    for (const host of ["localhost", "localhost:80"]) {
      expect(sites.find([host])?.site).toMatchObject({ origin: "http://localhost", cookieName: "casemate-80" })
    }
    expect(sites.find(["127.0.0.1"])?.pagesAt).toBe("http://localhost")
  })

  it.each([
    [[]],
    [["localhost:4646", "localhost:4646"]],
    [["evil.example", "localhost:4646"]],
    [[""]],
    [["localhost"]],
    [["localhost:"]],
    [["localhost:80"]],
    [["localhost:46460"]],
    [["localhost:4646."]],
    [["localhost.:4646"]],
    [[" localhost:4646"]],
    [["localhost:4646, evil.example"]],
    [["localhost:4646#"]],
    [["localhost:4646/"]],
    [["a@localhost:4646"]],
    [["localhost:4646@evil.example"]],
    [["http://localhost:4646"]],
    [["evil.localhost:4646"]],
    [["localhost.evil.example:4646"]],
    [["0.0.0.0:4646"]],
    [["127.1:4646"]],
    [["2130706433:4646"]],
    [["127.0.0.2:4646"]],
    [["[::]:4646"]],
    [["::1:4646"]],
    [["[0:0:0:0:0:0:0:1]:4646"]],
    [["[::ffff:127.0.0.1]:4646"]],
    [["ｌocalhost:4646"]],
    [["bunker.example."]],
    [["evilbunker.example"]],
    [["bunker.example.evil.example"]],
    [["__proto__"]],
    [["constructor"]],
  ])("are not %j", (hosts: string[]) => {
    expect(at("http://localhost:4646", "https://bunker.example").find(hosts)).toBeUndefined()
  })
})

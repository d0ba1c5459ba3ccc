import type { Frame } from "playwright-core"
import type { Target } from "./target.js"

type Way = (target: Target) => unknown
type Ways = Readonly<Record<string, Way>>

/** Teaches a page every way to ask another origin for something, and gives their names. */
export function teachWays(frame: Frame): Promise<string[]> {
  return frame.evaluate(defineWays)
}

/** Ends when the request has, as far as the page can tell. */
export async function goWay(frame: Frame, name: string, target: Target): Promise<void> {
  const parts = { name, target }
  await frame.evaluate(async ({ name, target }) => {
    await (globalThis as unknown as { ways: Ways }).ways[name]?.(target)
  }, parts)
}

/** Runs in the page, so that everything it needs is within. */
function defineWays(): string[] {
  const quietly = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => undefined)
  const ask = (target: Target, init: RequestInit): Promise<unknown> =>
    quietly(fetch(target.origin + target.path, { method: "POST", body: target.body, ...init }))
  const json = { "content-type": "application/json" }
  const session = ({ token }: Target) => ({ ...json, "x-casemate-session": token })

  /** An element that fetches; ends when it has, or has failed. */
  const insert = (html: string): Promise<unknown> => {
    const box = document.createElement("div")
    box.innerHTML = html
    document.body.append(box)
    const element = box.firstElementChild as HTMLElement
    return new Promise((resolve) => {
      for (const event of ["load", "error", "loadstart"]) element.addEventListener(event, resolve)
    })
  }

  /** A form that is sent into a frame, a new window, or in place of the page. */
  const send = (action: string, fields: readonly (readonly [string, string])[], init: Partial<HTMLFormElement>) => {
    const frame = document.createElement("iframe")
    frame.name = `frame ${Math.random()}`
    const form = document.createElement("form")
    Object.assign(form, { method: "POST", action, target: frame.name, ...init })
    for (const [name, value] of fields) {
      const field = document.createElement("textarea")
      Object.assign(field, { name, value })
      form.append(field)
    }
    document.body.append(frame, form)
    const loaded = new Promise((resolve) => {
      frame.onload = resolve
      if (form.target !== frame.name) resolve(undefined)
    })
    form.submit()
    return loaded
  }
  const fieldsOf = ({ body }: Target) => Object.entries(JSON.parse(body) as Record<string, string>)
  /** As near as a form of the type text/plain comes to JSON: a name, "=", a value. */
  const likeJson = ({ body }: Target) => [[`${body.slice(0, -1)},"x":"`, '"}']] as const

  const ways: Ways = {
    "a form, urlencoded": (t) => send(t.origin + t.path, fieldsOf(t), {}),
    "a form, multipart": (t) => send(t.origin + t.path, fieldsOf(t), { enctype: "multipart/form-data" }),
    "a form, text/plain like JSON": (t) => send(t.origin + t.path, likeJson(t), { enctype: "text/plain" }),
    "a form that overrides the method": (t) =>
      send(`${t.origin}/api/v1/session?_method=DELETE`, [["_method", "DELETE"]], {}),
    "a form by GET": (t) => send(t.origin + t.path, fieldsOf(t), { method: "GET" }),
    "a form into a new window": (t) => send(t.origin + t.path, fieldsOf(t), { target: "_blank" }),
    "a form that a redirect of our own keeps": (t) => send(t.redirect, likeJson(t), { enctype: "text/plain" }),
    "fetch, no-cors, text": (t) => ask(t, { mode: "no-cors", credentials: "include" }),
    "fetch, no-cors, says text/plain": (t) =>
      ask(t, { mode: "no-cors", credentials: "include", headers: { "content-type": "text/plain" } }),
    "fetch, no-cors, says JSON": (t) => ask(t, { mode: "no-cors", credentials: "include", headers: json }),
    "fetch, no-cors, urlencoded": (t) =>
      ask(t, { mode: "no-cors", credentials: "include", body: new URLSearchParams(fieldsOf(t)) }),
    "fetch, no-cors, multipart": (t) => {
      const body = new FormData()
      for (const [name, value] of fieldsOf(t)) body.append(name, value)
      return ask(t, { mode: "no-cors", credentials: "include", body })
    },
    "fetch, no-cors, bytes without a type": (t) =>
      ask(t, { mode: "no-cors", credentials: "include", body: new TextEncoder().encode(t.body) }),
    "fetch, no-cors, kept alive": (t) => ask(t, { mode: "no-cors", credentials: "include", keepalive: true }),
    "fetch, no-cors, without a referrer": (t) =>
      ask(t, { mode: "no-cors", credentials: "include", referrerPolicy: "no-referrer" }),
    "fetch, no-cors, by a redirect of our own": (t) =>
      quietly(fetch(t.redirect, { method: "POST", body: t.body, mode: "no-cors", credentials: "include" })),
    "fetch, cors, text": (t) => ask(t, { credentials: "include" }),
    "fetch, cors, JSON": (t) => ask(t, { credentials: "include", headers: json }),
    "fetch, cors, JSON with the token": (t) => ask(t, { credentials: "include", headers: session(t) }),
    "fetch, cors, JSON with the token, cookies of the same origin": (t) =>
      ask(t, { credentials: "same-origin", headers: session(t) }),
    "fetch, cors, JSON with the token, no cookies": (t) => ask(t, { credentials: "omit", headers: session(t) }),
    "fetch, overrides the method": (t) =>
      ask(t, { credentials: "include", headers: { ...session(t), "x-http-method-override": "DELETE" } }),
    "XMLHttpRequest, PUT": (t) =>
      new Promise((resolve) => {
        const request = new XMLHttpRequest()
        request.open("PUT", `${t.origin}/api/v1/apps/${t.appId}/style`)
        request.withCredentials = true
        request.setRequestHeader("content-type", "application/json")
        request.onloadend = resolve
        request.send('{"style":"hold"}')
      }),
    "XMLHttpRequest, DELETE": (t) =>
      new Promise((resolve) => {
        const request = new XMLHttpRequest()
        request.open("DELETE", `${t.origin}/api/v1/session`)
        request.withCredentials = true
        request.setRequestHeader("x-casemate-session", t.token)
        request.onloadend = resolve
        request.send()
      }),
    "a beacon, text": (t) => navigator.sendBeacon(t.origin + t.path, t.body),
    "a beacon, urlencoded": (t) => navigator.sendBeacon(t.origin + t.path, new URLSearchParams(fieldsOf(t))),
    "a beacon, JSON": (t) => navigator.sendBeacon(t.origin + t.path, new Blob([t.body], { type: "application/json" })),
    "an image": (t) => insert(`<img src="${t.origin}${t.path}?${new URLSearchParams(fieldsOf(t))}">`),
    "a style sheet": (t) => insert(`<link rel=stylesheet href="${t.origin}${t.path}">`),
    "a video": (t) => insert(`<video src="${t.origin}${t.path}"></video>`),
    "an object": (t) => insert(`<object data="${t.origin}${t.path}"></object>`),
    "a frame of the page that decides": (t) => insert(`<iframe src="${t.origin}/requests/${t.requestId}"></iframe>`),
    "a script": (t) =>
      new Promise((resolve) => {
        const script = Object.assign(document.createElement("script"), { src: t.origin + t.path, onerror: resolve })
        script.onload = resolve
        document.body.append(script)
      }),
    "a stream of events": (t) =>
      new Promise((resolve) => {
        const source = new EventSource(t.origin + t.path, { withCredentials: true })
        source.onerror = () => resolve(source.close())
      }),
    "a WebSocket": (t) =>
      new Promise((resolve) => {
        const socket = new WebSocket(t.origin.replace("http", "ws") + t.path)
        socket.onopen = () => socket.send(t.body)
        socket.onclose = resolve
      }),
    "a link that is clicked, with a ping": async (t) => {
      const link = Object.assign(document.createElement("a"), { href: "#here", ping: t.origin + t.path })
      document.body.append(link)
      link.click()
    },
  }
  Object.assign(globalThis, { ways })
  return Object.keys(ways)
}

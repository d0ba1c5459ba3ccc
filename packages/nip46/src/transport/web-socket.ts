/**
 * The part of a WebSocket that a relay connection uses. The browser's `WebSocket` and that of the `ws`
 * package both satisfy it as they are; handlers are assigned as properties, never through `addEventListener`.
 *
 * `never` as the parameter makes every platform's own event type fit.
 */
export interface WebSocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number
  /** Bytes handed to `send` that have not left yet. */
  readonly bufferedAmount: number
  send(data: string): void
  close(code?: number, reason?: string): void
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  /** Sends a ping frame. Used only when `onpong` is there too; browsers have neither. */
  ping?(): void
  /** Called for every ping or pong frame of the other side. An adapter over `ws` provides it. */
  onpong?: (() => void) | null
  /** Drops the socket without the closing handshake, which a dead peer would never answer. */
  terminate?(): void
}

/** Opens a socket to a relay. It may throw: that counts as a dial that failed. */
export type WebSocketFactory = (url: string) => WebSocketLike

/** The platform's own `WebSocket`: browsers, Deno, Bun, Node 22. Node 20 has none and hands in `ws`. */
export const platformWebSocket: WebSocketFactory = (url) => new WebSocket(url)

/** `readyState` of an open socket. */
export const OPEN = 1

import type { NostrEvent } from "../protocol/event.js"
import { OPEN } from "../transport/web-socket.js"
import type { RelaySideSocket } from "./memory-socket.js"
import type { RelayFaults } from "./relay-faults.js"

type Timer = ReturnType<typeof setTimeout>

/** All that the relay says to one socket, late, twice and out of order as the faults will have it. */
export class FaultRelayOutlet {
  readonly #socket: RelaySideSocket
  readonly #faults: RelayFaults
  readonly #random: () => number
  readonly #timers = new Set<Timer>()
  #held: { message: readonly unknown[]; timer: Timer } | undefined
  #mute = false

  constructor(socket: RelaySideSocket, faults: RelayFaults, random: () => number) {
    this.#socket = socket
    this.#faults = faults
    this.#random = random
  }

  say(message: readonly unknown[]): void {
    const { delayMs, delayOksMs } = this.#faults
    this.sendText(JSON.stringify(message), delayMs + (message[0] === "OK" ? delayOksMs : 0))
  }

  deliver(subscriptionId: string, event: NostrEvent): void {
    const { duplicates, reorder, reorderMs } = this.#faults
    const message = ["EVENT", subscriptionId, event]
    const copies = 1 + Math.floor(duplicates) + (this.#random() < duplicates % 1 ? 1 : 0)
    if (this.#held === undefined && this.#random() < reorder) {
      for (let copy = 1; copy < copies; copy++) this.#sendEvent(message)
      this.#held = { message, timer: this.#later(() => this.#release(), reorderMs) }
      return
    }
    for (let copy = 0; copy < copies; copy++) this.#sendEvent(message)
    this.#release()
  }

  /** As it is, valid or not. */
  sendText(text: string, delayMs = 0): void {
    if (this.#mute) return
    if (delayMs > 0) this.#later(() => this.#send(text), delayMs)
    else this.#send(text)
  }

  /** Says nothing any more, not even what was under way. */
  silence(): void {
    this.#mute = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#held = undefined
  }

  #release(): void {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    clearTimeout(held.timer)
    this.#timers.delete(held.timer)
    this.#sendEvent(held.message)
  }

  #sendEvent(message: readonly unknown[]): void {
    this.sendText(JSON.stringify(message), this.#faults.delayMs + this.#faults.delayEventsMs)
  }

  #later(task: () => void, delayMs: number): Timer {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      task()
    }, delayMs)
    this.#timers.add(timer)
    return timer
  }

  #send(text: string): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(text)
  }
}

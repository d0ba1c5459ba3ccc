/** Where the built-in relay of an HTTP server is: `https://bunker.example` has it at `wss://bunker.example/relay`. */
export function relayUrlOf(origin: string): string {
  return `${origin.replace(/^http/, "ws")}/relay`
}

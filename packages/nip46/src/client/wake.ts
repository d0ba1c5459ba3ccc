/** Calls when the machine may have slept or changed its network, where the platform tells. Returns the end of it. */
export function onWake(call: () => void): () => void {
  const { addEventListener, removeEventListener, document } = globalThis as Partial<typeof globalThis>
  if (typeof addEventListener !== "function" || typeof removeEventListener !== "function") return () => undefined
  const onVisible = (): void => {
    if (document?.visibilityState === "visible") call()
  }
  addEventListener("online", call)
  document?.addEventListener("visibilitychange", onVisible)
  return () => {
    removeEventListener("online", call)
    document?.removeEventListener("visibilitychange", onVisible)
  }
}

/** Keeps this page's half of a session; the other half is a cookie that no script can read. */
export interface SessionStore {
  get(): string | undefined
  set(token: string): void
  forget(): void
}

/** What of the browser's storage is used. */
export interface Kept {
  getItem(name: string): string | null
  setItem(name: string, value: string): void
  removeItem(name: string): void
}

/** In `storage`, under a name for each bunker of an origin; where that is shut, until the page is left. */
export function sessionStore(base: string, storage: () => Kept): SessionStore {
  const name = `casemate-session:${base}`
  let kept: string | undefined
  const attempt = <T>(work: (storage: Kept) => T): T | undefined => {
    try {
      return work(storage())
    } catch {
      // Some browsers throw when a person forbade them to keep anything.
      return undefined
    }
  }
  return {
    get: () => attempt((storage) => storage.getItem(name)) ?? kept,
    set(token) {
      kept = token
      attempt((storage) => storage.setItem(name, token))
    },
    forget() {
      kept = undefined
      attempt((storage) => storage.removeItem(name))
    },
  }
}

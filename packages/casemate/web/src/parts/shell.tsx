import type { ComponentChildren, JSX } from "preact"
import { Link } from "./link.js"
import { usePage } from "./page-context.js"

/** What every page stands in. */
export function Shell({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const { api } = usePage()
  return (
    <div class="shell">
      <header class="top">
        <Link to="/requests" class="mark">
          <Gate />
          Casemate
        </Link>
        {api.isSignedIn && (
          <nav aria-label="Pages">
            <Link to="/account" class="top-link">
              Account
            </Link>
          </nav>
        )}
      </header>
      <main>{children}</main>
    </div>
  )
}

function Gate(): JSX.Element {
  return (
    <svg class="gate" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M4 30V14a12 12 0 0 1 24 0v16z" />
      <path class="slit" d="M10 18h12v4H10z" />
    </svg>
  )
}

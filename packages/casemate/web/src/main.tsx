import { render } from "preact"
import { App } from "./app.js"

const base = baseOf(document)
draw()
// A link to join that is opened where the page is open already loads nothing anew.
window.addEventListener("hashchange", () => {
  if (location.hash !== "") draw()
})

function draw(): void {
  const place = document.getElementById("app")
  if (place !== null) render(<App base={base} secret={takeSecret()} />, place)
}

function baseOf(page: Document): string {
  return page.querySelector<HTMLMetaElement>('meta[name="casemate-base"]')?.content.replace(/\/$/, "") ?? ""
}

/** The secret of a link to join. It leaves the address bar at once: there it would be seen, and kept. */
function takeSecret(): string | undefined {
  const secret = location.hash.slice(1)
  if (secret === "") return undefined
  history.replaceState(history.state, "", `${location.pathname}${location.search}`)
  return secret
}

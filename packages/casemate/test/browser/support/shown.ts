import type { Page } from "playwright-core"

/** What a person who looks at a page has before them. */
export interface Shown {
  /** All its text in order, with the page's escapes undone: what it says that others wrote. */
  readonly text: string
  /** Characters that cannot be seen and were shown raw, as code points. */
  readonly raw: readonly string[]
  /** Text that is there and cannot be seen, with the reason. */
  readonly hidden: readonly string[]
  /** Elements that no page of ours has. */
  readonly foreign: readonly string[]
}

/**
 * Reads what is shown. An escape is ours where it stands in an element that says so by its title; one that an app
 * wrote has its backslash doubled, which is undone as well.
 */
export function readShown(page: Page): Promise<Shown> {
  return page.evaluate(() => {
    const ESCAPE_TITLE = "something that cannot be seen"
    // A list of our own, so that what the page's overlooks is found. A line feed is a line, and a tab is not one.
    const INVISIBLE = new RegExp(
      "[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2800\\u3164\\ufe00-\\ufe0f" +
        "\\uffa0\\ufff0-\\ufff8\\u{13441}\\u{13442}\\u{16fe4}\\u{1d159}\\u{e0000}-\\u{e0fff}]",
      "gu",
    )
    const OURS = new Set(
      (
        "a article b bdi br button code dd del details div dl dt em fieldset footer form h1 h2 h3 header hr input ins " +
        "label legend li main mark nav noscript ol p path pre rect section small span strong summary svg time ul dialog abbr"
      ).split(" "),
    )
    const root = document.body
    const raw: string[] = []
    const hidden: string[] = []
    const note = (text: string): void => {
      for (const [character] of text.matchAll(INVISIBLE)) {
        if (character !== "\n") raw.push(`U+${character.codePointAt(0)?.toString(16)}`)
      }
    }

    /** Why nobody sees it; undefined for what is seen, if need be after scrolling. */
    function blindness(node: Text): string | undefined {
      const parent = node.parentElement
      if (parent === null) return "nowhere"
      const style = getComputedStyle(parent)
      if (style.visibility !== "visible") return "visibility"
      if (Number.parseFloat(style.fontSize) < 9) return `font of ${style.fontSize}`
      if (/^rgba\(.*, 0\)$|^transparent$/.test(style.color)) return "colour"
      if (/\s\s|\n/.test(node.data) && !/^(?:pre|pre-wrap|break-spaces)$/.test(style.whiteSpace)) return "white space"
      const range = document.createRange()
      range.selectNodeContents(node)
      let { left, right, top, bottom } = range.getBoundingClientRect()
      if (right - left < 1 || bottom - top < 1) return "no room"
      for (
        let element: Element | null = parent;
        element !== null && element !== root;
        element = element.parentElement
      ) {
        const own = getComputedStyle(element)
        if (Number.parseFloat(own.opacity) < 0.5) return "opacity"
        const box = element.getBoundingClientRect()
        const clips = (overflow: string): boolean =>
          /hidden|clip/.test(overflow) || /paint|strict|content/.test(own.contain)
        const scrolls = (overflow: string): boolean => /auto|scroll/.test(overflow)
        if (scrolls(own.overflowX)) [left, right] = [Math.max(left, box.left), Math.min(right, box.right)]
        else if (clips(own.overflowX) && (left < box.left - 1 || right > box.right + 1)) return "cut off at a side"
        if (scrolls(own.overflowY)) [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)]
        else if (clips(own.overflowY) && (top < box.top - 1 || bottom > box.bottom + 1)) return "cut off above or below"
      }
      if (left < -1 || right > document.documentElement.clientWidth + 1) return "beyond the edge of the screen"
      return undefined
    }

    const parts: string[] = []
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode() as Text | null; node !== null; node = walker.nextNode() as Text | null) {
      const parent = node.parentElement as Element
      if (parent.closest("script, style, noscript, [class='unseen']") !== null) continue
      // Our own words hold a shortened key together with it; nobody else's are let.
      note(parent.closest(".theirs") === null ? node.data.replaceAll("\u2060\u2026\u2060", "") : node.data)
      const why = node.data.trim() === "" ? undefined : blindness(node)
      if (why !== undefined) hidden.push(`${why}: ${node.data.slice(0, 60)}`)
      parts.push(
        parent.getAttribute("title") === ESCAPE_TITLE
          ? node.data.replace(/\\u\{([0-9a-f]+)\}/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
          : node.data.replaceAll("\\\\u{", "\\u{"),
      )
    }
    const foreign = [...root.querySelectorAll("*")].flatMap((element) => {
      const names = element.getAttributeNames()
      for (const name of names) note(element.getAttribute(name) ?? "")
      const bad = names.filter((name) => /^on|^style$|^srcdoc$/i.test(name))
      const leads = names.filter((name) => /^(?:href|src|action|formaction|xlink:href)$/i.test(name))
      const astray = leads.filter((name) => !/^[/#]|^otpauth:/.test(element.getAttribute(name) ?? ""))
      const name = element.localName
      const isForeign = !OURS.has(name) && !element.matches("body > script[src], body > div")
      return isForeign || bad.length > 0 || astray.length > 0 ? [`${name} ${[...bad, ...astray].join(" ")}`] : []
    })
    return { text: parts.join(""), raw, hidden, foreign }
  })
}

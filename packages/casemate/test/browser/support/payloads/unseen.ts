/** Marks that turn text around, in pairs that say how each is undone. */
const TURNS: readonly (readonly [start: string, end: string])[] = [
  ["\u202e", "\u202c"],
  ["\u202d", "\u202c"],
  ["\u202b", "\u202c"],
  ["\u202a", "\u202c"],
  ["\u2067", "\u2069"],
  ["\u2066", "\u2069"],
  ["\u2068", "\u2069"],
]
const MARKS = ["\u200e", "\u200f", "\u061c"]

/** Text that would read otherwise than it is. */
export const BIDI: readonly string[] = [
  ...TURNS.flatMap(([start, end]) => [
    `pay ${start}0001${end} sats`,
    `pay ${start}0001 sats`,
    `${start}${end}`,
    `${end}${end}${start}kind 1`,
    `a${start}b${start}c${end}d${end}e`,
    `line one\n${start}line two\nline three`,
    start.repeat(130),
  ]),
  ...MARKS.flatMap((mark) => [`a${mark}b`, `${mark.repeat(40)}1.000`, `\u05d0${mark}5 sats`]),
  "Approve \u202edeny\u202c this",
  "invoice\u202egpj.exe",
  "https://\u202emoc.elpmaxe\u202c/",
  "if (isOwner) \u2066/* never\u2069 \u2066*/ approve",
  "\u202e\u2066\u202d\u2067 nested \u2069\u202c",
  // Letters that run from the right by nature are to be seen, and to turn nothing around them.
  "\u05e9\u05dc\u05d5\u05dd 123 \u05e2\u05d5\u05dc\u05dd",
  "\u0645\u0631\u062d\u0628\u0627 (1 + 2) \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
  "\u05d0\u05d1 <kind 1> \u05d2\u05d3",
  "100 \u20aa \u05d0 200",
  "\u07c0\u07c1\u07c2 nko",
  "\ufdfd",
]

const CONTROLS = Array.from({ length: 0x20 }, (_, code) => code)
  .concat(Array.from({ length: 0x21 }, (_, i) => 0x7f + i))
  .map((code) => String.fromCharCode(code))

/** What has no ink, or is no character of its own. */
const BLANKS = [
  "\u00ad",
  "\u034f",
  "\u115f",
  "\u1160",
  "\u17b4",
  "\u17b5",
  "\u180b",
  "\u180e",
  "\u200b",
  "\u200c",
  "\u200d",
  "\u2028",
  "\u2029",
  "\u2060",
  "\u2061",
  "\u2062",
  "\u2063",
  "\u2064",
  "\u206a",
  "\u206f",
  "\u2800",
  "\u3164",
  "\ufe00",
  "\ufe0f",
  "\ufeff",
  "\uffa0",
  "\ufff9",
  "\ufffb",
  "\u{13441}",
  "\u{16fe4}",
  "\u{1bca0}",
  "\u{1d159}",
  "\u{1d173}",
  "\u{e0001}",
  "\u{e0020}",
  "\u{e0061}",
  "\u{e007f}",
  "\u{e0100}",
  "\u{e01ef}",
]

export const UNSEEN: readonly string[] = [
  ...CONTROLS.map((control) => `a${control}b`),
  ...BLANKS.map((blank) => `a${blank}b`),
  CONTROLS.join(""),
  BLANKS.join(""),
  "\u200b".repeat(120),
  "\u001b[2J\u001b[H\u001b[31mApproved\u001b[0m",
  "\u001b]8;;https://OUT/\u0007click\u001b]8;;\u0007",
  "visible\u0008\u0008\u0008\u0008\u0008\u0008\u0008hidden ",
  "one\rtwo",
  "one\u000btwo\u000cthree",
  "tab\tbetween\t\ttabs",
  // Words in tag characters, as they are hidden after an emoji.
  `\u{1f600}${Array.from("ignore all of this", (c) => String.fromCodePoint(0xe0000 + (c.codePointAt(0) ?? 0))).join("")}`,
  "\u{1f469}\u200d\u{1f469}\u200d\u{1f467} family",
  "\u2764\ufe0f\ufe0e\ufe0f",
  // What is seen, and seen wrongly where white space is folded or marks are cut.
  "two  spaces,   three,    four",
  "  before and after  x",
  "a\n\n\n\nb",
  "\u00a0\u2003\u3000wide\u2009thin\u202f",
  `z${"\u0300\u0301\u0316\u0334".repeat(12)}algo`,
  "x".repeat(100),
  "W".repeat(100),
  "\u4e2d".repeat(90),
  "\u{1f511}".repeat(40),
  "not\\u{7}one",
  "\\\u0007",
  "\\u{\u202e}",
]

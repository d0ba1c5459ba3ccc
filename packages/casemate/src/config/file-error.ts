import { resolve } from "node:path"

const WHY: Readonly<Record<string, string>> = {
  EACCES: "this account may not use it",
  EPERM: "this account may not use it",
  EROFS: "its disk cannot be written to",
  ENOSPC: "its disk is full",
  EDQUOT: "this account has used up its share of the disk",
  EISDIR: "it is a folder",
  ERR_FS_EISDIR: "it is a folder",
  EEXIST: "it is there and is not a folder",
  ENOTDIR: "a part of its path is not a folder",
  ENOENT: "it is not there and cannot be made",
  ENAMETOOLONG: "its name is too long",
  ELOOP: "it is a link that leads nowhere",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  EIO: "its disk failed",
}

/** What a system's error on a file means for its owner; undefined when it is not about a file. */
export function explainFileError(error: unknown, about?: string): string | undefined {
  const { code = "", path, syscall } = error as NodeJS.ErrnoException
  const why = WHY[code]
  // Reading names no file, only the handle it had.
  const file =
    about ??
    (path === undefined ? undefined : resolve(path)) ??
    (syscall === "read" ? "a file of this bunker" : undefined)
  return why === undefined || file === undefined ? undefined : `${file} cannot be used: ${why}`
}

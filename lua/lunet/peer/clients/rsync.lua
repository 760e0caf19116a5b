--- rsync's client of a daemon. It compares whole seconds each time when half of its timeout, rounded up, is over. With
--- --timeout=3 it gives up after 6 s, or after 4 s if it looks late.
return {
  packages = { "rsync" },
  program = "rsync",
  version = { "--version" },
  arguments = { "OPTION", "rsync://ADDRESS:PORT/" },
  waits = {
    default = {},
    connect = { option = "--contimeout=3", connect = 3 },
    answer = { option = "--timeout=3", answer = { 4, 6 }, status = 30, words = "timeout" },
  },
}

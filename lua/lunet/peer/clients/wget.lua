--- wget. It tries 20 times, and pauses for a second more after each of the first ten failures.
return {
  packages = { "wget" },
  program = "wget",
  version = { "--version" },
  arguments = { "--no-config", "-nv", "-O", "/dev/null", "OPTION", "http://ADDRESS:PORT/" },
  waits = {
    default = { answer = 20 * 900 + 55 + 9 * 10, connections = 20, status = 4 },
    connect = { option = "--connect-timeout=3 --tries=2", connect = 7 },
    answer = { option = "--read-timeout=3 --tries=2", answer = 7, connections = 2, status = 4, words = "timed out" },
  },
}

--- curl. Its only default is a connect timeout of 300 s, which is longer than the kernel tries.
return {
  packages = { "curl" },
  program = "curl",
  version = { "--version" },
  arguments = { "-sS", "OPTION", "http://ADDRESS:PORT/" },
  waits = {
    default = {},
    connect = { option = "--connect-timeout 3", connect = 3 },
    answer = { option = "--max-time 3", connect = 3, answer = 3, status = 28, words = "timed out" },
  },
}

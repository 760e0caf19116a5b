--- lftp over HTTP.
return {
  packages = { "lftp" },
  program = "lftp",
  version = { "--version" },
  arguments = { "--norc", "-c", "OPTION open http://ADDRESS:PORT/; cat /word" },
  waits = {
    default = {},
    answer = { option = "set net:timeout 3; set net:max-retries 1;", connect = 6, answer = 6, connections = 2,
      status = 1, words = "max-retries exceeded" },
  },
}

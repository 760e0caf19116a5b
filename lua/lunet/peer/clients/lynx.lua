--- lynx.
return {
  packages = { "lynx" },
  program = "lynx",
  version = { "-version" },
  arguments = { "-dump", "OPTION", "http://ADDRESS:PORT/" },
  environment = { TERM = "dumb" },
  waits = {
    default = {},
    connect = { option = "-connect_timeout=3", connect = 3 },
    answer = { option = "-read_timeout=3", answer = 3 },
  },
}

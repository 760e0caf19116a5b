--- aria2c, which tries five times.
return {
  packages = { "aria2" },
  program = "aria2c",
  version = { "--version" },
  arguments = { "--no-conf", "--console-log-level=error", "--summary-interval=0", "--dir=PLACE", "OPTION",
    "http://ADDRESS:PORT/" },
  waits = {
    default = { connect = 300, answer = 300, connections = 5, status = 2 },
    connect = { option = "--connect-timeout=3 --max-tries=2", connect = 6, answer = 120, connections = 2 },
    answer = { option = "--timeout=3 --max-tries=2", answer = 6, connections = 2, status = 2 },
  },
  says = "(errorCode=[^\n]*)",
}

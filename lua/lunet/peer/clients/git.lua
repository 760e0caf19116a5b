--- git over HTTP, by libcurl. It has no timeout; http.lowSpeedTime is the next best.
return {
  packages = { "git" },
  program = "git",
  version = { "--version" },
  arguments = { "OPTION", "ls-remote", "http://ADDRESS:PORT/repository" },
  waits = {
    default = {},
    answer = { option = "-c http.lowSpeedLimit=1 -c http.lowSpeedTime=3", answer = 3, status = 128 },
  },
}

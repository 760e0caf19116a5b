--- svn over HTTP, by libserf.
return {
  packages = { "subversion" },
  program = "svn",
  version = { "--version" },
  arguments = { "OPTION", "--non-interactive", "ls", "http://ADDRESS:PORT/repository" },
  waits = {
    default = { answer = 600, status = 1, words = "Connection timed out" },
    answer = { option = "--config-option servers:global:http-timeout=3", connect = 3, answer = 3 },
  },
}

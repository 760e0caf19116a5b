--- memcping of libmemcached.
return {
  packages = { "libmemcached-tools" },
  program = "memcping",
  version = { "--version" },
  arguments = { "--servers=ADDRESS:PORT" },
  waits = { default = { answer = 5, status = 1, words = "A TIMEOUT OCCURRED" } },
}

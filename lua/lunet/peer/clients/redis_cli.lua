--- redis-cli.
return {
  packages = { "redis-tools" },
  program = "redis-cli",
  version = { "--version" },
  arguments = { "-h", "ADDRESS", "-p", "PORT", "ping" },
  waits = { default = {} },
}

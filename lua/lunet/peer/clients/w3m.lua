--- w3m.
return {
  packages = { "w3m" },
  program = "w3m",
  version = { "-version" },
  arguments = { "-dump", "http://ADDRESS:PORT/" },
  waits = { default = {} },
}

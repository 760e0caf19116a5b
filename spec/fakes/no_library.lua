--- A client whose library is on no machine.
return {
  packages = { "lunet" },
  program = os.getenv "LUNET",
  version = { "-e", "print(_VERSION)" },
  libraries = { ["/no/such/library"] = "python3-missing" },
  arguments = {},
  waits = { default = {} },
}

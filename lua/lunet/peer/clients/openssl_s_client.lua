--- openssl s_client. Its -timeout is for DTLS.
return {
  packages = { "openssl" },
  program = "openssl",
  version = { "version" },
  arguments = { "s_client", "-connect", "ADDRESS:PORT" },
  waits = { default = {} },
}

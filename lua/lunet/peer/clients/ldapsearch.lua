--- ldapsearch. Its -l is a limit for the server, which has to hear of it first.
return {
  packages = { "ldap-utils" },
  program = "ldapsearch",
  version = { "-VV" },
  arguments = { "-x", "OPTION", "-H", "ldap://ADDRESS:PORT", "-b", "dc=lunet" },
  environment = { LDAPNOINIT = "1" },
  waits = {
    default = {},
    connect = { option = "-o nettimeout=3 -l 3", connect = 3 },
  },
}

--- dig over TCP, which tries three times.
return {
  packages = { "bind9-dnsutils" },
  program = "dig",
  version = { "-v" },
  arguments = { "-r", "+tcp", "+short", "OPTION", "@ADDRESS", "-p", "PORT", "lunet.test" },
  says = ";; ([^\n]*timed out)",
  waits = {
    default = { connect = 30, answer = 30, connections = 3, status = 9, words = "timed out" },
    answer = { option = "+timeout=2 +tries=1", connect = 2, answer = 2, status = 9, words = "timed out" },
  },
}

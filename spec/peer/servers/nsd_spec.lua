local peer = require "spec.support.peer"

peer(_ENV, "nsd", { logged = "axfr", later = "axfr" })

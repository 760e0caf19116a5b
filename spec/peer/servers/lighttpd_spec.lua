local peer = require "spec.support.peer"

peer(_ENV, "lighttpd", { logged = "200", later = "200" })

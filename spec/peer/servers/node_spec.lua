local peer = require "spec.support.peer"

peer(_ENV, "node", { told = "", later = "200" })

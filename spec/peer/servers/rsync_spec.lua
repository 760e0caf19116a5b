local peer = require "spec.support.peer"

peer(_ENV, "rsync", { told = "@ERROR: max connections", logged = "max connections (1) reached" })

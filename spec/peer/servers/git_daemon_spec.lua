local peer = require "spec.support.peer"

peer(_ENV, "git_daemon", { told = "", logged = "Too many children" })

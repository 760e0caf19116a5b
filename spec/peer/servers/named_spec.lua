local peer = require "spec.support.peer"

peer(_ENV, "named", { holds = true, unread = true, logged = "query", later = "query" })

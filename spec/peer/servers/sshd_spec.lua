local peer = require "spec.support.peer"

peer(_ENV, "sshd", { told = "Exceeded MaxStartups", logged = "drop connection #1", later = "word" })

local peer = require "spec.support.peer"

peer(_ENV, "vsftpd", { told = "421 There are too many connected users", logged = "refused" })

local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "nginx_stream", { told = "FIN", logged = "connect() failed (111: Connection refused)" })
